import type { Clock } from "@klieg/base";
import { type AccessUnit, type Track, TsMuxer } from "@klieg/media";
import { SrtCaller, type SrtCloseReason, type SrtConnection } from "@klieg/srt";
import type { LinkSample } from "./bitrate-controller.ts";
import type { DestinationOutput, OutputEvents, OutputStatistics } from "./destination-output.ts";
import { FrameGate } from "./frame-gate.ts";
import { failure, srtFailure } from "./publish-failure.ts";
import type { SrtTarget } from "./srt-address.ts";

/** 7 × 188 bytes, as everybody sends. */
const PACKETS_A_MESSAGE = 7;
/** The other end has gone when nothing was heard of it for so long, ms. */
const IDLE_TIMEOUT_MS = 4000;
/** SRT itself gives packets up at this age, ms, or later: a damaged picture. Before that whole pictures are left out. */
const LEAST_DROP_AGE_MS = 1000;
const SHUT_AT = 0.75;
const CALM_AT = 0.3;

/** Publishes by SRT: access units → MPEG-TS → our caller (STU3). */
export class SrtOutput implements DestinationOutput {
  readonly latencyMs: number;
  readonly #events: OutputEvents;
  readonly #connection: SrtConnection;
  readonly #muxer: TsMuxer;
  readonly #gate: FrameGate;
  readonly #dropAgeMs: number;
  #bytesSent = 0;
  #closing = false;

  /** @throws PublishFailure */
  static async connect(
    target: SrtTarget,
    events: OutputEvents,
    options: { readonly clock: Clock; readonly signal: AbortSignal },
  ): Promise<SrtOutput> {
    const { host, port, streamId, passphrase, latencyMs } = target;
    let output: SrtOutput | undefined;
    try {
      const connection = await SrtCaller.connect({
        host,
        port,
        streamId,
        ...(passphrase === undefined ? {} : { passphrase }),
        peerLatencyMs: latencyMs,
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        signal: options.signal,
        handler: { onClose: (reason) => output?.closed(reason, host) },
      });
      const made = new SrtOutput(connection, events);
      output = made;
      // It may have closed between the listener's consent and now.
      const { closeReason } = connection;
      if (closeReason !== undefined) queueMicrotask(() => made.closed(closeReason, host));
    } catch (error) {
      throw srtFailure(error, host);
    }
    return output;
  }

  private constructor(connection: SrtConnection, events: OutputEvents) {
    this.#connection = connection;
    this.#events = events;
    this.latencyMs = connection.sendLatencyMs;
    this.#dropAgeMs = Math.max(LEAST_DROP_AGE_MS, this.latencyMs);
    this.#gate = new FrameGate(events.onKeyframeWanted);
    this.#muxer = new TsMuxer((message) => this.#send(message), { chunkPackets: PACKETS_A_MESSAGE });
  }

  onTrack(track: Track): void {
    this.#muxer.onTrack(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    if (this.#gate.passes(unit)) this.#muxer.onAccessUnit(unit);
  }

  sample(now: number): LinkSample {
    const { rttMs, sendBufferMs, sendBufferBytes, packetsSent, packetsReportedLost, packetsSendDropped } =
      this.#connection.statistics();
    const limit = this.#dropAgeMs + rttMs / 2;
    if (sendBufferMs > limit * SHUT_AT) this.#gate.shut();
    else if (sendBufferMs < rttMs + limit * CALM_AT) this.#gate.calm();
    return {
      now,
      rttMs,
      sendBufferMs,
      bytesDelivered: this.#bytesSent - sendBufferBytes,
      packetsSent,
      packetsReportedLost,
      packetsDropped: packetsSendDropped + this.#gate.dropped,
    };
  }

  statistics(): OutputStatistics {
    const { rttMs, packetsSent, packetsReportedLost, packetsRetransmitted, sendBufferMs } =
      this.#connection.statistics();
    return {
      bytesSent: this.#bytesSent,
      rttMs,
      packetsSent,
      packetsReportedLost,
      packetsRetransmitted,
      bufferMs: sendBufferMs,
      droppedFrames: this.#gate.dropped,
    };
  }

  /** Called by the connection. */
  closed(reason: SrtCloseReason, host: string): void {
    if (this.#closing) return;
    this.#closing = true;
    const words =
      reason.kind === "peer_shutdown"
        ? `${host} closed the connection.`
        : reason.kind === "idle_timeout"
          ? `Nothing is heard of ${host} any more.`
          : `The connection to ${host} broke: ${reason.message}`;
    this.#events.onClosed(failure("network", "unreachable", words, reason.error));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #send(message: Uint8Array): void {
    if (this.#connection.send(message)) this.#bytesSent += message.length;
    else this.#gate.shut();
  }
}
