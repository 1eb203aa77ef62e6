import { type Clock, Emitter } from "@klieg/base";
import { type ChangeStream, KliegError, type StreamState } from "@klieg/protocol";
import type { Admission, Channels } from "../channels/channels.ts";
import type { Logger } from "../ports/logger.ts";
import type { AudienceRecord, Repositories } from "../ports/repositories.ts";
import type { Contribution, ContributionSession } from "../stream/contribution.ts";
import { Stream } from "../stream/stream.ts";
import { Audience, MAX_SCHEDULE_MS } from "./audience.ts";
import { Broadcast, type BroadcastServices } from "./broadcast.ts";
import { newStreamId } from "./stream-id.ts";

export interface LiveStreamsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly repositories: Repositories;
  readonly channels: Channels;
  readonly services: BroadcastServices;
  /** More at once are refused with `overloaded`. */
  readonly maxStreams: number;
  readonly reconnectGraceMs: number;
  /** How long an ended stream can still be watched, ms. */
  readonly endedRetentionMs: number;
}

/**
 * How long a broadcast that was cut off (outage, restart, an encoder that did not come back) leaves its title and its
 * audience to the channel's next one, ms: an encoder that comes back by itself must not make public what was private.
 */
const RESUME_MS = 10 * 60 * 1000;

/** Every broadcast that is in flight, or ended a short while ago. */
export class LiveStreams implements AsyncDisposable {
  readonly events = new Emitter<{ state: { broadcast: Broadcast; state: StreamState } }>();
  readonly #options: LiveStreamsOptions;
  readonly #byId = new Map<string, Broadcast>();
  readonly #byChannel = new Map<string, Broadcast>();
  readonly #byPreview = new Map<string, Broadcast>();
  /** By channel: what its next broadcast goes on with, until then (Unix ms). */
  readonly #resumable = new Map<string, { readonly audience: AudienceRecord; readonly until: number }>();
  readonly #expiries = new Map<string, Disposable>();
  readonly #closing = new Set<Promise<void>>();
  readonly #subscriptions = new DisposableStack();
  #writes: Promise<unknown> = Promise.resolve();
  #shuttingDown = false;
  #closed: Promise<void> | undefined;

  constructor(options: LiveStreamsOptions) {
    this.#options = options;
    this.#subscriptions.use(options.channels.events.on("keyRevoked", ({ keyId }) => this.#onKeyRevoked(keyId)));
  }

