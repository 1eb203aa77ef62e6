import { type Clock, Emitter } from "@klieg/base";
import type { EncodePreset, Rung, VideoEncoder } from "@klieg/ffmpeg";
import { type AccessUnit, type MediaSink, TICKS_PER_SECOND, type Track } from "@klieg/media";
import { KliegError, type RoomLayout } from "@klieg/protocol";
import type { Logger } from "../../ports/logger.ts";
import type { CoreReservation, TranscodeEngine } from "../../transcode/transcode-engine.ts";
import type { Room } from "../room.ts";
import { AudioMix } from "./audio-mix.ts";
import { ProgramEncoder } from "./program-encoder.ts";
import type { Size } from "./program-layout.ts";
import { ProgramPicture } from "./program-picture.ts";
import { ProgramSound } from "./program-sound.ts";

export interface ProgramOptions {
  readonly room: Room;
  readonly engine: TranscodeEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly layout: RoomLayout;
  /** Pixels of the picture. */
  readonly size: Size;
  /** Bits/s of the picture. */
  readonly bitrate: number;
}

/** One FFmpeg's time as the program's encoder. */
interface Run {
  readonly encoder: ProgramEncoder;
  readonly frameRate: number;
  /** Monotonic, ms. */
  readonly startedAt: number;
  /** Blocks of sound and pictures that it was given: their count is their time. */
  blocks: number;
  pictures: number;
  isDying: boolean;
}

const BLOCK_MS = 20;
/** How the program gets cheaper where the machine is too slow for it. */
const EFFORTS: readonly { readonly preset: EncodePreset; readonly frameRate: number }[] = [
  { preset: "veryfast", frameRate: 30 },
  { preset: "superfast", frameRate: 30 },
  { preset: "superfast", frameRate: 15 },
];
/** Pictures that are late by so much will not be made up for, ms. */
const MAX_LATE_MS = 2000;
/** Encoders that may fail within a minute before the program is given up. */
const MAX_FAILURES = 4;
const FAILURES_WATCHED_MS = 60_000;
/** Cores that a program keeps busy, roughly. */
const CORES = 0.8;

/**
 * What a room sends out as one broadcast: a picture that is composed of what its participants send, and the mix of all
 * their sound, encoded once for however many take it. It goes on with a still background while nobody sends anything.
 */
export class Program implements AsyncDisposable {
  /** `failed`: it has ended by itself. */
  readonly events = new Emitter<{ failed: KliegError }>();
  readonly #options: ProgramOptions;
  readonly #picture: ProgramPicture;
  readonly #sound: ProgramSound;
  readonly #mix = new AudioMix();
  readonly #sinks = new Map<MediaSink, { needsKeyframe: boolean }>();
  readonly #tracks = new Map<Track["kind"], Track>();
  readonly #reservation: CoreReservation;
  readonly #resources = new DisposableStack();
  /** Monotonic, ms: zero of its timeline. */
  readonly #zero: number;
  #effort = 0;
  #encoder: VideoEncoder;
  #run: Run | undefined;
  #failures: number[] = [];
  #closed: Promise<void> | undefined;

  /** @throws {KliegError} `transcoder_unavailable` where there is no FFmpeg. */
  constructor(options: ProgramOptions) {
    const { engine, clock, room } = options;
    const encoder = engine.encoder ?? engine.software;
    if (engine.binary === undefined || encoder === undefined) {
      throw new KliegError(
        "transcoder_unavailable",
        `This needs FFmpeg on the server: ${engine.problem ?? "there is none"}.`,
      );
    }
    this.#options = options;
    this.#encoder = encoder;
    this.#zero = clock.now();
    this.#reservation = this.#resources.use(engine.reserve());
    this.#reservation.take(CORES);
    this.#picture = new ProgramPicture({ ...options, binary: engine.binary, setpriv: engine.setpriv });
    this.#sound = new ProgramSound(options);
    this.#begin();
    this.#resources.use(room.events.on("media", () => this.#onRoomMedia()));
    this.#resources.use(clock.every(BLOCK_MS, () => this.#tick()));
    this.#onRoomMedia();
  }

  get layout(): RoomLayout {
    return this.#picture.layout;
  }

  set layout(layout: RoomLayout) {
    this.#picture.layout = layout;
  }

  get sinks(): number {
    return this.#sinks.size;
  }

