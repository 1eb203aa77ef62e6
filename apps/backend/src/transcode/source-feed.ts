import type { TranscodeInput } from "@klieg/ffmpeg";
import {
  type AccessUnit,
  type AudioTrack,
  chunk,
  initSegment,
  TICKS_PER_SECOND,
  type Track,
  TsMuxer,
  type VideoCodec,
  type VideoTrack,
} from "@klieg/media";

/** An access unit whose fields can be set anew for each use. */
interface ShiftedUnit extends AccessUnit {
  track: Track;
  dts: number;
  pts: number;
  keyframe: boolean;
  data: Uint8Array;
}

/** What MPEG-TS can carry; the other codecs go in as fragmented MP4. */
const IN_TRANSPORT_STREAM: ReadonlySet<VideoCodec> = new Set(["h264", "hevc"]);
const TS_FD = 0;
/** Where the video has an input of its own, the audio comes on the next free descriptor. */
const SECOND_FD = 3;

/**
 * Inputs of FFmpeg for a source of these tracks, but for what it probes.
 * @param prompt as in {@link SourceFeed}.
 */
export function feedInputs(
  video: VideoTrack | undefined,
  audio: AudioTrack | undefined,
  prompt: boolean,
): Omit<TranscodeInput, "probeBytes">[] {
  if (video === undefined) return [{ format: "mpegts", fd: TS_FD, carries: ["audio"] }];
  if (!prompt && IN_TRANSPORT_STREAM.has(video.codec)) {
    return [{ format: "mpegts", fd: TS_FD, carries: audio === undefined ? ["video"] : ["video", "audio"] }];
  }
  const inputs: Omit<TranscodeInput, "probeBytes">[] = [{ format: "mp4", fd: TS_FD, carries: ["video"] }];
  if (audio !== undefined) inputs.push({ format: "mpegts", fd: SECOND_FD, carries: ["audio"] });
  return inputs;
}

/**
 * Writes access units in the form FFmpeg reads them in, their timestamps moved to begin near zero: 33 bits then last
 * for a day, whatever the source's timeline has come to.
 */
export class SourceFeed {
  readonly #base: number;
  readonly #write: (fd: number, bytes: Uint8Array) => void;
  readonly #ts: TsMuxer;
  readonly #tsFd: number;
  readonly #fragmented: VideoTrack | undefined;
  readonly #video: number | undefined;
  readonly #audio: number | undefined;
  readonly #shifted: ShiftedUnit;
  #sequence = 0;
  #lastDts: number | undefined;

  /**
   * @param base 90 kHz ticks of the source's timeline that FFmpeg is to see as zero.
   * @param prompt whether each frame is to be decoded when it comes: out of a transport stream FFmpeg takes a frame
   *   only when it sees the next one begin, out of MP4 at once.
   * @param write takes the bytes for one of FFmpeg's file descriptors.
   * @throws MediaError when a track cannot be written.
   */
  constructor(
    video: VideoTrack | undefined,
    audio: AudioTrack | undefined,
    base: number,
    prompt: boolean,
    write: (fd: number, bytes: Uint8Array) => void,
  ) {
    this.#base = base;
    this.#write = write;
    this.#video = video?.id;
    this.#audio = audio?.id;
    const transported = !prompt && video !== undefined && IN_TRANSPORT_STREAM.has(video.codec);
    this.#fragmented = transported ? undefined : video;
    this.#tsFd = this.#fragmented === undefined ? TS_FD : SECOND_FD;
    this.#ts = new TsMuxer((bytes) => this.#write(this.#tsFd, bytes));
    const first = (video ?? audio) as Track;
    this.#shifted = { track: first, dts: 0, pts: 0, keyframe: false, data: first.config };
    if (this.#fragmented !== undefined) write(TS_FD, initSegment(this.#fragmented));
    else if (video !== undefined) this.#ts.onTrack(video);
    if (audio !== undefined) this.#ts.onTrack(audio);
  }

  /**
   * Writes one access unit; those of other tracks, and from before the base, are passed over.
   * @throws MediaError when it is malformed; nothing was written then.
   */
  push(unit: AccessUnit): void {
    const { track } = unit;
    if (track.id !== (track.kind === "video" ? this.#video : this.#audio) || unit.dts < this.#base) return;
    const shifted = this.#shifted;
    shifted.track = track;
    shifted.dts = unit.dts - this.#base;
    shifted.pts = unit.pts - this.#base;
    shifted.keyframe = unit.keyframe;
    shifted.data = unit.data;
    if (track.kind === "video" && this.#fragmented !== undefined) this.#writeFragment(shifted);
    else this.#ts.onAccessUnit(shifted);
  }

  #writeFragment(unit: AccessUnit): void {
    // Nobody knows yet how long the frame lasts; FFmpeg goes by where the next one begins.
    const duration = this.#lastDts === undefined ? TICKS_PER_SECOND / 30 : Math.max(1, unit.dts - this.#lastDts);
    this.#lastDts = unit.dts;
    this.#sequence += 1;
    const buffers = chunk({
      sequence: this.#sequence,
      baseDecodeTime: unit.dts,
      samples: [{ duration, compositionOffset: unit.pts - unit.dts, keyframe: unit.keyframe, data: unit.data }],
    });
    for (const bytes of buffers) this.#write(TS_FD, bytes);
  }
}
