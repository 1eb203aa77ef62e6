import type { Closable } from "@klieg/base";
import type { SrtCloseReason } from "./close-reason.ts";
import type { ConnectionKeys } from "./connection-keys.ts";
import type { SrtConnectionOptions } from "./connection-options.ts";
import type { SrtStatistics } from "./connection-statistics.ts";
import { ControlOutlet } from "./control-outlet.ts";
import type { DatagramPort } from "./datagram-port.ts";
import { ExtensionType, SrtFlag } from "./handshake.ts";
import type { KeyLength } from "./key-material.ts";
import { ControlType, DEFAULT_MSS, HEADER_SIZE, MAX_PAYLOAD_SIZE } from "./packet.ts";
import { PlayoutClock } from "./playout-clock.ts";
import { RateMeter } from "./rate-meter.ts";
import { Receiver } from "./receiver.ts";
import { RoundTrip } from "./round-trip.ts";
import type { Scheduled, Scheduler } from "./scheduler.ts";
import { Sender } from "./sender.ts";

/** A side that has sent nothing for this long sends a keep-alive, µs (section 3.2.3). */
const KEEP_ALIVE_PERIOD = 1_000_000;

/** Takes what a connection has to say. Called synchronously; what it throws closes the connection. */
export interface SrtConnectionHandler {
  /**
   * Before anything else. A listener's handler may still close the connection here: the caller is then refused,
   * with the code of a KliegError that was thrown or given as the reason's `error`.
   */
  onOpen?(connection: SrtConnection): void;
  /** One message (of MPEG-TS usually 1316 bytes), in the order of sending. The buffer is the taker's. */
  onData?(payload: Buffer): void;
  /** There is room again after `send` answered false. */
  onDrain?(): void;
  /** Once, last. */
  onClose?(reason: SrtCloseReason): void;
}

/** What the handshake settled. */
export interface SrtConnectionAgreement {
  readonly socketId: number;
  readonly peerSocketId: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly streamId: string;
  /** `0x00MMmmpp`. */
  readonly peerVersion: number;
  /** {@link SrtFlag} bits. */
  readonly peerFlags: number;
  readonly initialSequence: number;
  readonly receiveLatencyMs: number;
  readonly sendLatencyMs: number;
  /** Bytes of one payload at most. */
  readonly maxPayload: number;
  /** The peer's flow window, packets. */
  readonly flowWindow: number;
  /** Timestamp (32 bits of µs) of the peer's handshake packet and when it arrived: zero of the peer's clock. */
  readonly peerTimestamp: number;
  readonly peerArrivalMicros: number;
  /** Local µs at which our timestamps are zero. */
  readonly startMicros: number;
  readonly keys: ConnectionKeys | undefined;
}

/** What a connection needs of the socket it lives on. */
export interface SrtConnectionHost {
  readonly port: DatagramPort;
  readonly scheduler: Scheduler;
  /** The connection is closed: forget it. */
  onClosed(connection: SrtConnection): void;
}

/** One SRT connection in live mode; the same at both ends. */
export class SrtConnection implements Closable<SrtCloseReason>, Scheduled {
  readonly streamId: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly socketId: number;
  readonly peerSocketId: number;
  /** `0x00MMmmpp`. */
  readonly peerVersion: number;
  /** Bytes; undefined when the connection is plain. */
  readonly keyLength: KeyLength | undefined;
  readonly receiveLatencyMs: number;
  readonly sendLatencyMs: number;
  /** Bytes that one `send` takes at most. */
  readonly maxPayload: number;

  readonly #host: SrtConnectionHost;
  readonly #handler: SrtConnectionHandler;
  readonly #options: SrtConnectionOptions;
  readonly #outlet: ControlOutlet;
  readonly #roundTrip = new RoundTrip();
  readonly #playout: PlayoutClock;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #keys: ConnectionKeys | undefined;
  readonly #receiveRate = new RateMeter();
  readonly #sendRate = new RateMeter();
  readonly #openedAt: number;
  readonly #closed = Promise.withResolvers<void>();
  #lastHeardAt: number;
  #announceDueAt = Number.POSITIVE_INFINITY;
  #lingerUntil = Number.POSITIVE_INFINITY;
  #reason: SrtCloseReason | undefined;
  #peerKnows = false;
  #ended = false;
  #malformed = 0;

