import type { AccessUnit } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import type { AccessUnitPacketizer, PayloadWriter } from "./payload-writer.ts";

/** Opus (RFC 7587): each packet is a payload; the marker is set on the first after silence that was left out (§ 4.1). */
export class OpusPacketizer implements AccessUnitPacketizer {
  packetize(unit: AccessUnit, writer: PayloadWriter, afterGap: boolean): void {
    const { data } = unit;
    if (data.length === 0) throw new MediaError("malformed", "an empty Opus packet");
    if (data.length > writer.capacity) throw new MediaError("unsupported", "an Opus packet that fits no RTP packet");
    writer.bytes(Buffer.from(data.buffer, data.byteOffset, data.length), 0, data.length);
    writer.send(afterGap);
  }
}