  /**
   * Makes `session` the source of its channel's stream: of the one in flight, or of a new one.
   * @throws {KliegError} `overloaded`, `shutting_down`.
   */
  contribute(admission: Admission, session: ContributionSession): Contribution {
    const broadcast = this.start(admission);
    const contribution = broadcast.stream.attach(session);
    this.#persist(() =>
      this.#options.repositories.streams.update(broadcast.stream.id, {
        protocol: session.protocol,
        encoder: session.encoder ?? null,
      }),
    );
    return contribution;
  }

  /** Learns from what an earlier run of the backend left behind what the channels' next broadcasts go on with. */
  async recover(): Promise<void> {
    const now = this.#options.clock.wall();
    for (const stream of await this.#options.repositories.streams.listResumable(now - RESUME_MS - MAX_SCHEDULE_MS)) {
      if (stream.audience !== null) this.#leave(stream.channel, stream.audience, stream.endedAt ?? now);
    }
  }

  /**
   * The channel's stream in flight, or a new one that waits for its encoder as long as the reconnect grace.
   * @param details change those of a stream in flight; without any, a new one goes on as the channel's last was cut off.
   * @throws {KliegError} `bad_request`, `overloaded`, `shutting_down`.
   */
  start(admission: Admission, details: ChangeStream = {}): Broadcast {
    if (this.#closed !== undefined)
      throw new KliegError("shutting_down", "The server is shutting down; try again soon.");
    const { channel } = admission;
    const existing = this.#byChannel.get(channel.name);
    if (existing !== undefined && existing.stream.state !== "ended") {
      existing.audience.change(details);
      return existing;
    }
    if (this.#inFlight() >= this.#options.maxStreams) {
      throw new KliegError("overloaded", "This server carries as many streams as it may; try again later.");
    }
    const audience = this.#audienceFor(channel.name, details);
    const stream = new Stream({
      id: newStreamId(),
      channel: channel.name,
      profile: channel.profile,
      clock: this.#options.clock,
      logger: this.#options.logger,
      reconnectGraceMs: this.#options.reconnectGraceMs,
    });
    const broadcast = new Broadcast(stream, audience, this.#options.services);
    this.#byId.set(stream.id, broadcast);
    this.#byChannel.set(channel.name, broadcast);
    this.#byPreview.set(audience.previewToken, broadcast);
    this.#persist(async () => {
      const { streams } = this.#options.repositories;
      await streams.forgetAudiences(stream.channel);
      await streams.insert({
        id: stream.id,
        channel: stream.channel,
        state: stream.state,
        protocol: null,
        encoder: null,
        startedAt: stream.startedAt,
        liveAt: null,
        endedAt: null,
        endReason: null,
        audience: audience.record,
      });
    });
    stream.events.on("state", ({ state }) => this.#onState(broadcast, state));
    audience.events.on("changed", () => this.#onAudienceChanged(broadcast));
    return broadcast;
  }

  /** @throws {KliegError} `stream_unknown`, `gone` where it has ended, `bad_request`. */
  change(id: string, details: ChangeStream): Broadcast {
    const broadcast = this.#byId.get(id);
    if (broadcast === undefined) throw new KliegError("stream_unknown", "There is no such stream.");
    if (broadcast.stream.state === "ended") throw new KliegError("gone", "This stream has ended.");
    broadcast.audience.change(details);
    return broadcast;
  }

  get(id: string): Broadcast | undefined {
    return this.#byId.get(id);
  }

  /** The channel's broadcast in flight; undefined where there is none or it has ended. */
  ofChannel(channel: string): Broadcast | undefined {
    const broadcast = this.#byChannel.get(channel);
    return broadcast?.stream.state === "ended" ? undefined : broadcast;
  }

  /** The channel's last broadcast, ended or not, as long as it can be watched. */
  latestOfChannel(channel: string): Broadcast | undefined {
    return this.#byChannel.get(channel);
  }

  /** Resolves when all that has happened so far is remembered: a crash right after it finds it. */
  async written(): Promise<void> {
    await this.#writes;
  }

  /** The broadcast, ended or not, whose owner was given this token. */
  ofPreview(previewToken: string): Broadcast | undefined {
    return this.#byPreview.get(previewToken);
  }

  list(): Broadcast[] {
    return [...this.#byId.values()];
  }

  /** @throws {KliegError} `stream_unknown`. */
  stop(id: string): void {
    const broadcast = this.#byId.get(id);
    if (broadcast === undefined) throw new KliegError("stream_unknown", "There is no such stream.");
    broadcast.stream.end({ by: "owner", message: "stopped by its owner" });
  }

  /** Ends every stream and waits until everything that they hold has been let go. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#shuttingDown = true;
    this.#subscriptions.dispose();
    const error = new KliegError("shutting_down", "The server is shutting down; connect again in a moment.");
    for (const broadcast of this.#byId.values()) {
      broadcast.stream.end({ by: "owner", message: "server shutdown" }, error);
    }
    for (const expiry of this.#expiries.values()) expiry[Symbol.dispose]();
    this.#expiries.clear();
    await Promise.all([...this.#byId.values()].map((broadcast) => broadcast.close()));
    await Promise.all(this.#closing);
    this.#byId.clear();
    this.#byChannel.clear();
    this.#byPreview.clear();
    await this.#writes;
  }

  /** @throws {KliegError} `bad_request`. */
  #audienceFor(channel: string, details: ChangeStream): Audience {
    const { clock } = this.#options;
    const left = this.#resumable.get(channel);
    const isNew = Object.values(details).some((detail) => detail !== undefined);
    const audience = new Audience(clock, isNew || left === undefined || left.until < clock.wall() ? {} : left.audience);
    audience.change(details);
    this.#resumable.delete(channel);
    return audience;
  }

  #leave(channel: string, audience: AudienceRecord, endedAt: number): void {
    // Who scheduled it may connect the encoder as late as that.
    const until = Math.max(endedAt, audience.publicAt ?? 0) + RESUME_MS;
    if (until >= this.#options.clock.wall()) this.#resumable.set(channel, { audience, until });
  }

  #onAudienceChanged({ stream, audience }: Broadcast): void {
    this.#options.logger.info(
      { stream: stream.id, channel: stream.channel, visibility: audience.visibility, preview: audience.preview },
      "audience changed",
    );
    this.#persist(() => this.#options.repositories.streams.update(stream.id, { audience: audience.record }));
  }

  #inFlight(): number {
    let count = 0;
    for (const broadcast of this.#byId.values()) if (broadcast.stream.state !== "ended") count += 1;
    return count;
  }

  #onState(broadcast: Broadcast, state: StreamState): void {
    const { stream, audience } = broadcast;
    const stopped = state === "ended" && stream.endReason?.by === "owner" && !this.#shuttingDown;
    this.#persist(() =>
      this.#options.repositories.streams.update(stream.id, {
        state,
        liveAt: stream.liveAt ?? null,
        endedAt: stream.endedAt ?? null,
        endReason: stream.endReason?.message ?? null,
        ...(stopped ? { audience: null } : {}),
      }),
    );
    if (state === "ended" && !stopped) this.#leave(stream.channel, audience.record, this.#options.clock.wall());
    this.events.emit("state", { broadcast, state });
    if (state !== "ended" || this.#closed !== undefined) return;
    const retention = stream.liveAt === undefined ? 0 : this.#options.endedRetentionMs;
    this.#expiries.set(
      stream.id,
      this.#options.clock.after(retention, () => this.#expire(broadcast)),
    );
  }

  #expire(broadcast: Broadcast): void {
    const { id, channel } = broadcast.stream;
    this.#expiries.delete(id);
    this.#byId.delete(id);
    if (this.#byChannel.get(channel) === broadcast) this.#byChannel.delete(channel);
    const { previewToken } = broadcast.audience;
    if (this.#byPreview.get(previewToken) === broadcast) this.#byPreview.delete(previewToken);
    const closing = broadcast.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #onKeyRevoked(keyId: string): void {
    for (const broadcast of this.#byId.values()) {
      const contribution = broadcast.stream.contribution;
      if (contribution?.session.keyId !== keyId) continue;
      contribution.refuse(new KliegError("stream_key_revoked", "This stream key was revoked."));
    }
  }

  /** Writes run one after another beside the media path; one that fails is logged and costs no broadcast. */
  #persist(write: () => Promise<unknown>): void {
    this.#writes = this.#writes.then(write).catch((error: unknown) => {
      this.#options.logger.error({ err: error }, "stream record not written");
    });
  }
}
