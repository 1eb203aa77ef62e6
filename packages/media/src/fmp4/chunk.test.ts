import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { readBoxes } from "./box-reader.ts";
import { box } from "./box-writer.ts";
import { type ChunkSample, chunk } from "./chunk.ts";
import { readFragments } from "./fragment.ts";
import type { MovieTrack } from "./movie.ts";

const track: VideoTrack = {
  kind: "video",
  id: 0,
  codec: "h264",
  config: new Uint8Array(0),
  codecString: "avc1.42c01e",
  width: 2,
  height: 2,
  frameRate: undefined,
  profile: undefined,
};
const movie: MovieTrack[] = [
  { trackId: 1, timescale: 90_000, sampleEntry: "avc1", track, defaults: { duration: 0, size: 0, flags: 0 } },
];

const sample: fc.Arbitrary<ChunkSample> = fc.record({
  duration: fc.oneof(fc.constant(3000), fc.nat(0xffffffff)),
  compositionOffset: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  keyframe: fc.boolean(),
  data: fc.uint8Array({ maxLength: 40 }),
});

describe("PKG1 CMAF chunk", () => {
  test("what is written is what is read, and the samples' bytes are not copied", () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 20 }),
        fc.oneof(
          fc.constant(0),
          fc.maxSafeNat().map((n) => n % 2 ** 52),
        ),
        fc.nat(0xffffffff),
        fc.boolean(),
        fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
        fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 2 }),
        (samples, baseDecodeTime, sequence, segmentType, wallMs, extra) => {
          const leadingBoxes = extra.map((payload) => box("emsg", payload));
          const buffers = chunk({
            sequence,
            baseDecodeTime,
            samples,
            segmentType,
            leadingBoxes,
            ...(wallMs === undefined ? {} : { producerReferenceTime: { wallMs } }),
          });
          expect(buffers.slice(1).every((buffer, i) => buffer === samples[i]?.data)).toBe(true);
          const bytes = Buffer.concat(buffers);
          expect([...readBoxes(bytes)].map(({ type }) => type)).toEqual([
            ...(segmentType ? ["styp"] : []),
            ...(wallMs === undefined ? [] : ["prft"]),
            ...leadingBoxes.map(() => "emsg"),
            "moof",
            "mdat",
          ]);
          const [fragment, ...others] = readFragments(bytes, movie);
          expect(others).toEqual([]);
          expect(fragment).toMatchObject({ sequence, baseDecodeTime });
          let decodeTime = baseDecodeTime;
          const expected = samples.map((each) => {
            const at = decodeTime;
            decodeTime += each.duration;
            return { ...each, decodeTime: at, data: Buffer.from(each.data) };
          });
          expect(fragment?.samples).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("what all samples share stands once: a usual part costs eight bytes a frame and less", () => {
    const frames = (count: number, changes: Partial<ChunkSample> = {}) =>
      Array.from({ length: count }, (_, i) => ({
        duration: 3000,
        compositionOffset: 0,
        keyframe: i === 0,
        data: new Uint8Array(1),
        ...changes,
      }));
    const size = (samples: ChunkSample[]) => chunk({ sequence: 1, baseDecodeTime: 0, samples })[0]?.byteLength ?? 0;
    expect(size(frames(11)) - size(frames(10))).toBe(4);
    expect(size(frames(11, { compositionOffset: 1 })) - size(frames(10, { compositionOffset: 1 }))).toBe(8);
    expect(size(frames(10))).toBeLessThan(160);
  });

  test("the time of capture is an NTP time", () => {
    const [head] = chunk({
      sequence: 1,
      baseDecodeTime: 2 ** 33 + 5,
      samples: [{ duration: 1, compositionOffset: 0, keyframe: true, data: new Uint8Array(0) }],
      producerReferenceTime: { wallMs: 1500 },
    });
    const view = new DataView((head as Uint8Array).buffer);
    expect([view.getUint32(8) >>> 24, view.getUint32(12)]).toEqual([1, 1]);
    expect(view.getUint32(16)).toBe(2_208_988_801);
    expect(view.getUint32(20)).toBe(0x80000000);
    expect(view.getBigUint64(24)).toBe(2n ** 33n + 5n);
  });

  test("a chunk without samples is a mistake", () => {
    expect(() => chunk({ sequence: 1, baseDecodeTime: 0, samples: [] })).toThrow(RangeError);
  });
});

describe("box reader", () => {
  const read = (bytes: Uint8Array) => [...readBoxes(bytes)];
  const bytesOf = (...numbers: number[]) => Uint8Array.from(numbers);

  test("sizes of 64 bits, and to the end", () => {
    const large = bytesOf(0, 0, 0, 1, 0x61, 0x62, 0x63, 0x64, 0, 0, 0, 0, 0, 0, 0, 18, 7, 8);
    const toEnd = bytesOf(0, 0, 0, 0, 0x65, 0x66, 0x67, 0x68, 9);
    expect(read(Buffer.concat([large, toEnd]))).toMatchObject([
      { type: "abcd", start: 0, size: 18, payload: Buffer.from([7, 8]) },
      { type: "efgh", start: 18, size: 9, payload: Buffer.from([9]) },
    ]);
  });

  test("what cannot be is told", () => {
    const cases: [number[], string][] = [
      [[0, 0, 0], "truncated"],
      [[0, 0, 0, 9, 1, 1, 1, 1], "truncated"],
      [[0, 0, 0, 7, 1, 1, 1, 1], "malformed"],
      [[0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 15], "malformed"],
      [[0, 0, 0, 1, 1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 15], "truncated"],
      [[0, 0, 0, 1, 1, 1, 1, 1, 0], "truncated"],
    ];
    for (const [bytes, code] of cases) {
      try {
        read(Uint8Array.from(bytes));
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(MediaError);
        expect((error as MediaError).code).toBe(code);
      }
    }
  });

  test("a run that claims four thousand million samples in no bytes is refused", () => {
    const trun = [0, 0, 0, 20, ...Buffer.from("trun"), 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    const tfhd = [0, 0, 0, 16, ...Buffer.from("tfhd"), 0, 2, 0, 0, 0, 0, 0, 1];
    const moof = box("moof", box("traf", Uint8Array.from(tfhd), Uint8Array.from(trun)));
    expect(() => [...readFragments(moof, movie)]).toThrow(MediaError);
  });
});
