import { expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { buildVp9Config, parseVp9Config, vp9CodecString } from "./vp9-config.ts";
import { Vp9ElementaryStream } from "./vp9-elementary-stream.ts";

const samplesOf = (pixels: string) => {
  const file = ffmpegSample("mp4", `-f lavfi -i testsrc2=s=162x90:r=25 -t 0.4 -c:v libvpx-vp9 -g 5 -pix_fmt ${pixels}`);
  const { streams, packets } = ffprobe(file.path);
  const samples = packets.map(({ pos, size, flags }) => ({
    data: file.bytes.subarray(Number(pos), Number(pos) + Number(size)),
    key: flags.startsWith("K"),
  }));
  return { vpcC: boxPayload(file.bytes, "vpcC"), stream: streams[0], samples };
};

for (const pixels of ["yuv420p", "yuv444p", "yuv420p10le"]) {
  test(`${pixels}: size, profile and keyframes as ffprobe has them (ING1)`, () => {
    const { vpcC, stream: probed, samples } = samplesOf(pixels);
    const stream = new Vp9ElementaryStream(4);
    expect(stream.configure(vpcC)).toBe(false);
    samples.forEach(({ data, key }, i) => {
      const frame = stream.push(data);
      expect(frame.keyframe).toBe(key);
      expect(frame.trackChanged).toBe(i === 0);
      expect(frame.data).toBe(data);
    });
    expect(stream.track).toMatchObject({
      id: 4,
      width: probed?.width,
      height: probed?.height,
      profile: probed?.profile,
    });
    expect([...(stream.track?.config ?? [])]).toEqual([...vpcC]);
    expect([...buildVp9Config(parseVp9Config(vpcC.subarray(4)))]).toEqual([...vpcC]);
  });
}

test("without a configuration record the frame header tells", () => {
  const { samples } = samplesOf("yuv420p10le");
  const stream = new Vp9ElementaryStream(0);
  stream.push((samples[0] as { data: Buffer }).data);
  expect(stream.track?.codecString).toBe("vp09.02.10.10");
  expect(vp9CodecString(parseVp9Config(stream.track?.config as Uint8Array))).toBe("vp09.02.10.10");
});

test("what is no VP9 frame is an error", () => {
  const stream = new Vp9ElementaryStream(0);
  expect(() => stream.push(Uint8Array.of(0x12, 0, 0))).toThrow(MediaError);
  expect(() => stream.push(new Uint8Array(0))).toThrow(MediaError);
  expect(() => stream.push(Uint8Array.of(0x82, 0x49, 0x83, 0x43, 0, 0, 0, 0, 0, 0))).toThrow(MediaError);
  expect(() => parseVp9Config(new Uint8Array(7))).toThrow(MediaError);
});
