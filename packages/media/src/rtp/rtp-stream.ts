import type { AudioTrack, MediaSink, Track, VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import type { Depacketizer, DepacketizerSink } from "./depacketizer.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { RtpPacket } from "./rtp-packet.ts";
import type { RtpWarningCode, RtpWarnings } from "./rtp-warning.ts";
import type { SenderReportTime, StreamClock } from "./sender-clock.ts";

/** What a stream counted so far. */
export interface RtpStreamStatistics {
  /** Packets of this stream, and their bytes with headers. */
  readonly packets: number;
  readonly bytes: number;
  /** Packets that were no RTP packets, or of another source or payload type. */
  readonly unusable: number;
  /** Packets missing for good. */
  readonly lost: number;
  /** Packets that came after they were given up. */
  readonly late: number;
  readonly duplicates: number;
  /** Packets that came after their successors and in time: retransmitted, mostly. */
  readonly reordered: number;
  readonly accessUnits: number;
  readonly keyframes: number;
  readonly droppedAccessUnits: number;
  /** Times that a keyframe was asked for. */
  readonly keyframeRequests: number;
}

export interface RtpStreamParts {
  readonly payloadType: number;
  readonly ssrc: number | undefined;
  readonly clock: StreamClock;
  readonly warnings: RtpWarnings;
  readonly sink: MediaSink;
  readonly holdMs: number;
  readonly maxHeldPackets: number;
  readonly makeDepacketizer: (sink: DepacketizerSink) => Depacketizer;
  readonly onClosed: () => void;
}

/** A keyframe that was asked for and has not come is asked for again after so long. */
const REQUEST_AGAIN_MS = 500;
/** Keyframes are asked for at most so often: one is under way already. */
const REQUEST_APART_MS = 300;
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/** One RTP stream that comes in: from packets in the order of arrival to access units on the sender's timeline. */
export class RtpStream implements Disposable {
  /**
   * Called where nothing can be decoded before a keyframe comes: at the beginning, after a loss. Again each half second for as long
   * as none has come.
   */
  onKeyframeNeeded: (() => void) | undefined;
  readonly #parts: RtpStreamParts;
  readonly #packet = new RtpPacket();
  readonly #reorder: ReorderBuffer;
  readonly #depacketizer: Depacketizer;
  #ssrc: number | undefined;
  #track: Track | undefined;
  #nowMs = 0;
  #owesDiscontinuity = false;
  #awaitsKeyframe = false;
  #requestedMs: number | undefined;
  #packets = 0;
  #bytes = 0;
  #unusable = 0;
  #accessUnits = 0;
  #keyframes = 0;
  #droppedAccessUnits = 0;
  #keyframeRequests = 0;
  #closed = false;

  constructor(parts: RtpStreamParts) {
    this.#parts = parts;
    this.#ssrc = parts.ssrc;
    this.#depacketizer = parts.makeDepacketizer({
      onTrack: (track) => this.#onTrack(track),
      onFrame: (timestamp, keyframe, data) => this.#onFrame(timestamp, keyframe, data),
      onDropped: (code, message) => this.#onDropped(code, message),
      onKeyframeNeeded: () => {
        this.#requestKeyframe(this.#awaitsKeyframe ? REQUEST_AGAIN_MS : REQUEST_APART_MS);
        this.#awaitsKeyframe = true;
      },
    });
    this.#reorder = new ReorderBuffer(
      { holdMs: parts.holdMs, maxPackets: parts.maxHeldPackets, maxBytes: MAX_HELD_BYTES },
      {
        onPacket: (packet, missing, arrivalMs) => this.#onPacket(packet, missing, arrivalMs),
        onRestart: () => this.#onRestart(),
      },
    );
  }

  /** The present track; `undefined` before it is known. */
  get track(): Track | undefined {
    return this.#track;
  }

  get statistics(): RtpStreamStatistics {
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      unusable: this.#unusable,
      lost: this.#reorder.lost,
      late: this.#reorder.late,
      duplicates: this.#reorder.duplicates,
      reordered: this.#reorder.reordered,
      accessUnits: this.#accessUnits,
      keyframes: this.#keyframes,
      droppedAccessUnits: this.#droppedAccessUnits,
      keyframeRequests: this.#keyframeRequests,
    };
  }

  /**
   * Takes a packet in. One that cannot be read, or that is of another source or payload type, is counted and dropped.
   * @param packet a whole RTP packet; not needed after the call.
   * @param nowMs of a monotonic clock.
   */
  push(packet: Uint8Array, nowMs: number): void {
    if (this.#closed) return;
    this.#advance(nowMs);
    if (!this.#read(packet)) return;
    this.#packets += 1;
    this.#bytes += packet.length;
    this.#reorder.push(this.#packet, this.#nowMs);
  }

  /** To be called every 50 ms or so, also while nothing comes: gives up what waits for too long. */
  tick(nowMs: number): void {
    if (this.#closed) return;
    this.#advance(nowMs);
    this.#reorder.tick(this.#nowMs);
    if (this.#awaitsKeyframe) this.#requestKeyframe(REQUEST_AGAIN_MS);
  }

  /** The sender's clocks. Reports of other streams (other layers of a simulcast, say) are recognised and passed over. */
  onSenderReport(report: SenderReportTime): void {
    if (this.#closed) return;
    if (this.#parts.clock.onSenderReport(report) === "implausible") {
      this.#parts.warnings.warn("sender_report_implausible", "a sender report that does not fit the stream's packets");
    }
  }

  /** Nothing more will come: hands on what waited for missing packets. What lacks its end is dropped. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#reorder.flush();
    this.#closed = true;
    this.#parts.onClosed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #advance(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    this.#parts.clock.tick(this.#nowMs);
  }

  /** Reads a packet into `#packet`; answers whether it is one of this stream. */
  #read(bytes: Uint8Array): boolean {
    let message: string;
    try {
      const { payloadType, ssrc } = this.#packet.read(bytes);
      if (payloadType !== this.#parts.payloadType) {
        message = `payload type ${payloadType} in place of ${this.#parts.payloadType}`;
      } else {
        this.#ssrc ??= ssrc;
        if (ssrc === this.#ssrc) return true;
        message = `source ${ssrc} in place of ${this.#ssrc}`;
      }
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      message = error.message;
    }
    this.#unusable += 1;
    this.#parts.warnings.warn("packet_unusable", message);
    return false;
  }

  #onPacket(packet: RtpPacket, missing: number, arrivalMs: number): void {
    if (missing > 0) this.#parts.warnings.warn("packets_lost", `${missing} packets are missing`);
    const { timestamp, jumped } = this.#parts.clock.arrived(packet.timestamp, arrivalMs);
    if (jumped) {
      if (missing === 0) this.#depacketizer.flush();
      else this.#depacketizer.restart();
      this.#parts.clock.reanchor(timestamp, arrivalMs);
      this.#owesDiscontinuity = this.#accessUnits > 0;
      this.#parts.warnings.warn("timestamps_jumped", "the sender's timestamps leapt");
    }
    this.#depacketizer.push(packet.payload, timestamp, packet.marker, missing > 0);
  }

  #onRestart(): void {
    this.#depacketizer.restart();
    this.#parts.clock.restart();
    this.#owesDiscontinuity = this.#accessUnits > 0;
    this.#parts.warnings.warn("timestamps_jumped", "the sender began anew");
  }

  #onTrack(track: VideoTrack | AudioTrack): void {
    this.#track = track;
    this.#parts.sink.onTrack(track);
  }

  #onFrame(timestamp: number, keyframe: boolean, data: Uint8Array): void {
    const track = this.#track as Track;
    const { ticks, backwards } = this.#parts.clock.place(timestamp);
    if (backwards) this.#parts.warnings.warn("timestamp_backwards", "a timestamp that does not follow the one before");
    this.#accessUnits += 1;
    if (keyframe) {
      this.#keyframes += 1;
      this.#awaitsKeyframe = false;
    }
    const unit = { track, dts: ticks, pts: ticks, keyframe, data };
    if (!this.#owesDiscontinuity) {
      this.#parts.sink.onAccessUnit(unit);
      return;
    }
    this.#owesDiscontinuity = false;
    this.#parts.sink.onAccessUnit({ ...unit, discontinuity: true });
  }

  #onDropped(code: RtpWarningCode, message: string): void {
    this.#droppedAccessUnits += 1;
    this.#parts.warnings.warn(code, message);
  }

  #requestKeyframe(apartMs: number): void {
    if (this.#requestedMs !== undefined && this.#nowMs - this.#requestedMs < apartMs) return;
    this.#requestedMs = this.#nowMs;
    this.#keyframeRequests += 1;
    this.onKeyframeNeeded?.();
  }
}
