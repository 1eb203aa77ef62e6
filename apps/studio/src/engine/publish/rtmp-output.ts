import { type AccessUnit, type FlvMessage, FlvMuxer, type Track } from "@klieg/media";
import { RtmpPublisher } from "@klieg/rtmp";
import type { LinkSample } from "./bitrate-controller.ts";
import type { DestinationOutput, OutputEvents, OutputStatistics } from "./destination-output.ts";
import { FrameGate } from "./frame-gate.ts";
import { failure, type PublishFailure, rtmpFailure } from "./publish-failure.ts";

/** What an RTMP server, or the way to it, is taken to buffer, ms: nothing is lost for being late, but the show falls behind. */
const LATENCY_MS = 1000;
/** Pictures are left out from so much media in the socket's queue on, ms, */
const SHUT_MS = 3000;
/** and sent again once it is below this. */
const CALM_MS = 300;
/** Bytes; below this nothing counts as a queue: a keyframe alone makes one for a moment. */
const LEAST_QUEUE = 128 * 1024;
/** A server that has taken nothing of what waits for so long is gone, ms: TCP itself would try for a quarter of an hour. */
const STUCK_MS = 12_000;
/** The bit rate is averaged over about so long, ms. */
const AVERAGE_MS = 2000;

export interface RtmpTarget {
  readonly url: string;
  /** Left out where the address ends with it. */
  readonly streamKey: string | undefined;
}

/** Publishes by RTMP or RTMPS: access units → FLV → our client (STU3). */
export class RtmpOutput implements DestinationOutput {
  readonly latencyMs = LATENCY_MS;
  readonly #publisher: RtmpPublisher;
  readonly #muxer: FlvMuxer;
  readonly #closedBy: (failure: PublishFailure) => void;
  readonly #gate: FrameGate;
  #firstMs: number | undefined;
  #bytesSent = 0;
  #rate = { at: 0, bytes: 0, bytesPerMs: 0 };
  #progress = { at: 0, delivered: 0 };
  #closing = false;

  /** @throws PublishFailure */
  static async connect(
    target: RtmpTarget,
    events: OutputEvents,
    options: { readonly signal: AbortSignal },
  ): Promise<RtmpOutput> {
    const host = URL.parse(target.url)?.hostname ?? target.url;
    let publisher: RtmpPublisher;
    try {
      const { url, streamKey } = target;
      const { signal } = options;
      publisher = await RtmpPublisher.connect({ url, signal, ...(streamKey === undefined ? {} : { streamKey }) });
    } catch (error) {
      throw rtmpFailure(error, host);
    }
    return new RtmpOutput(publisher, events, host);
  }

  private constructor(publisher: RtmpPublisher, events: OutputEvents, host: string) {
    this.#publisher = publisher;
    this.#gate = new FrameGate(events.onKeyframeWanted);
    this.#muxer = new FlvMuxer((message) => this.#send(message));
    this.#closedBy = (reason) => {
      if (this.#closing) return;
      this.#closing = true;
      events.onClosed(reason);
    };
    const closed = () => {
      const error = publisher.closeReason?.error;
      const words = `${host} closed the connection.`;
      this.#closedBy(error === undefined ? failure("network", "unreachable", words) : rtmpFailure(error, host));
    };
    publisher.events.on("closed", closed);
    // It may have closed between the server's consent and now.
    if (publisher.closeReason !== undefined) queueMicrotask(closed);
  }

  onTrack(track: Track): void {
    if (track.kind === "video") {
      this.#publisher.sendMetadata({
        width: track.width,
        height: track.height,
        videocodecid: 7,
        ...(track.frameRate === undefined ? {} : { framerate: track.frameRate }),
        audiocodecid: 10,
        encoder: "Klieg",
      });
    }
    this.#muxer.onTrack(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    if (this.#gate.passes(unit)) this.#muxer.onAccessUnit(unit);
  }

  sample(now: number): LinkSample {
    const rate = this.#rate;
    const elapsed = now - rate.at;
    if (elapsed > 0) {
      const part = rate.at === 0 ? 0 : Math.min(1, elapsed / AVERAGE_MS);
      const current = (this.#bytesSent - rate.bytes) / elapsed;
      const average = rate.bytesPerMs === 0 ? current : rate.bytesPerMs + (current - rate.bytesPerMs) * part;
      this.#rate = { at: now, bytes: this.#bytesSent, bytesPerMs: rate.at === 0 ? 0 : average };
    }
    this.#lookForProgress(now);
    const bufferMs = this.#bufferMs();
    if (bufferMs > SHUT_MS) this.#gate.shut();
    else if (bufferMs < CALM_MS) this.#gate.calm();
    return {
      now,
      rttMs: 0,
      sendBufferMs: bufferMs,
      unsentMs: 0,
      bytesDelivered: this.#bytesSent - this.#publisher.bufferedBytes,
      packetsSent: 0,
      packetsResent: 0,
      packetsDropped: this.#gate.dropped,
      local: false,
    };
  }

  statistics(): OutputStatistics {
    return {
      bytesSent: this.#bytesSent - this.#publisher.bufferedBytes,
      rttMs: null,
      packetsSent: null,
      packetsReportedLost: null,
      packetsRetransmitted: null,
      bufferMs: this.#bufferMs(),
      droppedFrames: this.#gate.dropped,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#publisher.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #lookForProgress(now: number): void {
    const delivered = this.#bytesSent - this.#publisher.bufferedBytes;
    if (this.#publisher.bufferedBytes === 0 || delivered !== this.#progress.delivered) {
      this.#progress = { at: now, delivered };
    } else if (now - this.#progress.at > STUCK_MS) {
      this.#closedBy(failure("network", "unreachable", "The server takes nothing any more."));
      void this.#publisher.close();
    }
  }

  /** What waits in this process, as ms of media; what the system holds is not known. */
  #bufferMs(): number {
    const waits = this.#publisher.bufferedBytes;
    if (waits < LEAST_QUEUE || this.#rate.bytesPerMs <= 0) return 0;
    return waits / this.#rate.bytesPerMs;
  }

  #send(message: FlvMessage): void {
    this.#firstMs ??= message.timestampMs;
    // Sound may begin a little before the first picture.
    const timestampMs = Math.max(0, message.timestampMs - this.#firstMs);
    const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength);
    this.#bytesSent += body.length;
    if (message.kind === "video") this.#publisher.sendVideo(timestampMs, body);
    else this.#publisher.sendAudio(timestampMs, body);
  }
}
