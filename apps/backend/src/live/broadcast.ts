import type { Clock } from "@klieg/base";
import type { VideoTrack } from "@klieg/media";
import type { HealthWarning, StreamHealth } from "@klieg/protocol";
import { StreamPackager } from "../package/stream-packager.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { Reader } from "../stream/reader.ts";
import type { Stream } from "../stream/stream.ts";
import { canBePackaged, type RungSpec } from "../transcode/ladder.ts";
import type { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { Transcoder } from "../transcode/transcoder.ts";
import type { Audience } from "./audience.ts";
import { RealtimeView } from "./realtime-view.ts";

/** What every broadcast stands on. */
export interface BroadcastServices {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly blobs: BlobStore;
  readonly partMs: number;
  readonly segmentMs: number;
  readonly windowMs: number;
  /** What the machine transcodes with. */
  readonly engine: TranscodeEngine;
  /** Rungs to choose from, highest first; none where it is empty. */
  readonly ladder: readonly RungSpec[];
  /** What WebRTC viewers are served by. */
  readonly sfu: Sfu;
  /** Told of every part that is published. */
  readonly observePart: (origin: "source" | "transcode", latencyMs: number) => void;
}

const TRANSCODE_QUEUE_BYTES = 16 * 1024 * 1024;

/** A stream with everything that reads it: the packager, the transcoder, whose renditions the packager takes too, and WebRTC viewers. */
export class Broadcast implements AsyncDisposable {
  readonly stream: Stream;
  /** What is told of it, and who may see it. */
  readonly audience: Audience;
  readonly packager: StreamPackager;
  /** For WebRTC viewers. */
  readonly realtime: RealtimeView;
  readonly #transcoder: Transcoder;
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #canTranscodeVideo: boolean;
  readonly #subscriptions = new DisposableStack();
  readonly #warnings = new Map<string, HealthWarning>();
  /** Renditions that the machine was too slow for. */
  readonly #leftOut = new Set<string>();
  /** Resolves when the playlists have ended, once the stream has. */
  #ending: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(stream: Stream, audience: Audience, services: BroadcastServices) {
    this.stream = stream;
    this.audience = audience;
    this.#clock = services.clock;
    this.#logger = services.logger.child({ stream: stream.id, channel: stream.channel });
    this.packager = new StreamPackager(stream, services);
    this.realtime = new RealtimeView({ ...services, stream });
    this.#canTranscodeVideo = services.engine.binary !== undefined && services.ladder.length > 0;
    this.#transcoder = new Transcoder({
      engine: services.engine,
      clock: services.clock,
      logger: this.#logger,
      ladder: services.ladder,
      adaptsItsSize: () => stream.contribution?.session.realtime !== undefined,
      keyframeSeconds: (track) => (this.#isPackaged(track) ? undefined : services.segmentMs / 1000),
      sink: {
        onAccessUnit: (rendition, unit) => this.packager.pushTranscoded(rendition.name, rendition.encoder, unit),
      },
    });
    this.#reader = stream.read({ name: "transcode", maxQueuedBytes: TRANSCODE_QUEUE_BYTES });
    this.#reader.onReadable = () => {
      for (let unit = this.#reader.take(); unit !== undefined; unit = this.#reader.take()) {
        this.#transcoder.onAccessUnit(unit);
      }
    };
    this.#listen(services);
  }

  get transcodeHealth(): StreamHealth["transcode"] {
    return this.#transcoder.health();
  }

  /** Access units that FFmpeg was too slow for. */
  get transcodeDrops(): number {
    return this.#transcoder.droppedAccessUnits;
  }

  get warnings(): HealthWarning[] {
    return [...this.packager.warnings, ...this.#warnings.values()];
  }

  /** Ends the stream and lets go of everything; what could still be watched no longer can. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.stream.close();
    await this.#ending;
    this.#subscriptions.dispose();
    this.#reader.close();
    await Promise.all([this.realtime.close(), this.#transcoder.close()]);
    await this.packager.close();
  }

  #listen(services: BroadcastServices): void {
    const { stream, audience, packager } = this;
    const transcoder = this.#transcoder;
    const canTranscode = services.engine.binary !== undefined;
    this.#subscriptions.use(
      stream.events.on("track", (track) => {
        // Every player plays AAC; other sound is made into it where that can be done.
        if (track.kind === "audio") packager.passAudioThrough = track.codec === "aac" || !canTranscode;
        else this.#onVideoTrack(track);
      }),
    );
    this.#subscriptions.use(
      stream.events.on("state", ({ state }) => {
        if (state === "interrupted") this.#onSourceGone();
        else if (state === "ended") {
          // What is scheduled to be public later, and has ended, never is.
          audience[Symbol.dispose]();
          this.#ending = this.#finish();
        }
      }),
    );
    this.#subscriptions.use(
      audience.events.on("changed", ({ appeared }) => {
        if (appeared) packager.showFromNow();
      }),
    );
    this.#subscriptions.use(transcoder.events.on("renditions", ({ renditions }) => packager.expect(renditions)));
    this.#subscriptions.use(
      transcoder.events.on("state", ({ state, reason }) => {
        if (state === "off" || state === "failed") packager.expect([]);
        if (state === "failed") this.#warn("transcoder_unavailable", `${this.#whatIsLeft}: ${reason}.`);
        else if (state === "running") this.#warnings.delete("transcoder_unavailable");
      }),
    );
    this.#subscriptions.use(
      transcoder.events.on("degraded", ({ removed, reason }) => {
        this.#leftOut.add(removed);
        this.#warnOfLeftOut(reason);
      }),
    );
    this.#subscriptions.use(
      transcoder.events.on("restored", ({ added }) => {
        this.#leftOut.delete(added);
        if (this.#leftOut.size === 0) this.#warnings.delete("transcoder_degraded");
        else this.#warnOfLeftOut("others could be had back");
      }),
    );
    if (!canTranscode || services.ladder.length === 0) packager.expect([]);
  }

  /** Whether the source's picture is packaged as it is, and the renditions have their keyframes where it has them. */
  #isPackaged(track: VideoTrack): boolean {
    if (!this.#canTranscodeVideo || track.codec === "h264") return true;
    // Not every player has VP9 and AV1. A WebRTC sender changes its size as it likes, and the pictures that its layers
    // show at a keyframe are none themselves (SVC): what is made of it is better cut by itself.
    return canBePackaged(track) && this.stream.contribution?.session.realtime === undefined;
  }

  #onVideoTrack(track: VideoTrack): void {
    this.packager.passVideoThrough = this.#isPackaged(track);
    if (canBePackaged(track) || this.#canTranscodeVideo) this.#warnings.delete("video_not_playable");
    else {
      const codec = track.codec.toUpperCase();
      this.#warn(
        "video_not_playable",
        `Browsers play ${codec} in real time (WebRTC) only, and this server does not transcode it. Send H.264 for all viewers.`,
      );
    }
  }

  /** Without transcoded renditions, in words. */
  get #whatIsLeft(): string {
    const { video } = this.stream;
    const packaged = video === undefined || this.#isPackaged(video);
    return packaged ? "Only the source quality is there" : "Only viewers in real time (WebRTC) can see it";
  }

  #onSourceGone(): void {
    this.packager.interrupt();
    this.#transcoder.drain().then(
      () => {
        if (this.stream.state === "interrupted") this.packager.settle();
      },
      (error: unknown) => this.#logger.error({ err: error }, "the transcoder could not be drained"),
    );
  }

  /** What is left of the source goes out, then every playlist ends. */
  async #finish(): Promise<void> {
    this.packager.interrupt();
    try {
      await this.#transcoder.drain();
    } catch (error) {
      this.#logger.error({ err: error }, "the transcoder could not be drained");
    }
    this.packager.end();
    await this.#transcoder.close();
  }

  #warnOfLeftOut(reason: string): void {
    const names = [...this.#leftOut].join(", ");
    const verb = this.#leftOut.size === 1 ? "is" : "are";
    this.#warn("transcoder_degraded", `The server is too slow for ${names}, which ${verb} left out: ${reason}.`);
  }

  #warn(code: string, message: string): void {
    const since = this.#warnings.get(code)?.since ?? new Date(this.#clock.wall()).toISOString();
    this.#warnings.set(code, { code, message, since });
  }
}
