import type { Clock } from "@klieg/base";
import {
  type AccessUnit,
  MediaError,
  type MediaSink,
  type MediaWarning,
  RtpDemuxer,
  type RtpStream,
  type Track,
} from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { Logger } from "../../ports/logger.ts";
import type { SfuStage } from "../../sfu/sfu-stage.ts";
import type { SfuTap } from "../../sfu/sfu-tap.ts";
import type { Contribution } from "../../stream/contribution.ts";
import { KeyframeRhythm } from "./keyframe-rhythm.ts";
import { SettlingPicture } from "./settling-picture.ts";

export interface WhipContributionOptions {
  /** The publication's stage and what it sends. */
  readonly stage: SfuStage;
  readonly video: string | undefined;
  readonly audio: string | undefined;
  /** What the access units go into. Whoever opened it closes it. */
  readonly contribution: Contribution;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From one keyframe to the request for the next: about as long as segments are. Default 2000. */
  readonly keyframeIntervalMs?: number;
}

const KEYFRAME_INTERVAL_MS = 2000;
/** Segments are cut at the first keyframe after their time: the next one should not come a little early. */
const KEYFRAME_MARGIN_MS = 20;
const TICK_MS = 25;
const REVIEW_EVERY_MS = 1000;
/** A warning of what has not happened again for so long is taken back, ms. */
const WARNING_HOLDS_MS = 30_000;

/**
 * Makes access units of what a WebRTC publisher sends (RTC3), until it is disposed: its RTP is tapped, of a simulcast
 * sender its best layer, put in order and taken apart, and a keyframe asked for wherever a segment is to begin.
 * A codec that cannot be taken in puts the publisher off, with `codec_not_allowed`.
 */
export function startWhipContribution(options: WhipContributionOptions): Disposable {
  return new WhipContribution(options);
}

class WhipContribution implements MediaSink, Disposable {
  readonly #options: WhipContributionOptions;
  readonly #demuxer: RtpDemuxer;
  readonly #picture: SettlingPicture;
  readonly #rhythm: KeyframeRhythm;
  readonly #taps = new Set<SfuTap>();
  readonly #tick: Disposable;
  /** By code: how often it had come up when it was last looked at, when that last changed, and what it says. */
  readonly #warnings = new Map<string, { count: number; changedAt: number; message: string }>();
  #videoTap: SfuTap | undefined;
  #reviewedAt: number;
  #disposed = false;

  constructor(options: WhipContributionOptions) {
    this.#options = options;
    const { clock, contribution, keyframeIntervalMs = KEYFRAME_INTERVAL_MS } = options;
    this.#rhythm = new KeyframeRhythm(clock, keyframeIntervalMs - KEYFRAME_MARGIN_MS, () => this.#requestKeyframe());
    this.#picture = new SettlingPicture({
      sink: contribution,
      clock,
      hasVideo: options.video !== undefined,
      requestKeyframe: () => this.#rhythm.askNow(),
    });
    this.#demuxer = new RtpDemuxer(this);
    this.#reviewedAt = clock.now();
    this.#tick = clock.every(TICK_MS, () => this.#onTick());
    for (const [kind, id] of [
      ["video", options.video],
      ["audio", options.audio],
    ] as const) {
      if (id !== undefined) this.#tap(kind, id).catch((error: unknown) => this.#onTapFailed(error));
    }
  }

  onTrack(track: Track): void {
    this.#picture.onTrack(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    if (unit.track.kind === "video") this.#rhythm.onFrame(unit.keyframe);
    this.#picture.onAccessUnit(unit);
  }

  onWarning({ code, message }: MediaWarning): void {
    // A simulcast sender reports on each of its layers, and only one of them is tapped.
    if (code === "sender_report_implausible") return;
    const known = this.#warnings.get(code);
    if (known === undefined) this.#warnings.set(code, { count: 0, changedAt: 0, message });
    else known.message = message;
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#tick[Symbol.dispose]();
    for (const tap of this.#taps) tap.close();
    this.#taps.clear();
    this.#demuxer.close();
  }

  async #tap(kind: "audio" | "video", producerId: string): Promise<void> {
    const { stage, clock } = this.#options;
    let stream: RtpStream | undefined;
    const tap = await stage.addTap(producerId, {
      onRtp: (packet) => stream?.push(packet, clock.now()),
      onSenderReport: (report) => stream?.onSenderReport(report),
      // The producer goes with its peer, of whose end the session learns.
      onClosed: () => undefined,
    });
    if (this.#disposed) {
      tap.close();
      return;
    }
    this.#taps.add(tap);
    const { codecs, encodings } = tap.rtpParameters;
    const [codec] = codecs;
    const ssrc = encodings?.[0]?.ssrc;
    if (codec === undefined || ssrc === undefined) throw new Error("a tap without codec");
    const { mimeType, clockRate, channels, parameters, payloadType } = codec;
    stream = this.#demuxer.addStream({
      id: 0,
      kind,
      codec: { mimeType, clockRate, channels, parameters },
      payloadType,
      ssrc,
    });
    if (kind === "audio") return;
    this.#videoTap = tap;
    stream.onKeyframeNeeded = () => this.#rhythm.askNow();
  }

  #onTapFailed(error: unknown): void {
    if (this.#disposed) return;
    const { contribution, logger } = this.#options;
    if (error instanceof MediaError) {
      const message = `This server cannot take ${error.message} in by WebRTC.`;
      contribution.refuse(new KliegError("codec_not_allowed", message, { cause: error }));
      return;
    }
    // The publication ended in this moment: its session says so.
    if (this.#options.stage.closed) return;
    logger.error({ err: error }, "a WebRTC publication cannot be tapped");
    contribution.refuse(KliegError.from(error));
  }

  #requestKeyframe(): void {
    // It fails only where the tap has gone, and with it whoever could answer.
    this.#videoTap?.requestKeyframe().catch(() => undefined);
  }

  #onTick(): void {
    const now = this.#options.clock.now();
    this.#demuxer.tick(now);
    this.#rhythm.tick();
    if (now - this.#reviewedAt < REVIEW_EVERY_MS) return;
    this.#reviewedAt = now;
    this.#reviewWarnings(now);
  }

  /** What goes wrong on a network is over soon, and should not be held against the stream for ever. */
  #reviewWarnings(now: number): void {
    const { guard } = this.#options.contribution;
    for (const [code, count] of this.#demuxer.warningCounts) {
      const known = this.#warnings.get(code);
      if (known === undefined) continue;
      if (count !== known.count) {
        known.count = count;
        known.changedAt = now;
        guard.warn(code, known.message);
      } else if (now - known.changedAt > WARNING_HOLDS_MS) guard.clear(code);
    }
  }
}
