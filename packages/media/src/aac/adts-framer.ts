import { copyBytes } from "../bits/copy-bytes.ts";
import { ADTS_HEADER_BYTES, type AdtsHeader, parseAdtsHeader } from "./adts.ts";

/** One AAC frame found by {@link AdtsFramer}. */
export interface AdtsFrame {
  readonly header: AdtsHeader;
  /** The raw data block, header and CRC removed. */
  readonly data: Uint8Array;
  /**
   * Whether it began in this `push` (with what the framer kept before): the first frame that does belongs to
   * the time stamp given with the bytes.
   */
  readonly beginsHere: boolean;
}

/** What {@link AdtsFramer} skipped on the way. */
export interface AdtsLoss {
  /** Bytes that belonged to no frame. */
  readonly skippedBytes: number;
  /** Frames of several raw data blocks: they cannot be taken apart without decoding. */
  readonly unsupportedFrames: number;
}

/**
 * Finds AAC frames in an ADTS stream that arrives in pieces which need not end where frames do.
 * Keeps at most one frame (8 kB). After bytes that are no header it looks for two headers in a row.
 */
export class AdtsFramer {
  #rest: Uint8Array = new Uint8Array(0);
  #synced = false;

  /** Calls `onFrame` for every whole frame, in order. `data` of the frames is a view of `bytes` where possible. */
  push(bytes: Uint8Array, onFrame: (frame: AdtsFrame) => void): AdtsLoss {
    const carried = this.#rest.length;
    const data = carried === 0 ? bytes : concat(this.#rest, bytes);
    let at = 0;
    let skippedBytes = 0;
    let unsupportedFrames = 0;
    for (;;) {
      if (data.length - at < ADTS_HEADER_BYTES) break;
      const header = parseAdtsHeader(data, at);
      if (header === undefined || (!this.#synced && !this.#confirmed(data, at, header))) {
        this.#synced = false;
        at += 1;
        skippedBytes += 1;
        continue;
      }
      if (at + header.frameBytes > data.length) break;
      this.#synced = true;
      if (header.blocks === 1) {
        const begin = at + header.headerBytes;
        onFrame({ header, data: data.subarray(begin, at + header.frameBytes), beginsHere: at >= carried });
      } else {
        unsupportedFrames += 1;
      }
      at += header.frameBytes;
    }
    this.#rest = copyBytes(data, at);
    return { skippedBytes, unsupportedFrames };
  }

  /** Forgets a frame begun: after a gap in the stream. */
  reset(): void {
    this.#rest = new Uint8Array(0);
    this.#synced = false;
  }

  /** Whether another header follows the frame, or as much of one as there is to see. */
  #confirmed(data: Uint8Array, at: number, header: AdtsHeader): boolean {
    const next = at + header.frameBytes;
    if (next + 2 > data.length) return true;
    return data[next] === 0xff && ((data[next + 1] as number) & 0xf6) === 0xf0;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
