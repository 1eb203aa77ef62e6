import { type Clock, Emitter } from "@klieg/base";
import {
  type AccessUnit,
  type AudioTrack,
  MovieWriter,
  TICKS_PER_SECOND,
  type Track,
  type VideoTrack,
} from "@klieg/media";
import { KliegError, type ReplayState } from "@klieg/protocol";
import type { ProgramFeed } from "../program/program-feed.ts";
import type { ProgramReader } from "../program/program-reader.ts";
import type { KeptRecording } from "./recorder.ts";
import { REPLAY_NAME, RecordingFile, recordingName } from "./recording-file.ts";

export interface ReplayEvents {
  state: ReplayState;
}

export interface ReplayOptions {
  readonly clock: Clock;
  readonly feed: Pick<ProgramFeed, "addReader">;
  /** Most that is held, bytes. Default 256 MB: a minute and a half of the highest bitrate that is common. */
  readonly maxBytes?: number;
}

/** A picture that stands by itself with all that follows up to the next. */
interface Gop {
  readonly start: number;
  readonly units: AccessUnit[];
  bytes: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** How often pages are told how much there is, ms. */
const TELL_MS = 1000;

/** Holds the last moments of the program in memory, whole GOPs, to be saved when something has just happened. */
export class Replay implements ProgramReader, AsyncDisposable {
  readonly events = new Emitter<ReplayEvents>();
  readonly #options: ReplayOptions;
  readonly #maxBytes: number;
  #seconds = 0;
  #place: Disposable | undefined;
  #gops: Gop[] = [];
  #bytes = 0;
  /** Where the last picture is, ticks. */
  #end = 0;
  #told: Disposable | undefined;
  #saving: Promise<unknown> = Promise.resolve();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  get state(): ReplayState {
    const [first] = this.#gops;
    const ticks = first === undefined ? 0 : this.#end - first.start;
    return { seconds: this.#seconds, held_ms: Math.round((ticks * 1000) / TICKS_PER_SECOND), bytes: this.#bytes };
  }

  /** Keeps the last `seconds` from now on; 0 keeps nothing, and lets go of what was kept. */
  arm(seconds: number): ReplayState {
    this.#seconds = seconds;
    if (seconds === 0) {
      this.#place?.[Symbol.dispose]();
      this.#place = undefined;
      this.#gops = [];
      this.#bytes = 0;
    } else {
      this.#place ??= this.#options.feed.addReader(this);
      this.#trim();
    }
    this.#tell();
    return this.state;
  }

  /** Every access unit says which track it is of. */
  onTrack(_track: Track): void {
    // Nothing is to be done before there is a picture.
  }

  onAccessUnit(unit: AccessUnit): void {
    const video = unit.track.kind === "video";
    if (video && unit.keyframe) this.#gops.push({ start: unit.dts, units: [], bytes: 0 });
    const gop = this.#gops.at(-1);
    if (gop === undefined) return;
    gop.units.push(unit);
    gop.bytes += unit.data.byteLength;
    this.#bytes += unit.data.byteLength;
    if (video) this.#end = unit.dts;
    if ((video && unit.keyframe) || this.#bytes > this.#maxBytes) this.#trim();
    this.#told ??= this.#options.clock.after(TELL_MS, () => this.#tell());
  }

  onRemoved(): void {
    this.#place = undefined;
    this.arm(0);
  }

  /**
   * Writes what is held to a file; the program goes on being held meanwhile.
   * @throws {KliegError} `conflict` where there is nothing yet; `storage_unavailable`.
   */
  save(folder: string): Promise<KeptRecording> {
    const gops = [...this.#gops];
    const units = gops.flatMap((gop) => gop.units);
    const picture = units.find(({ track }) => track.kind === "video")?.track;
    if (picture?.kind !== "video") {
      return Promise.reject(new KliegError("conflict", "There is nothing to save yet: the replay has just begun."));
    }
    const sound = units.find(({ track }) => track.kind === "audio")?.track;
    const saved = this.#saving.then(() =>
      this.#save(folder, units, picture, sound?.kind === "audio" ? sound : undefined),
    );
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  async close(): Promise<void> {
    this.#place?.[Symbol.dispose]();
    this.#place = undefined;
    this.#told?.[Symbol.dispose]();
    this.#gops = [];
    this.#bytes = 0;
    await this.#saving;
    this.events.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #save(
    folder: string,
    units: readonly AccessUnit[],
    video: VideoTrack,
    audio: AudioTrack | undefined,
  ): Promise<KeptRecording> {
    await using file = await RecordingFile.create(folder, recordingName(REPLAY_NAME, this.#options.clock.wall()));
    const pieces: { readonly bytes: readonly Uint8Array[]; readonly durationMs: number }[] = [];
    const writer = new MovieWriter({ video, audio }, (piece) => pieces.push(piece));
    for (const unit of units) writer.push(unit);
    writer.flush();
    for (const { bytes } of pieces) await file.append(bytes);
    return { path: file.path, duration_ms: pieces.at(-1)?.durationMs ?? 0, bytes: file.bytes };
  }

  /** Lets go of the oldest GOPs that are not needed, and of more where memory is full. */
  #trim(): void {
    const wanted = this.#seconds * TICKS_PER_SECOND;
    for (let [first, second] = this.#gops; first !== undefined; [first, second] = this.#gops) {
      const needed = second === undefined || this.#end - second.start < wanted;
      if (needed && this.#bytes <= this.#maxBytes) break;
      this.#gops.shift();
      this.#bytes -= first.bytes;
    }
  }

  #tell(): void {
    this.#told?.[Symbol.dispose]();
    this.#told = undefined;
    this.events.emit("state", this.state);
  }
}
