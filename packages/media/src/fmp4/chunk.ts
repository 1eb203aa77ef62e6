import { TRACK_ID } from "./init-segment.ts";

/** One sample of a chunk; times in the track's timescale (`timescaleOf`). */
export interface ChunkSample {
  readonly duration: number;
  /** Presentation less decode time; may be negative. */
  readonly compositionOffset: number;
  readonly keyframe: boolean;
  /** Shared, never copied. */
  readonly data: Uint8Array;
}

/** When the first sample of a chunk was captured (14496-12 §8.16.5). */
export interface ProducerReferenceTime {
  /** Unix time, ms. */
  readonly wallMs: number;
}

export interface Chunk {
  /** `mfhd` sequence number: rises by one from chunk to chunk of a track. */
  readonly sequence: number;
  /** `track_ID`; that of the only track of a CMAF track file by default. */
  readonly trackId?: number;
  /** Decode time of the first sample, in the track's timescale. */
  readonly baseDecodeTime: number;
  /** At least one. */
  readonly samples: readonly ChunkSample[];
  /** Begin with a `styp`: for the first chunk of a segment, where a reader wants one. */
  readonly segmentType?: boolean;
  readonly producerReferenceTime?: ProducerReferenceTime;
  /** Whole boxes (`emsg`) to stand before the `moof`. */
  readonly leadingBoxes?: readonly Uint8Array[];
}

/** sample_depends_on 2: an independent frame. */
const SYNC_SAMPLE = 0x02000000;
/** sample_depends_on 1, sample_is_non_sync_sample. */
const NON_SYNC_SAMPLE = 0x01010000;

const MOOF = 0x6d6f6f66;
const MFHD = 0x6d666864;
const TRAF = 0x74726166;
const TFHD = 0x74666864;
const TFDT = 0x74666474;
const TRUN = 0x7472756e;
const MDAT = 0x6d646174;
const STYP = 0x73747970;
const PRFT = 0x70726674;

const STYP_SIZE = 24;
const PRFT_SIZE = 32;
/** Seconds from the NTP era (1900) to the Unix epoch. */
const NTP_UNIX_OFFSET = 2_208_988_800;

/**
 * A CMAF chunk (23000-19 §7.3.2.3): `moof` and `mdat` as a vector of buffers, the first holding every header, the
 * rest the samples' own bytes. Durations and flags that all samples share stand once in `tfhd`.
 * @throws RangeError when there is no sample or the chunk would pass 4 GiB.
 */
