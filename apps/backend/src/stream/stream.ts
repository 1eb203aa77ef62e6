import { type Clock, type CloseReason, Emitter } from "@klieg/base";
import { type AccessUnit, type AudioTrack, Timeline, type Track, type VideoTrack } from "@klieg/media";
import { type HealthWarning, type IngestProfile, KliegError, type StreamState } from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";
import { Contribution, type ContributionSession } from "./contribution.ts";
import { Reader, type ReaderOptions } from "./reader.ts";

export interface StreamEvents {
  state: { state: StreamState; previous: StreamState };
  /** A track of the source appeared or changed its configuration. */
  track: Track;
  /** The source changed: a first one, a reconnect or a takeover. */
  source: { contribution: Contribution };
}

export interface StreamOptions {
  readonly id: string;
  readonly channel: string;
  readonly profile: IngestProfile;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long the stream waits for its encoder to come back, ms. */
  readonly reconnectGraceMs: number;
  /** A source that sends nothing for so long counts as gone, ms. */
  readonly silenceMs?: number;
}

const DEFAULT_SILENCE_MS = 10_000;
/** How long an encoder that was put off may not take the stream back from one that delivers, ms. */
const FIGHT_MS = 60_000;
/** A source that sent something so lately delivers, ms. */
const DELIVERS_MS = 2000;

/**
 * A broadcast in flight (ING5): one source, many readers, one timeline, one close.
 *
 * `starting` until {@link markLive}; `interrupted` while the source is gone and the grace timer runs, resumed by
 * {@link attach}; `ended` for good. A second source takes over from the first.
 */
