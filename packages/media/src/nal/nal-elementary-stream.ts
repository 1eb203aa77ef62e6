import type { VideoTrack } from "../access-unit.ts";
import { copyBytes } from "../bits/copy-bytes.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { MediaError } from "../media-error.ts";
import { joinLengthPrefixed } from "./nal-format.ts";
import { type NalLengthSize, NalSpans } from "./nal-spans.ts";

/** What {@link NalElementaryStream} does with a NAL unit. */
export type NalKind =
  /** A slice of a picture at which decoding can begin whatever the container says. */
  | "random_access_slice"
  | "slice"
  /** Stays, and may mark a recovery point. */
  | "sei"
  | "parameter_set"
  /** Carries nothing that a decoder behind a configuration record needs: delimiters, filler. */
  | "dropped"
  | "other";

/** What differs between H.264 and HEVC. */
export interface NalCodec {
  readonly codec: "h264" | "hevc";
  classify(headerByte: number): NalKind;
  /**
   * Orders parameter sets as the configuration record lists them and tells apart those that replace each other:
   * kind of set × 1024 + id. Sets of the kind numbered 1 (SPS) begin a new configuration when they change.
   * @throws MediaError when the NAL unit is no parameter set that can be parsed.
   */
  parameterSetKey(nal: Uint8Array): number;
  /** @throws MediaError */
  parseConfig(record: Uint8Array): { nalLengthSize: NalLengthSize; sets: readonly Uint8Array[] };
  /** The track that the sets (in order of key) describe, or `undefined` while they do not suffice. @throws MediaError */
  track(id: number, sets: ReadonlyMap<number, Uint8Array>): VideoTrack | undefined;
  /** Whether an access unit that the container calls a sync sample is one, though it has no random access slice. */
  isRecoveryPoint(data: Uint8Array, spans: NalSpans): boolean;
}

const KIND_SPS = 1;
const MAX_PARAMETER_SET_BYTES = 8192;

/**
 * Turns the access units of one H.264 or HEVC elementary stream, in Annex B or length-prefixed form, into the form
 * that `AccessUnit` asks for, and keeps its track up to date with parameter sets from configuration records and in band.
 *
 * A parameter set that repeats what is known is removed. One that differs makes a new track; it is removed at a
 * keyframe (the new configuration carries it) and stays in band elsewhere, so that a decoder need not be reset in mid-GOP.
 */
export class NalElementaryStream {
  readonly #codec: NalCodec;
  readonly #trackId: number;
  readonly #spans = new NalSpans();
  readonly #sets = new Map<number, Uint8Array>();
  #track: VideoTrack | undefined;
  #record: Uint8Array | undefined;
  #nalLengthSize: NalLengthSize = 4;

  constructor(codec: NalCodec, trackId: number) {
    this.#codec = codec;
    this.#trackId = trackId;
  }

  /** Known once an SPS and a PPS (and for HEVC a VPS) were seen. */
  get track(): VideoTrack | undefined {
    return this.#track;
  }

