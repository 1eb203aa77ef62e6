import { type AccessUnit, TICKS_PER_SECOND } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { FieldReader, readBoxes } from "./box-reader.ts";
import type { MovieTrack, SampleDefaults } from "./movie.ts";

/** A sample as a movie fragment describes it; times in its track's timescale. */
export interface FragmentSample {
  readonly decodeTime: number;
  readonly duration: number;
  readonly compositionOffset: number;
  readonly keyframe: boolean;
  /** A view of the input. */
  readonly data: Uint8Array;
}

/** One `traf` of a `moof`. */
export interface TrackFragment {
  /** `mfhd` sequence number */
  readonly sequence: number;
  readonly track: MovieTrack;
  readonly baseDecodeTime: number;
  readonly samples: readonly FragmentSample[];
}

/** No fragment of a real stream has more samples in a run. */
const MAX_SAMPLES = 65_536;

/**
 * The track fragments in `bytes`, in file order; of tracks that `movie` does not name, none.
 * @param bytes a file, or media segments.
 * @throws MediaError
 */
export function* readFragments(
  bytes: Uint8Array,
  movie: readonly MovieTrack[],
): Generator<TrackFragment, void, undefined> {
  for (const box of readBoxes(bytes)) {
    if (box.type === "moof") yield* readMovieFragment(bytes, box.start, box.payload, movie);
  }
}

/** Every sample of `bytes` as access units in file order, their times rounded to 90 kHz ticks. @throws MediaError */
export function* readAccessUnits(
  bytes: Uint8Array,
  movie: readonly MovieTrack[],
): Generator<AccessUnit, void, undefined> {
  for (const fragment of readFragments(bytes, movie)) {
    const { track, timescale } = fragment.track;
    for (const sample of fragment.samples) {
      const ticks = (time: number) => Math.round((time * TICKS_PER_SECOND) / timescale);
      yield {
        track,
        dts: ticks(sample.decodeTime),
        pts: ticks(sample.decodeTime + sample.compositionOffset),
        keyframe: sample.keyframe,
        data: sample.data,
      };
    }
  }
}

function* readMovieFragment(
  bytes: Uint8Array,
  moofStart: number,
  moof: Uint8Array,
  movie: readonly MovieTrack[],
): Generator<TrackFragment, void, undefined> {
  let sequence = 0;
  let dataEnd = moofStart;
  for (const box of readBoxes(moof)) {
    if (box.type === "mfhd") {
      const fields = new FieldReader(box.payload);
      fields.skip(4);
      sequence = fields.u32();
    }
    if (box.type !== "traf") continue;
    const run = readTrackFragment(bytes, moofStart, dataEnd, box.payload, movie);
    dataEnd = run.dataEnd;
    if (run.track === undefined) continue;
    yield { sequence, track: run.track, baseDecodeTime: run.baseDecodeTime, samples: run.samples };
  }
}

interface TrackRun {
  readonly track: MovieTrack | undefined;
  readonly baseDecodeTime: number;
  readonly samples: FragmentSample[];
  readonly dataEnd: number;
}

function readTrackFragment(
  bytes: Uint8Array,
  moofStart: number,
  previousEnd: number,
  traf: Uint8Array,
  movie: readonly MovieTrack[],
): TrackRun {
  let header: TrackFragmentHeader | undefined;
  let baseDecodeTime = 0;
  let decodeTime = 0;
  let dataEnd = previousEnd;
  const samples: FragmentSample[] = [];
  for (const box of readBoxes(traf)) {
    if (box.type === "tfhd") {
      header = readHeader(box.payload, moofStart, previousEnd, movie);
      dataEnd = header.base;
    } else if (box.type === "tfdt") {
      const fields = new FieldReader(box.payload);
      baseDecodeTime = fields.fullHeader().version === 1 ? fields.u64() : fields.u32();
      decodeTime = baseDecodeTime;
    } else if (box.type === "trun") {
      if (header === undefined) throw new MediaError("malformed", "a trun before its tfhd");
      const run = { bytes, header, at: dataEnd, decodeTime };
      dataEnd = readRun(box.payload, run, samples);
      decodeTime = run.decodeTime;
    }
  }
  return { track: header?.track, baseDecodeTime, samples, dataEnd };
}

interface TrackFragmentHeader {
  readonly track: MovieTrack | undefined;
  /** Where data offsets count from, in the input. */
  readonly base: number;
  readonly defaults: SampleDefaults;
}

function readHeader(
  tfhd: Uint8Array,
  moofStart: number,
  previousEnd: number,
  movie: readonly MovieTrack[],
): TrackFragmentHeader {
  const fields = new FieldReader(tfhd);
  const { flags } = fields.fullHeader();
  const trackId = fields.u32();
  const track = movie.find((candidate) => candidate.trackId === trackId);
  const base = (flags & 0x1) !== 0 ? fields.u64() : (flags & 0x020000) !== 0 ? moofStart : previousEnd;
  if ((flags & 0x2) !== 0) fields.skip(4);
  const duration = (flags & 0x8) !== 0 ? fields.u32() : (track?.defaults.duration ?? 0);
  const size = (flags & 0x10) !== 0 ? fields.u32() : (track?.defaults.size ?? 0);
  const sampleFlags = (flags & 0x20) !== 0 ? fields.u32() : (track?.defaults.flags ?? 0);
  return { track, base, defaults: { duration, size, flags: sampleFlags } };
}

/** Appends the run's samples; moves `run.decodeTime` on. @returns where its data ends. */
function readRun(
  trun: Uint8Array,
  run: { readonly bytes: Uint8Array; readonly header: TrackFragmentHeader; readonly at: number; decodeTime: number },
  samples: FragmentSample[],
): number {
  const fields = new FieldReader(trun);
  const { version, flags } = fields.fullHeader();
  const count = fields.u32();
  if (count + samples.length > MAX_SAMPLES) throw new MediaError("malformed", `a fragment of ${count} samples`);
  let at = (flags & 0x1) !== 0 ? run.header.base + fields.i32() : run.at;
  const firstFlags = (flags & 0x4) !== 0 ? fields.u32() : undefined;
  const { defaults } = run.header;
  for (let i = 0; i < count; i += 1) {
    const duration = (flags & 0x100) !== 0 ? fields.u32() : defaults.duration;
    const size = (flags & 0x200) !== 0 ? fields.u32() : defaults.size;
    const own = (flags & 0x400) !== 0 ? fields.u32() : defaults.flags;
    const sampleFlags = i === 0 && firstFlags !== undefined ? firstFlags : own;
    const compositionOffset = (flags & 0x800) === 0 ? 0 : version === 0 ? fields.u32() : fields.i32();
    if (at < 0 || at + size > run.bytes.length) throw new MediaError("truncated", "a sample lies outside the file");
    samples.push({
      decodeTime: run.decodeTime,
      duration,
      compositionOffset,
      keyframe: (sampleFlags & 0x10000) === 0,
      data: run.bytes.subarray(at, at + size),
    });
    at += size;
    run.decodeTime += duration;
  }
  return at;
}
