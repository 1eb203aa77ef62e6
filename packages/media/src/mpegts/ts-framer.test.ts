import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes } from "./testing/material.ts";
import { TsFramer } from "./ts-framer.ts";
import { TS_PACKET_SIZE } from "./ts-packet.ts";

/** A packet that says which it is and has no other sync byte in it. */
function packet(index: number): Uint8Array {
  const out = new Uint8Array(TS_PACKET_SIZE).fill(0xaa);
  out.set([0x47, index >> 7, index & 0x7f], 0);
  if (out[2] === 0x47) out[2] = 0xff;
  return out;
}

const packets = (count: number) => Array.from({ length: count }, (_, index) => packet(index));

function frame(stream: Uint8Array, cuts: readonly number[]): { seen: Uint8Array[]; losses: number; skipped: number } {
  const seen: Uint8Array[] = [];
  let losses = 0;
  const framer = new TsFramer({
    onPacket: (data, at) => {
      seen.push(data.slice(at, at + TS_PACKET_SIZE));
    },
    onSyncLost: () => {
      losses += 1;
    },
  });
  let at = 0;
  for (const cut of cuts) {
    framer.push(stream.subarray(at, at + cut));
    at += cut;
  }
  framer.push(stream.subarray(at));
  framer.flush();
  return { seen, losses, skipped: framer.skippedBytes };
}

const cutting = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 30 });
/** Without sync bytes: with them, one wrong packet in a while is in the nature of the thing. */
const garbage = fc.uint8Array({ maxLength: 700 }).map((noise) => noise.map((byte) => (byte === 0x47 ? 0x46 : byte)));

test("packets come whole whatever the pieces, from the first", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), cutting, (count, cuts) => {
      const sent = packets(count);
      const { seen, losses } = frame(bytes(...sent), cuts);
      expect(seen).toEqual(sent);
      expect(losses).toBe(0);
    }),
  );
});

test("garbage in front is passed over and counted", () => {
  fc.assert(
    fc.property(garbage, cutting, (noise, cuts) => {
      const sent = packets(6);
      const { seen, skipped } = frame(bytes(noise, ...sent), cuts);
      expect(seen).toEqual(sent);
      expect(skipped).toBe(noise.length);
    }),
  );
});

test("after garbage in the middle packets go on; only what touched it may be missing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 10 }), garbage, cutting, (before, noise, cuts) => {
      fc.pre(noise.length > 0);
      const sent = packets(before + 6);
      const { seen, losses } = frame(bytes(...sent.slice(0, before), noise, ...sent.slice(before)), cuts);
      expect(losses).toBe(1);
      const missing = sent.filter((one) => !seen.some((other) => Buffer.compare(one, other) === 0));
      expect(missing.every((one) => Buffer.compare(one, sent[before - 1] as Uint8Array) === 0)).toBe(true);
      expect(seen.length).toBe(sent.length - missing.length);
    }),
  );
});

test("a packet that lost bytes is never taken for one while what follows it is there to see", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 187 }), (lost) => {
      const sent = packets(8);
      const cut = bytes(...sent.slice(0, 4), (sent[4] as Uint8Array).subarray(lost), ...sent.slice(5));
      const { seen } = frame(cut, []);
      for (const one of seen) expect(sent.some((other) => Buffer.compare(one, other) === 0)).toBe(true);
      expect(seen.length).toBeGreaterThanOrEqual(6);
    }),
  );
});

test("nothing but sync bytes is taken as packets without slowing down", () => {
  expect(frame(new Uint8Array(188 * 1000).fill(0x47), []).seen.length).toBe(1000);
});
