import { broadcastStrings } from "./strings/broadcast.ts";
import { commandStrings } from "./strings/commands.ts";
import { controlStrings } from "./strings/control.ts";
import { destinationStrings } from "./strings/destinations.ts";
import { guestStrings } from "./strings/guests.ts";
import { healthStrings } from "./strings/health.ts";
import { mixerStrings } from "./strings/mixer.ts";
import { noticeStrings } from "./strings/notices.ts";
import { recordingStrings } from "./strings/recording.ts";
import { sceneStrings } from "./strings/scenes.ts";
import { settingsStrings } from "./strings/settings.ts";
import { shellStrings } from "./strings/shell.ts";
import { showStrings } from "./strings/show.ts";
import { sourceStrings } from "./strings/sources.ts";
import { stageStrings } from "./strings/stage.ts";
import { welcomeStrings } from "./strings/welcome.ts";

/** Every word that the studio shows or speaks, in one catalogue by areas, so that it can be translated as one. */
export const strings = {
  shell: shellStrings,
  show: showStrings,
  scenes: sceneStrings,
  stage: stageStrings,
  sources: sourceStrings,
  commands: commandStrings,
  broadcast: broadcastStrings,
  control: controlStrings,
  destinations: destinationStrings,
  guests: guestStrings,
  health: healthStrings,
  mixer: mixerStrings,
  notices: noticeStrings,
  recording: recordingStrings,
  settings: settingsStrings,
  welcome: welcomeStrings,
} as const;
