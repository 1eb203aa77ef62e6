/** One byte's worth of delta, ms. */
const TICK_MS = 0.25;
const REFERENCE_MS = 64;
const MAX_SMALL_DELTA = 255;
const MAX_RUN = 8191;

/** Packets that came, by transport-wide sequence number, until they are reported. */
export class ArrivalLog {
  readonly sequences: number[] = [];
  readonly times: number[] = [];

  add(sequence: number, timeMs: number): void {
    if (sequence < 0) return;
    this.sequences.push(sequence);
    this.times.push(timeMs);
  }

  clear(): void {
    this.sequences.length = 0;
    this.times.length = 0;
  }
}

/**
 * Feedback on what has come (draft-holmer-rmcat-transport-wide-cc-extensions-01 § 3.1), with run-length chunks alone.
 * What came out of order is left out, as if it had been lost; what was lost is said to be. Clears the log.
 * @returns the RTCP packet; undefined where nothing came.
 */
export function transportFeedback(log: ArrivalLog, count: number): Buffer | undefined {
  const { sequences, times } = log;
  const [base, began] = [sequences[0], times[0]];
  if (base === undefined || began === undefined) return undefined;
  const reference = Math.floor(began / REFERENCE_MS);
  const chunks: number[] = [];
  const deltas: Buffer[] = [];
  let lastMs = reference * REFERENCE_MS;
  let expected = base;
  let total = 0;
  let symbol = -1;
  let run = 0;
  const add = (next: number, times_: number) => {
    total += times_;
    let left = times_;
    while (left > 0) {
      if (symbol !== next || run === MAX_RUN) {
        if (run > 0) chunks.push((symbol << 13) | run);
        symbol = next;
        run = 0;
      }
      const taken = Math.min(left, MAX_RUN - run);
      run += taken;
      left -= taken;
    }
  };
  for (let at = 0; at < sequences.length; at += 1) {
    const sequence = sequences[at] ?? 0;
    const ahead = (sequence - expected) & 0xff_ff;
    if (ahead >= 0x80_00) continue;
    if (ahead > 0) add(0, ahead);
    const ticks = Math.round(((times[at] ?? 0) - lastMs) / TICK_MS);
    lastMs += ticks * TICK_MS;
    if (ticks >= 0 && ticks <= MAX_SMALL_DELTA) {
      add(1, 1);
      deltas.push(Buffer.of(ticks));
    } else {
      add(2, 1);
      const large = Buffer.alloc(2);
      large.writeInt16BE(Math.max(-32_768, Math.min(32_767, ticks)));
      deltas.push(large);
    }
    expected = (sequence + 1) & 0xff_ff;
  }
  if (run > 0) chunks.push((symbol << 13) | run);
  log.clear();
  const body = Buffer.concat([chunkBytes(chunks), ...deltas]);
  const padding = (4 - (body.length % 4)) % 4;
  const packet = Buffer.alloc(20 + body.length + padding);
  packet.writeUInt8(0x8f | (padding > 0 ? 0x20 : 0), 0);
  packet.writeUInt8(205, 1);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt16BE(base, 12);
  packet.writeUInt16BE(total, 14);
  packet.writeUIntBE(reference & 0xff_ff_ff, 16, 3);
  packet.writeUInt8(count & 0xff, 19);
  body.copy(packet, 20);
  if (padding > 0) packet.writeUInt8(padding, packet.length - 1);
  return packet;
}

function chunkBytes(chunks: readonly number[]): Buffer {
  const bytes = Buffer.alloc(chunks.length * 2);
  for (const [index, chunk] of chunks.entries()) bytes.writeUInt16BE(chunk, index * 2);
  return bytes;
}
