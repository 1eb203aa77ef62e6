import type { Clock } from "@klieg/base";
import { type AccessUnit, type Track, TsMuxer } from "@klieg/media";
import { SrtCaller, type SrtCallerOptions, type SrtCloseReason, type SrtConnection } from "@klieg/srt";
import type { LinkSample } from "./bitrate-controller.ts";
import type { DestinationOutput, OutputEvents, OutputStatistics } from "./destination-output.ts";
import { FrameGate } from "./frame-gate.ts";
import { failure, srtFailure } from "./publish-failure.ts";
import type { SrtTarget } from "./srt-address.ts";

/** 7 × 188 bytes, as everybody sends. */
const PACKETS_A_MESSAGE = 7;
/** The other end has gone when nothing was heard of it for so long, ms. */
const IDLE_TIMEOUT_MS = 4000;
/**
 * SRT itself gives packets up when they are so much older than the receiver waits, ms: a damaged picture. Where nothing is lost,
 * what comes late is still of use; and long before that whole pictures are left out.
 */
const DROP_DELAY_MS = 2000;
/** From so much media on that was not sent yet, ms, pictures are left out, */
const SHUT_MS = 1200;
/** until it is no more than this; */
const CALM_MS = 300;
/** and where nothing is acknowledged for so long, ms. */
const DEAF_MS = 2000;

/** Publishes by SRT: access units → MPEG-TS → our caller (STU3). */
export class SrtOutput implements DestinationOutput {
  readonly latencyMs: number;
  readonly #events: OutputEvents;
  readonly #connection: SrtConnection;
  readonly #muxer: TsMuxer;
  readonly #gate: FrameGate;
  #bytesSent = 0;
  /** bits/s. */
  #pace = Number.POSITIVE_INFINITY;
  #closing = false;

  /** @throws PublishFailure */
  static async connect(
    target: SrtTarget,
    events: OutputEvents,
    options: { readonly clock: Clock; readonly signal: AbortSignal } & Pick<SrtCallerOptions, "openPort">,
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
        sendDropDelayMs: DROP_DELAY_MS,
        ...options,
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
    const { rttMs, rttKnown, sendBufferMs, sendBufferBytes, bytesSendDropped, ...packets } =
      this.#connection.statistics();
    const { packetsSent, packetsRetransmitted, packetsSendDropped } = packets;
    const { sendBufferPackets, flightSize } = packets;
    const unsent =
      sendBufferPackets === 0 ? 0 : (sendBufferBytes * (sendBufferPackets - flightSize)) / sendBufferPackets;
    const unsentMs = (unsent * 8000) / this.#pace;
    if (unsentMs > SHUT_MS || sendBufferMs > DEAF_MS) this.#gate.shut();
    else if (unsentMs < CALM_MS && sendBufferMs < Math.max(DEAF_MS / 2, rttMs * 2)) this.#gate.calm();
    return {
      now,
      rttMs: rttKnown ? rttMs : undefined,
      sendBufferMs,
      unsentMs,
      bytesDelivered: this.#bytesSent - sendBufferBytes - bytesSendDropped,
      packetsSent,
      packetsResent: packetsRetransmitted,
      local: isLoopback(this.#connection.remoteAddress),
      packetsDropped: packetsSendDropped,
    };
  }

  pace(bitsPerSecond: number): void {
    this.#pace = bitsPerSecond;
    this.#connection.pace(bitsPerSecond);
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

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}
