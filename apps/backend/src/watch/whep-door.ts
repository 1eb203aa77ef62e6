import { CLOSED_BY_OWNER, type Clock, type Closable, type CloseReason } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { Channels } from "../channels/channels.ts";
import type { Broadcast } from "../live/broadcast.ts";
import type { LiveStreams } from "../live/live-streams.ts";
import type { RealtimeWatch } from "../live/realtime-view.ts";
import type { Logger } from "../ports/logger.ts";
import { ClosedSessions } from "../sfu/closed-sessions.ts";
import { type HalfOpenLimits, HalfOpenPeers } from "../sfu/half-open-peers.ts";
import { type AnswerSection, writeAnswer } from "../sfu/sdp/answer.ts";
import { type Offer, parseOffer } from "../sfu/sdp/offer.ts";
import { acceptPlayback, canPlay, type Playback, type PlayedTrack } from "../sfu/sdp/playback.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { SfuPeer } from "../sfu/sfu-peer.ts";
import { ProducerRates } from "./producer-rates.ts";
import { WhepMedium } from "./whep-medium.ts";
import { WhepSession } from "./whep-session.ts";

export interface WhepDoorOptions {
  readonly channels: Channels;
  readonly live: LiveStreams;
  readonly sfu: Sfu;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly halfOpen?: HalfOpenLimits;
}

/** Viewers come in crowds, and many from behind one address. */
const DEFAULT_HALF_OPEN: HalfOpenLimits = { total: 1000, perAddress: 200 };
const ICE_CONSENT_TIMEOUT_S = 10;
/** Viewers are told how many they are at most this often, ms. */
const TELL_VIEWERS_EVERY_MS = 1000;
/** Stream id in answers: tracks with the same one play in sync (RFC 8830). */
const STREAM_ID = "klieg";

export interface WhepRequest {
  readonly channel: string;
  /** The session description that is offered. */
  readonly offer: string;
  readonly remoteAddress: string;
  /** Token of the preview that its owner watches. */
  readonly preview?: string | undefined;
}

export interface WhepAnswer {
  readonly session: WhepSession;
  readonly sdp: string;
}

/** Lets viewers watch channels by WHEP (RTC1, draft-ietf-wish-whep). */
export class WhepDoor implements Closable {
  readonly #options: WhepDoorOptions;
  readonly #halfOpen: HalfOpenPeers;
  readonly #sessions = new Map<string, WhepSession>();
  readonly #gone: ClosedSessions;
  /** Connected sessions by stream. */
  readonly #viewers = new Map<string, Set<WhepSession>>();
  readonly #telling = new Map<string, Disposable>();
  readonly #rates: ProducerRates;
  #closed = false;

  constructor(options: WhepDoorOptions) {
    this.#options = options;
    this.#halfOpen = new HalfOpenPeers(options.halfOpen ?? DEFAULT_HALF_OPEN);
    this.#gone = new ClosedSessions(options.clock);
    this.#rates = new ProducerRates(options.clock);
  }

  /** Sessions that have been answered and have not ended. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** WebRTC viewers of a stream. */
  viewersOf(streamId: string): number {
    return this.#viewers.get(streamId)?.size ?? 0;
  }

