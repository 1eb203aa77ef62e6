import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests against other people's programs: one file at a time, each in a process of its own, with time to start them. */
const withRealPeers = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  fileParallelism: false,
  pool: "forks",
  // These run in real time beside encoders and a browser. A shared machine may take the cores away for seconds; what
  // fails twice fails, and a test that needed its second chance is named in the output.
  retry: process.env.CI === undefined ? 0 : 1,
} as const;

/** Files that mostly wait for time to pass: they share the cores, two at a time. */
const sharing = { ...withRealPeers, fileParallelism: true, maxWorkers: 2 } as const;

const WIRE = [
  ...["contribution", "doors", "full-disk", "webrtc-doors"].map((name) => `test/chaos/${name}.test.ts`),
  ...[
    "cmaf",
    "edge",
    "enhanced-rtmp",
    "ffmpeg-contribution",
    "ffmpeg-srt-encryption",
    "gstreamer",
    "mpegts",
    "playlists",
    "preview",
    "rtp",
    "srt-live-transmit",
    "srt-transport",
    "studio-encoders",
    "studio-publish",
    "turn",
  ].map((name) => `test/interop/${name}.test.ts`),
];
const PLAYERS = ["cmaf-media-source", "other-players", "player", "player-controls", "player-lifecycle"].map(
  (name) => `test/browser/${name}.test.ts`,
);

// The names are words of `npm test -- WORD` too.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.{ts,tsx}", "scripts/**/*.test.ts"],
          testTimeout: 10_000,
          // Vitest would leave a core to itself, half of a small machine, though some tests only wait for a program.
          maxWorkers: availableParallelism() + 1,
          // Some start FFmpeg or the media worker and wait for what these do.
          retry: withRealPeers.retry,
        },
      },
      { test: { name: "wire", include: WIRE, ...sharing } },
      {
        test: {
          name: "interop",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{browser,chaos}/**", ...WIRE, "**/node_modules/**"],
          ...sharing,
        },
      },
      { test: { name: "players", include: PLAYERS, ...sharing } },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          exclude: [...PLAYERS, "**/node_modules/**"],
          ...withRealPeers,
        },
      },
      {
        test: {
          name: "chaos",
          include: ["test/chaos/**/*.test.ts"],
          exclude: [...WIRE, "**/node_modules/**"],
          ...withRealPeers,
        },
      },
    ],
  },
});
