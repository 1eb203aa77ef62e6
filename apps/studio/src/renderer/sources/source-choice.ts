import type { SourceKind } from "../../document/source.ts";

/** What can be added: a browser tab is a screen that begins at its tabs. */
export type SourceChoice = SourceKind | "browser_tab";

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
