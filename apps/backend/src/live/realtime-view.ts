import type { Clock } from "@klieg/base";
import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";
import type { RealtimeSource } from "../sfu/realtime-source.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { SfuStage } from "../sfu/sfu-stage.ts";
import type { Stream } from "../stream/stream.ts";
import { RecentMedia } from "../transcode/recent-media.ts";
import type { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { Lateness } from "./lateness.ts";
import { RealtimeFeed } from "./realtime-feed.ts";

export interface RealtimeViewOptions {
  readonly stream: Stream;
  readonly sfu: Sfu;
  readonly engine: TranscodeEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a feed goes on when nobody watches any more, ms. */
  readonly lingerMs?: number;
}

/**
 * Why a watch is of no use any more: another source took the place of the one that it was of; its tracks are other ones;
 * the media worker died; the stream ended. Except for the last, a new watch can be had at once.
 */
export type RealtimeChange = "source" | "tracks" | "worker" | "ended";

/** What one WebRTC viewer is given. */
export interface RealtimeWatch extends Disposable {
  readonly stage: SfuStage;
  /** Producer ids on the stage; undefined where there is no such track. */
  readonly video: string | undefined;
  readonly audio: string | undefined;
  /** Calls `listener` once, when the watch is of no use any more; at once where that has happened already. */
  onChanged(listener: (change: RealtimeChange) => void): void;
  /** The viewer is gone. Idempotent. */
  release(): void;
}

export interface RealtimeWatchOptions {
  /** Whether the viewer can decode a producer; who cannot decode what a WebRTC source sends is given H.264 and Opus. */
  readonly accepts?: (stage: SfuStage, producerId: string) => boolean;
}

const LINGER_MS = 10_000;
/** How long after an encoder has come its second track is waited for, ms. */
const TRACKS_WAIT_MS = 1500;
const RECENT_LIMITS = { bytes: 16 * 1024 * 1024, ticks: 6 * TICKS_PER_SECOND };
const QUEUE_BYTES = 16 * 1024 * 1024;

/** One watch from the inside. */
interface Watcher {
  /** What it is of: a publication, or the feed that is made of whatever source. */
  readonly of: RealtimeSource | RealtimeFeed;
  change(change: RealtimeChange): void;
}

/**
 * A broadcast as WebRTC viewers see it (RTC3). What comes by WHIP they get as it came. For any other source a
 * {@link RealtimeFeed} is started with the first of them, and stopped some seconds after the last.
 */
export class RealtimeView implements AsyncDisposable {
  readonly #options: RealtimeViewOptions;
  readonly #logger: Logger;
  readonly #watchers = new Set<Watcher>();
  readonly #subscriptions = new DisposableStack();
  readonly #arrivals = { video: new Lateness(), audio: new Lateness() };
  readonly #recent: RecentMedia = new RecentMedia(true, RECENT_LIMITS);
  #feed: Promise<RealtimeFeed> | undefined;
  #openFeed: RealtimeFeed | undefined;
  #linger: Disposable | undefined;
  readonly #closing = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: RealtimeViewOptions) {
    this.#options = options;
    const { stream } = options;
    this.#logger = options.logger.child({ stream: stream.id, channel: stream.channel });
    this.#subscriptions.use(stream.events.on("source", () => this.#onSource()));
    this.#subscriptions.use(stream.events.on("state", ({ state }) => state === "ended" && this.#onEnded()));
    const reader = this.#subscriptions.use(stream.read({ name: "webrtc", maxQueuedBytes: QUEUE_BYTES }));
    reader.onReadable = () => {
      for (let unit = reader.take(); unit !== undefined; unit = reader.take()) this.#onUnit(unit);
    };
  }

  /** How many watch. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** What is made for viewers, while somebody watches; undefined where nothing need be made. */
  get feed(): RealtimeFeed | undefined {
    return this.#openFeed;
  }

  /**
   * What a viewer can be given now. The viewer must {@link RealtimeWatch.release} it.
   * @throws {KliegError} `stream_not_live` while there is nothing to watch; `webrtc_unavailable`.
   */
  async watch(options: RealtimeWatchOptions = {}): Promise<RealtimeWatch> {
    const { stream } = this.#options;
    if (this.#hasEnded) throw notLive();
    const source = stream.contribution?.session.realtime;
    if (source !== undefined && !source.stage.closed && suits(source, options)) {
      return this.#add(source, source.stage, source);
    }
    if (stream.contribution === undefined && this.#openFeed === undefined) throw notLive();
    if (this.#feed === undefined) await this.#tracksKnown();
    if (this.#hasEnded) throw notLive();
    const feed = await this.#startFeed();
    // It may have been lost, or the stream ended, in the meantime.
    if (this.#openFeed !== feed) throw notLive();
    this.#linger?.[Symbol.dispose]();
    this.#linger = undefined;
    return this.#add(feed, feed.stage, feed);
  }

  /** Lets go of everything; who watches is told that the stream has ended. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#subscriptions.dispose();
    this.#recent.clear();
    this.#tell(() => true, "ended");
    await this.#feed?.catch(() => undefined);
    this.#stopFeed();
    await Promise.all(this.#closing);
  }

  #onUnit(unit: AccessUnit): void {
    const { clock, stream } = this.#options;
    const position = stream.timeline.position;
    const { kind } = unit.track;
    if (position !== undefined) {
      this.#arrivals[kind].add((position - unit.pts) / (TICKS_PER_SECOND / 1000), clock.now());
    }
    this.#openFeed?.push(unit);
    if (unit.discontinuity === true && kind === "video") this.#recent.clear();
    this.#recent.push(unit);
    // One GOP is enough to begin with.
    if (kind === "video" && unit.keyframe) this.#recent.forgetBefore(unit.pts);
  }

  get #hasEnded(): boolean {
    return this.#closed !== undefined || this.#options.stream.state === "ended";
  }

  #add(
    of: Watcher["of"],
    stage: SfuStage,
    producers: { readonly video: string | undefined; readonly audio: string | undefined },
  ): RealtimeWatch {
    const listeners: ((change: RealtimeChange) => void)[] = [];
    let changed: RealtimeChange | undefined;
    const watcher: Watcher = {
      of,
      change: (change) => {
        if (changed !== undefined) return;
        changed = change;
        for (const listener of listeners.splice(0)) listener(change);
      },
    };
    const release = () => {
      if (this.#watchers.delete(watcher)) this.#considerStopping();
    };
    this.#watchers.add(watcher);
    return {
      stage,
      video: producers.video,
      audio: producers.audio,
      onChanged: (listener) => {
        if (changed === undefined) listeners.push(listener);
        else listener(changed);
      },
      release,
      [Symbol.dispose]: release,
    };
  }

  /** An encoder that has just come announces one track after the other: who watches already would miss the second. */
  async #tracksKnown(): Promise<void> {
    const { stream, clock } = this.#options;
    const connectedAt = stream.contribution?.connectedAt;
    if (connectedAt === undefined) return;
    const remaining = connectedAt + TRACKS_WAIT_MS - clock.now();
    if (remaining <= 0 || (stream.video !== undefined && stream.audio !== undefined)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using waiting = new DisposableStack();
    waiting.use(clock.after(remaining, resolve));
    waiting.use(stream.events.on("state", ({ state }) => state === "ended" && resolve()));
    waiting.use(
      stream.events.on("track", () => {
        if (stream.video !== undefined && stream.audio !== undefined) resolve();
      }),
    );
    await promise;
  }

  #startFeed(): Promise<RealtimeFeed> {
    if (this.#feed !== undefined) return this.#feed;
    const { stream, sfu, engine, clock } = this.#options;
    for (const arrivals of Object.values(this.#arrivals)) arrivals.turnTo(clock.now());
    const opening = RealtimeFeed.open({
      ...{ stream, sfu, engine, clock },
      logger: this.#logger,
      recent: this.#recent,
      arrivals: this.#arrivals,
    });
    this.#feed = opening;
    opening.then(
      (feed) => {
        if (this.#feed !== opening) return;
        this.#openFeed = feed;
        feed.events.on("lost", ({ reason }) => this.#loseFeed(feed, reason));
        // Who wanted it may have gone while it was opened.
        this.#considerStopping();
      },
      () => {
        if (this.#feed === opening) this.#feed = undefined;
      },
    );
    return opening;
  }

  #considerStopping(): void {
    const feed = this.#openFeed;
    if (feed === undefined || this.#linger !== undefined) return;
    for (const { of } of this.#watchers) if (of === feed) return;
    this.#linger = this.#options.clock.after(this.#options.lingerMs ?? LINGER_MS, () => this.#stopFeed());
  }

  #stopFeed(): void {
    this.#linger?.[Symbol.dispose]();
    this.#linger = undefined;
    const feed = this.#openFeed;
    this.#openFeed = undefined;
    this.#feed = undefined;
    if (feed === undefined) return;
    const closing = feed.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #loseFeed(feed: RealtimeFeed, reason: RealtimeChange): void {
    if (feed !== this.#openFeed) return;
    this.#logger.info({ reason }, "WebRTC viewers have to come again");
    this.#stopFeed();
    this.#tell((of) => of === feed, reason);
  }

  /** Another publication. What a feed shows goes on, unless viewers can now have it as it comes. */
  #onSource(): void {
    const source = this.#options.stream.contribution?.session.realtime;
    this.#tell((of) => of !== source && (source !== undefined || !(of instanceof RealtimeFeed)), "source");
  }

  #onEnded(): void {
    this.#recent.clear();
    this.#tell(() => true, "ended");
  }

  #tell(concerns: (of: Watcher["of"]) => boolean, change: RealtimeChange): void {
    for (const watcher of this.#watchers) if (concerns(watcher.of)) watcher.change(change);
  }
}

function suits(source: RealtimeSource, { accepts }: RealtimeWatchOptions): boolean {
  if (accepts === undefined) return true;
  return [source.video, source.audio].every((id) => id === undefined || accepts(source.stage, id));
}

function notLive(): KliegError {
  return new KliegError("stream_not_live", "Nothing can be watched at the moment; try again soon.");
}