export function chunk(content: Chunk): Uint8Array[] {
  const { samples } = content;
  const count = samples.length;
  const first = samples[0];
  if (first === undefined) throw new RangeError("a chunk without samples");

  let mediaSize = 0;
  let sameDuration = true;
  let offsets = false;
  // Sync flags: all alike; or only the first sample differs; or each says its own.
  let allAlike = true;
  let restAlike = true;
  const second = samples[1];
  for (let i = 0; i < count; i += 1) {
    const sample = samples[i] as ChunkSample;
    mediaSize += sample.data.byteLength;
    if (sample.duration !== first.duration) sameDuration = false;
    if (sample.compositionOffset !== 0) offsets = true;
    if (sample.keyframe !== first.keyframe) allAlike = false;
    if (i > 0 && sample.keyframe !== (second as ChunkSample).keyframe) restAlike = false;
  }
  const firstFlags = !allAlike && restAlike;
  const ownFlags = !allAlike && !restAlike;
  const defaultSync = firstFlags ? (second as ChunkSample).keyframe : first.keyframe;

  const tfhdSize = 16 + (sameDuration ? 4 : 0) + 4;
  const perSample = 4 + (sameDuration ? 0 : 4) + (ownFlags ? 4 : 0) + (offsets ? 4 : 0);
  const trunSize = 20 + (firstFlags ? 4 : 0) + perSample * count;
  const trafSize = 8 + tfhdSize + 20 + trunSize;
  const moofSize = 8 + 16 + trafSize;
  if (mediaSize + 8 > 0xffffffff) throw new RangeError("a chunk of more than 4 GiB");

  let leading = 0;
  if (content.leadingBoxes !== undefined) for (const extra of content.leadingBoxes) leading += extra.byteLength;
  const bytes = new Uint8Array(
    (content.segmentType === true ? STYP_SIZE : 0) +
      (content.producerReferenceTime === undefined ? 0 : PRFT_SIZE) +
      leading +
      moofSize +
      8,
  );
  const view = new DataView(bytes.buffer);
  let at = 0;

  if (content.segmentType === true) {
    view.setUint32(0, STYP_SIZE);
    view.setUint32(4, STYP);
    view.setUint32(8, 0x636d6673); // cmfs
    view.setUint32(16, 0x636d6673);
    view.setUint32(20, 0x636d666c); // cmfl
    at = STYP_SIZE;
  }
  if (content.producerReferenceTime !== undefined) {
    const seconds = Math.floor(content.producerReferenceTime.wallMs / 1000);
    const fraction = content.producerReferenceTime.wallMs / 1000 - seconds;
    view.setUint32(at, PRFT_SIZE);
    view.setUint32(at + 4, PRFT);
    view.setUint32(at + 8, 0x01000000 + 0x18); // version 1; the time of capture, of the first sample
    view.setUint32(at + 12, content.trackId ?? TRACK_ID);
    view.setUint32(at + 16, (seconds + NTP_UNIX_OFFSET) % 0x100000000);
    view.setUint32(at + 20, Math.floor(fraction * 0x100000000));
    setUint64(view, at + 24, content.baseDecodeTime);
    at += PRFT_SIZE;
  }
  if (content.leadingBoxes !== undefined) {
    for (const extra of content.leadingBoxes) {
      bytes.set(extra, at);
      at += extra.byteLength;
    }
  }

  view.setUint32(at, moofSize);
  view.setUint32(at + 4, MOOF);
  view.setUint32(at + 8, 16);
  view.setUint32(at + 12, MFHD);
  view.setUint32(at + 20, content.sequence >>> 0);
  at += 24;

  view.setUint32(at, trafSize);
  view.setUint32(at + 4, TRAF);
  view.setUint32(at + 8, tfhdSize);
  view.setUint32(at + 12, TFHD);
  // default-base-is-moof, default sample flags, and the default duration where all share it
  view.setUint32(at + 16, 0x020000 | 0x20 | (sameDuration ? 0x8 : 0));
  view.setUint32(at + 20, content.trackId ?? TRACK_ID);
  at += 24;
  if (sameDuration) {
    view.setUint32(at, first.duration);
    at += 4;
  }
  view.setUint32(at, defaultSync ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
  at += 4;

  view.setUint32(at, 20);
  view.setUint32(at + 4, TFDT);
  view.setUint32(at + 8, 0x01000000);
  setUint64(view, at + 12, content.baseDecodeTime);
  at += 20;

  view.setUint32(at, trunSize);
  view.setUint32(at + 4, TRUN);
  // version 1 makes composition offsets signed
  view.setUint32(
    at + 8,
    0x01000000 |
      0x1 |
      (firstFlags ? 0x4 : 0) |
      (sameDuration ? 0 : 0x100) |
      0x200 |
      (ownFlags ? 0x400 : 0) |
      (offsets ? 0x800 : 0),
  );
  view.setUint32(at + 12, count);
  view.setInt32(at + 16, moofSize + 8);
  at += 20;
  if (firstFlags) {
    view.setUint32(at, first.keyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
    at += 4;
  }
  const buffers: Uint8Array[] = new Array(count + 1);
  buffers[0] = bytes;
  for (let i = 0; i < count; i += 1) {
    const sample = samples[i] as ChunkSample;
    if (!sameDuration) {
      view.setUint32(at, sample.duration);
      at += 4;
    }
    view.setUint32(at, sample.data.byteLength);
    at += 4;
    if (ownFlags) {
      view.setUint32(at, sample.keyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
      at += 4;
    }
    if (offsets) {
      view.setInt32(at, sample.compositionOffset);
      at += 4;
    }
    buffers[i + 1] = sample.data;
  }
  view.setUint32(at, mediaSize + 8);
  view.setUint32(at + 4, MDAT);
  return buffers;
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x100000000));
  view.setUint32(at + 4, value % 0x100000000);
}
