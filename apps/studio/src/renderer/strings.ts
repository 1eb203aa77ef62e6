import { commandStrings } from "./strings/commands.ts";
import { sceneStrings } from "./strings/scenes.ts";
import { shellStrings } from "./strings/shell.ts";
import { showStrings } from "./strings/show.ts";
import { sourceStrings } from "./strings/sources.ts";
import { stageStrings } from "./strings/stage.ts";

/** Every word that the studio shows or speaks, in one catalogue by areas, so that it can be translated as one. */
export const strings = {
  shell: shellStrings,
  show: showStrings,
  scenes: sceneStrings,
  stage: stageStrings,
  sources: sourceStrings,
  commands: commandStrings,
} as const;
