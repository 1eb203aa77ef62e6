import { type Clock, Emitter } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { type AccessUnit, type AudioTrack, Timeline, type Track, type VideoTrack } from "@klieg/media";
import { KliegError, type ProgramFrame, type ProgramState } from "@klieg/protocol";
import { DEFAULT_ENCODING, type Encoding } from "../../document/encoding.ts";
import type { EncoderShelf } from "../encode/encoder-shelf.ts";
import { HeldProgram } from "./held-program.ts";
import { type PictureEncoding, ProgramPicture } from "./program-picture.ts";
import { type ProgramReader, ProgramReaders } from "./program-reader.ts";
import { ProgramSound } from "./program-sound.ts";
import { RateCount } from "./rate-count.ts";
import { SoundBridge } from "./sound-bridge.ts";

export interface ProgramFeedOptions {
  readonly clock: Clock;
  /** Encodes sound where the page cannot; undefined: there is none. */
  readonly ffmpeg: FfmpegBinary | undefined;
  /** Encodes pictures that come uncompressed. */
  readonly shelf?: EncoderShelf | undefined;
  /** How long the last picture is shown without a page, ms. Default 5 min. */
  readonly holdMs?: number;
}

export interface ProgramFeedEvents {
  state: ProgramState;
  /** Somebody joins, and wants a picture soon that stands by itself. */
  keyframe_wanted: undefined;
  /** Something went wrong, in words; the program goes on without it. */
  problem: KliegError;
}

/** What came from the page, over the last second. */
export interface ProgramRates {
  /** Pictures a second. */
  readonly frame_rate: number;
  /** bits/s. */
  readonly video_bitrate: number;
  readonly audio_bitrate: number;
}

/** How the engine's own encoders are to work. */
export type ProgramEncoding = Pick<Encoding, "encoder" | "video_bitrate" | "audio_bitrate" | "keyframe_interval">;

/** One page's time as the source of the program. */
export interface ProgramSource {
  /**
   * Takes a frame; after the end of the source it does nothing.
   * @throws KliegError `media_malformed` or `media_unsupported` for what cannot be right; the source may go on.
   */
  push(frame: ProgramFrame): void;
  /** The page is gone. Idempotent. */
  close(): void;
}

const DEFAULT_HOLD_MS = 5 * 60_000;
/** A page that has sent no picture for so long counts as gone, ms. */
const SILENT_PAGE_MS = 2000;
const LOOK_EVERY_MS = 250;
/** Keyframes are asked for no more often than this, ms. */
const KEYFRAME_REQUEST_MS = 500;

/**
 * The program (STU3): what a page encodes, on one timeline that never runs backwards, for every destination and recording. It
 * outlives the page: while that is loaded again, the last picture is shown, with silence, and time goes on.
 */