  /** Hands everything that is made from the next keyframe on to `sink`, until disposed. */
  feed(sink: MediaSink): Disposable {
    for (const track of this.#tracks.values()) sink.onTrack(track);
    this.#sinks.set(sink, { needsKeyframe: true });
    return { [Symbol.dispose]: () => void this.#sinks.delete(sink) };
  }

  /** Ends everything; what FFmpeg still makes is handed on before that. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#resources.dispose();
    this.#sound.close();
    const run = this.#run;
    this.#run = undefined;
    await Promise.all([run?.encoder.close(), this.#picture.close()]);
    this.#sinks.clear();
  }

  #onRoomMedia(): void {
    this.#picture.update();
    this.#sound.update();
  }

  #begin(): void {
    const { engine, clock, size, bitrate } = this.#options;
    const { preset, frameRate } = EFFORTS[this.#effort] as (typeof EFFORTS)[number];
    const startedAt = clock.now();
    const rung: Rung = { name: "program", ...size, frameRate, frameRateDivisor: 1, bitrate };
    const encoder: ProgramEncoder = new ProgramEncoder({
      engine,
      encoder: this.#encoder,
      rung,
      preset,
      clock,
      startTicks: Math.round(((startedAt - this.#zero) * TICKS_PER_SECOND) / 1000),
      onAccessUnit: (unit) => this.#onAccessUnit(unit),
      onDrain: () => this.#pump(),
      onExit: ({ message }) => {
        if (this.#run?.encoder === encoder) this.#onEncoderGone(message);
      },
    });
    this.#run = { encoder, frameRate, startedAt, blocks: 0, pictures: 0, isDying: false };
  }

  #tick(): void {
    const run = this.#run;
    if (run === undefined || run.isDying) return;
    const elapsed = this.#options.clock.now() - run.startedAt;
    if (elapsed - run.blocks * BLOCK_MS > MAX_LATE_MS) {
      // This process was held up: what was missed is missed, and counting on would leave the program late for ever.
      this.#restart("the server was held up");
      return;
    }
    for (const due = Math.floor(elapsed / BLOCK_MS); run.blocks < due; run.blocks += 1) {
      run.encoder.pushAudio(this.#mix.next(this.#sound.buffers()));
    }
    this.#pump();
    const late = elapsed - (run.pictures * 1000) / run.frameRate;
    if (late > MAX_LATE_MS) this.#onTooSlow();
  }

  /** Gives the encoder the pictures that are due; of several that are late, all are of now. */
  #pump(): void {
    const run = this.#run;
    if (run === undefined || run.isDying) return;
    const due = Math.floor(((this.#options.clock.now() - run.startedAt) * run.frameRate) / 1000);
    while (run.pictures < due && run.encoder.wantsPicture) {
      run.encoder.pushPicture(this.#picture.compose());
      run.pictures += 1;
    }
  }

  #onAccessUnit(unit: AccessUnit): void {
    const { track } = unit;
    const isNew = this.#tracks.get(track.kind) !== track;
    if (isNew) this.#tracks.set(track.kind, track);
    for (const [sink, state] of this.#sinks) {
      if (isNew) sink.onTrack(track);
      if (state.needsKeyframe && track.kind === "video" && unit.keyframe) state.needsKeyframe = false;
      if (!state.needsKeyframe) sink.onAccessUnit(unit);
    }
  }

  #onTooSlow(): void {
    if (this.#effort + 1 < EFFORTS.length) {
      this.#effort += 1;
      this.#options.logger.warn(
        { ...EFFORTS[this.#effort] },
        "the machine is too slow for the program; it gets simpler",
      );
    }
    this.#restart("it did not keep up");
  }

  /** Another encoder begins when this one is gone. */
  #restart(reason: string): void {
    if (this.#run === undefined) return;
    this.#options.logger.warn({ reason }, "the program's encoder is started anew");
    this.#run.isDying = true;
    this.#run.encoder.kill();
  }

  #onEncoderGone(reason: string): void {
    const { engine, clock, logger } = this.#options;
    this.#run = undefined;
    if (this.#closed !== undefined) return;
    const now = clock.now();
    this.#failures = [...this.#failures.filter((at) => now - at < FAILURES_WATCHED_MS), now];
    logger.warn({ reason, failures: this.#failures.length }, "the program's encoder ended");
    if (this.#encoder.hardware && engine.software !== undefined) {
      engine.reportHardwareFailure(this.#encoder, reason);
      this.#encoder = engine.software;
    }
    if (this.#failures.length > MAX_FAILURES) {
      const failure = new KliegError("transcoder_unavailable", `The room's program cannot be encoded: ${reason}.`);
      this.events.emit("failed", failure);
      return;
    }
    this.#begin();
  }
}
