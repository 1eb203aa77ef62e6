import { PROGRAM_HEADER_BYTES, writeProgramHeader } from "@klieg/protocol";

/**
 * A message of `studio-program.ts` with samples of the mixer's.
 * @param samples interleaved stereo at 48 kHz.
 * @param timestamp µs on the program clock.
 * @param isolated number of the source that is recorded by itself; 0: the program.
 */
export function soundMessage(
  samples: Int16Array<ArrayBuffer>,
  timestamp: number,
  isolated = 0,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const message = new Uint8Array(PROGRAM_HEADER_BYTES + bytes.length);
  message.set(bytes, PROGRAM_HEADER_BYTES);
  const frame = { upload: 0, width: 0, height: 0, sampleRate: 48_000, channels: 2, keyframe: false };
  writeProgramHeader(message, { kind: "pcm", isolated, timestamp: Math.max(0, Math.round(timestamp)), ...frame });
  return message;
}
