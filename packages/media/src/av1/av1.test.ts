import fc from "fast-check";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { Av1ElementaryStream } from "./av1-elementary-stream.ts";
import { av1TrackFromConfig } from "./av1-track.ts";
import { AV1_OBU, leb128Bytes, readLeb128, scanObus, writeLeb128 } from "./obu.ts";

const source = (size: string, rate: string) => `-f lavfi -i testsrc2=s=${size}:r=${rate} -t 0.4 -g 5`;
const aom = "-c:v libaom-av1 -cpu-used 8 -usage realtime";

const variants: Readonly<Record<string, string>> = {
  "libaom main": `${source("322x182", "25")} ${aom}`,
  "libaom high 4:4:4": `${source("160x90", "25")} ${aom} -pix_fmt yuv444p`,
  "libaom monochrome": `${source("160x90", "25")} ${aom} -pix_fmt gray`,
  "SVT-AV1 10 bit": `${source("320x180", "30000/1001")} -c:v libsvtav1 -preset 12 -pix_fmt yuv420p10le`,
};

/** Temporal units of an IVF file, delimiters included. */
function temporalUnits(ivf: Buffer): Buffer[] {
  const units: Buffer[] = [];
  for (let at = 32; at + 12 <= ivf.length; at += 12 + ivf.readUInt32LE(at)) {
    units.push(ivf.subarray(at + 12, at + 12 + ivf.readUInt32LE(at)));
  }
  return units;
}

describe("sequence headers are read as ffprobe and mediabunny read them (ING1)", () => {
  for (const [name, args] of Object.entries(variants)) {
    test(name, async () => {
      const file = ffmpegSample("mp4", args);
      const av1C = boxPayload(file.bytes, "av1C");
      const probed = ffprobe(file.path).streams[0];
      const track = av1TrackFromConfig(2, av1C);
      expect(track).toMatchObject({
        id: 2,
        codec: "av1",
        width: probed?.width,
        height: probed?.height,
        profile: probed?.profile,
      });
      expect([...track.config]).toEqual([...av1C]);
      const input = new Input({ source: new BufferSource(file.bytes), formats: ALL_FORMATS });
      const other = (await (await input.getPrimaryVideoTrack())?.getCodecParameterString()) as string;
      expect(track.codecString.split(".").slice(0, 4)).toEqual(other.split(".").slice(0, 4));
    });
  }

  test("the optional fields of the codec string are written when they differ from what is assumed", () => {
    const strings = Object.values(variants).map(
      (args) => av1TrackFromConfig(0, boxPayload(ffmpegSample("mp4", args).bytes, "av1C")).codecString,
    );
    expect(strings).toEqual([
      "av01.0.00M.08",
      "av01.1.00M.08.0.000.01.01.01.0",
      "av01.0.00M.08.1.110.01.01.01.1",
      "av01.0.00M.10",
    ]);
  });
});

describe("temporal units (ING1)", () => {
  const ivf = ffmpegSample("ivf", variants["libaom main"] as string);
  const units = temporalUnits(ivf.bytes);

  test("keyframes are those that ffprobe finds; delimiters are gone, headers announced once", () => {
    const stream = new Av1ElementaryStream(0);
    const keys = units.map((unit, i) => {
      const frame = stream.push(unit);
      expect(frame.trackChanged).toBe(i === 0);
      const types = scanObus(frame.data).map((obu) => obu.type);
      expect(types).not.toContain(AV1_OBU.TEMPORAL_DELIMITER);
      expect(types.includes(AV1_OBU.SEQUENCE_HEADER)).toBe(frame.keyframe);
      return frame.keyframe;
    });
    expect(keys).toEqual(ffprobe(ivf.path).packets.map(({ flags }) => flags.startsWith("K")));
    expect(keys.filter(Boolean)).toHaveLength(2);
  });

  test("what is stored is what FFmpeg's muxer stores, and goes through untouched", () => {
    const mp4 = ffmpegSample("mp4", variants["libaom main"] as string);
    const samples = ffprobe(mp4.path).packets.map(({ pos, size }) =>
      mp4.bytes.subarray(Number(pos), Number(pos) + Number(size)),
    );
    const stream = new Av1ElementaryStream(0);
    units.forEach((unit, i) => {
      const { data } = stream.push(unit);
      expect(Buffer.compare(data, samples[i] as Buffer)).toBe(0);
      expect(stream.push(data).data).toBe(data);
    });
  });

  test("a last OBU without its size gets one", () => {
    const stream = new Av1ElementaryStream(0);
    const { data } = stream.push(units[0] as Buffer);
    const last = scanObus(data).at(-1);
    if (last === undefined) throw new Error("no OBU");
    const header = (data[last.start] as number) & ~2;
    const bare = Buffer.concat([data.subarray(0, last.start), Buffer.of(header), data.subarray(last.payloadStart)]);
    expect([...stream.push(bare).data]).toEqual([...data]);
  });

  test("a record is a change once, and so is a different header in band", () => {
    const stream = new Av1ElementaryStream(0);
    const small = boxPayload(ffmpegSample("mp4", variants["libaom main"] as string).bytes, "av1C");
    const other = boxPayload(ffmpegSample("mp4", variants["libaom high 4:4:4"] as string).bytes, "av1C");
    expect(stream.configure(small)).toBe(true);
    expect(stream.configure(Buffer.from(small))).toBe(false);
    expect(stream.push(units[0] as Buffer).trackChanged).toBe(false);
    expect(stream.configure(other)).toBe(true);
    expect(stream.push(units[0] as Buffer)).toMatchObject({ trackChanged: true, keyframe: true });
    expect(stream.track?.width).toBe(322);
  });

  test("cut off, they are an error", () => {
    const unit = units[0] as Buffer;
    for (const length of [3, 10, unit.length - 1]) {
      expect(() => new Av1ElementaryStream(0).push(unit.subarray(0, length))).toThrow(MediaError);
    }
  });
});

test("leb128 comes back as it was written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const out = new Uint8Array(8);
      const bytes = writeLeb128(out, 0, value);
      expect(bytes).toBe(leb128Bytes(value));
      expect(readLeb128(out, 0)).toEqual({ value, bytes });
    }),
  );
  expect(() => readLeb128(new Uint8Array(9).fill(0xff), 0)).toThrow(MediaError);
  expect(() => readLeb128(Uint8Array.of(0x80), 0)).toThrow(MediaError);
});
