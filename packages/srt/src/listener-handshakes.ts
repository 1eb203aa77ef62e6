import { randomInt } from "node:crypto";
import { errorRow, KliegError } from "@klieg/protocol";
import { SrtConnection, type SrtConnectionAgreement, type SrtConnectionHost } from "./connection.ts";
import { ConnectionKeys, type KeyRefreshPolicy } from "./connection-keys.ts";
import type { SrtConnectionOptions } from "./connection-options.ts";
import type { SrtAccept, SrtAuthoriser } from "./connection-request.ts";
import {
  ExtensionFlag,
  type Handshake,
  HandshakeType,
  MalformedHandshakeError,
  OUR_FLAGS,
  OUR_VERSION,
  parseHandshake,
  SRT_MAGIC,
  SrtFlag,
  writeHandshake,
} from "./handshake.ts";
import { HandshakeLimiter } from "./handshake-limiter.ts";
import { isKeyLength, MalformedKeyMaterialError, parseKeyMaterial } from "./key-material.ts";
import { DEFAULT_MSS, PACKET_OVERHEAD, payloadRoom } from "./packet.ts";
import { REJECT_TYPE_BASE, RejectReason } from "./reject-reason.ts";
import type { Scheduled } from "./scheduler.ts";
import { SynCookie } from "./syn-cookie.ts";

/** How long the answer to a handshake is kept, for callers that did not get it, µs: longer than libsrt's callers try. */
const ANSWER_LIFE = 5_000_000;
/** Smallest MSS that leaves room for one MPEG-TS packet, over IPv6 too. */
const MIN_MSS = PACKET_OVERHEAD + 20 + 188;

export interface HandshakeLimits {
  /** Connections at once. */
  readonly maxConnections: number;
  /** Handshakes whose authoriser has not answered, or whose answer is still kept for repetition. */
  readonly maxHalfOpen: number;
  /** New handshakes a minute from one address, and how many of them at once. */
  readonly perAddressPerMinute: number;
  readonly perAddressBurst: number;
}

export const DEFAULT_HANDSHAKE_LIMITS: HandshakeLimits = {
  maxConnections: 1000,
  maxHalfOpen: 1024,
  perAddressPerMinute: 120,
  perAddressBurst: 30,
};

/** What the handshakes have counted. */
export interface HandshakeCounters {
  inductions: number;
  conclusions: number;
  accepted: number;
  rejected: number;
  /** Conclusions with a cookie that was not issued to their address. Not answered. */
  badCookies: number;
  malformed: number;
}

interface HalfOpen {
  /** Undefined while the authoriser is thinking. */
  answer: ((nowMicros: number) => Buffer) | undefined;
  expiresAt: number;
}

/** A caller that has proved its address. */
interface Caller {
  readonly key: string;
  readonly handshake: Handshake;
  readonly timestamp: number;
  readonly arrivedAt: number;
  readonly port: number;
  readonly address: string;
}

/** Refuses a handshake with an SRT_REJ_* or SRT_REJX_* code. */
class Refusal extends Error {
  readonly reason: number;
  constructor(reason: number) {
    super(`refused with ${reason}`);
    this.reason = reason;
  }
}

/**
 * The listener's side of the caller-listener handshake (section 4.3.1). Keeps nothing for an induction; an entry
 * for a conclusion, which has proved its address by the cookie, until its answer need not be repeated any more.
 */
export class ListenerHandshakes implements Scheduled {
  readonly counters: HandshakeCounters = {
    inductions: 0,
    conclusions: 0,
    accepted: 0,
    rejected: 0,
    badCookies: 0,
    malformed: 0,
  };
  readonly #authorise: SrtAuthoriser;
  readonly #options: SrtConnectionOptions;
  readonly #keyRefresh: KeyRefreshPolicy;
  readonly #limits: HandshakeLimits;
  readonly #host: SrtConnectionHost;
  readonly #connections: Map<number, SrtConnection>;
  readonly #wall: () => number;
  readonly #onError: (error: unknown) => void;
  readonly #cookie = new SynCookie();
  readonly #limiter: HandshakeLimiter;
  readonly #halfOpen = new Map<string, HalfOpen>();
  #closed = false;

