import { randomBytes } from "node:crypto";
import { type Clock, type CloseReason, Emitter } from "@klieg/base";
import { KliegError, type PinLayer, type WhepEvent, type WhepMedia, type WhepState } from "@klieg/protocol";
import type { Broadcast } from "../live/broadcast.ts";
import type { RealtimeChange, RealtimeWatch } from "../live/realtime-view.ts";
import type { Logger } from "../ports/logger.ts";
import { IceExchange } from "../sfu/ice-exchange.ts";
import type { SfuPeer, SfuPeerEnd } from "../sfu/sfu-peer.ts";
import type { WhepMedium } from "./whep-medium.ts";

/** A session whose DTLS does not connect in this time is closed, ms. */
export const CONNECT_LIMIT_MS = 15_000;
/** How long a viewer whose network is gone can come back to its session, ms. */
const RETURN_LIMIT_MS = 30_000;

export interface WhepSessionOptions {
  readonly broadcast: Broadcast;
  readonly watch: RealtimeWatch;
  readonly peer: SfuPeer;
  readonly media: readonly WhepMedium[];
  /** WebRTC viewers of the stream. */
  readonly viewers: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly iceUfrag: string;
  readonly bundle: readonly string[];
}

const CHANGES: Readonly<Record<RealtimeChange, string>> = {
  ended: "the stream has ended",
  source: "the stream has another source",
  tracks: "the stream has other tracks",
  worker: "the media worker failed",
};

/** Why a session ended, and whether another can be had at once. */
export interface WhepEnd extends CloseReason {
  readonly comeAgain: boolean;
}

/** One viewer by WHEP from its offer to its end. */
export class WhepSession implements Disposable {
  /** Unguessable: whoever knows it may end the session. */
  readonly id = randomBytes(18).toString("base64url");
  readonly events = new Emitter<{
    connected: undefined;
    /** For the viewer, as it happens. */
    told: WhepEvent;
    closed: { readonly reason: WhepEnd };
  }>();
  readonly ice: IceExchange;
  readonly #options: WhepSessionOptions;
  readonly #logger: Logger;
  readonly #subscriptions = new DisposableStack();
  #limit: Disposable | undefined;
  #connected = false;
  #paused = false;
  #closed = false;

