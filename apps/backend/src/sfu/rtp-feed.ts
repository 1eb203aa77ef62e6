import { randomInt } from "node:crypto";
import { type AccessUnit, MediaError, RtpPacketizer } from "@klieg/media";
import type { types } from "mediasoup";
import type { SfuFeed } from "./sfu-feed.ts";
import type { SfuStage } from "./sfu-stage.ts";

export interface RtpFeedOptions {
  /** Video is H.264 without B-frames, audio Opus. */
  readonly kind: types.MediaKind;
  /** The same for all feeds whose media belong together. */
  readonly cname: string;
}

const PAYLOAD_TYPES = { video: 102, audio: 111 } as const;

/**
 * Constrained baseline of level 3.1, which every browser offers (RFC 7742 § 6.2), whatever is sent. mediasoup would
 * otherwise not send High profile to a browser that does not name it, although all decode it: decoders go by the
 * parameter sets in the stream. See docs/adr.
 */
const PROFILE_LEVEL_ID = "42e01f";

const CODECS: Record<types.MediaKind, types.RtpCodecParameters> = {
  video: {
    mimeType: "video/H264",
    payloadType: PAYLOAD_TYPES.video,
    clockRate: 90_000,
    parameters: {
      "packetization-mode": 1,
      "profile-level-id": PROFILE_LEVEL_ID,
      "level-asymmetry-allowed": 1,
    },
    rtcpFeedback: [{ type: "nack", parameter: "pli" }],
  },
  audio: {
    mimeType: "audio/opus",
    payloadType: PAYLOAD_TYPES.audio,
    clockRate: 48_000,
    channels: 2,
    parameters: { "sprop-stereo": 1, usedtx: 0 },
    rtcpFeedback: [],
  },
};

/** One track's access units on their way to WebRTC viewers: a producer of a stage, and the packets that it is sent. */
export class RtpFeed implements Disposable {
  readonly #feed: SfuFeed;
  readonly #packetizer: RtpPacketizer;
  readonly #send: (packet: Buffer) => void;
  #malformed = 0;

  private constructor(feed: SfuFeed, packetizer: RtpPacketizer) {
    this.#feed = feed;
    this.#packetizer = packetizer;
    this.#send = (packet) => feed.send(packet);
  }

  /** @throws {KliegError} `webrtc_unavailable`, `gone`, as {@link SfuStage.addFeed}. */
  static async open(stage: SfuStage, options: RtpFeedOptions): Promise<RtpFeed> {
    const { kind, cname } = options;
    const ssrc = randomInt(1, 2 ** 32 - 1);
    const feed = await stage.addFeed(kind, {
      codecs: [CODECS[kind]],
      headerExtensions: [],
      encodings: [{ ssrc }],
      rtcp: { cname, reducedSize: true },
    });
    const codec = kind === "video" ? "h264" : "opus";
    return new RtpFeed(feed, new RtpPacketizer({ codec, payloadType: PAYLOAD_TYPES[kind], ssrc, cname }));
  }

  /** The producer's id on its stage. */
  get id(): string {
    return this.#feed.producer.id;
  }

  get closed(): boolean {
    return this.#feed.closed;
  }

  get events(): SfuFeed["events"] {
    return this.#feed.events;
  }

  /** Access units that could not be sent because they were malformed. */
  get malformed(): number {
    return this.#malformed;
  }

  /** @param unit of H.264 or Opus; its `pts` is its place on the stream's timeline. */
  send(unit: AccessUnit): void {
    try {
      this.#packetizer.push(unit, this.#send);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#malformed += 1;
    }
  }

  /**
   * Tells how the stream's timeline lies to the wall clock: by this alone do viewers know which picture belongs to which
   * sound.
   * @param wallMs Unix time, ms.
   * @param ticks where the stream's timeline is at that moment, 90 kHz.
   */
  report(wallMs: number, ticks: number): void {
    if (this.#packetizer.packets > 0) this.#feed.sendRtcp(this.#packetizer.senderReport(wallMs, ticks));
  }

  /** Idempotent. */
  close(): void {
    this.#feed.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
