import type { AccessUnit } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import type { AccessUnitPacketizer, PayloadWriter } from "./payload-writer.ts";
import { VP9_DESCRIPTOR_BYTES, writeVp9PayloadDescriptor } from "./vp9-payload-descriptor.ts";

/** VP9 (RFC 9628) as a stream without layers: a superframe goes as one frame. */
export class Vp9Packetizer implements AccessUnitPacketizer {
  #pictureId = 0;

  packetize({ data, keyframe, track }: AccessUnit, writer: PayloadWriter): void {
    if (data.length === 0 || track.kind !== "video") throw new MediaError("malformed", "no VP9 frame");
    const source = Buffer.from(data.buffer, data.byteOffset, data.length);
    const room = writer.capacity - VP9_DESCRIPTOR_BYTES;
    const pictureId = this.#pictureId;
    for (let at = 0; at < data.length; at += room) {
      const end = Math.min(data.length, at + room);
      const endsFrame = end === data.length;
      writeVp9PayloadDescriptor(writer, { beginsFrame: at === 0, endsFrame, keyframe, pictureId, size: track });
      writer.bytes(source, at, end);
      writer.send(endsFrame);
    }
    this.#pictureId = (pictureId + 1) & 0x7fff;
  }
}