  /**
   * Takes a configuration record (avcC or hvcC). One that equals the last is ignored.
   * @returns whether the track changed.
   * @throws MediaError; the state is then as before.
   */
  configure(record: Uint8Array): boolean {
    if (this.#record !== undefined && equalBytes(this.#record, record)) return false;
    const { nalLengthSize, sets } = this.#codec.parseConfig(record);
    const replacement = new Map<number, Uint8Array>();
    for (const set of sets) replacement.set(this.#keyOf(set), copyBytes(set));
    const changed = sets.length > 0 && this.#replaceSets(replacement);
    this.#record = copyBytes(record);
    this.#nalLengthSize = nalLengthSize;
    return changed;
  }

  /**
   * @param data one whole access unit in Annex B form.
   * @param sync whether the container calls it a point to begin decoding at.
   * @throws MediaError; the access unit is lost, the state as before.
   */
  pushAnnexB(data: Uint8Array, sync: boolean): CodedFrame {
    this.#spans.scanAnnexB(data);
    return this.#push(data, sync, false);
  }

  /**
   * @param data one whole access unit with NAL unit lengths of the size that the configuration record tells.
   * Annex B in their place, as some encoders send it, is recognised.
   * @param sync whether the container calls it a point to begin decoding at.
   * @throws MediaError; the access unit is lost, the state as before.
   */
  pushLengthPrefixed(data: Uint8Array, sync: boolean): CodedFrame {
    try {
      this.#spans.scanLengthPrefixed(data, this.#nalLengthSize);
    } catch (error) {
      if (!(error instanceof MediaError) || !beginsWithStartCode(data)) throw error;
      return this.pushAnnexB(data, sync);
    }
    return this.#push(data, sync, this.#nalLengthSize === 4);
  }

  #push(data: Uint8Array, sync: boolean, asStored: boolean): CodedFrame {
    const spans = this.#spans;
    let slices = false;
    let keyframe = false;
    let parameterSets = false;
    let dropped = false;
    let bytes = 0;
    for (let i = 0; i < spans.count; i += 1) {
      const start = spans.start(i);
      bytes += 4 + spans.end(i) - start;
      switch (this.#codec.classify(data[start] as number)) {
        case "random_access_slice":
          keyframe = true;
          slices = true;
          break;
        case "slice":
          slices = true;
          break;
        case "parameter_set":
          parameterSets = true;
          break;
        case "dropped":
          dropped = true;
          break;
        default:
      }
    }
    if (!keyframe && sync && slices) keyframe = this.#codec.isRecoveryPoint(data, spans);
    const trackChanged = parameterSets && this.#takeParameterSets(data);
    if (!slices) return { data: data.subarray(0, 0), keyframe: false, trackChanged };

    const keepSets = trackChanged && !keyframe;
    const whole = asStored && !dropped && (!parameterSets || keepSets) && bytes === data.length;
    if (whole) return { data, keyframe, trackChanged };
    const codec = this.#codec;
    const kept = joinLengthPrefixed(data, spans, (headerByte) => {
      const kind = codec.classify(headerByte);
      return kind !== "dropped" && (kind !== "parameter_set" || keepSets);
    });
    return { data: kept, keyframe, trackChanged };
  }

  /** Takes the parameter sets in band; answers whether they made a new track. */
  #takeParameterSets(data: Uint8Array): boolean {
    const spans = this.#spans;
    let replacement: Map<number, Uint8Array> | undefined;
    let spsChanged = false;
    for (let i = 0; i < spans.count; i += 1) {
      const nal = data.subarray(spans.start(i), spans.end(i));
      if (this.#codec.classify(nal[0] as number) !== "parameter_set") continue;
      const key = this.#keyOf(nal);
      const known = replacement?.get(key) ?? this.#sets.get(key);
      if (known !== undefined && equalBytes(known, nal)) continue;
      replacement ??= new Map(this.#sets);
      replacement.set(key, copyBytes(nal));
      if (kindOf(key) === KIND_SPS && this.#sets.size > 0) spsChanged = true;
    }
    if (replacement === undefined) return false;
    if (spsChanged) this.#forgetStaleSets(replacement, data);
    return this.#replaceSets(replacement);
  }

  /** A changed SPS begins a new configuration: sets of a kind that came with it but are not among them are of the old one. */
  #forgetStaleSets(replacement: Map<number, Uint8Array>, data: Uint8Array): void {
    const present = new Set<number>();
    const kinds = new Set<number>();
    for (let i = 0; i < this.#spans.count; i += 1) {
      const nal = data.subarray(this.#spans.start(i), this.#spans.end(i));
      if (this.#codec.classify(nal[0] as number) !== "parameter_set") continue;
      const key = this.#codec.parameterSetKey(nal);
      present.add(key);
      kinds.add(kindOf(key));
    }
    for (const key of replacement.keys()) if (kinds.has(kindOf(key)) && !present.has(key)) replacement.delete(key);
  }

  #replaceSets(replacement: Map<number, Uint8Array>): boolean {
    const ordered = new Map([...replacement].sort(([a], [b]) => a - b));
    const track = this.#codec.track(this.#trackId, ordered);
    this.#sets.clear();
    for (const [key, set] of ordered) this.#sets.set(key, set);
    if (track === undefined) return false;
    if (this.#track !== undefined && equalBytes(this.#track.config, track.config)) return false;
    this.#track = track;
    return true;
  }

  #keyOf(nal: Uint8Array): number {
    if (nal.length > MAX_PARAMETER_SET_BYTES) throw new MediaError("malformed", "parameter set of an absurd size");
    return this.#codec.parameterSetKey(nal);
  }
}

function kindOf(key: number): number {
  return key >> 10;
}

function beginsWithStartCode(data: Uint8Array): boolean {
  if (data.length < 4 || data[0] !== 0 || data[1] !== 0) return false;
  return data[2] === 1 || (data[2] === 0 && data[3] === 1);
}
