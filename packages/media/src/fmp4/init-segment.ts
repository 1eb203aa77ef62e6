import { TICKS_PER_SECOND, type Track } from "../access-unit.ts";
import { ascii, box, fullBox, u16, u32, zeros } from "./box-writer.ts";
import { audioSampleEntry, packedLanguage, videoSampleEntry } from "./sample-entry.ts";

/** The only track of every CMAF track file. */
export const TRACK_ID = 1;

/** Units a second of the track's `tfdt` and sample durations: 90 000 for video, the sample rate for audio. */
export function timescaleOf(track: Track): number {
  return track.kind === "video" ? TICKS_PER_SECOND : track.sampleRate;
}

/**
 * The CMAF header (23000-19 §7.3.1) of a track: `ftyp` and a `moov` without samples, with `mvex`. No edit list: what
 * the samples' decode times and composition offsets say is the presentation time.
 * @throws MediaError `malformed` when the configuration that the sample entry needs is missing.
 */
export function initSegment(track: Track): Uint8Array {
  return header([track], box("ftyp", ascii("iso6"), u32(1), ascii("iso6"), ascii("cmfc"), ascii("mp41")));
}

/**
 * The header of a fragmented file of several tracks (14496-12 § 8.8): their `track_ID`s are 1, 2 and so on.
 * @throws MediaError `malformed` when the configuration that a sample entry needs is missing.
 */
export function movieHeader(tracks: readonly Track[]): Uint8Array {
  return header(tracks, box("ftyp", ascii("iso6"), u32(1), ascii("iso6"), ascii("mp41")));
}

function header(tracks: readonly Track[], ftyp: Uint8Array): Uint8Array {
  const [first] = tracks;
  if (first === undefined) throw new RangeError("a movie without tracks");
  const timescale = timescaleOf(first);
  const mvhd = fullBox(
    "mvhd",
    0,
    0,
    u32(0, 0, timescale, 0, 0x00010000),
    u16(0x0100),
    zeros(10),
    MATRIX,
    zeros(24),
    u32(tracks.length + 1),
  );
  const traks = tracks.map((track, i) => trak(track, i + 1, timescaleOf(track)));
  const trexes = tracks.map((_, i) => fullBox("trex", 0, 0, u32(i + 1, 1, 0, 0, 0)));
  const moov = box("moov", mvhd, ...traks, box("mvex", ...trexes));
  const bytes = new Uint8Array(ftyp.byteLength + moov.byteLength);
  bytes.set(ftyp, 0);
  bytes.set(moov, ftyp.byteLength);
  return bytes;
}

function trak(track: Track, trackId: number, timescale: number): Uint8Array {
  const video = track.kind === "video";
  const tkhd = fullBox(
    "tkhd",
    0,
    0x000007, // enabled, in movie, in preview
    u32(0, 0, trackId, 0, 0),
    zeros(8),
    u16(0, 0, video ? 0 : 0x0100, 0),
    MATRIX,
    u32(video ? track.width * 0x10000 : 0, video ? track.height * 0x10000 : 0),
  );
  const language = packedLanguage(video ? undefined : track.language);
  const mdhd = fullBox("mdhd", 0, 0, u32(0, 0, timescale, 0), u16(language, 0));
  const hdlr = fullBox(
    "hdlr",
    0,
    0,
    u32(0),
    ascii(video ? "vide" : "soun"),
    zeros(12),
    ascii(video ? "video\0" : "audio\0"),
  );
  const mediaHeader = video ? fullBox("vmhd", 0, 1, zeros(8)) : fullBox("smhd", 0, 0, zeros(4));
  const dinf = box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1)));
  const stbl = box(
    "stbl",
    fullBox("stsd", 0, 0, u32(1), video ? videoSampleEntry(track) : audioSampleEntry(track)),
    fullBox("stts", 0, 0, u32(0)),
    fullBox("stsc", 0, 0, u32(0)),
    fullBox("stsz", 0, 0, u32(0, 0)),
    fullBox("stco", 0, 0, u32(0)),
  );
  return box("trak", tkhd, box("mdia", mdhd, hdlr, box("minf", mediaHeader, dinf, stbl)));
}

/** The unity matrix (14496-12 §6.2.2). */
const MATRIX = u32(0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000);
