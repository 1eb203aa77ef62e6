import { MediaError } from "../media-error.ts";
import type { PayloadWriter } from "./payload-writer.ts";

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** The payload descriptor of VP9, RFC 9628 § 4.2, as far as anything here asks. */
export interface Vp9PayloadDescriptor {
  /** B and E: the payload begins and ends a layer frame. */
  readonly beginsFrame: boolean;
  readonly endsFrame: boolean;
  /** P: the frame is predicted from others. */
  readonly interPicture: boolean;
  /** 7 or 15 bits. */
  readonly pictureId: number | undefined;
  /** SID; 0 where there are no layers. */
  readonly spatialLayer: number;
  readonly temporalLayer: number;
  /** Bytes of the descriptor. */
  readonly bytes: number;
}

const I = 0x80;
const P = 0x40;
const L = 0x20;
const F = 0x10;
const B = 0x08;
const E = 0x04;
const V = 0x02;
const MAX_REFERENCES = 3;

/** @throws MediaError */
export function parseVp9PayloadDescriptor(payload: Uint8Array): Vp9PayloadDescriptor {
  const cursor = new Cursor(payload);
  const first = cursor.byte();
  let pictureId: number | undefined;
  if ((first & I) !== 0) {
    pictureId = cursor.byte();
    if (pictureId >= 0x80) pictureId = ((pictureId & 0x7f) << 8) | cursor.byte();
  }
  let spatialLayer = 0;
  let temporalLayer = 0;
  if ((first & L) !== 0) {
    const layer = cursor.byte();
    temporalLayer = layer >> 5;
    spatialLayer = (layer >> 1) & 7;
    if ((first & F) === 0) cursor.byte(); // TL0PICIDX
  }
  if ((first & (F | P)) === (F | P)) {
    let references = 0;
    while ((cursor.byte() & 1) !== 0) {
      references += 1;
      if (references === MAX_REFERENCES) throw new MediaError("malformed", "VP9 payload with too many references");
    }
  }
  if ((first & V) !== 0) skipScalabilityStructure(cursor);
  return {
    beginsFrame: (first & B) !== 0,
    endsFrame: (first & E) !== 0,
    interPicture: (first & P) !== 0,
    pictureId,
    spatialLayer,
    temporalLayer,
    bytes: cursor.at,
  };
}

/** RFC 9628 § 4.2.1: what it tells of layers and their sizes, the frames tell as well. */
function skipScalabilityStructure(cursor: Cursor): void {
  const first = cursor.byte();
  const layers = (first >> 5) + 1;
  if ((first & 0x10) !== 0) cursor.skip(4 * layers);
  if ((first & 0x08) === 0) return;
  for (let pictures = cursor.byte(); pictures > 0; pictures -= 1) cursor.skip((cursor.byte() >> 2) & 3);
}

class Cursor {
  readonly #data: Uint8Array;
  at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  byte(): number {
    const byte = this.#data[this.at];
    if (byte === undefined) throw new MediaError("truncated", "VP9 payload descriptor cut off");
    this.at += 1;
    return byte;
  }

  skip(count: number): void {
    if (this.at + count > this.#data.length) throw new MediaError("truncated", "VP9 payload descriptor cut off");
    this.at += count;
  }
}

/** Most bytes that {@link writeVp9PayloadDescriptor} writes. */
export const VP9_DESCRIPTOR_BYTES = 8;

export interface Vp9PayloadFlags {
  readonly beginsFrame: boolean;
  readonly endsFrame: boolean;
  readonly keyframe: boolean;
  readonly pictureId: number;
  /** Of a keyframe: sent in a scalability structure with the frame's first packet. */
  readonly size: PictureSize;
}

/** The descriptor of a stream without layers, in non-flexible mode, with a picture id of 15 bits. */
export function writeVp9PayloadDescriptor(writer: PayloadWriter, flags: Vp9PayloadFlags): void {
  const structure = flags.keyframe && flags.beginsFrame;
  writer.byte(
    I | (flags.keyframe ? 0 : P) | (flags.beginsFrame ? B : 0) | (flags.endsFrame ? E : 0) | (structure ? V : 0),
  );
  writer.u16(0x8000 | (flags.pictureId & 0x7fff));
  if (!structure) return;
  writer.byte(0x10); // one spatial layer, with its size
  writer.u16(flags.size.width);
  writer.u16(flags.size.height);
}
