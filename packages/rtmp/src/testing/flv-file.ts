import { readFileSync } from "node:fs";

/** One tag of an FLV file. */
export interface FlvFileTag {
  readonly type: number;
  /** ms */
  readonly timestamp: number;
  readonly body: Buffer;
}

/** The tags of a well-formed FLV file: what a publisher has sent must come to the same. */
export function readFlvTags(path: string): FlvFileTag[] {
  const file = readFileSync(path);
  const tags: FlvFileTag[] = [];
  for (let at = file.readUInt32BE(5) + 4; at + 11 <= file.length; ) {
    const length = file.readUIntBE(at + 1, 3);
    const timestamp = file.readUIntBE(at + 4, 3) + file.readUInt8(at + 7) * 0x1000000;
    tags.push({ type: file.readUInt8(at), timestamp, body: file.subarray(at + 11, at + 11 + length) });
    at += 11 + length + 4;
  }
  return tags;
}