  constructor(options: {
    authorise: SrtAuthoriser;
    connection: SrtConnectionOptions;
    keyRefresh: KeyRefreshPolicy;
    limits: HandshakeLimits;
    host: SrtConnectionHost;
    connections: Map<number, SrtConnection>;
    wall: () => number;
    onError: (error: unknown) => void;
  }) {
    this.#authorise = options.authorise;
    this.#options = options.connection;
    this.#keyRefresh = options.keyRefresh;
    this.#limits = options.limits;
    this.#host = options.host;
    this.#connections = options.connections;
    this.#wall = options.wall;
    this.#onError = options.onError;
    this.#limiter = new HandshakeLimiter(options.limits.perAddressPerMinute, options.limits.perAddressBurst);
  }

  /** Entries kept. */
  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  get deadline(): number {
    for (const entry of this.#halfOpen.values()) return entry.expiresAt;
    return Number.POSITIVE_INFINITY;
  }

  /** Forgets answers that need not be repeated any more. */
  run(now: number): void {
    for (const [key, entry] of this.#halfOpen) {
      if (entry.expiresAt > now) break;
      this.#halfOpen.delete(key);
    }
    if (this.#halfOpen.size === 0) this.#host.scheduler.delete(this);
  }

  /** A handshake packet that is addressed to no connection. */
  handlePacket(packet: Buffer, now: number, port: number, address: string): void {
    let handshake: Handshake;
    try {
      handshake = parseHandshake(packet);
    } catch (error) {
      if (!(error instanceof MalformedHandshakeError)) throw error;
      this.counters.malformed++;
      return;
    }
    switch (handshake.type) {
      case HandshakeType.induction:
        this.counters.inductions++;
        this.#reply(handshake, now, port, address, {
          version: 5,
          encryption: 0,
          extension: SRT_MAGIC,
          cookie: this.#cookie.issue(address, port, this.#wall()),
        });
        return;
      case HandshakeType.conclusion:
        this.#conclude(handshake, packet.readUInt32BE(8), now, port, address);
        return;
      case HandshakeType.waveAHand:
        // Rendezvous: this side listens. As short as what came in, so it amplifies nothing.
        this.counters.rejected++;
        this.#reply(handshake, now, port, address, { type: REJECT_TYPE_BASE + RejectReason.rogue });
        return;
      default:
        this.counters.malformed++;
    }
  }

  /** Answers nothing any more; authorisers that are still thinking find a closed door. */
  close(): void {
    this.#closed = true;
    this.#halfOpen.clear();
    this.#host.scheduler.delete(this);
  }