  constructor(options: WhepSessionOptions) {
    const { peer, broadcast, watch, media, clock } = options;
    this.#options = options;
    this.#logger = options.logger.child({ session: this.id.slice(0, 8) });
    const [first] = media;
    this.ice = new IceExchange({
      peer,
      ufrag: options.iceUfrag,
      bundle: options.bundle,
      section: {
        kind: first?.track.section.kind ?? "video",
        mid: first?.track.section.mid,
        payloadType: first?.track.codec.payloadType ?? 0,
      },
    });
    this.#limit = clock.after(CONNECT_LIMIT_MS, () =>
      this.#end({ by: "self", message: "the viewer did not connect", comeAgain: false }),
    );
    this.#subscriptions.use(
      peer.events.on("state", ({ state, end }) => {
        if (state === "connected") this.#onConnected();
        else if (state === "disconnected") this.#onLost();
        else if (state === "closed") this.#onPeerClosed(end ?? "owner");
      }),
    );
    this.#subscriptions.use(
      broadcast.stream.events.on("state", ({ state }) => {
        if (state === "interrupted") this.#tell({ type: "inactive", data: {} });
        else if (state === "live") this.#tell({ type: "active", data: {} });
      }),
    );
    for (const medium of media) {
      this.#subscriptions.use(medium.events.on("layers", () => void this.#tellLayers(medium)));
    }
    watch.onChanged((change) => this.#onChanged(change));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether its viewer is there: connected, and not yet gone. */
  get watching(): boolean {
    return this.#connected && !this.#closed;
  }

  get streamId(): string {
    return this.#options.broadcast.stream.id;
  }

  async state(): Promise<WhepState> {
    const { broadcast, media, viewers } = this.#options;
    const { stream } = broadcast;
    const [available, ...all] = await Promise.all([this.#availableBitrate(), ...media.map((medium) => medium.state())]);
    return {
      channel: stream.channel,
      stream_id: stream.id,
      state: this.#connected ? (stream.contribution === undefined ? "inactive" : "active") : "connecting",
      paused: this.#paused,
      viewers: viewers(),
      available_bitrate: available,
      media: all,
    };
  }

  /** @throws {KliegError} `bad_request` where there is no such medium or layer. */
  async pin(request: PinLayer): Promise<void> {
    const { media } = this.#options;
    const medium =
      request.media_id === undefined
        ? media.find(({ kind }) => kind === "video")
        : media.find(({ mediaId }) => mediaId === request.media_id);
    if (medium === undefined) throw new KliegError("bad_request", "This session has no such media section.");
    await medium.pin(request);
  }

  async pause(): Promise<void> {
    this.#paused = true;
    if (this.#connected) await Promise.all(this.#options.media.map((medium) => medium.pause()));
  }

  async resume(): Promise<void> {
    this.#paused = false;
    if (this.#connected) await Promise.all(this.#options.media.map((medium) => medium.resume()));
  }

  /** How many watch has changed. */
  tellViewers(count: number): void {
    this.#tell({ type: "viewers", data: { count } });
  }

  /** Idempotent. */
  end(reason: CloseReason): void {
    this.#end({ ...reason, comeAgain: false });
  }

  [Symbol.dispose](): void {
    this.end({ by: "owner", message: "closed" });
  }

  #onConnected(): void {
    this.#limit?.[Symbol.dispose]();
    this.#limit = undefined;
    if (this.#connected) return;
    this.#connected = true;
    this.events.emit("connected", undefined);
    if (this.#paused) return;
    // Nothing was sent before somebody was there to decrypt it; a keyframe comes first.
    this.resume().catch((error: unknown) => {
      if (!this.#closed) this.#logger.error({ err: error }, "a viewer cannot be sent anything");
    });
  }

  /** Where it is not this session that closes it, its stage has gone: the source, and perhaps the stream with it. */
  #onPeerClosed(end: SfuPeerEnd): void {
    if (end !== "owner") {
      this.#end(endOf(end));
      return;
    }
    // A stream that ends lets go of its source first.
    queueMicrotask(() => {
      const comeAgain = this.#options.broadcast.stream.state !== "ended";
      this.#end({ by: "self", message: comeAgain ? "the source has gone" : CHANGES.ended, comeAgain });
    });
  }

  #onLost(): void {
    this.#limit?.[Symbol.dispose]();
    this.#limit = this.#options.clock.after(RETURN_LIMIT_MS, () =>
      this.#end({ by: "peer", message: "the viewer's network is gone", comeAgain: false }),
    );
  }

  #onChanged(change: RealtimeChange): void {
    const message = CHANGES[change];
    this.#end({ by: "self", message, comeAgain: change !== "ended" });
  }

  #end(reason: WhepEnd): void {
    if (this.#closed) return;
    this.#tell(
      reason.comeAgain
        ? { type: "reconnect", data: { reason: reason.message } }
        : { type: "ended", data: { reason: reason.message } },
    );
    this.#closed = true;
    this.#limit?.[Symbol.dispose]();
    this.#subscriptions.dispose();
    for (const medium of this.#options.media) medium[Symbol.dispose]();
    this.#options.watch.release();
    this.#options.peer.close();
    this.#logger.info({ by: reason.by, reason: reason.message }, "WHEP session closed");
    this.events.emit("closed", { reason });
  }

  #tell(event: WhepEvent): void {
    if (!this.#closed) this.events.emit("told", event);
  }

  async #tellLayers(medium: WhepMedium): Promise<void> {
    const state: WhepMedia = await medium.state();
    this.#tell({ type: "layers", data: state });
  }

  async #availableBitrate(): Promise<number | null> {
    try {
      const [stats] = await this.#options.peer.transport.getStats();
      return stats?.availableOutgoingBitrate ?? null;
    } catch {
      // Closed in the meantime.
      return null;
    }
  }
}

function endOf(end: Exclude<SfuPeerEnd, "owner">): WhepEnd {
  switch (end) {
    case "worker":
      return { by: "self", message: "the media worker failed", comeAgain: true };
    case "ice":
      return { by: "peer", message: "the viewer's network is gone", comeAgain: false };
    case "dtls":
      return { by: "peer", message: "the viewer has gone", comeAgain: false };
  }
}
