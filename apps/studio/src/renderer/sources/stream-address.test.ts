import { expect, test } from "vitest";
import { isAddress, isRtsp, secretOf, splitPassword } from "./stream-address.ts";

test.each([
  ["rtsp://camera.local/stream", true],
  ["RTSPS://10.0.0.2:322/a b", false],
  ["srt://studio.example:9000?mode=caller", true],
  ["v4l2:/dev/video0", true],
  ["decklink:DeckLink Mini Recorder", true],
  ["rtsp://", false],
  ["file:///etc/passwd", false],
  ["camera.local", false],
])("STU1: %s is an address: %s", (text, is) => {
  expect(isAddress(text)).toBe(is);
});

test("STU1: a password that was typed into an address is taken out of it", () => {
  expect(splitPassword("rtsp://admin:se%20cret@camera/live?x=1")).toEqual({
    url: "rtsp://admin@camera/live?x=1",
    password: "se cret",
  });
  expect(splitPassword("rtsp://admin@camera:554/live")).toEqual({
    url: "rtsp://admin@camera:554/live",
    password: undefined,
  });
  expect(splitPassword("srt://host:9000?passphrase=0123456789&latency=200")).toEqual({
    url: "srt://host:9000?latency=200",
    password: "0123456789",
  });
  expect(splitPassword("srt://host:9000?latency=200&passphrase=%zz").password).toBe("%zz");
  expect(splitPassword("srt://host:9000?passphrase=a").url).toBe("srt://host:9000");
});

test("STU1: which secret an address takes", () => {
  expect(["srt://a:1", "rtsp://a", "http://a/", "udp://a:1", "v4l2:/dev/video0"].map(secretOf)).toEqual([
    "passphrase",
    "password",
    "password",
    undefined,
    undefined,
  ]);
  expect(isRtsp("rtsps://a")).toBe(true);
});
