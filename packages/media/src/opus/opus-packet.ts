import { MediaError } from "../media-error.ts";

/** Frame sizes in samples at 48 kHz by TOC configuration number, RFC 6716 table 2. */
const FRAME_SAMPLES: readonly number[] = [
  ...[480, 960, 1920, 2880],
  ...[480, 960, 1920, 2880],
  ...[480, 960, 1920, 2880],
  ...[480, 960],
  ...[480, 960],
  ...[120, 240, 480, 960],
  ...[120, 240, 480, 960],
  ...[120, 240, 480, 960],
  ...[120, 240, 480, 960],
];

/** 120 ms: no packet may be longer. */
const MAX_PACKET_SAMPLES = 5760;

/**
 * Duration of an Opus packet in samples at 48 kHz, from its TOC byte and frame count (RFC 6716 3.1 and 3.2).
 * @throws MediaError
 */
export function opusPacketSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) throw new MediaError("truncated", "empty Opus packet");
  const samples = opusFrameCount(packet, toc) * (FRAME_SAMPLES[toc >> 3] as number);
  if (samples === 0 || samples > MAX_PACKET_SAMPLES)
    throw new MediaError("malformed", "Opus packet of an impossible duration");
  return samples;
}

function opusFrameCount(packet: Uint8Array, toc: number): number {
  switch (toc & 3) {
    case 0:
      return 1;
    case 1:
    case 2:
      return 2;
    default: {
      const count = packet[1];
      if (count === undefined) throw new MediaError("truncated", "Opus packet without its frame count");
      return count & 0x3f;
    }
  }
}