  #reply(handshake: Handshake, now: number, port: number, address: string, change: Partial<Handshake>): void {
    const answer = writeHandshake(
      { ...withoutExtensions(handshake), ...change },
      { destination: handshake.socketId, timestampMicros: now, peerAddress: address, direction: "response" },
    );
    this.#host.port.send(answer, answer.length, port, address);
  }

  #conclude(handshake: Handshake, timestamp: number, now: number, port: number, address: string): void {
    this.counters.conclusions++;
    if (!this.#cookie.accepts(handshake.cookie, address, port, this.#wall())) {
      this.counters.badCookies++;
      return;
    }
    const key = `${address} ${port} ${handshake.socketId}`;
    const known = this.#halfOpen.get(key);
    if (known !== undefined) {
      // The answer was lost, or the authoriser is still thinking.
      if (known.answer !== undefined) this.#send(known.answer(now), port, address);
      return;
    }
    const caller: Caller = { key, handshake, timestamp, arrivedAt: now, port, address };
    const refusal = !this.#limiter.take(address, now)
      ? rejectReasonOf(new KliegError("rate_limited", "Too many handshakes."))
      : this.#halfOpen.size >= this.#limits.maxHalfOpen
        ? RejectReason.backlog
        : undefined;
    if (refusal !== undefined) {
      // Without an entry, so that one address cannot fill the table.
      this.counters.rejected++;
      this.#send(this.#refusal(caller, refusal)(now), port, address);
      return;
    }
    const entry: HalfOpen = { answer: undefined, expiresAt: now + ANSWER_LIFE };
    this.#halfOpen.set(key, entry);
    this.#host.scheduler.add(this);
    this.#admit(caller).then(
      (answer) => this.#settle(caller, entry, answer),
      (error: unknown) => {
        this.counters.rejected++;
        if (!(error instanceof Refusal || error instanceof KliegError)) this.#onError(error);
        this.#settle(caller, entry, this.#refusal(caller, rejectReasonOf(error)));
      },
    );
  }

  #settle(caller: Caller, entry: HalfOpen, answer: (nowMicros: number) => Buffer): void {
    if (this.#closed) return;
    entry.answer = answer;
    this.#send(answer(this.#host.scheduler.now), caller.port, caller.address);
  }

  #send(packet: Buffer, port: number, address: string): void {
    this.#host.port.send(packet, packet.length, port, address);
  }

  /** @returns what builds the answer, anew each time for its timestamp. @throws Refusal or what the authoriser threw. */
  async #admit(caller: Caller): Promise<(nowMicros: number) => Buffer> {
    const { handshake } = caller;
    const capabilities = this.#check(caller);
    const encryption = handshake.keyMaterial === undefined ? undefined : keyLengthOf(handshake.keyMaterial);
    const accept = await this.#authorise({
      streamId: handshake.streamId ?? "",
      remoteAddress: caller.address.replace(/^::ffff:(?=\d+\.)/i, ""),
      remotePort: caller.port,
      encryption,
      peerVersion: capabilities.version,
      latencyMs: capabilities.sendLatencyMs,
    });
    const keys = await this.#agreeOnKeys(handshake.keyMaterial, accept.passphrase);
    if (this.#closed) throw new Refusal(RejectReason.close);
    // The caller has given up by now, and the answer could not be repeated.
    if (this.#host.scheduler.now > caller.arrivedAt + ANSWER_LIFE) throw new Refusal(RejectReason.timeout);
    // Others may have come in while the authoriser was thinking.
    if (this.#connections.size >= this.#limits.maxConnections)
      throw new KliegError("overloaded", "Too many connections.");
    const { agreement, connection } = this.#connect(caller, accept, keys);
    this.counters.accepted++;
    const response: Handshake = {
      ...withoutExtensions(handshake),
      version: 5,
      extension: ExtensionFlag.handshake | (handshake.keyMaterial === undefined ? 0 : ExtensionFlag.keyMaterial),
      mss: Math.min(handshake.mss, DEFAULT_MSS),
      flowWindow: this.#options.receiveBufferPackets,
      type: HandshakeType.conclusion,
      socketId: connection.socketId,
      capabilities: {
        version: OUR_VERSION,
        flags: OUR_FLAGS,
        receiveLatencyMs: agreement.receiveLatencyMs,
        sendLatencyMs: agreement.sendLatencyMs,
      },
      ...(handshake.keyMaterial === undefined ? {} : { keyMaterial: Buffer.from(handshake.keyMaterial) }),
    };
    return (now) =>
      writeHandshake(response, {
        destination: handshake.socketId,
        timestampMicros: now - agreement.startMicros,
        peerAddress: caller.address,
        direction: "response",
      });
  }

  /** Everything that can be refused without asking anyone. */
  #check({ handshake }: Caller) {
    if (handshake.version !== 5) throw new Refusal(RejectReason.version);
    const { capabilities } = handshake;
    if (capabilities === undefined) throw new Refusal(RejectReason.rogue);
    if (handshake.mss < MIN_MSS || handshake.flowWindow < 2) throw new Refusal(RejectReason.rogue);
    // HSv5 came with 1.3.0.
    if (capabilities.version < 0x01_03_00) throw new Refusal(RejectReason.version);
    if ((capabilities.flags & SrtFlag.stream) !== 0) throw new Refusal(RejectReason.messageApi);
    if (handshake.congestion !== undefined && handshake.congestion !== "live") {
      throw new Refusal(RejectReason.congestion);
    }
    if (handshake.filter !== undefined && handshake.filter !== "") throw new Refusal(RejectReason.filter);
    if (handshake.group === true) throw new Refusal(RejectReason.group);
    if (this.#connections.size >= this.#limits.maxConnections)
      throw new KliegError("overloaded", "Too many connections.");
    return capabilities;
  }

  async #agreeOnKeys(request: Buffer | undefined, passphrase: string | undefined): Promise<ConnectionKeys | undefined> {
    if (request === undefined && passphrase === undefined) return undefined;
    if (request === undefined || passphrase === undefined) throw new Refusal(RejectReason.unsecure);
    const keys = await ConnectionKeys.accept(request, passphrase, this.#keyRefresh);
    if (keys === undefined) throw new Refusal(RejectReason.badSecret);
    return keys;
  }

  #connect(caller: Caller, accept: SrtAccept, keys: ConnectionKeys | undefined) {
    const { handshake } = caller;
    const options = { ...this.#options, ...accept.options };
    const agreement: SrtConnectionAgreement = {
      socketId: this.#unusedSocketId(),
      peerSocketId: handshake.socketId,
      remoteAddress: caller.address,
      remotePort: caller.port,
      streamId: handshake.streamId ?? "",
      peerVersion: handshake.capabilities?.version ?? 0,
      peerFlags: handshake.capabilities?.flags ?? 0,
      initialSequence: handshake.initialSequence,
      receiveLatencyMs: Math.max(options.latencyMs, handshake.capabilities?.sendLatencyMs ?? 0),
      sendLatencyMs: Math.max(options.peerLatencyMs, handshake.capabilities?.receiveLatencyMs ?? 0),
      maxPayload: payloadRoom(Math.min(handshake.mss, DEFAULT_MSS), caller.address),
      flowWindow: handshake.flowWindow,
      peerTimestamp: caller.timestamp,
      peerArrivalMicros: caller.arrivedAt,
      startMicros: this.#host.scheduler.now,
      keys,
    };
    const connection = new SrtConnection(agreement, options, accept.handler, this.#host);
    this.#connections.set(connection.socketId, connection);
    connection.open(false);
    const { closeReason } = connection;
    if (closeReason !== undefined) throw closeReason.error ?? new Refusal(RejectReason.close);
    return { agreement, connection };
  }

  #unusedSocketId(): number {
    for (;;) {
      const id = randomInt(1, 0x3fff_ffff);
      if (!this.#connections.has(id)) return id;
    }
  }

  #refusal({ handshake, address }: Caller, reason: number): (nowMicros: number) => Buffer {
    return (now) =>
      writeHandshake(
        { ...withoutExtensions(handshake), type: REJECT_TYPE_BASE + reason },
        { destination: handshake.socketId, timestampMicros: now, peerAddress: address, direction: "response" },
      );
  }
}

/** The fixed part of a handshake. */
function withoutExtensions(handshake: Handshake): Handshake {
  const { version, encryption, extension, initialSequence, mss, flowWindow, type, socketId, cookie } = handshake;
  return { version, encryption, extension, initialSequence, mss, flowWindow, type, socketId, cookie };
}

function keyLengthOf(request: Buffer) {
  // Asked before it is parsed in full, so that the authoriser knows; the parser is the judge.
  try {
    const { keyLength } = parseKeyMaterial(request);
    if (isKeyLength(keyLength)) return keyLength;
  } catch (error) {
    if (!(error instanceof MalformedKeyMaterialError)) throw error;
  }
  throw new Refusal(RejectReason.rogue);
}

function rejectReasonOf(error: unknown): number {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof KliegError) return errorRow(error.code).srt ?? RejectReason.serverError;
  return RejectReason.serverError;
}
