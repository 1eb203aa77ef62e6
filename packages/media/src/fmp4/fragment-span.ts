import { MediaError } from "../media-error.ts";
import { FieldReader, readBoxes } from "./box-reader.ts";
import type { SampleDefaults } from "./movie.ts";

/** What stretch of its track a movie fragment covers; times in the track's timescale. */
export interface FragmentSpan {
  readonly trackId: number;
  readonly baseDecodeTime: number;
  readonly duration: number;
}

/**
 * The stretches that the track fragments of a `moof` cover, without a look at their media.
 * @param moof its payload.
 * @param defaults of each `track_ID`, by the movie's header.
 * @throws MediaError
 */
export function readFragmentSpans(
  moof: Uint8Array,
  defaults: (trackId: number) => SampleDefaults | undefined,
): FragmentSpan[] {
  const spans: FragmentSpan[] = [];
  for (const { type, payload } of readBoxes(moof)) if (type === "traf") spans.push(readSpan(payload, defaults));
  return spans;
}

function readSpan(traf: Uint8Array, defaults: (trackId: number) => SampleDefaults | undefined): FragmentSpan {
  let trackId = 0;
  let baseDecodeTime = 0;
  let duration = 0;
  let usual = 0;
  for (const { type, payload } of readBoxes(traf)) {
    const fields = new FieldReader(payload);
    if (type === "tfhd") {
      const { flags } = fields.fullHeader();
      trackId = fields.u32();
      fields.skip(((flags & 0x1) === 0 ? 0 : 8) + ((flags & 0x2) === 0 ? 0 : 4));
      usual = (flags & 0x8) === 0 ? (defaults(trackId)?.duration ?? 0) : fields.u32();
    } else if (type === "tfdt") {
      baseDecodeTime = fields.fullHeader().version === 1 ? fields.u64() : fields.u32();
    } else if (type === "trun") {
      duration += readDurations(fields, usual);
    }
  }
  if (trackId === 0) throw new MediaError("malformed", "a traf without its tfhd");
  return { trackId, baseDecodeTime, duration };
}

function readDurations(trun: FieldReader, usual: number): number {
  const { flags } = trun.fullHeader();
  const count = trun.u32();
  if ((flags & 0x100) === 0) return count * usual;
  trun.skip(((flags & 0x1) === 0 ? 0 : 4) + ((flags & 0x4) === 0 ? 0 : 4));
  const rest = [0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length * 4;
  let sum = 0;
  for (let i = 0; i < count; i += 1) {
    sum += trun.u32();
    trun.skip(rest);
  }
  return sum;
}
