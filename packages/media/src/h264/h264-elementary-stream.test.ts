import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { annexBToLengthPrefixed, lengthPrefixedToAnnexB, splitAnnexB, splitLengthPrefixed } from "../nal/nal-format.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { parseAvcConfig } from "./avc-config.ts";
import { h264ElementaryStream } from "./h264-elementary-stream.ts";
import { h264NalType } from "./nal-unit-type.ts";

const source = "-f lavfi -i testsrc2=s=320x180:r=25 -t 1 -c:v libx264";

/** The access units of an Annex B file, by ffprobe, with whether it calls them keyframes. */
function accessUnits(args: string): { data: Buffer; key: boolean }[] {
  const file = ffmpegSample("h264", args);
  return ffprobe(file.path).packets.map((packet) => {
    const at = Number(packet.pos);
    return { data: file.bytes.subarray(at, at + Number(packet.size)), key: packet.flags.startsWith("K") };
  });
}

function types(data: Uint8Array): number[] {
  return splitLengthPrefixed(data).map((nal) => h264NalType(nal[0] as number));
}

const SETS = [7, 8];

describe("Annex B (ING2)", () => {
  test("keyframes are those that ffprobe finds; parameter sets and delimiters are gone", () => {
    const stream = h264ElementaryStream(0);
    const units = accessUnits(`${source} -g 10 -bf 2 -x264-params aud=1:repeat-headers=1`);
    expect(units.filter((unit) => unit.key).length).toBeGreaterThanOrEqual(3);
    units.forEach(({ data, key }, i) => {
      const frame = stream.pushAnnexB(data, key);
      expect(frame.keyframe).toBe(key);
      expect(frame.trackChanged).toBe(i === 0);
      expect(types(frame.data).filter((type) => [7, 8, 9, 12].includes(type))).toEqual([]);
      const expected = splitAnnexB(data).filter((nal) => ![7, 8, 9].includes(h264NalType(nal[0] as number)));
      expect(splitLengthPrefixed(frame.data).map((nal) => [...nal])).toEqual(expected.map((nal) => [...nal]));
    });
    expect(stream.track).toMatchObject({ width: 320, height: 180, frameRate: 25, profile: "High" });
  });

  test("open GOPs and intra refresh: recovery points count when the container calls them sync, and not otherwise", () => {
    for (const params of [
      "open-gop=1:keyint=10:min-keyint=10:scenecut=0:bframes=2",
      "intra-refresh=1:keyint=10:bframes=0",
    ]) {
      const units = accessUnits(`${source} -x264-params ${params}`);
      const strict = h264ElementaryStream(0);
      const trusting = h264ElementaryStream(0);
      const idr = units.map(({ data }) => strict.pushAnnexB(data, false).keyframe);
      expect(idr.filter(Boolean)).toHaveLength(1);
      const sync = units.map(({ data, key }) => trusting.pushAnnexB(data, key).keyframe);
      expect(sync).toEqual(units.map(({ key }) => key));
      expect(sync.filter(Boolean).length).toBeGreaterThanOrEqual(2);
    }
  });

  test("a sync flag on a frame that refers to others is not believed", () => {
    const stream = h264ElementaryStream(0);
    const [first, second] = accessUnits(`${source} -bf 0 -g 10`).map(
      ({ data }) => stream.pushAnnexB(data, true).keyframe,
    );
    expect([first, second]).toEqual([true, false]);
  });

  test("nothing is a frame without slices", () => {
    const stream = h264ElementaryStream(0);
    const { data } = accessUnits(`${source} -g 10`)[0] as { data: Buffer };
    const sets = splitAnnexB(data).filter((nal) => SETS.includes(h264NalType(nal[0] as number)));
    const frame = stream.pushAnnexB(Buffer.concat(sets.flatMap((nal) => [Buffer.of(0, 0, 1), nal])), true);
    expect(frame).toMatchObject({ keyframe: false, trackChanged: true });
    expect(frame.data.length).toBe(0);
    expect(stream.pushAnnexB(new Uint8Array(0), true).data.length).toBe(0);
  });
});

describe("length-prefixed (ING1)", () => {
  const file = ffmpegSample("mp4", `${source} -g 10 -bf 2 -x264-params info=0`);
  const avcC = boxPayload(file.bytes, "avcC");
  const samples = ffprobe(file.path).packets.map(({ pos, size, flags }) => ({
    data: file.bytes.subarray(Number(pos), Number(pos) + Number(size)),
    key: flags.startsWith("K"),
  }));

  test("4-byte lengths and nothing to remove: handed on without a copy", () => {
    const stream = h264ElementaryStream(0);
    expect(stream.configure(avcC)).toBe(true);
    for (const { data, key } of samples) {
      const frame = stream.pushLengthPrefixed(data, key);
      expect(frame.keyframe).toBe(key);
      expect(frame.data).toBe(data);
    }
  });

  test("1- and 2-byte lengths, and Annex B in their place, come out with 4-byte ones", () => {
    const { data } = samples[5] as { data: Buffer };
    const nals = splitLengthPrefixed(data);
    const twoBytes = Uint8Array.from(avcC);
    twoBytes[4] = 0xfd;
    const short = h264ElementaryStream(0);
    short.configure(twoBytes);
    const prefixed = Buffer.concat(nals.flatMap((nal) => [Buffer.of(nal.length >> 8, nal.length & 0xff), nal]));
    expect([...short.pushLengthPrefixed(prefixed, false).data]).toEqual([...data]);

    const stream = h264ElementaryStream(0);
    stream.configure(avcC);
    expect([...stream.pushLengthPrefixed(lengthPrefixedToAnnexB(data), false).data]).toEqual([...data]);
  });

  test("what is cut off is an error, and the next access unit is read all the same", () => {
    const stream = h264ElementaryStream(0);
    stream.configure(avcC);
    const { data } = samples[0] as { data: Buffer };
    expect(() => stream.pushLengthPrefixed(data.subarray(0, data.length - 1), true)).toThrow(MediaError);
    expect(stream.pushLengthPrefixed(data, true).keyframe).toBe(true);
  });
});

