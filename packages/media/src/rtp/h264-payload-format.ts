import type { VideoTrack } from "../access-unit.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { buildAvcConfig } from "../h264/avc-config.ts";
import { h264ElementaryStream } from "../h264/h264-elementary-stream.ts";
import { H264_NAL, h264NalType } from "../h264/nal-unit-type.ts";
import { MediaError } from "../media-error.ts";
import { MAX_NAL_UNITS } from "../nal/nal-spans.ts";
import type { VideoPayloadFormat } from "./depacketizer.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { readU16 } from "./rtp-packet.ts";

/** Payload structures that share the numbers of nal_unit_type, RFC 6184 § 5.2. */
export const H264_PAYLOAD = { STAP_A: 24, FU_A: 28 } as const;

const FU_START = 0x80;
const FU_END = 0x40;

/**
 * The payload format of H.264 (RFC 6184): single NAL units, STAP-A and FU-A, which are all that packetization modes 0
 * and 1 have. Interleaved mode is not taken in.
 *
 * Parameter sets in band make a new track where they differ; one is made before the keyframe that they come with.
 */
export class H264PayloadFormat implements VideoPayloadFormat {
  readonly #stream: ReturnType<typeof h264ElementaryStream>;
  readonly #frame = new FrameBuffer();
  #nalUnits = 0;
  /** Where the length of the NAL unit stands that FU-A are adding to. */
  #fragmentAt: number | undefined;
  #fragmentHeader = 0;
  /** Parameter sets come in band before keyframes. */
  #setsInBand = false;
  /** The access unit is of no use without parameter sets. */
  #mustHaveSets = false;

  constructor(trackId: number) {
    this.#stream = h264ElementaryStream(trackId);
  }

  get track(): VideoTrack | undefined {
    return this.#stream.track;
  }

  /**
   * Takes `sprop-parameter-sets` (RFC 6184 § 8.1).
   * @returns whether the track is known by it.
   * @throws MediaError where they cannot be read.
   */
  configure(spropParameterSets: string): boolean {
    const sps: Uint8Array[] = [];
    const pps: Uint8Array[] = [];
    for (const text of spropParameterSets.split(",")) {
      const nal = new Uint8Array(Buffer.from(text, "base64"));
      if (nal.length === 0) continue;
      const type = h264NalType(nal[0] as number);
      if (type === H264_NAL.SPS) sps.push(nal);
      else if (type === H264_NAL.PPS) pps.push(nal);
    }
    if (sps.length === 0 || pps.length === 0) return false;
    return this.#stream.configure(buildAvcConfig(sps, pps));
  }

  /**
   * Behind a hole an access unit is taken that begins as a keyframe does. Where parameter sets come in band it must have
   * them too: what the hole had may have been new ones.
   */
  begin(payload: Uint8Array, sure: boolean): boolean {
    this.#mustHaveSets = !sure && this.#setsInBand;
    if (sure) return true;
    const nal = firstNal(payload);
    if (nal === undefined) return false;
    switch (h264NalType(nal.header)) {
      case H264_NAL.SPS:
      case H264_NAL.PPS:
      case H264_NAL.SEI:
      case H264_NAL.ACCESS_UNIT_DELIMITER:
        return true;
      case H264_NAL.SLICE_IDR:
        // first_mb_in_slice is zero where its Exp-Golomb code is the single bit 1.
        return nal.next >= 0x80;
      default:
        return false;
    }
  }

  append(payload: Uint8Array): void {
    const type = h264NalType(payload[0] as number);
    if (type === H264_PAYLOAD.FU_A) {
      this.#appendFragment(payload);
      return;
    }
    if (this.#fragmentAt !== undefined) throw new MediaError("malformed", "FU-A without an end");
    if (type === H264_PAYLOAD.STAP_A) {
      let at = 1;
      while (at < payload.length) {
        if (at + 2 > payload.length) throw new MediaError("truncated", "STAP-A ends within a length");
        const end = at + 2 + readU16(payload, at);
        if (end > payload.length) throw new MediaError("truncated", "STAP-A ends within a NAL unit");
        this.#appendNal(payload.subarray(at + 2, end));
        at = end;
      }
    } else if (type > 0 && type < H264_PAYLOAD.STAP_A) {
      this.#appendNal(payload);
    } else {
      throw new MediaError("unsupported", `H.264 payload structure ${type}`);
    }
  }

  finish(): CodedFrame {
    try {
      if (this.#fragmentAt !== undefined) throw new MediaError("malformed", "FU-A without an end");
      if (this.#mustHaveSets) throw new MediaError("malformed", "a keyframe that may lack its parameter sets");
      const frame = this.#stream.pushLengthPrefixed(this.#frame.view, false);
      return { ...frame, data: this.#frame.detached(frame.data) };
    } finally {
      this.discard();
    }
  }

  discard(): void {
    this.#frame.clear();
    this.#nalUnits = 0;
    this.#fragmentAt = undefined;
  }

  #appendNal(nal: Uint8Array): void {
    if (nal.length === 0) return;
    this.#count(nal[0] as number);
    this.#frame.appendU32(nal.length);
    this.#frame.append(nal);
  }

  /** RFC 6184 § 5.8 */
  #appendFragment(payload: Uint8Array): void {
    if (payload.length < 3) throw new MediaError("truncated", "FU-A without a payload");
    const fuHeader = payload[1] as number;
    const header = ((payload[0] as number) & 0xe0) | (fuHeader & 0x1f);
    if ((fuHeader & FU_START) !== 0) {
      if (this.#fragmentAt !== undefined) throw new MediaError("malformed", "FU-A begins within another");
      this.#count(header);
      this.#fragmentAt = this.#frame.appendU32(0);
      this.#fragmentHeader = header;
      this.#frame.appendByte(header);
    } else if (this.#fragmentAt === undefined || h264NalType(this.#fragmentHeader) !== h264NalType(header)) {
      throw new MediaError("malformed", "FU-A without a beginning");
    }
    this.#frame.append(payload.subarray(2));
    if ((fuHeader & FU_END) === 0) return;
    this.#frame.setU32(this.#fragmentAt, this.#frame.length - this.#fragmentAt - 4);
    this.#fragmentAt = undefined;
  }

  #count(header: number): void {
    if (h264NalType(header) === H264_NAL.SPS) {
      this.#setsInBand = true;
      this.#mustHaveSets = false;
    }
    this.#nalUnits += 1;
    if (this.#nalUnits > MAX_NAL_UNITS) throw new MediaError("malformed", "too many NAL units in one access unit");
  }
}

/** Header and next byte of the first NAL unit that begins in a payload. */
function firstNal(payload: Uint8Array): { header: number; next: number } | undefined {
  const first = payload[0] as number;
  switch (h264NalType(first)) {
    case H264_PAYLOAD.STAP_A:
      return payload.length < 4 ? undefined : { header: payload[3] as number, next: payload[4] ?? 0 };
    case H264_PAYLOAD.FU_A: {
      const fuHeader = payload[1] ?? 0;
      if ((fuHeader & FU_START) === 0) return undefined;
      return { header: (first & 0xe0) | (fuHeader & 0x1f), next: payload[2] ?? 0 };
    }
    default:
      return { header: first, next: payload[1] ?? 0 };
  }
}
