import type { VideoTrack } from "../access-unit.ts";
import { copyBytes } from "../bits/copy-bytes.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { MediaError } from "../media-error.ts";
import { parseAv1Config } from "./av1-config.ts";
import { av1Track } from "./av1-track.ts";
import { AV1_OBU, leb128Bytes, type ObuSpan, scanObus, writeLeb128 } from "./obu.ts";
import { parseAv1SequenceHeader } from "./sequence-header.ts";

const KEY_FRAME = 0;
const MAX_SEQUENCE_HEADER_BYTES = 1024;

/**
 * Turns the temporal units of one AV1 stream into the form that `AccessUnit` asks for (no temporal delimiters, no padding,
 * every OBU with its size) and keeps its track up to date with sequence headers from av1C and in band.
 * Sequence headers stay in band: AV1 in ISOBMFF wants them in sync samples.
 */
export class Av1ElementaryStream {
  readonly #trackId: number;
  #track: VideoTrack | undefined;
  #sequenceHeader: Uint8Array | undefined;
  #reducedStillPicture = false;
  #record: Uint8Array | undefined;

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  /** Known once a sequence header was seen. */
  get track(): VideoTrack | undefined {
    return this.#track;
  }

  /**
   * Takes an av1C payload. One that equals the last is ignored.
   * @returns whether the track changed.
   * @throws MediaError; the state is then as before.
   */
  configure(record: Uint8Array): boolean {
    if (this.#record !== undefined && equalBytes(this.#record, record)) return false;
    const { sequenceHeader } = parseAv1Config(record);
    const changed = sequenceHeader !== undefined && this.#takeSequenceHeader(sequenceHeader);
    this.#record = copyBytes(record);
    return changed;
  }

  /**
   * @param data one whole temporal unit in low-overhead format.
   * @throws MediaError; the temporal unit is lost, the state as before.
   */
  push(data: Uint8Array): CodedFrame {
    const obus = scanObus(data);
    let trackChanged = false;
    let frames = 0;
    let keyframe = false;
    let whole = true;
    for (const obu of obus) {
      if (isDropped(obu) || !obu.hasSize) whole = false;
      if (obu.type === AV1_OBU.SEQUENCE_HEADER) {
        if (this.#takeSequenceHeader(data.subarray(obu.payloadStart, obu.end))) trackChanged = true;
      } else if (obu.type === AV1_OBU.FRAME || obu.type === AV1_OBU.FRAME_HEADER) {
        if (frames === 0) keyframe = this.#isShownKeyFrame(data, obu);
        frames += 1;
      }
    }
    if (frames === 0) return { data: data.subarray(0, 0), keyframe: false, trackChanged };
    return { data: whole ? data : joinObus(data, obus), keyframe, trackChanged };
  }

  #takeSequenceHeader(payload: Uint8Array): boolean {
    if (this.#sequenceHeader !== undefined && equalBytes(this.#sequenceHeader, payload)) return false;
    if (payload.length > MAX_SEQUENCE_HEADER_BYTES)
      throw new MediaError("malformed", "sequence header of an absurd size");
    this.#track = av1Track(this.#trackId, payload);
    this.#reducedStillPicture = parseAv1SequenceHeader(payload).reducedStillPicture;
    this.#sequenceHeader = copyBytes(payload);
    return true;
  }

  /** uncompressed_header(), AV1 5.9.2: show_existing_frame 0, frame_type KEY_FRAME, show_frame 1. */
  #isShownKeyFrame(data: Uint8Array, obu: ObuSpan): boolean {
    if (this.#reducedStillPicture) return true;
    const first = obu.payloadStart < obu.end ? (data[obu.payloadStart] as number) : 0x80;
    const showExisting = first >> 7 === 1;
    return !showExisting && ((first >> 5) & 3) === KEY_FRAME && ((first >> 4) & 1) === 1;
  }
}

function isDropped(obu: ObuSpan): boolean {
  return obu.type === AV1_OBU.TEMPORAL_DELIMITER || obu.type === AV1_OBU.PADDING || obu.type === AV1_OBU.TILE_LIST;
}

function joinObus(data: Uint8Array, obus: readonly ObuSpan[]): Uint8Array {
  const kept = obus.filter((obu) => !isDropped(obu));
  const size = (obu: ObuSpan) => {
    const payload = obu.end - obu.payloadStart;
    return obu.hasSize ? obu.end - obu.start : obu.headerBytes + leb128Bytes(payload) + payload;
  };
  const out = new Uint8Array(kept.reduce((bytes, obu) => bytes + size(obu), 0));
  let at = 0;
  for (const obu of kept) {
    if (obu.hasSize) {
      out.set(data.subarray(obu.start, obu.end), at);
    } else {
      out.set(data.subarray(obu.start, obu.payloadStart), at);
      out[at] = (out[at] as number) | 2; // obu_has_size_field
      const sizeBytes = writeLeb128(out, at + obu.headerBytes, obu.end - obu.payloadStart);
      out.set(data.subarray(obu.payloadStart, obu.end), at + obu.headerBytes + sizeBytes);
    }
    at += size(obu);
  }
  return out;
}
