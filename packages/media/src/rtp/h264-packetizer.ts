import type { AccessUnit, Track } from "../access-unit.ts";
import { parseAvcConfig } from "../h264/avc-config.ts";
import { MediaError } from "../media-error.ts";
import { NalSpans } from "../nal/nal-spans.ts";
import { H264_PAYLOAD } from "./h264-payload-format.ts";
import type { AccessUnitPacketizer, PayloadWriter } from "./payload-writer.ts";

const FU_HEADER_BYTES = 2;
const NO_BYTES = Buffer.alloc(0);

/**
 * H.264 in packetization mode 1 (RFC 6184 § 6.3): the parameter sets of the track go in one STAP-A before each keyframe, NAL
 * units that fit a packet go as they are, others in FU-A.
 */
export class H264Packetizer implements AccessUnitPacketizer {
  readonly #spans = new NalSpans();
  #track: Track | undefined;
  #sets: readonly Buffer[] = [];

  packetize(unit: AccessUnit, writer: PayloadWriter): void {
    const data = bufferOf(unit.data);
    this.#spans.scanLengthPrefixed(data, 4);
    if (this.#spans.count === 0) throw new MediaError("malformed", "an access unit without NAL units");
    if (unit.keyframe) this.#sendSets(unit.track, writer);
    const last = this.#spans.count - 1;
    for (let i = 0; i <= last; i += 1) {
      sendNal(data, this.#spans.start(i), this.#spans.end(i), i === last, writer);
    }
  }

  #sendSets(track: Track, writer: PayloadWriter): void {
    if (track !== this.#track) {
      const { sps, pps } = parseAvcConfig(track.config);
      this.#sets = [...sps, ...pps].map(bufferOf);
      this.#track = track;
    }
    const bytes = this.#sets.reduce((sum, set) => sum + 2 + set.length, 1);
    if (this.#sets.length < 2 || bytes > writer.capacity) {
      for (const set of this.#sets) sendNal(set, 0, set.length, false, writer);
      return;
    }
    // F and NRI of the aggregate are those of the most important in it (RFC 6184 § 5.7): parameter sets have the highest.
    const nri = this.#sets.reduce((most, set) => Math.max(most, (set[0] as number) & 0x60), 0);
    writer.byte(nri | H264_PAYLOAD.STAP_A);
    for (const set of this.#sets) {
      writer.u16(set.length);
      writer.bytes(set, 0, set.length);
    }
    writer.send(false);
  }
}

function sendNal(data: Buffer, start: number, end: number, last: boolean, writer: PayloadWriter): void {
  if (end - start <= writer.capacity) {
    writer.bytes(data, start, end);
    writer.send(last);
    return;
  }
  const header = data[start] as number;
  const room = writer.capacity - FU_HEADER_BYTES;
  for (let at = start + 1; at < end; at += room) {
    const to = Math.min(end, at + room);
    writer.byte((header & 0xe0) | H264_PAYLOAD.FU_A);
    writer.byte((header & 0x1f) | (at === start + 1 ? 0x80 : 0) | (to === end ? 0x40 : 0));
    writer.bytes(data, at, to);
    writer.send(last && to === end);
  }
}

/** The same bytes as a Buffer, which can be copied from without making a view first. */
function bufferOf(data: Uint8Array): Buffer {
  return data.length === 0 ? NO_BYTES : Buffer.from(data.buffer, data.byteOffset, data.length);
}
