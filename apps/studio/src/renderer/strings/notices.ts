import { fileSize, span } from "./figures.ts";

/** What is said in passing. */
export const noticeStrings = {
  error: (message: string, retryable: boolean) => (retryable ? `${message} Try again in a moment.` : message),
  onAir: "You are on air.",
  inPreview: "Only you see it. Put it on air when you are ready.",
  ended: (ms: number) => `The stream has ended after ${span(ms)}.`,
  recorded: (bytes: number, path: string) => `Recorded ${fileSize(bytes)}: ${path}`,
  recordingStarted: "Recording.",
  replaySaved: (ms: number, path: string) => `The last ${span(ms)} are saved: ${path}`,
  updateReady: (version: string) => `Klieg ${version} is ready. It is there when you start the studio again.`,
  updateFailed: "The update could not be fetched. It is tried again at the next start.",
  backLive: (name: string) => `${name} gets your show again.`,
  showInFolder: "Show file",
  copy: "Copy",
  copied: "Copied.",
} as const;
