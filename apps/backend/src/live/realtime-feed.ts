import { randomUUID } from "node:crypto";
import { type Clock, Emitter } from "@klieg/base";
import {
  type AccessUnit,
  type AudioTrack,
  parseAvcConfig,
  parseH264Sps,
  TICKS_PER_SECOND,
  type VideoTrack,
} from "@klieg/media";
import { KliegError, type RealtimeWay } from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";
import { RtpFeed } from "../sfu/rtp-feed.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { SfuStage } from "../sfu/sfu-stage.ts";
import type { Stream } from "../stream/stream.ts";
import { playedByBrowsers } from "../transcode/ladder.ts";
import { RealtimeTranscode } from "../transcode/realtime-transcode.ts";
import type { RecentMedia } from "../transcode/recent-media.ts";
import { sameMedia } from "../transcode/source-tracks.ts";
import type { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { FeedPacer } from "./feed-pacer.ts";
import type { Lateness } from "./lateness.ts";

export interface RealtimeFeedOptions {
  readonly stream: Stream;
  readonly sfu: Sfu;
  readonly engine: TranscodeEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What came last, from a keyframe on: so that who comes first need not wait for the next one. */
  readonly recent: RecentMedia;
  /** How late pictures and sound come, ms after their time on the stream's timeline. */
  readonly arrivals: Readonly<Record<"video" | "audio", Lateness>>;
}

export interface RealtimeFeedEvents {
  /** Its producers are gone, or there is a kind of track that it has none for: another feed is wanted. */
  lost: { readonly reason: "worker" | "tracks" };
}

const REPORT_EVERY_MS = 500;
/**
 * A source with its keyframes further apart is made anew where the machine can: nobody can come in, or see again after
 * a loss, before the next one.
 */
const LONGEST_KEYFRAME_INTERVAL_MS = 2600;

/**
 * Sends a stream that came by RTMP or SRT, or in a codec that a viewer does not have, to WebRTC viewers (RTC3), all of
 * them alike. H.264 without B-frames and Opus go straight through; anything else is made into that by FFmpeg.
 */
export class RealtimeFeed implements AsyncDisposable {
  readonly events = new Emitter<RealtimeFeedEvents>();
  readonly stage: SfuStage;
  readonly #options: RealtimeFeedOptions;
  readonly #video: RtpFeed | undefined;
  readonly #audio: RtpFeed | undefined;
  readonly #pacer: FeedPacer;
  readonly #subscriptions = new DisposableStack();
  #videoTranscode: RealtimeTranscode | undefined;
  #audioTranscode: RealtimeTranscode | undefined;
  #videoWay: RealtimeWay | undefined;
  #audioWay: RealtimeWay | undefined;
  #videoTrack: VideoTrack | undefined;
  #audioTrack: AudioTrack | undefined;
  #lastPts = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | undefined;

  private constructor(options: RealtimeFeedOptions, stage: SfuStage, feeds: Feeds) {
    this.#options = options;
    this.stage = stage;
    this.#video = feeds.video;
    this.#audio = feeds.audio;
    this.#pacer = this.#subscriptions.use(
      new FeedPacer({
        clock: options.clock,
        arrivals: options.arrivals,
        position: () => options.stream.timeline.position,
        send: (kind, unit) => (kind === "video" ? this.#video : this.#audio)?.send(unit),
      }),
    );
    this.#begin();
  }

  /**
   * A feed for the tracks that the stream has now.
   * @throws {KliegError} `webrtc_unavailable`; `stream_not_live` where it has none.
   */
  static async open(options: RealtimeFeedOptions): Promise<RealtimeFeed> {
    const { stream, sfu } = options;
    if (stream.video === undefined && stream.audio === undefined) {
      throw new KliegError("stream_not_live", "Nothing can be played yet.");
    }
    const stage = sfu.openStage(stream.id);
    try {
      const cname = randomUUID();
      const [video, audio] = await Promise.all([
        stream.video === undefined ? undefined : RtpFeed.open(stage, { kind: "video", cname }),
        stream.audio === undefined ? undefined : RtpFeed.open(stage, { kind: "audio", cname }),
      ]);
      return new RealtimeFeed(options, stage, { video, audio });
    } catch (error) {
      stage.close();
      throw error;
    }
  }

  /** Producer ids on its stage. */
  get video(): string | undefined {
    return this.#video?.id;
  }

  get audio(): string | undefined {
    return this.#audio?.id;
  }

  /** How each track goes to viewers; undefined before that is decided, by its first access unit. */
  get ways(): { readonly video: RealtimeWay | undefined; readonly audio: RealtimeWay | undefined } {
    return { video: this.#videoWay, audio: this.#audioWay };
  }

  /** Process ids of the FFmpegs at work. */
  get pids(): number[] {
    return [this.#videoTranscode?.pid, this.#audioTranscode?.pid].flatMap((pid) => pid ?? []);
  }

  /** How long picture and sound are kept so that they go side by side, ms after their time; undefined: not at all. */
  get delayMs(): number | undefined {
    return this.#pacer.delayMs;
  }

  /** Times that an FFmpeg had to be started anew. */
  get restarts(): number {
    return (this.#videoTranscode?.restarts ?? 0) + (this.#audioTranscode?.restarts ?? 0);
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#subscriptions.dispose();
    this.stage.close();
    await Promise.all([this.#videoTranscode?.close(), this.#audioTranscode?.close()]);
  }

  /** Takes the stream's next access unit. */
  push(unit: AccessUnit): void {
    if (this.#closed !== undefined) return;
    if (unit.track.kind === "video") this.#onVideo(unit, unit.track);
    else this.#onSound(unit, unit.track);
  }

  #begin(): void {
    const { clock, stream, recent } = this.#options;
    for (const feed of [this.#video, this.#audio]) {
      if (feed === undefined) continue;
      this.#subscriptions.use(feed.events.on("closed", () => this.#lose("worker")));
    }
    this.#subscriptions.use(clock.every(REPORT_EVERY_MS, () => this.#report()));
    const { video, audio } = stream;
    if (video !== undefined && recent.units.length > 0) this.#decideVideo(video, recent.units);
    if (audio !== undefined) this.#decideAudio(audio);
    const { units } = recent;
    this.#videoTranscode?.seed(units.filter(({ track }) => track.kind === "video"));
    this.#audioTranscode?.seed(units.filter(({ track }) => track.kind === "audio"));
  }

  #onVideo(unit: AccessUnit, track: VideoTrack): void {
    if (this.#video === undefined) {
      this.#lose("tracks");
      return;
    }
    const before = this.#videoTrack;
    if (unit.discontinuity === true || before === undefined || !sameMedia(before, track)) {
      this.#lastPts = Number.NEGATIVE_INFINITY;
      if (unit.discontinuity === true) for (const kind of ["video", "audio"] as const) this.#pacer.begin(kind);
      this.#decideVideo(track, [unit]);
    }
    if (this.#videoWay === "straight") {
      // The encoder has B-frames after all, and a browser would show them as they come: to and fro.
      if (unit.pts < this.#lastPts) this.#transcodeVideo();
      else this.#pacer.push("video", unit);
      this.#lastPts = unit.pts;
    }
    if (this.#videoWay === "transcoded") this.#videoTranscode?.push(unit);
  }

  #onSound(unit: AccessUnit, track: AudioTrack): void {
    if (this.#audio === undefined) {
      this.#lose("tracks");
      return;
    }
    if (track !== this.#audioTrack) this.#decideAudio(track);
    if (this.#audioWay === "straight") this.#pacer.push("audio", unit);
    else if (this.#audioWay === "transcoded") this.#audioTranscode?.push(unit);
  }

  /** @param units what has come of it so far. */
  #decideVideo(track: VideoTrack, units: readonly AccessUnit[]): void {
    const { stream } = this.#options;
    this.#videoTrack = track;
    const meter = stream.contribution?.meter;
    const interval = meter?.keyframeIntervalMs ?? 0;
    const rare = interval > LONGEST_KEYFRAME_INTERVAL_MS && this.#options.engine.binary !== undefined;
    const straight = !rare && goesStraight(track) && !(meter?.reordersFrames ?? false) && !areReordered(units);
    if (straight) this.#enterVideo("straight");
    else this.#transcodeVideo();
  }

  #transcodeVideo(): void {
    this.#videoTranscode ??= this.#openTranscode("video", () => this.#enterVideo("impossible"));
    this.#enterVideo("transcoded");
  }

  #decideAudio(track: AudioTrack): void {
    this.#audioTrack = track;
    if (track.codec === "opus" && track.channels <= 2) {
      this.#enterAudio("straight");
      return;
    }
    this.#audioTranscode ??= this.#openTranscode("audio", () => this.#enterAudio("impossible"));
    this.#enterAudio("transcoded");
  }

  #openTranscode(kind: "video" | "audio", onImpossible: () => void): RealtimeTranscode {
    const { engine, clock, logger } = this.#options;
    return new RealtimeTranscode({
      engine,
      clock,
      logger,
      onStarted: () => this.#pacer.begin(kind),
      onUnit: (unit) => this.#pacer.push(kind, unit),
      onImpossible: (reason) => {
        logger.warn({ reason }, "a track cannot be sent to WebRTC viewers");
        onImpossible();
      },
    });
  }

  #enterVideo(way: RealtimeWay): void {
    if (way === this.#videoWay) return;
    this.#videoWay = way;
    const { width, height, codecString } = this.#videoTrack ?? {};
    this.#options.logger.info({ way, codec: codecString, width, height }, "video for WebRTC viewers");
  }

  #enterAudio(way: RealtimeWay): void {
    if (way === this.#audioWay) return;
    this.#audioWay = way;
    this.#options.logger.info({ way, codec: this.#audioTrack?.codecString }, "sound for WebRTC viewers");
  }

  #report(): void {
    const { stream, clock } = this.#options;
    const ticks = stream.timeline.position;
    if (ticks === undefined) return;
    const wall = clock.wall();
    // Where the encoder's clock runs fast, media would be of the future: no receiver believes that.
    const ahead = ticks + Math.round(this.#pacer.aheadMs * (TICKS_PER_SECOND / 1000));
    this.#video?.report(wall, ahead);
    this.#audio?.report(wall, ahead);
  }

  #lose(reason: RealtimeFeedEvents["lost"]["reason"]): void {
    if (this.#closed === undefined) this.events.emit("lost", { reason });
  }
}

interface Feeds {
  readonly video: RtpFeed | undefined;
  readonly audio: RtpFeed | undefined;
}

/** Whether browsers decode the track as it is, and its frames come in the order in which they are shown, as far as it says. */
function goesStraight(track: VideoTrack): boolean {
  if (!playedByBrowsers(track)) return false;
  const [sps] = parseAvcConfig(track.config).sps;
  if (sps === undefined) return false;
  const { reorderDepth, vui, interlaced } = parseH264Sps(sps);
  // Where the VUI is silent the depth is only a bound: then the frames themselves tell.
  return !interlaced && (reorderDepth === 0 || vui?.maxNumReorderFrames === undefined);
}

function areReordered(units: readonly AccessUnit[]): boolean {
  let last = Number.NEGATIVE_INFINITY;
  for (const { track, pts } of units) {
    if (track.kind !== "video") continue;
    if (pts < last) return true;
    last = pts;
  }
  return false;
}
