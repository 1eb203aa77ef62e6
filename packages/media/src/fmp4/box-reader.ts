import { MediaError } from "../media-error.ts";

/** A box of an ISO base media file; views of the input. */
export interface Box {
  /** Four characters, Latin-1. */
  readonly type: string;
  /** Where the box begins, in the bytes that `readBoxes` was given. */
  readonly start: number;
  /** Header and payload, bytes. */
  readonly size: number;
  readonly payload: Uint8Array;
}

/** No real file of ours nests or lists more than this in one container. */
const MAX_BOXES = 65_536;

/**
 * The boxes that stand one after another in `bytes` (14496-12 §4.2).
 * @throws MediaError `truncated` when a box passes the end, `malformed` when its size is impossible.
 */
export function* readBoxes(bytes: Uint8Array): Generator<Box, void, undefined> {
  const view = viewOf(bytes);
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    count += 1;
    if (count > MAX_BOXES) throw new MediaError("malformed", `more than ${MAX_BOXES} boxes in one container`);
    if (bytes.length - at < 8) throw new MediaError("truncated", "a box header is cut off");
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1) {
      if (bytes.length - at < 16) throw new MediaError("truncated", "a box header is cut off");
      size = view.getUint32(at + 8) * 0x100000000 + view.getUint32(at + 12);
      header = 16;
    } else if (size === 0) {
      size = bytes.length - at;
    }
    if (size < header) throw new MediaError("malformed", `a box of ${size} bytes`);
    if (size > bytes.length - at) throw new MediaError("truncated", "a box passes the end");
    const type = String.fromCharCode(
      bytes[at + 4] as number,
      bytes[at + 5] as number,
      bytes[at + 6] as number,
      bytes[at + 7] as number,
    );
    yield { type, start: at, size, payload: bytes.subarray(at + header, at + size) };
    at += size;
  }
}

/** The first box of `type` directly in `bytes`. @throws MediaError as `readBoxes`. */
export function findBox(bytes: Uint8Array, type: string): Uint8Array | undefined {
  for (const box of readBoxes(bytes)) if (box.type === type) return box.payload;
  return undefined;
}

/** The first box along `path`, each in the one before. @throws MediaError `malformed` when one is missing. */
export function demandBox(bytes: Uint8Array, ...path: readonly string[]): Uint8Array {
  let at = bytes;
  for (const type of path) {
    const next = findBox(at, type);
    if (next === undefined) throw new MediaError("malformed", `no ${path.join("/")}`);
    at = next;
  }
  return at;
}

/** Reads big-endian fields in order, never past the end. */
export class FieldReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = viewOf(bytes);
  }

  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** @throws MediaError `unsupported` beyond 2^53. */
  u64(): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at) * 0x100000000 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new MediaError("unsupported", "a 64-bit field beyond 2^53");
    return value;
  }

  /** Version and flags of a full box. */
  fullHeader(): { readonly version: number; readonly flags: number } {
    const value = this.u32();
    return { version: value >>> 24, flags: value & 0xffffff };
  }

  skip(count: number): void {
    this.#take(count);
  }

  #take(count: number): number {
    if (count > this.left) throw new MediaError("truncated", "a box ends before its fields do");
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
