import type { AccessUnit } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import type { AccessUnitPacketizer, PayloadWriter } from "./payload-writer.ts";
import { VP8_DESCRIPTOR_BYTES, writeVp8PayloadDescriptor } from "./vp8-payload-descriptor.ts";

/** VP8 (RFC 7741), without temporal layers. */
export class Vp8Packetizer implements AccessUnitPacketizer {
  #pictureId = 0;

  packetize({ data }: AccessUnit, writer: PayloadWriter): void {
    if (data.length === 0) throw new MediaError("malformed", "an empty VP8 frame");
    const source = Buffer.from(data.buffer, data.byteOffset, data.length);
    const room = writer.capacity - VP8_DESCRIPTOR_BYTES;
    for (let at = 0; at < data.length; at += room) {
      const end = Math.min(data.length, at + room);
      writeVp8PayloadDescriptor(writer, at === 0, this.#pictureId);
      writer.bytes(source, at, end);
      writer.send(end === data.length);
    }
    this.#pictureId = (this.#pictureId + 1) & 0x7fff;
  }
}
