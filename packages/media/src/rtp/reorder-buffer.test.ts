import { expect, test } from "vitest";
import { ReorderBuffer, type ReorderBufferOptions } from "./reorder-buffer.ts";
import { RtpPacket, writeRtpHeader } from "./rtp-packet.ts";

function packet(sequenceNumber: number, bytes = 20): RtpPacket {
  const data = new Uint8Array(bytes);
  writeRtpHeader(data, { marker: false, payloadType: 96, sequenceNumber, timestamp: 0, ssrc: 1 });
  return new RtpPacket().read(data);
}

/** What came out, as `sequence` or `missing→sequence`. */
function buffer(options: Partial<ReorderBufferOptions> = {}) {
  const out: string[] = [];
  const reorder = new ReorderBuffer(
    { holdMs: 150, maxPackets: 64, maxBytes: 100_000, ...options },
    {
      onPacket: ({ sequenceNumber }, missing) =>
        out.push(missing > 0 ? `${missing}→${sequenceNumber}` : `${sequenceNumber}`),
      onRestart: () => out.push("restart"),
    },
  );
  const take = () => out.splice(0).join(" ");
  return {
    reorder,
    take,
    push: (sequence: number, nowMs = 0, bytes = 20) => reorder.push(packet(sequence, bytes), nowMs),
  };
}

test("packets in order are handed on at once, across the wrap", () => {
  const { push, take } = buffer();
  for (const sequence of [65_534, 65_535, 0, 1]) push(sequence);
  expect(take()).toBe("65534 65535 0 1");
});

test("a hole is waited for, and what is behind it is kept (ING3)", () => {
  const { push, take, reorder } = buffer();
  push(10);
  push(12, 1);
  push(14, 2);
  push(13, 3);
  expect(take()).toBe("10");
  push(11, 100);
  expect(take()).toBe("11 12 13 14");
  expect(reorder).toMatchObject({ lost: 0, reordered: 2, late: 0, duplicates: 0, heldBytes: 0 });
});

test("a hole is given up once it is old enough, by the clock alone", () => {
  const { push, take, reorder } = buffer();
  push(10);
  push(12, 1000);
  push(14, 1100);
  reorder.tick(1149);
  expect(take()).toBe("10");
  reorder.tick(1150);
  expect(take()).toBe("1→12");
  // The second hole is younger.
  reorder.tick(1249);
  expect(take()).toBe("");
  reorder.tick(1250);
  expect(take()).toBe("1→14");
  push(11, 1251);
  push(13, 1251);
  expect(take()).toBe("");
  expect(reorder).toMatchObject({ lost: 2, late: 2, duplicates: 0 });
});

test("what came before is dropped, whether it waits or has gone on", () => {
  const { push, take, reorder } = buffer();
  for (const sequence of [10, 10, 12, 12, 11, 12, 11]) push(sequence);
  expect(take()).toBe("10 11 12");
  expect(reorder).toMatchObject({ duplicates: 4, late: 0, lost: 0 });
});

test("no more packets wait than may, nor more bytes", () => {
  const few = buffer({ maxPackets: 8 });
  few.push(0);
  for (let sequence = 2; sequence <= 9; sequence += 1) few.push(sequence);
  expect(few.take()).toBe("0 1→2 3 4 5 6 7 8 9");

  const small = buffer({ maxBytes: 3000 });
  small.push(0);
  small.push(2, 0, 1400);
  small.push(3, 0, 1400);
  expect(small.take()).toBe("0");
  small.push(4, 0, 1400);
  expect(small.take()).toBe("0 1→2 3 4".slice(2));
  small.push(6, 0, 4000);
  expect(small.take()).toBe("1→6");
  expect(small.reorder.heldBytes).toBe(0);
});

test("a leap within reach is a loss, one beyond it a new beginning once it is confirmed", () => {
  const { push, take, reorder } = buffer();
  push(10);
  push(2000);
  expect(take()).toBe("10 1989→2000");
  push(40_000);
  expect(take()).toBe("");
  push(2001);
  expect(take()).toBe("2001");
  push(40_001);
  push(40_002);
  expect(take()).toBe("restart 40002");
  push(40_003);
  expect(take()).toBe("40003");
  expect(reorder.lost).toBe(1989);
});

test("at the end what waits is handed on", () => {
  const { push, take, reorder } = buffer();
  push(1);
  push(3);
  push(6);
  reorder.flush();
  expect(take()).toBe("1 1→3 2→6");
});
