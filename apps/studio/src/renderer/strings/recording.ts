import { fileSize, span, timer } from "./figures.ts";

/** Keeping the show on this computer. */
export const recordingStrings = {
  record: "Record",
  recording: (ms: number, bytes: number) => `${timer(ms)} · ${fileSize(bytes)}`,
  recordingLabel: (ms: number, bytes: number) =>
    `Recording for ${span(ms)}, ${fileSize(bytes)} are safe. Press to stop.`,
  starting: "Starting…",
  failed: "Recording stopped",
  replay: "Save replay",
  replayHint: (ms: number) => `Keep the last ${span(ms)} as a film`,
  replayEmpty: "The replay is filling up.",
  commands: { record: "Start or stop recording", saveReplay: "Save the replay" },
} as const;
