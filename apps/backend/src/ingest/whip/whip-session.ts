import { randomBytes } from "node:crypto";
import { type Clock, type CloseReason, Emitter } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import type { Admission } from "../../channels/channels.ts";
import type { LiveStreams } from "../../live/live-streams.ts";
import type { Logger } from "../../ports/logger.ts";
import { IceExchange } from "../../sfu/ice-exchange.ts";
import type { PublishedTrack } from "../../sfu/sdp/publication.ts";
import type { SfuPeer, SfuPeerEnd } from "../../sfu/sfu-peer.ts";
import type { SfuStage } from "../../sfu/sfu-stage.ts";
import type { Contribution } from "../../stream/contribution.ts";
import { logRefusal } from "../refusal-log.ts";
import { startWhipContribution } from "./whip-contribution.ts";
import { WhipLink } from "./whip-link.ts";

/** A session whose DTLS does not connect in this time is closed, ms. */
export const CONNECT_LIMIT_MS = 15_000;
/** A peer of which nothing came for so long counts as gone, ms: mediasoup itself notices after 10 s at the earliest. */
const LOST_AFTER_MS = 6000;
/** How long a lost peer can come back to its session, by an ICE restart or by itself, ms. */
const RETURN_LIMIT_MS = 30_000;

/** `connecting` until DTLS is up; `publishing` while it is its channel's source; `lost` while nothing comes from the peer. */
export type WhipSessionState = "connecting" | "publishing" | "lost" | "closed";

export interface WhipSessionOptions {
  readonly stage: SfuStage;
  readonly peer: SfuPeer;
  readonly admission: Admission;
  readonly live: LiveStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly encoder: string | undefined;
  readonly remoteAddress: string;
  readonly iceUfrag: string;
  readonly bundle: readonly string[];
  readonly tracks: readonly { readonly track: PublishedTrack; readonly producerId: string }[];
}

/**
 * One publisher by WHIP (RFC 9725) from its offer to its end: it has a stage of its own, becomes its channel's source
 * when it has connected, and stops being it while its network is gone.
 */
export class WhipSession implements Disposable {
  /** Unguessable: whoever knows it may end the session. */
  readonly id = randomBytes(18).toString("base64url");
  readonly events = new Emitter<{ connected: undefined; closed: { readonly reason: CloseReason } }>();
  readonly ice: IceExchange;
  readonly #options: WhipSessionOptions;
  readonly #logger: Logger;
  readonly #link: WhipLink;
  readonly #subscriptions = new DisposableStack();
  #state: WhipSessionState = "connecting";
  #contribution: Contribution | undefined;
  /** What makes access units of what the peer sends. */
  #bridge: Disposable | undefined;
  #limit: Disposable | undefined;

  constructor(options: WhipSessionOptions) {
    const { peer, clock, tracks } = options;
    this.#options = options;
    this.#logger = options.logger.child({ session: this.id.slice(0, 8) });
    const [first] = tracks;
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
    this.#link = new WhipLink({
      peer,
      producers: tracks.map(({ producerId }) => producerId),
      stage: options.stage,
      clock,
      onQuiet: (quietMs) => {
        if (quietMs >= LOST_AFTER_MS) this.#lose("nothing came from the encoder any more");
      },
      onHeard: () => this.#find(),
    });
    this.#limit = clock.after(CONNECT_LIMIT_MS, () =>
      this.end({
        by: "self",
        message: "the encoder did not connect",
        error: new KliegError("timeout", "The connection was not established in time."),
      }),
    );
    this.#subscriptions.use(
      peer.events.on("state", ({ state, end }) => {
        if (state === "connected") this.#onConnected();
        else if (state === "disconnected") this.#lose("the encoder's network is gone");
        else if (state === "closed") this.end(reasonOf(end ?? "owner"));
      }),
    );
  }

  get state(): WhipSessionState {
    return this.#state;
  }

  get keyId(): string {
    return this.#options.admission.keyId;
  }

  /** Idempotent; the first reason wins. */
  end(reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#limit?.[Symbol.dispose]();
    this.#subscriptions.dispose();
    this.#link[Symbol.dispose]();
    this.#stopContributing(reason);
    this.#options.stage.close();
    this.#logger.info({ by: reason.by, reason: reason.message }, "WHIP session closed");
    this.events.emit("closed", { reason });
  }

  [Symbol.dispose](): void {
    this.end({ by: "owner", message: "closed" });
  }

  #onConnected(): void {
    if (this.#state === "connecting") this.events.emit("connected", undefined);
    this.#link.start();
    this.#contribute();
  }

  #contribute(): void {
    if (this.#state === "publishing" || this.#state === "closed") return;
    const { admission, live, stage, tracks, clock } = this.#options;
    const producer = (kind: string) => tracks.find(({ track }) => track.section.kind === kind)?.producerId;
    const [video, audio] = [producer("video"), producer("audio")];
    this.#limit?.[Symbol.dispose]();
    this.#limit = undefined;
    this.#state = "publishing";
    try {
      const contribution = live.contribute(admission, {
        protocol: "whip",
        encoder: this.#options.encoder,
        remoteAddress: this.#options.remoteAddress,
        keyId: admission.keyId,
        realtime: { stage, video, audio },
        linkStatistics: () => this.#link.statistics,
        refuse: (error) => {
          this.#logger.info({ code: error.code, reason: error.message }, "publisher put off");
          this.end({ by: "owner", message: error.message, error });
        },
      });
      this.#contribution = contribution;
      this.#bridge = startWhipContribution({ stage, video, audio, contribution, clock, logger: this.#logger });
    } catch (error) {
      logRefusal(this.#logger, error);
      const refusal = KliegError.from(error);
      this.end({ by: "owner", message: refusal.message, error: refusal });
    }
  }

  /** The peer is silent: the stream goes on without it, and it may come back. */
  #lose(message: string): void {
    if (this.#state !== "publishing") return;
    this.#state = "lost";
    this.#logger.info({ reason: message }, "publisher lost");
    this.#stopContributing({ by: "peer", message });
    this.#limit = this.#options.clock.after(RETURN_LIMIT_MS, () => this.end({ by: "peer", message }));
  }

  #find(): void {
    if (this.#state === "lost" && this.#options.peer.state === "connected") this.#contribute();
  }

  #stopContributing(reason: CloseReason): void {
    this.#bridge?.[Symbol.dispose]();
    this.#bridge = undefined;
    const contribution = this.#contribution;
    this.#contribution = undefined;
    contribution?.close(reason);
  }
}

function reasonOf(end: SfuPeerEnd): CloseReason {
  switch (end) {
    case "owner":
      return { by: "owner", message: "closed" };
    case "worker": {
      const message = "The media worker of this server failed; connect again.";
      return { by: "self", message, error: new KliegError("webrtc_unavailable", message) };
    }
    case "ice":
      return { by: "peer", message: "the encoder's network is gone" };
    case "dtls":
      return { by: "peer", message: "the encoder has closed its connection" };
  }
}
