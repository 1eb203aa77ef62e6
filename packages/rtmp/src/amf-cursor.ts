import { RtmpProtocolError } from "./rtmp-error.ts";

/** Where the reading of an AMF body has got to: numbers and strings as both versions of AMF write them, most significant byte first. */
export class AmfCursor {
  readonly body: Buffer;
  /** Bytes read so far, counted from the start of the body. */
  offset: number;
  readonly #version: string;

  /** @param version for errors: "AMF0". */
  constructor(body: Buffer, offset: number, version: string) {
    this.body = body;
    this.offset = offset;
    this.#version = version;
  }

  get atEnd(): boolean {
    return this.offset >= this.body.length;
  }

  u8(): number {
    return this.body.readUInt8(this.advance(1));
  }

  u16(): number {
    return this.body.readUInt16BE(this.advance(2));
  }

  u32(): number {
    return this.body.readUInt32BE(this.advance(4));
  }

  i32(): number {
    return this.body.readInt32BE(this.advance(4));
  }

  double(): number {
    return this.body.readDoubleBE(this.advance(8));
  }

  /** @param length in bytes. */
  utf8(length: number): string {
    const start = this.advance(length);
    return this.body.toString("utf8", start, start + length);
  }

  /**
   * Moves on. @returns where it was.
   * @throws RtmpProtocolError `amf_invalid` where the body is shorter.
   */
  advance(bytes: number): number {
    const at = this.offset;
    if (bytes > this.body.length - at) {
      throw new RtmpProtocolError("amf_invalid", `${this.#version} body ends within a value at byte ${at}`);
    }
    this.offset = at + bytes;
    return at;
  }
}
