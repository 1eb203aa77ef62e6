import type { Clock, Closable, CloseReason } from "@klieg/base";
import { CLOSED_BY_OWNER } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { Admission, Channels } from "../../channels/channels.ts";
import type { LiveStreams } from "../../live/live-streams.ts";
import type { Logger } from "../../ports/logger.ts";
import { ClosedSessions } from "../../sfu/closed-sessions.ts";
import { HalfOpenPeers } from "../../sfu/half-open-peers.ts";
import { ROUTER_CODECS } from "../../sfu/router-codecs.ts";
import { type AnswerSection, writeAnswer } from "../../sfu/sdp/answer.ts";
import { type Offer, parseOffer } from "../../sfu/sdp/offer.ts";
import { acceptPublication, type PublishedTrack } from "../../sfu/sdp/publication.ts";
import type { Sfu } from "../../sfu/sfu.ts";
import type { SfuPeer } from "../../sfu/sfu-peer.ts";
import { logRefusal } from "../refusal-log.ts";
import { encoderNameOf } from "./encoder-name.ts";
import { WhipSession } from "./whip-session.ts";

export interface WhipIngestOptions {
  readonly channels: Channels;
  readonly live: LiveStreams;
  readonly sfu: Sfu;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<WhipLimits>;
}

export interface WhipLimits {
  /** Sessions that have been answered but not connected, in all, per address and per stream key. */
  readonly halfOpen: number;
  readonly halfOpenPerAddress: number;
  readonly halfOpenPerKey: number;
}

const DEFAULT_LIMITS: WhipLimits = { halfOpen: 128, halfOpenPerAddress: 16, halfOpenPerKey: 4 };

/** mediasoup's least: what the peer's silence tells comes earlier ({@link WhipSession}). */
const ICE_CONSENT_TIMEOUT_S = 10;
/** Viewers who join at once need one keyframe between them, ms. */
const KEYFRAME_REQUEST_DELAY_MS = 500;

export interface WhipRequest {
  /** Text of the stream key. */
  readonly key: string;
  /** The session description that is offered. */
  readonly offer: string;
  readonly remoteAddress: string;
  readonly userAgent: string | undefined;
  /** What the publisher says of its layers; see {@link SCALABILITY_MODE}. */
  readonly scalabilityMode?: string | undefined;
}

export interface WhipAnswer {
  readonly session: WhipSession;
  readonly sdp: string;
}

/**
 * Takes publishers in by WHIP (ING3, RFC 9725): the bearer token is the stream key; what is sent goes to WebRTC viewers
 * as it is, and as access units into the channel's stream.
 */
export class WhipIngest implements Closable {
  readonly #options: WhipIngestOptions;
  readonly #limits: WhipLimits;
  readonly #halfOpen: HalfOpenPeers;
  readonly #halfOpenByKey = new Map<string, number>();
  readonly #sessions = new Map<string, WhipSession>();
  readonly #gone: ClosedSessions;
  #closed = false;

