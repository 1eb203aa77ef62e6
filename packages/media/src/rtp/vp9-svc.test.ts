import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MediaLog } from "../testing/media-log.ts";
import { parseVp9FrameHead } from "../vp9/frame-header.ts";
import { RtpDemuxer } from "./rtp-demuxer.ts";

test("Chromium's spatial layers are one picture each, of the upper layer's size, and only that is shown (ING3)", () => {
  const bytes = readFileSync(new URL("../../fixtures/chromium-vp9-svc.rtp", import.meta.url));
  const log = new MediaLog();
  const codec = { mimeType: "video/VP9", clockRate: 90_000, parameters: { "profile-id": 0 } };
  using demuxer = new RtpDemuxer(log);
  const stream = demuxer.addStream({ id: 0, kind: "video", codec, payloadType: bytes.readUInt8(3) & 0x7f });
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    stream.push(bytes.subarray(at + 2, end), 0);
    at = end;
  }
  expect(log.warnings).toEqual([]);
  expect(log.units).toHaveLength(21);
  expect(log.videoTracks.map(({ width, height, codecString }) => [width, height, codecString])).toEqual([
    [480, 270, "vp09.00.21.08"],
  ]);
  log.units.forEach(({ data, keyframe }, i) => {
    expect(keyframe).toBe(i === 0);
    // Two frames, whose sizes take one or two bytes.
    const index = data.at(-1)!;
    expect(index & 0xe7).toBe(0xc1);
    const lower = index === 0xc1 ? data.at(-3)! : data.at(-5)! + 256 * data.at(-4)!;
    expect(parseVp9FrameHead(data)).toMatchObject({ shown: false, keyframe: i === 0 });
    expect(parseVp9FrameHead(data.subarray(lower))).toMatchObject({ shown: true, keyframe: false });
  });
});
