import fc from "fast-check";
import { expect, test } from "vitest";
import { BitWriter } from "../bits/bit-writer.ts";
import { MediaError } from "../media-error.ts";
import { parseVp9FrameHead } from "./frame-header.ts";
import { Vp9LayerJoiner } from "./superframe.ts";

/** An uncompressed header (VP9 § 6.2) in all its branches. */
interface HeaderPlan {
  readonly keyframe: boolean;
  readonly profile: number;
  readonly colourSpace: number;
  readonly errorResilient: boolean;
  readonly width: number;
  readonly height: number;
  readonly renderSize: boolean;
  readonly refresh: number;
  /** 0 to 2: the size is that of this reference; 3: it is told. */
  readonly sizeFrom: number;
  readonly switchable: boolean;
  /** Bits for whatever has no meaning here. */
  readonly noise: readonly boolean[];
}

const plan: fc.Arbitrary<HeaderPlan> = fc.record({
  keyframe: fc.boolean(),
  profile: fc.integer({ min: 0, max: 3 }),
  colourSpace: fc.constantFrom(1, 2, 7),
  errorResilient: fc.boolean(),
  width: fc.integer({ min: 8, max: 8192 }),
  height: fc.integer({ min: 8, max: 8192 }),
  renderSize: fc.boolean(),
  refresh: fc.integer({ min: 0, max: 255 }),
  sizeFrom: fc.constant(3),
  switchable: fc.boolean(),
  noise: fc.array(fc.boolean(), { minLength: 1, maxLength: 97 }),
});

const COMPRESSED = Uint8Array.of(0xde, 0xad, 0xbe, 0xef);

function frame(header: HeaderPlan, shown: boolean): Uint8Array {
  let drawn = 0;
  const noise = () => header.noise[drawn++ % header.noise.length] === true;
  const bits = new BitWriter();
  const noisy = (count: number) => {
    for (let i = 0; i < count; i += 1) bits.flag(noise());
  };
  /** A flag of the noise, and what follows if it is set. */
  const optional = (then: () => void) => {
    const set = noise();
    bits.flag(set);
    if (set) then();
  };
  const { profile, keyframe, errorResilient } = header;
  bits
    .u(2, 2)
    .u(1, profile & 1)
    .u(1, profile >> 1);
  if (profile === 3) bits.u(1, 0);
  bits.flag(false).flag(!keyframe).flag(shown).flag(errorResilient);
  if (keyframe) {
    bits.u(24, 0x498342);
    if (profile >= 2) noisy(1);
    bits.u(3, header.colourSpace);
    const told = profile === 1 || profile === 3;
    if (header.colourSpace !== 7) noisy(told ? 4 : 1);
    else if (told) noisy(1);
    bits.u(16, header.width - 1).u(16, header.height - 1);
  } else {
    if (!shown) bits.flag(false); // intra_only
    if (!errorResilient) noisy(2);
    bits.u(8, header.refresh);
    for (let i = 0; i < 3; i += 1) bits.u(3, i).u(1, 0);
    for (let i = 0; i < header.sizeFrom; i += 1) bits.flag(false);
    if (header.sizeFrom < 3) bits.flag(true);
    else bits.u(16, header.width - 1).u(16, header.height - 1);
  }
  bits.flag(header.renderSize);
  if (header.renderSize) bits.u(16, 99).u(16, 49);
  if (!keyframe) {
    noisy(1);
    bits.flag(header.switchable);
    if (!header.switchable) noisy(2);
  }
  if (!errorResilient) noisy(2);
  noisy(2);
  noisy(9); // loop filter
  optional(() =>
    optional(() => {
      for (let i = 0; i < 6; i += 1) optional(() => noisy(7));
    }),
  );
  noisy(8); // quantisation
  for (let i = 0; i < 3; i += 1) optional(() => noisy(5));
  optional(() => {
    optional(() => {
      for (let i = 0; i < 7; i += 1) optional(() => noisy(8));
      optional(() => {
        for (let i = 0; i < 3; i += 1) optional(() => noisy(8));
      });
    });
    optional(() => {
      noisy(1);
      for (let i = 0; i < 8; i += 1) for (const width of [9, 7, 2, 0]) optional(() => noisy(width));
    });
  });
  const columns = Math.ceil(Math.ceil(header.width / 8) / 8);
  const least = Math.max(0, Math.ceil(Math.log2(columns / 64)));
  let most = 0;
  while (columns >> (most + 1) >= 4) most += 1;
  for (let log2 = least; log2 < most; log2 += 1) {
    const more = noise();
    bits.flag(more);
    if (!more) break;
  }
  optional(() => noisy(1));
  bits.u(16, COMPRESSED.length);
  return Uint8Array.from([...bits.toBytes(), ...COMPRESSED]);
}

