import { MediaError } from "../media-error.ts";
import { FieldReader } from "./box-reader.ts";
import { readFragmentSpans } from "./fragment-span.ts";
import { type MovieTrack, readMovie } from "./movie.ts";
import { MovieIndex } from "./movie-index.ts";
import { LEAD_TRACK_ID } from "./movie-writer.ts";

/** What there is of a fragmented movie of ours. */
export interface MovieSurvey {
  /** Bytes up to the end of the last whole fragment: what follows is cut off, or an index. */
  readonly end: number;
  readonly durationMs: number;
  /** Of all keyframes' fragments; of the last alone where the survey was short. */
  readonly index: MovieIndex;
  readonly tracks: readonly MovieTrack[];
}

/** @returns up to `length` bytes of a file from `at`; fewer at its end. */
export type ReadAt = (at: number, length: number) => Promise<Uint8Array>;

/** No `moov` or `moof` of ours is larger, bytes. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** `mfro`, the very last box of a file with an index (14496-12 § 8.8.11), bytes. */
const MFRO_BYTES = 16;
/** `tfra` as `MovieIndex` writes it: an entry, bytes. */
const TFRA_ENTRY_BYTES = 19;

/**
 * Goes through the boxes of a file that a `MovieWriter` wrote, without a look at the media.
 * @param size of the file, bytes.
 * @param short begins at the last keyframe that the file's index names, where there is one: enough to tell how long it plays.
 * @returns a survey whose `end` is 0 where the file is none of ours, or nothing whole is in it. Throws only what `read` throws.
 */
export async function surveyMovie(size: number, read: ReadAt, short = false): Promise<MovieSurvey> {
  const index = new MovieIndex(LEAD_TRACK_ID);
  const last = short ? await lastKeyframe(size, read) : undefined;
  let tracks: readonly MovieTrack[] = [];
  let end = 0;
  let durationMs = 0;
  /** What a `moof` says, until its `mdat` is known to be whole. */
  let pending: { at: number; time: number; endMs: number } | undefined;
  for (let at = 0; at + 8 <= size; ) {
    const head = await read(at, 8);
    if (head.byteLength < 8) break;
    const length = numberAt(head, 0);
    const type = String.fromCharCode(...head.subarray(4, 8));
    if (length < 8 || at + length > size) break;
    if (type === "moov" || type === "moof") {
      if (length > MAX_HEADER_BYTES) break;
      const bytes = await read(at, length);
      try {
        if (type === "moov") tracks = readMovie(bytes);
        else pending = leadFragment(bytes.subarray(8), tracks, at);
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        break;
      }
    } else if (type === "mdat") {
      if (pending !== undefined) {
        index.add(pending.time, pending.at);
        durationMs = Math.max(durationMs, pending.endMs);
        pending = undefined;
      }
      end = at + length;
    }
    at = type === "moov" && last !== undefined && last > at ? last : at + length;
  }
  return { end, durationMs, index, tracks };
}

/** The fragment of the leading track that a `moof` begins; undefined where it is another's. */
function leadFragment(moof: Uint8Array, tracks: readonly MovieTrack[], at: number) {
  const defaults = (trackId: number) => tracks.find((track) => track.trackId === trackId)?.defaults;
  const [span] = readFragmentSpans(moof, defaults);
  const timescale = tracks.find(({ trackId }) => trackId === LEAD_TRACK_ID)?.timescale;
  if (span?.trackId !== LEAD_TRACK_ID || timescale === undefined) return undefined;
  const end = span.baseDecodeTime + span.duration;
  return { at, time: span.baseDecodeTime, endMs: Math.round((end * 1000) / timescale) };
}

/** Where the last fragment is that the index names, bytes; undefined where there is no index of ours. */
async function lastKeyframe(size: number, read: ReadAt): Promise<number | undefined> {
  if (size < MFRO_BYTES + TFRA_ENTRY_BYTES) return undefined;
  const tail = await read(size - MFRO_BYTES - TFRA_ENTRY_BYTES, MFRO_BYTES + TFRA_ENTRY_BYTES);
  const isIndex = String.fromCharCode(...tail.subarray(TFRA_ENTRY_BYTES + 4, TFRA_ENTRY_BYTES + 8)) === "mfro";
  if (!isIndex || numberAt(tail, TFRA_ENTRY_BYTES + 12) >= size) return undefined;
  const fields = new FieldReader(tail.subarray(8));
  const offset = fields.u64();
  return offset < size ? offset : undefined;
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
