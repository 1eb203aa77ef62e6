import type { Clock } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { type AccessUnit, MovieRecording, TICKS_PER_SECOND, type Track } from "@klieg/media";
import { type IsolatedState, KliegError, type ProgramFrame } from "@klieg/protocol";
import { ProgramPicture } from "../program/program-picture.ts";
import { ProgramSound } from "../program/program-sound.ts";
import { SoundBridge } from "../program/sound-bridge.ts";
import type { IsolatedSource } from "./isolated-source.ts";
import { MAX_FRAGMENT_MS, recordingError } from "./program-recording.ts";
import type { RecordingFile } from "./recording-file.ts";

export interface IsolatedRecordingOptions {
  readonly clock: Clock;
  readonly ffmpeg: FfmpegBinary | undefined;
  readonly source: IsolatedSource;
  /** By which the page's frames name it. */
  readonly number: number;
  readonly file: RecordingFile;
  /** bits/s of its sound. */
  readonly audioBitrate: number;
  /** What is added to the page's time to get the program's, ticks; undefined while the page's program is not on. */
  readonly pageOffset: () => number | undefined;
  /** Where the program's recording begins on the program's time, ticks; undefined before it does. */
  readonly zero: () => number | undefined;
  /** Its state is another one. */
  readonly onChanged: () => void;
  /** Nothing can be recorded of its picture before one that stands by itself. */
  readonly onKeyframeWanted: (number: number) => void;
  /** Something that its operator should know, and that does not end it. */
  readonly onProblem: (problem: KliegError) => void;
}

/** The picture waits so long for its sound, ms: an encoder has to be started for that. */
const SOUND_PATIENCE_MS = 3000;
/** What is held while it is not known where the program's recording begins, ticks. */
const HELD_TICKS = 3 * TICKS_PER_SECOND;
/** What is farther from the time that it should be of is left out, ticks. */
const FARTHEST_TICKS = 60 * TICKS_PER_SECOND;
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** Keyframes are asked for no more often than this, ms: the page makes one every second by itself. */
const KEYFRAME_REQUEST_MS = 500;

/**
 * One source's own recording beside that of the program (STU8). Its file begins where the program's does, and its times are the
 * program's: laid one upon the other in an editor, they are together.
 */
export class IsolatedRecording implements AsyncDisposable {
  readonly #options: IsolatedRecordingOptions;
  readonly #picture: ProgramPicture;
  readonly #sound: ProgramSound;
  readonly #bridge = new SoundBridge();
  readonly #tracks = new Map<Track["kind"], Track>();
  /** The last `dts` of each kind. */
  readonly #last = new Map<Track["kind"], number>();
  /** The first of all, and when it came, ms. */
  #anchor: { readonly now: number; readonly dts: number } | undefined;
  #held: AccessUnit[] = [];
  #heldBytes = 0;
  #firstPicture: number | undefined;
  #wantsKeyframe = true;
  #keyframeAskedAt = Number.NEGATIVE_INFINITY;
  #recording: MovieRecording | undefined;
  #problem: KliegError | undefined;
  #closed = false;