  /**
   * Takes an offer and answers it.
   * @throws {KliegError} `channel_unknown`, `stream_not_live`, `sdp_invalid`, `media_unsupported`, `rate_limited`,
   *   `overloaded`, `webrtc_unavailable`, `shutting_down`.
   */
  async watch({ channel, offer: text, remoteAddress, preview }: WhepRequest): Promise<WhepAnswer> {
    const { channels, live, sfu, logger } = this.#options;
    if (this.#closed) throw new KliegError("shutting_down", "The server is shutting down; try again soon.");
    if (sfu.unavailable !== undefined) {
      throw new KliegError("webrtc_unavailable", `This server cannot do WebRTC: ${sfu.unavailable}.`);
    }
    const { name } = await channels.get(channel);
    const broadcast = live.ofChannel(name);
    if (broadcast === undefined || !broadcast.audience.admits(preview)) throw notLive();
    using leaving = new DisposableStack();
    leaving.use(this.#halfOpen.enter(remoteAddress));
    const log = logger.child({ protocol: "whep", remote: remoteAddress, channel: name });
    const answer = await this.#open(broadcast, parseOffer(text), log);
    const { session } = answer;
    const halfOpen = leaving.move();
    const hiding = broadcast.audience.events.on("changed", () => {
      if (!broadcast.audience.admits(preview)) session.end({ by: "owner", message: "the stream is no longer public" });
    });
    session.events.on("connected", () => {
      halfOpen.dispose();
      this.#onViewer(session, true);
    });
    session.events.on("closed", ({ reason }) => {
      halfOpen.dispose();
      hiding[Symbol.dispose]();
      this.#sessions.delete(session.id);
      this.#gone.add(session.id, reason);
      this.#onViewer(session, false);
    });
    this.#sessions.set(session.id, session);
    if (!broadcast.audience.admits(preview)) session.end({ by: "owner", message: "the stream is no longer public" });
    if (this.#closed || session.closed) session.end({ by: "owner", message: "server shutdown" });
    return answer;
  }

  /** @throws {KliegError} `not_found`; `gone`, with the reason, for a while after its end. */
  session(id: string): WhepSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw this.#gone.errorOf(id);
    return session;
  }

  async close(reason: CloseReason = CLOSED_BY_OWNER): Promise<void> {
    this.#closed = true;
    for (const session of this.#sessions.values()) session.end(reason);
    for (const telling of this.#telling.values()) telling[Symbol.dispose]();
    this.#telling.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(broadcast: Broadcast, offer: Offer, logger: Logger): Promise<WhepAnswer> {
    using undo = new DisposableStack();
    const watch = undo.use(
      await broadcast.realtime.watch({
        accepts: ({ producers }, id) => {
          const found = producers.get(id);
          return found === undefined || canPlay(offer, found.producer);
        },
      }),
    );
    const { stage } = watch;
    const playback = acceptPlayback(offer, producersOf(watch));
    const peer = undo.use(await stage.addPeer({ iceConsentTimeoutS: ICE_CONSENT_TIMEOUT_S, layout: playback.layout }));
    const media: WhepMedium[] = [];
    for (const track of playback.tracks) {
      const consumer = await consume(peer, track);
      media.push(undo.use(new WhepMedium(track, consumer, { rates: this.#rates, clock: this.#options.clock })));
    }
    const { transport } = peer;
    await transport.connect({ dtlsParameters: playback.transport.dtls });
    const sdp = writeAnswer(offer, answerSections(playback, media), {
      iceParameters: transport.iceParameters,
      iceCandidates: transport.iceCandidates,
      dtlsParameters: transport.dtlsParameters,
      setup: playback.transport.dtls.role === "client" ? "passive" : "active",
    });
    const session = new WhepSession({
      broadcast,
      watch,
      peer,
      media,
      viewers: () => this.viewersOf(broadcast.stream.id),
      clock: this.#options.clock,
      logger,
      iceUfrag: playback.transport.iceUfrag,
      bundle: offer.bundle ?? [],
    });
    undo.move();
    logger.info(
      { codecs: media.map(({ track }) => track.codec.mimeType), session: session.id.slice(0, 8) },
      "WHEP session opened",
    );
    return { session, sdp };
  }

  #onViewer(session: WhepSession, came: boolean): void {
    const { streamId } = session;
    const viewers = this.#viewers.get(streamId) ?? new Set();
    if (came) viewers.add(session);
    else if (!viewers.delete(session)) return;
    if (viewers.size === 0) this.#viewers.delete(streamId);
    else this.#viewers.set(streamId, viewers);
    if (this.#closed || this.#telling.has(streamId)) return;
    this.#telling.set(
      streamId,
      this.#options.clock.after(TELL_VIEWERS_EVERY_MS, () => {
        this.#telling.delete(streamId);
        const all = this.#viewers.get(streamId);
        if (all !== undefined) for (const each of all) each.tellViewers(all.size);
      }),
    );
  }
}

function notLive(): KliegError {
  return new KliegError("stream_not_live", "This channel is not live; try again later.");
}

function producersOf({ stage, video, audio }: RealtimeWatch): types.Producer[] {
  return [video, audio].flatMap((id) => {
    const found = id === undefined ? undefined : stage.producers.get(id);
    return found === undefined ? [] : [found.producer];
  });
}

/** Paused until somebody is there to decrypt it. */
async function consume(peer: SfuPeer, { producer, section, rtpCapabilities }: PlayedTrack): Promise<types.Consumer> {
  const { mid } = section;
  return peer.consume({
    producerId: producer.id,
    rtpCapabilities,
    paused: true,
    // What does not fit the header extension is not sent in it.
    ...(mid === undefined || mid.length > 8 ? {} : { mid }),
  });
}

function answerSections(playback: Playback, media: readonly WhepMedium[]): Map<number, AnswerSection> {
  const sections = new Map<number, AnswerSection>();
  for (const { track, consumer } of media) {
    const { codecs, headerExtensions, encodings, rtcp } = consumer.rtpParameters;
    const [encoding] = encodings ?? [];
    if (encoding?.ssrc === undefined) throw new Error("a consumer without SSRC");
    sections.set(track.section.index, {
      direction: "sendonly",
      codec: track.codec,
      feedback: codecs[0]?.rtcpFeedback ?? [],
      rtx: encoding.rtx !== undefined,
      config: track.codec.config,
      extensions: headerExtensions ?? [],
      stream: {
        id: STREAM_ID,
        track: consumer.kind,
        cname: rtcp?.cname ?? STREAM_ID,
        ssrc: encoding.ssrc,
        rtxSsrc: encoding.rtx?.ssrc,
      },
    });
  }
  for (const { section, codec } of playback.idle) {
    sections.set(section.index, {
      direction: "inactive",
      codec,
      feedback: [],
      rtx: false,
      config: codec.config,
      extensions: [],
    });
  }
  return sections;
}
