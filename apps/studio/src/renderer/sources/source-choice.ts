import type { Source, SourceKind } from "../../document/source.ts";

/** What can be added: a browser tab is a screen that begins at its tabs. */
export type SourceChoice = SourceKind | "browser_tab";

/** What a source would be added as. */
export function choiceOf(source: Source): SourceChoice {
  return source.kind === "screen" && source.surface === "browser_tab" ? "browser_tab" : source.kind;
}

/** In the order in which they are offered. */
export const SOURCE_CHOICES: readonly SourceChoice[] = [
  "camera",
  "screen",
  "browser_tab",
  "microphone",
  "text",
  "image",
  "media_file",
  "guest",
  "stream",
  "colour",
];