export class ProgramFeed implements AsyncDisposable {
  readonly events = new Emitter<ProgramFeedEvents>();
  readonly #options: ProgramFeedOptions;
  readonly #timeline: Timeline;
  readonly #readers = new ProgramReaders();
  readonly #watch: Disposable;
  readonly #frames: RateCount;
  readonly #videoBytes: RateCount;
  readonly #audioBytes: RateCount;
  readonly #sound: ProgramSound;
  readonly #picture: ProgramPicture;
  readonly #bridge = new SoundBridge();
  #encoding: ProgramEncoding = DEFAULT_ENCODING;
  /** bits/s that the network carries, where it is less than was asked for. */
  #carried = Number.POSITIVE_INFINITY;
  #source: ProgramSource | undefined;
  /** Whether the present source has shown a picture, and its timestamp, ticks. */
  #begun = false;
  #beginsAt = 0;
  /** From its timestamps to the timeline, ticks. */
  #offset = 0;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #lastKeyframe: Uint8Array | undefined;
  #lastPictureAt = 0;
  #held: HeldProgram | undefined;
  #heldSince = 0;
  #state: ProgramState;
  #keyframeAskedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProgramFeedOptions) {
    this.#options = options;
    const { clock, ffmpeg } = options;
    this.#timeline = new Timeline(clock);
    this.#frames = new RateCount(clock);
    this.#videoBytes = new RateCount(clock);
    this.#audioBytes = new RateCount(clock);
    this.#sound = new ProgramSound(
      {
        clock,
        ffmpeg,
        onAccessUnit: (unit) => this.#soundMade(unit),
        onProblem: (problem) => this.events.emit("problem", problem),
      },
      this.#encoding.audio_bitrate,
    );
    this.#picture = new ProgramPicture(
      {
        clock,
        shelf: options.shelf,
        onAccessUnit: (unit) => this.#pictureMade(unit),
        onKeyframeWanted: () => this.requestKeyframe(),
        onProblem: (problem) => this.events.emit("problem", problem),
      },
      this.#pictureEncoding,
    );
    this.#state = { state: "none", since: clock.wall() };
    this.#watch = clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  get state(): ProgramState {
    return this.#state;
  }

  /** What is on the feed now. */
  get tracks(): readonly Track[] {
    return [this.#video, this.#audio].filter((track) => track !== undefined);
  }

  get rates(): ProgramRates {
    return {
      frame_rate: this.#frames.perSecond,
      video_bitrate: this.#videoBytes.perSecond * 8,
      audio_bitrate: this.#audioBytes.perSecond * 8,
    };
  }

  /** What is added to the page's timestamps to get the program's, ticks; undefined while the page's picture is not on. */
  get pageOffset(): number | undefined {
    return this.#begun && this.#held === undefined ? this.#offset : undefined;
  }

  configure(encoding: ProgramEncoding): void {
    this.#encoding = encoding;
    this.#sound.configure(encoding.audio_bitrate);
    this.#picture.configure(this.#pictureEncoding);
  }

  /** What the network carries now, bits/s: the engine's own encoder follows it. A page's is told by its own way. */
  followNetwork(bitrate: number): void {
    this.#carried = bitrate;
    this.#picture.configure(this.#pictureEncoding);
  }

  /** A page begins to send. One that still does is done with. */
  openSource(): ProgramSource {
    this.#source?.close();
    const source: ProgramSource = {
      push: (frame) => {
        if (this.#source === source) this.#take(frame);
      },
      close: () => {
        if (this.#source === source) this.#leaveSource();
      },
    };
    this.#source = source;
    return source;
  }

  /** From the next keyframe on, which is asked for, `reader` gets all. @returns what takes it off again. */
  addReader(reader: ProgramReader): Disposable {
    const place = this.#readers.add(reader, this.tracks);
    this.requestKeyframe();
    return place;
  }

  /** Asks the page for a picture that stands by itself. */
  requestKeyframe(): void {
    const now = this.#options.clock.now();
    if (this.#source === undefined || now - this.#keyframeAskedAt < KEYFRAME_REQUEST_MS) return;
    this.#keyframeAskedAt = now;
    this.events.emit("keyframe_wanted", undefined);
  }

  async close(): Promise<void> {
    this.#watch[Symbol.dispose]();
    this.#readers.clear();
    this.#source?.close();
    this.#endHold();
    await Promise.all([this.#sound.close(), this.#picture.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #pictureEncoding(): PictureEncoding {
    const { encoder, video_bitrate, keyframe_interval: keyframeInterval } = this.#encoding;
    return { encoder, keyframeInterval, bitrate: Math.min(video_bitrate, this.#carried) };
  }

  #take(frame: ProgramFrame): void {
    switch (frame.kind) {
      case "avc_config":
      case "avc":
      case "i420":
        this.#picture.take(frame);
        return;
      case "aac_config":
      case "aac":
      case "pcm":
        this.#sound.take(frame);
        return;
      default:
        throw new KliegError("media_unsupported", `The program is not made of ${frame.kind}.`);
    }
  }

  #pictureMade(unit: AccessUnit): void {
    this.#lastPictureAt = this.#options.clock.now();
    if (!this.#begun || this.#held !== undefined) {
      // A page that was merely slow goes on in mid-GOP, which nobody can decode after the held picture.
      if (!unit.keyframe) {
        this.requestKeyframe();
        return;
      }
      this.#endHold();
      this.#begun = true;
      this.#beginsAt = unit.dts;
      this.#timeline.rebase();
    }
    this.#video = this.#sameOrNew(this.#video, unit.track as VideoTrack);
    if (unit.keyframe) this.#lastKeyframe = unit.data;
    this.#frames.add(1);
    this.#videoBytes.add(unit.data.length);
    this.#enter("fed");
    this.#hand(unit, this.#video);
  }

  #soundMade(unit: AccessUnit): void {
    this.#audioBytes.add(unit.data.length);
    // Sound waits for its picture: the two must come to the timeline together, after what was there before.
    if (!this.#begun || this.#held !== undefined || unit.dts < this.#beginsAt) return;
    this.#audio = this.#sameOrNew(this.#audio, unit.track as AudioTrack);
    this.#hand(unit, this.#audio);
  }

  /** The track that readers know, where `made` is like it; else they are told of `made`. */
  #sameOrNew<T extends Track>(known: T | undefined, made: T): T {
    if (known !== undefined && (known === made || Buffer.compare(known.config, made.config) === 0)) return known;
    this.#readers.onTrack(made);
    return made;
  }

  #hand(unit: AccessUnit, track: Track): void {
    const placed = this.#timeline.map(unit.track === track ? unit : { ...unit, track });
    if (track.kind === "video") {
      this.#offset = placed.dts - unit.dts;
    } else {
      for (const silence of this.#bridge.before(placed, track)) this.#readers.onAccessUnit(silence);
    }
    this.#readers.onAccessUnit(placed);
  }

  #leaveSource(): void {
    this.#source = undefined;
    this.#begun = false;
    this.#sound.reset();
    this.#picture.reset();
    if (this.#state.state === "fed") this.#hold();
  }

  /** Shows the last picture on, if there is one, and somebody to see it. */
  #hold(): void {
    if (this.#held !== undefined) return;
    const { clock } = this.#options;
    const video = this.#video;
    if (this.#readers.size === 0 || video === undefined || this.#lastKeyframe === undefined) {
      this.#enter("none");
      return;
    }
    this.#enter("held");
    this.#heldSince = clock.now();
    this.#timeline.rebase();
    this.#held = new HeldProgram({
      clock,
      video,
      picture: this.#lastKeyframe,
      audio: this.#audio,
      bitrate: this.#encoding.video_bitrate,
      onAccessUnit: (unit) => this.#hand(unit, unit.track),
    });
  }

  #endHold(): void {
    this.#held?.[Symbol.dispose]();
    this.#held = undefined;
  }

  #look(): void {
    const now = this.#options.clock.now();
    if (this.#held !== undefined && now - this.#heldSince > (this.#options.holdMs ?? DEFAULT_HOLD_MS)) {
      this.#endHold();
      this.#begun = false;
      this.#enter("none");
    } else if (this.#state.state === "fed" && now - this.#lastPictureAt > SILENT_PAGE_MS) {
      this.#hold();
    }
  }

  #enter(state: ProgramState["state"]): void {
    if (this.#state.state === state) return;
    this.#state = { state, since: this.#options.clock.wall() };
    this.events.emit("state", this.#state);
  }
}