  constructor(options: IsolatedRecordingOptions) {
    this.#options = options;
    const { clock, ffmpeg, source, onProblem } = options;
    const told = (problem: KliegError) =>
      onProblem(new KliegError(problem.code, `${source.name}: ${problem.message}`, { cause: problem }));
    this.#picture = new ProgramPicture(
      {
        clock,
        shelf: undefined,
        onAccessUnit: (unit) => this.#take(unit),
        onKeyframeWanted: () => this.#askForKeyframe(),
        onProblem: told,
      },
      { encoder: "auto", bitrate: 0, keyframeInterval: 1 },
    );
    this.#sound = new ProgramSound(
      { clock, ffmpeg, onAccessUnit: (unit) => this.#take(unit), onProblem: told },
      options.audioBitrate,
    );
  }

  get source(): IsolatedSource {
    return this.#options.source;
  }

  get number(): number {
    return this.#options.number;
  }

  get failed(): boolean {
    return this.#problem !== undefined;
  }

  get state(): IsolatedState {
    const { source, number, file } = this.#options;
    return {
      source: source.id,
      number,
      state: this.#problem !== undefined ? "failed" : file.bytes > 0 ? "recording" : "waiting",
      picture: source.kinds.includes("video"),
      sound: source.kinds.includes("audio"),
      path: file.path,
      duration_ms: this.#recording?.durationMs ?? 0,
      bytes: file.bytes,
      problem: this.#problem?.toBody().error ?? null,
    };
  }

  /** @throws {KliegError} for what cannot be right; it may go on. */
  push(frame: ProgramFrame): void {
    if (this.#closed || this.failed) return;
    if (frame.kind === "avc" || frame.kind === "avc_config") this.#picture.take(frame);
    else if (frame.kind === "pcm" || frame.kind === "aac" || frame.kind === "aac_config") this.#sound.take(frame);
    else throw new KliegError("media_unsupported", `A source's own recording is not made of ${frame.kind}.`);
  }

  /** What follows is another page's. */
  pageGone(): void {
    this.#picture.reset();
    this.#sound.reset();
    this.#wantsKeyframe = true;
  }

  /** It goes no further; what is recorded stays. */
  fail(problem: KliegError): void {
    if (this.failed || this.#closed) return;
    this.#problem = problem;
    this.#drop();
    this.#options.onChanged();
  }

  /** Writes what is left; a file in which nothing is, is removed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#drop();
    await Promise.all([this.#picture.close(), this.#sound.close()]);
    await this.#recording?.close();
    await this.#options.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(unit: AccessUnit): void {
    if (this.#closed || this.failed) return;
    const { kind } = unit.track;
    const offset = this.#options.pageOffset();
    const dts = unit.dts + (offset ?? 0);
    const late =
      offset === undefined || dts <= (this.#last.get(kind) ?? Number.NEGATIVE_INFINITY) || this.#isAhead(dts);
    if (kind === "video") {
      // Without one picture those after it cannot be decoded, up to the next that stands by itself.
      if (late || (this.#wantsKeyframe && !unit.keyframe)) this.#wantsKeyframe = true;
      else this.#wantsKeyframe = false;
      if (this.#wantsKeyframe) {
        if (offset !== undefined) this.#askForKeyframe();
        return;
      }
    } else if (late) return;
    this.#last.set(kind, dts);
    const track = this.#sameOrNew(unit.track);
    const placed = { ...unit, track, dts, pts: dts };
    if (track.kind === "audio") for (const silence of this.#bridge.before(placed, track)) this.#put(silence);
    this.#put(placed);
  }

  /** Whether it is of a time that has not come: a page whose clock is wrong. */
  #isAhead(dts: number): boolean {
    const now = this.#options.clock.now();
    this.#anchor ??= { now, dts };
    const passed = ((now - this.#anchor.now) * TICKS_PER_SECOND) / 1000;
    return Math.abs(dts - this.#anchor.dts - passed) > FARTHEST_TICKS;
  }

  #put(unit: AccessUnit): void {
    if (this.#recording !== undefined) this.#recording.onAccessUnit(unit);
    else this.#hold(unit);
  }

  /** One object for one configuration: another would be a change to all that take it. */
  #sameOrNew(track: Track): Track {
    const known = this.#tracks.get(track.kind);
    if (known === track || (known !== undefined && Buffer.compare(known.config, track.config) === 0)) return known;
    if (this.#recording === undefined) this.#tracks.set(track.kind, track);
    return track;
  }

  /** Until it is known where the program's recording begins, and there are picture and sound. */
  #hold(unit: AccessUnit): void {
    this.#held.push(unit);
    this.#heldBytes += unit.data.byteLength;
    const zero = this.#options.zero();
    if (zero === undefined) {
      while (unit.dts - (this.#held[0]?.dts ?? unit.dts) > HELD_TICKS || this.#heldBytes > MAX_HELD_BYTES) {
        this.#heldBytes -= this.#held.shift()?.data.byteLength ?? 0;
      }
      return;
    }
    const picture = this.#held.find(({ track, keyframe, dts }) => track.kind === "video" && keyframe && dts >= zero);
    if (this.source.kinds.includes("video")) {
      if (picture === undefined) {
        this.#askForKeyframe();
        return;
      }
      this.#firstPicture ??= picture.dts;
      const waitedMs = ((unit.dts - this.#firstPicture) * 1000) / TICKS_PER_SECOND;
      const patient = waitedMs < SOUND_PATIENCE_MS && this.#heldBytes < MAX_HELD_BYTES;
      if (this.source.kinds.includes("audio") && !this.#tracks.has("audio") && patient) return;
    }
    this.#begin(zero, picture);
  }

  /** @param picture the first that stands by itself; it is shown from the very beginning on. */
  #begin(zero: number, picture: AccessUnit | undefined): void {
    const { file, onChanged } = this.#options;
    const recording = new MovieRecording({
      file,
      kinds: [...this.#tracks.keys()],
      soundPatienceMs: 0,
      maxFragmentMs: MAX_FRAGMENT_MS,
      zero,
      onGrown: onChanged,
      onFailed: (failure) => this.fail(recordingError(failure)),
    });
    this.#recording = recording;
    for (const track of this.#tracks.values()) recording.onTrack(track);
    if (picture !== undefined && picture.dts > zero) recording.onAccessUnit({ ...picture, dts: zero, pts: zero });
    const from = picture?.dts ?? zero;
    for (const unit of this.#held) {
      if (unit.dts >= (unit.track.kind === "video" ? from : zero)) recording.onAccessUnit(unit);
    }
    this.#drop();
  }

  #askForKeyframe(): void {
    const { clock, number, onKeyframeWanted } = this.#options;
    if (clock.now() - this.#keyframeAskedAt < KEYFRAME_REQUEST_MS) return;
    this.#keyframeAskedAt = clock.now();
    onKeyframeWanted(number);
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
