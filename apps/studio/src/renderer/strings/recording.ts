import { count, dayAndTime, fileSize, span, timer } from "./figures.ts";

/** Keeping the show on this computer. */
export const recordingStrings = {
  record: "Record",
  recording: (ms: number, bytes: number) => `${timer(ms)} · ${fileSize(bytes)}`,
  recordingLabel: (ms: number, bytes: number) =>
    `Recording for ${span(ms)}: ${timer(ms)} · ${fileSize(bytes)}, safe on the disk. Press to stop.`,
  starting: "Starting…",
  failed: "Recording stopped",
  replay: "Save replay",
  replayHint: (ms: number) => `Keep the last ${span(ms)} as a film`,
  replayEmpty: "The replay is filling up.",
  films: {
    title: "Recordings",
    button: "Recordings",
    now: "Being recorded",
    program: "The show",
    noFilms: "No recordings yet",
    noFilmsDetail: "What you record, and replays that you save, are listed here.",
    loading: "Looking into the folder…",
    again: "Try again",
    refresh: "Look again",
    folder: (path: string) => `In ${path}, on the computer where the engine runs.`,
    kinds: { program: "Show", source: "Source", replay: "Replay" },
    about: (ms: number, bytes: number, endedAt: number) => `${timer(ms)} · ${fileSize(bytes)} · ${dayAndTime(endedAt)}`,
    size: (width: number | null, height: number | null) =>
      width === null || height === null ? "Sound only" : `${width} × ${height}`,
    play: "Play",
    close: "Close",
    playing: (name: string) => `Close ${name}`,
    playFilm: (name: string) => `Play ${name}`,
    show: "Show file",
    showFilm: (name: string) => `Show the file of ${name}`,
    save: "Save a copy",
    saveFilm: (name: string) => `Save a copy of ${name}`,
    unplayable: "This browser cannot play it. The file is as it was.",
  },
  isolated: {
    title: "Sources by themselves",
    detail:
      "Each gets a film of its own beside the show's, on the same time, whatever scene is shown. Muted is silent there, too.",
    cost: (bits: string, gigabytes: string) =>
      `Takes an encoder for each picture, and about ${bits} in all: ${gigabytes} an hour. Where this computer does not keep up, these films lose pictures first, not the show.`,
    none: "There is no camera, screen, microphone or guest in the show yet.",
    most: (most: number) => `No more than ${most} at one time.`,
    step: (name: string, on: boolean) => (on ? `Record ${name} by itself` : `Do not record ${name} by itself`),
    states: {
      waiting: "Waiting for the first picture",
      waitingSound: "Waiting for the first sound",
      sound: "Sound",
    },
    runs: (encoder: string, frameRate: number, dropped: number) =>
      `${encoder} · ${count(frameRate)} frames/s · ${dropped === 0 ? "none" : count(dropped)} dropped`,
    about: (ms: number, bytes: number) => `${timer(ms)} · ${fileSize(bytes)}`,
    notEncoded: (problem: string) => `No picture: ${problem}`,
    ended: (name: string, problem: string) => `${name} is not recorded by itself any more. ${problem}`,
  },
  commands: { recordings: "Recordings", record: "Start or stop recording", saveReplay: "Save the replay" },
} as const;