describe("changes of configuration", () => {
  const configOf = (size: string) =>
    boxPayload(ffmpegSample("mp4", `-f lavfi -i testsrc2=s=${size}:r=25 -t 0.2 -c:v libx264`).bytes, "avcC");
  const small = configOf("320x180");
  const large = configOf("640x360");
  const sets = (avcC: Uint8Array) => {
    const { sps, pps } = parseAvcConfig(avcC);
    return [...sps, ...pps];
  };
  const annexB = (...nals: Uint8Array[]) => Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]));
  const idr = Uint8Array.of(0x65, 0x88, 0x84, 0, 0x10);
  const slice = Uint8Array.of(0x41, 0x9a, 0x02, 4);

  test("a record that repeats the last is not a change, one that differs is", () => {
    const stream = h264ElementaryStream(7);
    expect(stream.configure(small)).toBe(true);
    const first = stream.track;
    expect(stream.configure(Buffer.from(small))).toBe(false);
    expect(stream.track).toBe(first);
    expect(stream.configure(large)).toBe(true);
    expect(stream.track).toMatchObject({ id: 7, width: 640, height: 360 });
  });

  test("in band: repeated sets are removed, changed ones make a new track and, at a keyframe, are removed as well", () => {
    const stream = h264ElementaryStream(0);
    stream.configure(small);
    const repeated = stream.pushAnnexB(annexB(...sets(small), idr), true);
    expect(repeated).toMatchObject({ keyframe: true, trackChanged: false });
    expect(types(repeated.data)).toEqual([5]);
    const changed = stream.pushAnnexB(annexB(...sets(large), idr), true);
    expect(changed).toMatchObject({ keyframe: true, trackChanged: true });
    expect(types(changed.data)).toEqual([5]);
    expect(stream.track).toMatchObject({ width: 640, height: 360 });
    expect(stream.pushAnnexB(annexB(slice), false).trackChanged).toBe(false);
  });

  test("in band between keyframes: they stay where they are", () => {
    const stream = h264ElementaryStream(0);
    stream.configure(small);
    const changed = stream.pushAnnexB(annexB(...sets(large), slice), false);
    expect(changed).toMatchObject({ keyframe: false, trackChanged: true });
    expect(types(changed.data)).toEqual([7, 8, 1]);
    const stored = annexBToLengthPrefixed(annexB(...sets(small), slice));
    expect(stream.pushLengthPrefixed(stored, false).data).toBe(stored);
  });

  test("a new SPS drops the sets of the old configuration; a further PPS does not", () => {
    const stream = h264ElementaryStream(0);
    stream.configure(small);
    const [, pps] = sets(small) as [Uint8Array, Uint8Array];
    // The same PPS with id 1: ue(1) is 010 where ue(0) is 1, two bits more.
    const bits = [...pps.subarray(1)].flatMap((byte) => byte.toString(2).padStart(8, "0").split(""));
    const moved = `010${bits.slice(1).join("")}`.padEnd(8 * (pps.length + 1), "0");
    const second = Uint8Array.of(0x68, ...(moved.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
    expect(stream.pushAnnexB(annexB(second, idr), true).trackChanged).toBe(true);
    expect(parseAvcConfig(stream.track?.config as Uint8Array)).toMatchObject({
      sps: { length: 1 },
      pps: { length: 2 },
    });
    stream.pushAnnexB(annexB(...sets(large), idr), true);
    expect(parseAvcConfig(stream.track?.config as Uint8Array)).toMatchObject({
      sps: { length: 1 },
      pps: { length: 1 },
    });
  });

  test("a set that cannot be parsed costs the access unit and leaves the track as it was", () => {
    const stream = h264ElementaryStream(0);
    stream.configure(small);
    const before = stream.track;
    expect(() => stream.pushAnnexB(annexB(Uint8Array.of(0x67, 0x64), idr), true)).toThrow(MediaError);
    expect(() => stream.configure(Uint8Array.of(1, 2, 3))).toThrow(MediaError);
    expect(stream.track).toBe(before);
    expect(stream.configure(small)).toBe(false);
  });

  test("a record without parameter sets waits for those in band", () => {
    const stream = h264ElementaryStream(0);
    expect(stream.configure(Uint8Array.of(1, 0x64, 0, 0x1f, 0xff, 0xe0, 0))).toBe(false);
    expect(stream.track).toBeUndefined();
    expect(stream.pushAnnexB(annexB(...sets(small), idr), true).trackChanged).toBe(true);
    expect(stream.track?.width).toBe(320);
  });
});