export class Stream implements AsyncDisposable {
  readonly id: string;
  readonly channel: string;
  readonly events = new Emitter<StreamEvents>();
  /** Unix ms. */
  readonly startedAt: number;
  readonly timeline: Timeline;
  readonly #options: StreamOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #readers = new Set<Reader>();
  #state: StreamState = "starting";
  #wasLive = false;
  #contribution: Contribution | undefined;
  /** The encoder that was last put off by another. */
  #putOff: { readonly identity: string; readonly at: number } | undefined;
  #lastRefusal: HealthWarning | undefined;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #liveAt: number | undefined;
  #endedAt: number | undefined;
  #endReason: CloseReason | undefined;
  #grace: Disposable | undefined;
  #waitsUntil: number | undefined;
  readonly #silence: Disposable;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.id = options.id;
    this.channel = options.channel;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ stream: options.id, channel: options.channel });
    this.startedAt = options.clock.wall();
    this.timeline = new Timeline(options.clock);
    this.#silence = options.clock.every(1000, () => this.#checkSilence());
    this.#armGrace();
    this.#logger.info({}, "stream starting");
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Monotonic ms, by the clock that all of its times go by. */
  get now(): number {
    return this.#clock.now();
  }

  /** The present source, if there is one. */
  get contribution(): Contribution | undefined {
    return this.#contribution;
  }

  /** The source's video track as last declared; kept while interrupted. */
  get video(): VideoTrack | undefined {
    return this.#video;
  }

  get audio(): AudioTrack | undefined {
    return this.#audio;
  }

  /** Unix ms. */
  get liveAt(): number | undefined {
    return this.#liveAt;
  }

  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  get endReason(): CloseReason | undefined {
    return this.#endReason;
  }

  /** Until when the stream waits for an encoder, Unix ms; undefined where it has one or has ended. */
  get waitsUntil(): number | undefined {
    return this.#waitsUntil;
  }

  /** Why the last source was put off, until another delivers: not every protocol can tell the encoder. */
  get lastRefusal(): HealthWarning | undefined {
    return this.#lastRefusal;
  }

  get readers(): Iterable<Reader> {
    return this.#readers;
  }

  /**
   * Makes `session` the source. One that is there already is put off with `taken_over` (an encoder that reconnects
   * must not wait for its own dead socket).
   * @throws {KliegError} `gone` where the stream has ended; `taken_over` for an encoder that was just put off and
   *   comes back by itself while the one that took over delivers: two would otherwise put each other off for ever.
   */
  attach(session: ContributionSession): Contribution {
    if (this.#state === "ended") throw new KliegError("gone", "This stream has ended.");
    const previous = this.#contribution;
    if (previous !== undefined && this.#wouldFight(session, previous)) {
      throw new KliegError(
        "taken_over",
        "Another encoder publishes with this stream key. Stop it first, or wait until it has stopped.",
      );
    }
    if (previous !== undefined && this.#delivers(previous)) {
      this.#putOff = { identity: identityOf(previous.session), at: this.#clock.now() };
    }
    const contribution = new Contribution({
      session,
      profile: this.#options.profile,
      timeline: this.timeline,
      clock: this.#clock,
      owner: {
        onTrack: (track, from) => this.#onTrack(track, from),
        onUnit: (unit, from) => this.#onUnit(unit, from),
        onEnded: (from, reason) => this.#onContributionEnded(from, reason),
      },
    });
    this.#contribution = contribution;
    previous?.refuse(new KliegError("taken_over", "Another encoder has taken over with the same stream key."));
    this.timeline.rebase();
    this.#disarmGrace();
    this.#logger.info(
      {
        protocol: session.protocol,
        encoder: session.encoder,
        remote: session.remoteAddress,
        takeover: previous !== undefined,
      },
      "source attached",
    );
    this.events.emit("source", { contribution });
    return contribution;
  }

  /** A new reader, from the next access unit on. */
  read(options: ReaderOptions): Reader {
    const reader = new Reader(options, (closed) => void this.#readers.delete(closed));
    if (this.#state === "ended") reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /** Something can be played now. Called by whoever packages the stream. */
  markLive(): void {
    if (this.#state !== "starting") return;
    this.#wasLive = true;
    this.#liveAt = this.#clock.wall();
    this.#enter("live");
  }

  /** Ends the stream for good, putting off its source with `error`. Idempotent. */
  end(reason: CloseReason, error?: KliegError): void {
    if (this.#state === "ended") return;
    this.#disarmGrace();
    this.#silence[Symbol.dispose]();
    this.#endReason = reason;
    this.#endedAt = this.#clock.wall();
    const contribution = this.#contribution;
    this.#contribution = undefined;
    contribution?.refuse(error ?? new KliegError("stopped_by_owner", "The stream was stopped."));
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
    this.#enter("ended");
  }

  async close(reason: CloseReason = { by: "owner", message: "stopped" }): Promise<void> {
    this.end(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wouldFight(session: ContributionSession, present: Contribution): boolean {
    const putOff = this.#putOff;
    if (putOff === undefined || putOff.identity !== identityOf(session)) return false;
    return this.#clock.now() - putOff.at < FIGHT_MS && this.#delivers(present);
  }

  #delivers(contribution: Contribution): boolean {
    return this.#clock.now() - contribution.lastUnitAt < DELIVERS_MS;
  }

  #onTrack(track: Track, from: Contribution): void {
    if (from !== this.#contribution) return;
    if (track.kind === "video") this.#video = track;
    else this.#audio = track;
    this.#logger.info(
      track.kind === "video"
        ? { codec: track.codecString, width: track.width, height: track.height, frameRate: track.frameRate }
        : { codec: track.codecString, sampleRate: track.sampleRate, channels: track.channels },
      `${track.kind} track`,
    );
    this.events.emit("track", track);
  }

  #onUnit(unit: AccessUnit, from: Contribution): void {
    if (from !== this.#contribution) return;
    this.#lastRefusal = undefined;
    if (this.#state === "interrupted") this.#enter(this.#wasLive ? "live" : "starting");
    for (const reader of this.#readers) reader.offer(unit);
  }

  #onContributionEnded(from: Contribution, reason: CloseReason): void {
    if (from !== this.#contribution) return;
    this.#contribution = undefined;
    if (reason.error instanceof KliegError) {
      const { code, message } = reason.error;
      this.#lastRefusal = { code, message, since: new Date(this.#clock.wall()).toISOString() };
    }
    this.#logger.info({ by: reason.by, reason: reason.message }, "source gone");
    if (this.#state === "ended") return;
    this.#enter("interrupted");
    this.#armGrace();
  }

  #armGrace(): void {
    const graceMs = this.#options.reconnectGraceMs;
    this.#disarmGrace();
    this.#waitsUntil = this.#clock.wall() + graceMs;
    this.#grace = this.#clock.after(graceMs, () =>
      this.end({ by: "self", message: `no encoder came back within ${graceMs / 1000} s` }),
    );
  }

  #disarmGrace(): void {
    this.#grace?.[Symbol.dispose]();
    this.#grace = undefined;
    this.#waitsUntil = undefined;
  }

  #checkSilence(): void {
    const contribution = this.#contribution;
    if (contribution === undefined) return;
    const silenceMs = this.#options.silenceMs ?? DEFAULT_SILENCE_MS;
    if (this.#clock.now() - contribution.lastUnitAt < silenceMs) return;
    contribution.refuse(new KliegError("timeout", `No media came for ${silenceMs / 1000} s.`));
  }

  #enter(state: StreamState): void {
    if (state === this.#state) return;
    const previous = this.#state;
    this.#state = state;
    this.#logger.info(
      { previous, reason: state === "ended" ? this.#endReason?.message : undefined },
      `stream ${state}`,
    );
    this.events.emit("state", { state, previous });
  }
}

/** What tells one encoder from another as far as the door can see. */
function identityOf(session: ContributionSession): string {
  return `${session.protocol} ${session.remoteAddress} ${session.encoder ?? ""}`;
}