function joined(joiner: Vp9LayerJoiner, frames: readonly Uint8Array[]) {
  let end = 0;
  const ends = frames.map(({ length }) => {
    end += length;
    return end;
  });
  return joiner.join(new Uint8Array(Buffer.concat(frames)), ends);
}

/** The frames of a superframe by its index. */
function split(data: Uint8Array): Uint8Array[] {
  const marker = data.at(-1) as number;
  const sizeBytes = ((marker >> 3) & 3) + 1;
  const count = (marker & 7) + 1;
  const index = data.length - 2 - sizeBytes * count;
  expect(data[index]).toBe(marker);
  const frames: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    let size = 0;
    for (let byte = sizeBytes - 1; byte >= 0; byte -= 1)
      size = size * 256 + (data[index + 1 + sizeBytes * i + byte] as number);
    frames.push(data.subarray(at, at + size));
    at += size;
  }
  expect(at).toBe(index);
  return frames;
}

test("of the layers of a picture only the highest is shown; the others stay as they are but for that (ING3)", () => {
  fc.assert(
    fc.property(plan, plan, (lower, higher) => {
      fc.pre(lower.width !== higher.width || lower.height !== higher.height);
      const top = { ...higher, keyframe: false };
      const { data, size } = joined(new Vp9LayerJoiner(), [frame(lower, true), frame(top, true)]);
      expect(split(data)).toEqual([frame(lower, false), frame(top, true)]);
      expect(size).toMatchObject({ width: top.width, height: top.height });
    }),
    { numRuns: 300 },
  );
});

test("sizes are taken over from the frames that a picture is predicted from", () => {
  const base: HeaderPlan = {
    ...{
      keyframe: true,
      profile: 0,
      colourSpace: 1,
      errorResilient: false,
      width: 320,
      height: 180,
      renderSize: false,
    },
    ...{ refresh: 0, sizeFrom: 3, switchable: true, noise: [false] },
  };
  const joiner = new Vp9LayerJoiner();
  const large = { ...base, keyframe: false, width: 640, height: 360, refresh: 0b010 };
  expect(joined(joiner, [frame(base, true), frame(large, true)]).size).toMatchObject({ width: 640, height: 360 });
  // Predicted from slots 0 and 1, which are small and large.
  const predicted = (sizeFrom: number) => ({ ...base, keyframe: false, sizeFrom });
  const picture = [frame(predicted(0), true), frame(predicted(1), true)];
  const { data, size } = joined(joiner, picture);
  expect(size).toMatchObject({ width: 640, height: 360 });
  expect(split(data)[0]).toEqual(frame(predicted(0), false));
  // Of the same size: what the next takes over from the one before hangs on its being shown.
  expect(split(joined(joiner, [frame(predicted(0), true), frame(predicted(2), true)]).data)[0]).toEqual(
    frame(predicted(0), true),
  );
  joiner.reset();
  const unknown = joined(joiner, picture);
  expect(unknown.size).toBeUndefined();
  expect(split(unknown.data)).toEqual(picture);
});

test("a single frame stays as it is, and what cannot be read is left alone", () => {
  const joiner = new Vp9LayerJoiner();
  const broken = [Uint8Array.of(1, 2, 3), Uint8Array.of(0x80)];
  expect(split(joined(joiner, broken).data)).toEqual(broken);
  const single = Uint8Array.of(0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0b, 0x30, 9);
  expect(joined(joiner, [single]).data).toEqual(single);
  expect(parseVp9FrameHead(single).keyframe).toBe(true);
  expect(() => joined(joiner, new Array<Uint8Array>(9).fill(single))).toThrow(MediaError);
});

test.each([1, 300, 70_000, 17_000_000])(
  "an index has sizes of as many bytes as the largest frame of %i needs",
  (bytes) => {
    const frames = [new Uint8Array(3).fill(1), new Uint8Array(bytes).fill(1)];
    expect(split(joined(new Vp9LayerJoiner(), frames).data).map(({ length }) => length)).toEqual([3, bytes]);
  },
);