  /** Called by listener and caller, which then call {@link SrtConnection.open}. */
  constructor(
    agreement: SrtConnectionAgreement,
    options: SrtConnectionOptions,
    handler: SrtConnectionHandler,
    host: SrtConnectionHost,
  ) {
    this.#host = host;
    this.#handler = handler;
    this.#options = options;
    this.streamId = agreement.streamId;
    this.remoteAddress = agreement.remoteAddress;
    this.remotePort = agreement.remotePort;
    this.socketId = agreement.socketId;
    this.peerSocketId = agreement.peerSocketId;
    this.peerVersion = agreement.peerVersion;
    this.receiveLatencyMs = agreement.receiveLatencyMs;
    this.sendLatencyMs = agreement.sendLatencyMs;
    this.maxPayload = agreement.maxPayload;
    this.#keys = agreement.keys;
    this.keyLength = agreement.keys?.keyLength;
    const now = host.scheduler.now;
    this.#openedAt = now;
    this.#lastHeardAt = now;
    this.#outlet = new ControlOutlet(
      host.port,
      agreement.remotePort,
      agreement.remoteAddress,
      agreement.peerSocketId,
      agreement.startMicros,
    );
    const receiveLatency = agreement.receiveLatencyMs * 1000;
    this.#playout = new PlayoutClock(agreement.peerTimestamp, agreement.peerArrivalMicros, receiveLatency);
    const keys = agreement.keys;
    this.#receiver = new Receiver({
      initialSequence: agreement.initialSequence,
      bufferPackets: options.receiveBufferPackets,
      delivery: options.delivery,
      tooLateDrop: options.tooLateDrop,
      maxReorderTolerance: options.maxReorderTolerance,
      playout: this.#playout,
      roundTrip: this.#roundTrip,
      outlet: this.#outlet,
      decrypt: keys === undefined ? undefined : (packet, flag, sequence) => keys.decrypt(packet, flag, sequence),
      onData: (payload) => this.#deliver(payload),
    });
    this.#sender = new Sender({
      initialSequence: agreement.initialSequence,
      bufferPackets: options.sendBufferPackets,
      maxPayload: agreement.maxPayload,
      flowWindow: agreement.flowWindow,
      latencyMicros: agreement.sendLatencyMs * 1000,
      dropDelayMicros: options.sendDropDelayMs < 0 ? undefined : options.sendDropDelayMs * 1000,
      pacing: options.pacing,
      peerRepeatsReports: (agreement.peerFlags & SrtFlag.periodicNak) !== 0,
      peerSocketId: agreement.peerSocketId,
      roundTrip: this.#roundTrip,
      outlet: this.#outlet,
      encrypt: keys === undefined ? undefined : (packet, length, sequence) => keys.encrypt(packet, length, sequence),
      onDrain: () => this.#tell(() => this.#handler.onDrain?.()),
    });
  }

  /**
   * Begins to live.
   * @param peerKnows whether the peer has been told that it is connected; if not, it is not told of an end in
   *   `onOpen` either: it can still be refused
   */
  open(peerKnows: boolean): void {
    this.#peerKnows = peerKnows;
    this.#host.scheduler.add(this);
    this.#tell(() => this.#handler.onOpen?.(this));
    this.#peerKnows = true;
  }

  /** Why the connection is closed or closing; undefined while it is open. */
  /** `packetsReceiveDropped` of {@link statistics} by itself: cheap enough to ask with every message. */
  get packetsReceiveDropped(): number {
    return this.#receiver.packetsDropped;
  }

  get closeReason(): SrtCloseReason | undefined {
    return this.#reason;
  }

  /** Resolves when the connection is closed, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Sends one message. The bytes are copied, so the buffer may be reused at once.
   * @returns false when the send buffer is full (or the connection closing) and the message was not taken;
   *   `onDrain` says when there is room again
   * @throws RangeError when it is empty or longer than {@link maxPayload}
   */
  send(payload: Uint8Array): boolean {
    if (this.#reason !== undefined) return false;
    const now = this.#host.scheduler.now;
    const taken = this.#sender.push(payload, now);
    if (taken) this.#sendRate.add(payload.length, now);
    this.#announceIfNew(now);
    this.#host.scheduler.request(this.deadline);
    return taken;
  }

  /**
   * Sends no more than so much from now on, retransmissions included; what is over waits in the send buffer.
   * @param bitsPerSecond on the wire; infinite: as fast as it is given
   */
  pace(bitsPerSecond: number): void {
    if (this.#ended) return;
    this.#sender.pace(bitsPerSecond, this.#host.scheduler.now);
    this.#host.scheduler.request(this.deadline);
  }

  /** A datagram for this connection from its peer, at least a header long. */
  handlePacket(packet: Buffer, now: number): void {
    if (this.#ended) return;
    this.#lastHeardAt = now;
    if ((packet[0] as number) < 0x80) {
      const size = packet.length - HEADER_SIZE;
      if (size === 0 || size > MAX_PAYLOAD_SIZE) this.#malformed++;
      else if (this.#reason === undefined) {
        this.#receiver.handleData(packet, now);
        this.#host.scheduler.request(this.#receiver.deadline);
      }
      return;
    }
    this.#handleControl(packet, now);
    if (this.#reason !== undefined && this.#sender.packetsBuffered === 0) {
      this.#end(this.#reason);
      return;
    }
    this.#announceIfNew(now);
    this.#host.scheduler.request(this.deadline);
  }

  get deadline(): number {
    if (this.#ended) return Number.POSITIVE_INFINITY;
    return Math.min(
      this.#receiver.deadline,
      this.#sender.deadline,
      this.#outlet.lastSentAt + KEEP_ALIVE_PERIOD,
      this.#lastHeardAt + this.#options.idleTimeoutMs * 1000,
      this.#announceDueAt,
      this.#lingerUntil,
    );
  }

  run(now: number): void {
    if (this.#ended) return;
    if (now >= this.#lastHeardAt + this.#options.idleTimeoutMs * 1000) {
      this.#end({
        kind: "idle_timeout",
        by: "self",
        message: `nothing came from the peer for ${this.#options.idleTimeoutMs} ms`,
      });
      return;
    }
    this.#receiver.run(now);
    this.#sender.run(now);
    if (this.#ended) return;
    if (this.#reason !== undefined && (now >= this.#lingerUntil || this.#sender.packetsBuffered === 0)) {
      this.#end(this.#reason);
      return;
    }
    if (now >= this.#announceDueAt) this.#announce(now);
    else this.#announceIfNew(now);
    if (now >= this.#outlet.lastSentAt + KEEP_ALIVE_PERIOD) this.#outlet.sendEmpty(ControlType.keepAlive, 0, now);
  }

  /**
   * Says goodbye to the peer, after what is in the send buffer has gone out or the linger time is over.
   * Idempotent; the first reason wins.
   */
  close(reason: SrtCloseReason = { kind: "owner", by: "owner", message: "closed by its owner" }): Promise<void> {
    if (this.#reason === undefined) {
      if (reason.by === "owner" && this.#options.lingerMs > 0 && this.#sender.packetsBuffered > 0) {
        this.#reason = reason;
        this.#receiver.close();
        this.#lingerUntil = this.#host.scheduler.now + this.#options.lingerMs * 1000;
        this.#host.scheduler.request(this.deadline);
      } else this.#end(reason);
    }
    return this.#closed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What has been counted up to now. */
  statistics(): SrtStatistics {
    const now = this.#host.scheduler.now;
    const receiver = this.#receiver;
    const sender = this.#sender;
    receiver.history.evaluate(now);
    const capacity = receiver.history.capacity > 0 ? receiver.history.capacity : sender.capacity;
    return {
      connectedMs: (now - this.#openedAt) / 1000,
      rttMs: this.#roundTrip.rttMicros / 1000,
      rttVarianceMs: this.#roundTrip.varianceMicros / 1000,
      rttKnown: this.#roundTrip.known,
      packetsReceived: receiver.packetsReceived,
      bytesReceived: receiver.bytesReceived,
      packetsLost: receiver.packetsLost,
      packetsReceivedRetransmitted: receiver.packetsRetransmitted,
      packetsReceiveDropped: receiver.packetsDropped,
      packetsBelated: receiver.packetsBelated,
      packetsDuplicate: receiver.packetsDuplicate,
      packetsBeyondWindow: receiver.packetsBeyondWindow,
      packetsUndecrypted: receiver.packetsUndecrypted,
      bytesUndecrypted: receiver.bytesUndecrypted,
      packetsMissing: receiver.packetsMissing,
      packetsSent: sender.packetsSent,
      bytesSent: sender.bytesSent,
      packetsRetransmitted: sender.packetsRetransmitted,
      bytesRetransmitted: sender.bytesRetransmitted,
      packetsReportedLost: sender.packetsReportedLost,
      packetsSendDropped: sender.packetsDropped,
      bytesSendDropped: sender.bytesDropped,
      acksSent: receiver.acksSent,
      acksReceived: sender.acksReceived,
      naksSent: receiver.naksSent,
      naksReceived: sender.naksReceived,
      bandwidthBps: capacity * DEFAULT_MSS * 8,
      receiveRateBps: this.#receiveRate.bitsPerSecond(now),
      sendRateBps: this.#sendRate.bitsPerSecond(now),
      receiveBufferMs: receiver.buffer.spanMicros() / 1000,
      receiveBufferBytes: receiver.buffer.bytes,
      receiveBufferPackets: receiver.buffer.packets,
      sendBufferMs: sender.bufferedMicros(now) / 1000,
      sendBufferBytes: sender.bytesBuffered,
      sendBufferPackets: sender.packetsBuffered,
      flightSize: sender.flightSize,
      clockDriftMs: this.#playout.driftMicros / 1000,
      receiveLatencyMs: this.receiveLatencyMs,
      sendLatencyMs: this.sendLatencyMs,
      receiveKeyRefreshes: this.#keys?.receiveRefreshes ?? 0,
      sendKeyRefreshes: this.#keys?.sendRefreshes ?? 0,
      packetsMalformed: this.#malformed,
    };
  }

  #handleControl(packet: Buffer, now: number): void {
    const type = packet.readUInt16BE(0) & 0x7fff;
    const size = packet.length - HEADER_SIZE;
    switch (type) {
      case ControlType.ackAck:
        this.#receiver.handleAckAck(packet.readUInt32BE(4), packet.readUInt32BE(8), now);
        return;
      case ControlType.ack:
        if (size < 4) this.#malformed++;
        else this.#sender.handleAck(packet, now);
        return;
      case ControlType.nak:
        if (size < 4) this.#malformed++;
        else this.#sender.handleNak(packet, now);
        return;
      case ControlType.dropRequest:
        if (size < 8) this.#malformed++;
        else if (this.#reason === undefined) {
          const first = packet.readUInt32BE(HEADER_SIZE) & 0x7fff_ffff;
          this.#receiver.handleDropRequest(first, packet.readUInt32BE(HEADER_SIZE + 4) & 0x7fff_ffff, now);
        }
        return;
      case ControlType.shutdown:
        if (this.#reason === undefined) {
          this.#receiver.flush();
          this.#end({ kind: "peer_shutdown", by: "peer", message: "the peer closed the connection" }, false);
        } else this.#end(this.#reason, false);
        return;
      case ControlType.peerError:
        this.#end({ kind: "protocol_error", by: "peer", message: `the peer reports error ${packet.readUInt32BE(4)}` });
        return;
      case ControlType.userDefined:
        this.#handleKeyMaterial(packet.readUInt16BE(2), packet.subarray(HEADER_SIZE), now);
        return;
      case ControlType.keepAlive:
      case ControlType.congestionWarning:
      case ControlType.handshake:
        // A repeated handshake response; keep-alives have done their work by arriving.
        return;
      default:
        this.#malformed++;
    }
  }

  #handleKeyMaterial(subtype: number, message: Buffer, now: number): void {
    const keys = this.#keys;
    if (keys === undefined || message.length < 4 || message.length > this.#outlet.room) {
      this.#malformed++;
      return;
    }
    if (subtype === ExtensionType.keyMaterialResponse) {
      keys.handleResponse(message);
      if (keys.announcement === undefined) this.#announceDueAt = Number.POSITIVE_INFINITY;
    } else if (subtype === ExtensionType.keyMaterialRequest) {
      const response = keys.handleRequest(message, now);
      response.copy(this.#outlet.scratch, HEADER_SIZE);
      this.#outlet.send(ControlType.userDefined, ExtensionType.keyMaterialResponse, 0, response.length, now);
    } else this.#malformed++;
  }

  /** Sending a packet may have brought the next key up. */
  #announceIfNew(now: number): void {
    if (this.#announceDueAt !== Number.POSITIVE_INFINITY || this.#keys?.announcement === undefined) return;
    this.#announce(now);
  }

  /** Sends the announcement of our next key, and again after one and a half round trips. */
  #announce(now: number): void {
    const announcement = this.#keys?.announcement;
    if (announcement === undefined) return;
    announcement.copy(this.#outlet.scratch, HEADER_SIZE);
    this.#outlet.send(ControlType.userDefined, ExtensionType.keyMaterialRequest, 0, announcement.length, now);
    this.#announceDueAt = now + 1.5 * this.#roundTrip.rttMicros;
  }

  #deliver(payload: Buffer): void {
    this.#receiveRate.add(payload.length, this.#lastHeardAt);
    try {
      this.#handler.onData?.(payload);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  #handlerThrew(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#end({ kind: "handler_error", by: "self", message: `the handler failed: ${cause.message}`, error: cause });
  }

  /** The end: tells the peer (unless it said so itself), the handler and the host. */
  #end(reason: SrtCloseReason, tellPeer = true): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    if (tellPeer && this.#peerKnows) this.#outlet.sendEmpty(ControlType.shutdown, 0, this.#host.scheduler.now);
    this.#receiver.close();
    this.#sender.close();
    this.#host.scheduler.delete(this);
    this.#host.onClosed(this);
    try {
      this.#handler.onClose?.(reason);
    } catch (error) {
      // There is nobody left to tell; the same way out as the emitter's.
      queueMicrotask(() => {
        throw error;
      });
    }
    this.#closed.resolve();
  }
}