  constructor(options: WhipIngestOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#halfOpen = new HalfOpenPeers({
      total: this.#limits.halfOpen,
      perAddress: this.#limits.halfOpenPerAddress,
    });
    this.#gone = new ClosedSessions(options.clock);
  }

  /** Sessions that have been answered and have not ended. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /**
   * Takes an offer and answers it. Nothing is published before the peer has connected.
   * @throws {KliegError} `stream_key_…`, `sdp_invalid`, `codec_not_allowed`, `rate_limited`, `overloaded`,
   *   `webrtc_unavailable`, `shutting_down`.
   */
  async publish(request: WhipRequest): Promise<WhipAnswer> {
    const { channels, logger } = this.#options;
    const log = logger.child({ protocol: "whip", remote: request.remoteAddress });
    try {
      const admission = await channels.admit(request.key);
      if (this.#closed) throw new KliegError("shutting_down", "The server is shutting down; try again soon.");
      using leaving = new DisposableStack();
      leaving.use(this.#halfOpen.enter(request.remoteAddress));
      leaving.use(this.#enterByKey(admission.keyId));
      const answer = await this.#open(request, admission, log);
      const { session } = answer;
      const halfOpen = leaving.move();
      session.events.on("connected", () => halfOpen.dispose());
      session.events.on("closed", ({ reason }) => {
        halfOpen.dispose();
        this.#sessions.delete(session.id);
        this.#gone.add(session.id, reason);
      });
      this.#sessions.set(session.id, session);
      if (this.#closed) session.end({ by: "owner", message: "server shutdown" });
      return answer;
    } catch (error) {
      logRefusal(log, error);
      throw error;
    }
  }

  /** @throws {KliegError} `not_found`; `gone`, with the reason, for a while after its end. */
  session(id: string): WhipSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw this.#gone.errorOf(id);
    return session;
  }

  async close(reason: CloseReason = CLOSED_BY_OWNER): Promise<void> {
    this.#closed = true;
    for (const session of this.#sessions.values()) session.end(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(request: WhipRequest, admission: Admission, log: Logger): Promise<WhipAnswer> {
    const { sfu, live, clock } = this.#options;
    const { profile, name } = admission.channel;
    const offer = parseOffer(request.offer);
    const publication = acceptPublication(offer, {
      videoCodecs: new Set(profile.video_codecs),
      audioCodecs: new Set(profile.audio_codecs),
      routerCodecs: ROUTER_CODECS,
      ...(request.scalabilityMode === undefined ? {} : { scalabilityMode: request.scalabilityMode }),
    });
    using undo = new DisposableStack();
    const stage = undo.use(sfu.openStage(`whip ${name}`));
    const peer = await stage.addPeer({ iceConsentTimeoutS: ICE_CONSENT_TIMEOUT_S });
    const tracks: { track: PublishedTrack; producerId: string }[] = [];
    for (const track of [publication.video, publication.audio]) {
      if (track !== undefined) tracks.push({ track, producerId: (await produce(peer, track)).id });
    }
    const { transport } = peer;
    await transport.connect({ dtlsParameters: publication.transport.dtls });
    const sdp = writeAnswer(offer, answerSections(tracks), {
      iceParameters: transport.iceParameters,
      iceCandidates: transport.iceCandidates,
      dtlsParameters: transport.dtlsParameters,
      setup: publication.transport.dtls.role === "client" ? "passive" : "active",
    });
    const session = new WhipSession({
      stage,
      peer,
      admission,
      live,
      clock,
      logger: log,
      encoder: encoderNameOf(request.userAgent),
      remoteAddress: request.remoteAddress,
      iceUfrag: publication.transport.iceUfrag,
      bundle: bundleOf(offer, tracks),
      tracks,
    });
    undo.move();
    log.info(
      { channel: name, codecs: tracks.map(({ track }) => track.codec.mimeType), session: session.id.slice(0, 8) },
      "WHIP session opened",
    );
    return { session, sdp };
  }

  #enterByKey(keyId: string): Disposable {
    const open = this.#halfOpenByKey.get(keyId) ?? 0;
    if (open >= this.#limits.halfOpenPerKey) {
      throw new KliegError(
        "rate_limited",
        "Too many encoders are connecting with this stream key; try again in a moment.",
      );
    }
    this.#halfOpenByKey.set(keyId, open + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#halfOpenByKey.get(keyId) ?? 0) - 1;
        if (left > 0) this.#halfOpenByKey.set(keyId, left);
        else this.#halfOpenByKey.delete(keyId);
      },
    };
  }
}

/** @throws {KliegError} `sdp_invalid` where mediasoup does not take what the offer says. */
async function produce(peer: SfuPeer, { section, rtpParameters }: PublishedTrack): Promise<types.Producer> {
  try {
    return await peer.produce({
      kind: section.kind === "video" ? "video" : "audio",
      rtpParameters,
      keyFrameRequestDelay: KEYFRAME_REQUEST_DELAY_MS,
    });
  } catch (error) {
    if (error instanceof KliegError || peer.state === "closed") throw error;
    throw new KliegError(
      "sdp_invalid",
      `The session description cannot be taken: its ${section.kind} section describes streams that do not fit together.`,
      { cause: error },
    );
  }
}

function answerSections(tracks: readonly { track: PublishedTrack }[]): Map<number, AnswerSection> {
  return new Map(
    tracks.map(({ track: { section, codec, rtpParameters, rids } }) => [
      section.index,
      {
        direction: "recvonly",
        codec,
        feedback: rtpParameters.codecs[0]?.rtcpFeedback ?? [],
        rtx: codec.rtx !== undefined,
        config: section.kind === "video" ? withStartBitrate(codec.config) : codec.config,
        extensions: rtpParameters.headerExtensions ?? [],
        rids: rids.map(({ id }) => id),
      },
    ]),
  );
}

/**
 * Browsers based on libwebrtc begin with 300 kb/s and a picture to match, and take a quarter of a minute to find what
 * their network carries, step by step. Told to, they begin with this and find their way down where it is too much.
 */
const START_BITRATE_KBPS = 1500;

function withStartBitrate(config: string | undefined): string {
  return `${config === undefined ? "" : `${config};`}x-google-start-bitrate=${START_BITRATE_KBPS}`;
}

function bundleOf({ bundle }: Offer, tracks: readonly { track: PublishedTrack }[]): string[] {
  return tracks.flatMap(({ track: { section } }) =>
    section.mid !== undefined && bundle?.includes(section.mid) === true ? [section.mid] : [],
  );
}
