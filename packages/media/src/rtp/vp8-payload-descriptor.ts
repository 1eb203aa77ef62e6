import { MediaError } from "../media-error.ts";
import type { PayloadWriter } from "./payload-writer.ts";

/** The payload descriptor of VP8, RFC 7741 § 4.2, as far as anything here asks. */
export interface Vp8PayloadDescriptor {
  /** S and PID: the payload begins the frame (its first partition). */
  readonly beginsFrame: boolean;
  readonly nonReference: boolean;
  /** 7 or 15 bits. */
  readonly pictureId: number | undefined;
  readonly temporalLayer: number | undefined;
  /** Bytes of the descriptor. */
  readonly bytes: number;
}

/** @throws MediaError */
export function parseVp8PayloadDescriptor(payload: Uint8Array): Vp8PayloadDescriptor {
  let at = 0;
  const next = (): number => {
    const byte = payload[at];
    if (byte === undefined) throw new MediaError("truncated", "VP8 payload descriptor cut off");
    at += 1;
    return byte;
  };
  const first = next();
  let pictureId: number | undefined;
  let temporalLayer: number | undefined;
  if ((first & 0x80) !== 0) {
    const present = next();
    if ((present & 0x80) !== 0) {
      pictureId = next();
      if (pictureId >= 0x80) pictureId = ((pictureId & 0x7f) << 8) | next();
    }
    if ((present & 0x40) !== 0) next(); // TL0PICIDX
    if ((present & 0x30) !== 0) {
      const layer = next();
      if ((present & 0x20) !== 0) temporalLayer = layer >> 6;
    }
  }
  return {
    beginsFrame: (first & 0x17) === 0x10,
    nonReference: (first & 0x20) !== 0,
    pictureId,
    temporalLayer,
    bytes: at,
  };
}

/** Bytes that {@link writeVp8PayloadDescriptor} writes. */
export const VP8_DESCRIPTOR_BYTES = 4;

/** A descriptor with a picture id of 15 bits. */
export function writeVp8PayloadDescriptor(writer: PayloadWriter, beginsFrame: boolean, pictureId: number): void {
  writer.byte(0x80 | (beginsFrame ? 0x10 : 0));
  writer.byte(0x80);
  writer.u16(0x8000 | (pictureId & 0x7fff));
}
