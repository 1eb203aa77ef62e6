import type { AccessUnit } from "../access-unit.ts";
import { parseAv1Config } from "../av1/av1-config.ts";
import { AV1_OBU, leb128Bytes, type ObuSpan, scanObus } from "../av1/obu.ts";
import { MediaError } from "../media-error.ts";
import { AV1_AGGREGATION } from "./av1-payload-format.ts";
import type { AccessUnitPacketizer, PayloadWriter } from "./payload-writer.ts";

/** What W can count: so many OBU elements go into one packet at most, and the last of them needs no length. */
const MAX_ELEMENTS = 3;
const HAS_SIZE = 2;

/** An OBU to send: header bytes, its size left out, and payload. */
interface ObuElement {
  readonly source: Buffer;
  readonly headerStart: number;
  readonly headerBytes: number;
  readonly payloadStart: number;
  readonly end: number;
}

/**
 * AV1 (RTP Payload Format For AV1): OBUs without sizes, temporal delimiters left out. The sequence header goes before each
 * keyframe, also where it stands only in the track's configuration.
 */
export class Av1Packetizer implements AccessUnitPacketizer {
  packetize(unit: AccessUnit, writer: PayloadWriter): void {
    const elements = elementsOf(unit);
    if (elements.length === 0) throw new MediaError("malformed", "a temporal unit without OBUs");
    let aggregation: number = unit.keyframe ? AV1_AGGREGATION.NEW_SEQUENCE : 0;
    let count = 0;
    for (const [index, element] of elements.entries()) {
      const lastOfAll = index === elements.length - 1;
      const bytes = element.headerBytes + element.end - element.payloadStart;
      let sent = 0;
      while (sent < bytes) {
        if (writer.empty) writer.byte(0);
        const left = bytes - sent;
        const prefixed = leb128Bytes(left) + left;
        // Behind it there must be room for more than a length of the next.
        if (!lastOfAll && count + 1 < MAX_ELEMENTS && prefixed + 4 <= writer.room) {
          writeLength(writer, left);
          writeElement(writer, element, sent, bytes);
          count += 1;
          break;
        }
        const to = Math.min(bytes, sent + writer.room);
        writeElement(writer, element, sent, to);
        sent = to;
        const continued = sent < bytes;
        writer.setFirst(aggregation | ((count + 1) << 4) | (continued ? AV1_AGGREGATION.CONTINUED : 0));
        writer.send(lastOfAll && !continued);
        aggregation = continued ? AV1_AGGREGATION.CONTINUES : 0;
        count = 0;
      }
    }
  }
}

function elementsOf({ data, keyframe, track }: AccessUnit): ObuElement[] {
  const source = Buffer.from(data.buffer, data.byteOffset, data.length);
  const elements: ObuElement[] = [];
  let hasSequenceHeader = false;
  for (const obu of scanObus(data)) {
    if (obu.type === AV1_OBU.TEMPORAL_DELIMITER) continue;
    if (obu.type === AV1_OBU.SEQUENCE_HEADER) hasSequenceHeader = true;
    elements.push(elementOf(source, obu));
  }
  if (keyframe && !hasSequenceHeader) {
    const { sequenceHeader } = parseAv1Config(track.config);
    if (sequenceHeader !== undefined) {
      const obu = Buffer.concat([Buffer.of(AV1_OBU.SEQUENCE_HEADER << 3), sequenceHeader]);
      elements.unshift({ source: obu, headerStart: 0, headerBytes: 1, payloadStart: 1, end: obu.length });
    }
  }
  return elements;
}

function elementOf(source: Buffer, obu: ObuSpan): ObuElement {
  const { start, headerBytes, payloadStart, end } = obu;
  return { source, headerStart: start, headerBytes, payloadStart, end };
}

/** Writes the bytes of the element from `from` to `to`, its size field not among them. */
function writeElement(writer: PayloadWriter, element: ObuElement, from: number, to: number): void {
  const { source, headerStart, headerBytes, payloadStart } = element;
  for (let i = from; i < Math.min(to, headerBytes); i += 1) {
    const byte = source[headerStart + i] as number;
    writer.byte(i === 0 ? byte & ~HAS_SIZE : byte);
  }
  const start = payloadStart + Math.max(0, from - headerBytes);
  const end = payloadStart + Math.max(0, to - headerBytes);
  if (end > start) writer.bytes(source, start, end);
}

function writeLength(writer: PayloadWriter, length: number): void {
  let left = length;
  while (left >= 0x80) {
    writer.byte((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  writer.byte(left);
}
