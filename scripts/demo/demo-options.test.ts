import { expect, test } from "vitest";
import { parseDemoOptions } from "./demo-options.ts";

test("without arguments: 720p30 by RTMP to the local backend, until it is stopped", () => {
  expect(parseDemoOptions([])).toEqual({
    protocol: "rtmp",
    key: undefined,
    url: undefined,
    dataDir: undefined,
    durationS: undefined,
    width: 1280,
    height: 720,
    frameRate: 30,
    bitrate: 3_041_000,
  });
});

test("everything can be chosen", () => {
  const options = parseDemoOptions(
    "--url srt://example.com:9000 --key abc --size 1920x1080 --fps 59.94 --bitrate 6000 --duration 5 --data-dir d".split(
      " ",
    ),
  );
  expect(options).toMatchObject({ protocol: "srt", key: "abc", frameRate: 59.94, bitrate: 6_000_000, durationS: 5 });
  expect(parseDemoOptions(["--srt"])).toMatchObject({ protocol: "srt", url: undefined });
  expect(parseDemoOptions(["--help"])).toBeUndefined();
});

test.each([
  ["--size 1281x720", "two even numbers"],
  ["--size big", "two even numbers"],
  ["--fps 0", "from 1 to 120"],
  ["--fps 1e2", "from 1 to 120"],
  ["--duration soon", "a number"],
  ["--url http://example.com", "an address such as"],
  ["--url srt://example.com", "needs a port"],
  ["--url rtmp://example.com/live --srt", "contradict"],
  ["--nonsense", "Unknown option"],
])("%s is refused in words", (line, words) => {
  expect(() => parseDemoOptions(line.split(" "))).toThrow(words);
});
