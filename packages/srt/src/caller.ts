import { randomInt } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { type Clock, systemClock } from "@klieg/base";
import { SrtConnection, type SrtConnectionHandler } from "./connection.ts";
import { ConnectionKeys, DEFAULT_KEY_REFRESH, type KeyRefreshPolicy } from "./connection-keys.ts";
import { DEFAULT_CONNECTION_OPTIONS, type SrtConnectionOptions } from "./connection-options.ts";
import { type DatagramPort, type DatagramPortFactory, openUdpPort } from "./datagram-port.ts";
import {
  ExtensionFlag,
  type Handshake,
  HandshakeType,
  MAX_STREAM_ID_SIZE,
  MalformedHandshakeError,
  OUR_FLAGS,
  OUR_VERSION,
  parseHandshake,
  SRT_MAGIC,
  UDT_DATAGRAM,
  writeHandshake,
} from "./handshake.ts";
import { isPassphraseLength, type KeyLength, KeyMaterialState, readKeyMaterialState } from "./key-material.ts";
import { ControlType, DEFAULT_MSS, HEADER_SIZE, payloadRoom } from "./packet.ts";
import { REJECT_TYPE_BASE, RejectReason } from "./reject-reason.ts";
import { Scheduler } from "./scheduler.ts";
import { SEQUENCE_MODULUS } from "./sequence-number.ts";
import { SrtError } from "./srt-error.ts";

/** A handshake packet that was not answered is sent again after this long, ms. */
const REPEAT_MS = 250;

export interface SrtCallerOptions extends Partial<SrtConnectionOptions> {
  /** Name or literal address. */
  readonly host: string;
  readonly port: number;
  /** Up to 512 bytes of UTF-8. */
  readonly streamId?: string;
  /** 10 to 79 bytes; encrypts both directions. */
  readonly passphrase?: string;
  /** Default: what the listener advertises, else 16. */
  readonly keyLength?: KeyLength;
  readonly handler?: SrtConnectionHandler;
  /** Default 3000. */
  readonly connectTimeoutMs?: number;
  readonly keyRefresh?: KeyRefreshPolicy;
  /** Stops connecting; no effect once connected. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly openPort?: DatagramPortFactory;
  /** Sequence number of the first packet; random by default. */
  readonly initialSequence?: number;
}

/** Calls an SRT listener; each call has a UDP socket of its own, which goes with the connection. */
export class SrtCaller {
  readonly #options: SrtCallerOptions;
  readonly #connectionOptions: SrtConnectionOptions;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #socketId = randomInt(1, 0x3fff_ffff);
  readonly #initialSequence: number;
  readonly #startMicros: number;
  readonly #result = Promise.withResolvers<SrtConnection>();
  readonly #remoteAddress: string;
  readonly #remotePort: number;
  #port: DatagramPort | undefined;
  /** Builds the packet that is repeated until it is answered. */
  #request: ((nowMicros: number) => Buffer) | undefined;
  #concluding = false;
  #keys: ConnectionKeys | undefined;
  #keyRequest: Buffer | undefined;
  #connection: SrtConnection | undefined;
  #settled = false;

  private constructor(options: SrtCallerOptions, remoteAddress: string) {
    this.#options = options;
    const known = Object.keys(DEFAULT_CONNECTION_OPTIONS) as (keyof SrtConnectionOptions)[];
    const given = known.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
    this.#connectionOptions = { ...DEFAULT_CONNECTION_OPTIONS, ...Object.fromEntries(given) };
    this.#clock = options.clock ?? systemClock;
    this.#scheduler = new Scheduler(this.#clock);
    this.#initialSequence = options.initialSequence ?? randomInt(0, SEQUENCE_MODULUS - 1);
    this.#startMicros = this.#scheduler.now;
    this.#remoteAddress = remoteAddress;
    this.#remotePort = options.port;
  }

  /**
   * Connects, resolving when the listener has accepted.
   * @throws SrtError `rejected` with the listener's reason, `timeout`, `socket`, `protocol`, or `closed` when
   *   `signal` aborted
   * @throws RangeError when stream id or passphrase have no permitted length
   */
  static async connect(options: SrtCallerOptions): Promise<SrtConnection> {
    if (Buffer.byteLength(options.streamId ?? "") > MAX_STREAM_ID_SIZE) {
      throw new RangeError(`a stream id has at most ${MAX_STREAM_ID_SIZE} bytes`);
    }
    if (options.passphrase !== undefined && !isPassphraseLength(options.passphrase)) {
      throw new RangeError("a passphrase has 10 to 79 bytes");
    }
    const caller = new SrtCaller(options, await resolveAddress(options.host));
    return caller.#connect();
  }

  async #connect(): Promise<SrtConnection> {
    const { signal, connectTimeoutMs = 3000, openPort = openUdpPort } = this.#options;
    const onAbort = () => this.#fail(new SrtError("closed", "Connecting was given up.", { cause: signal?.reason }));
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const timers: Disposable[] = [];
    try {
      this.#port = await openPort({
        host: isIPv6(this.#remoteAddress) ? "::" : "0.0.0.0",
        port: 0,
        onDatagram: (datagram, port, address) => this.#take(datagram, port, address),
        onError: (error) => this.#socketFailed(error),
      });
      this.#request = (now) => this.#induction(now);
      if (!this.#settled) this.#sendRequest();
      timers.push(
        this.#clock.every(REPEAT_MS, () => this.#sendRequest()),
        this.#clock.after(connectTimeoutMs, () =>
          this.#fail(new SrtError("timeout", `The listener did not answer within ${connectTimeoutMs} ms.`)),
        ),
      );
      return await this.#result.promise;
    } catch (error) {
      await this.#port?.close();
      throw error;
    } finally {
      for (const timer of timers) timer[Symbol.dispose]();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #fail(error: SrtError): void {
    this.#settled = true;
    this.#result.reject(error);
  }

  #sendRequest(): void {
    if (this.#settled || this.#request === undefined || this.#port === undefined) return;
    const packet = this.#request(this.#scheduler.now);
    this.#port.send(packet, packet.length, this.#remotePort, this.#remoteAddress);
  }

  #induction(now: number): Buffer {
    return this.#write(now, {
      version: 4,
      encryption: 0,
      extension: UDT_DATAGRAM,
      type: HandshakeType.induction,
      cookie: 0,
    });
  }

  #write(
    now: number,
    part: Pick<Handshake, "version" | "encryption" | "extension" | "type" | "cookie"> & Partial<Handshake>,
  ): Buffer {
    return writeHandshake(
      {
        initialSequence: this.#initialSequence,
        mss: DEFAULT_MSS,
        flowWindow: this.#connectionOptions.receiveBufferPackets,
        socketId: this.#socketId,
        ...part,
      },
      {
        destination: 0,
        timestampMicros: now - this.#startMicros,
        peerAddress: this.#remoteAddress,
        direction: "request",
      },
    );
  }

  #take(datagram: Buffer, port: number, address: string): void {
    if (datagram.length < HEADER_SIZE || port !== this.#remotePort || address !== this.#remoteAddress) return;
    if (datagram.readUInt32BE(12) !== this.#socketId) return;
    const now = this.#scheduler.now;
    if (this.#connection !== undefined) {
      this.#connection.handlePacket(datagram, now);
      return;
    }
    if (this.#settled || datagram.readUInt16BE(0) !== (0x8000 | ControlType.handshake)) return;
    try {
      this.#handleHandshake(parseHandshake(datagram), datagram.readUInt32BE(8), now);
    } catch (error) {
      // Not an answer: the timeout will tell if none comes.
      if (!(error instanceof MalformedHandshakeError)) throw error;
    }
  }

  #handleHandshake(handshake: Handshake, timestamp: number, now: number): void {
    if (handshake.type >= REJECT_TYPE_BASE) {
      this.#fail(SrtError.rejected(handshake.type - REJECT_TYPE_BASE));
    } else if (handshake.type === HandshakeType.induction) {
      if (this.#concluding) return;
      if (handshake.version < 5 || handshake.extension !== SRT_MAGIC) {
        this.#fail(new SrtError("protocol", "The listener speaks no SRT of version 1.3 or later."));
        return;
      }
      this.#concluding = true;
      // Nothing is repeated while the key is being derived.
      this.#request = undefined;
      this.#prepareConclusion(handshake).catch((error: unknown) =>
        this.#fail(new SrtError("protocol", "The handshake could not be made.", { cause: error })),
      );
    } else if (handshake.type === HandshakeType.conclusion && this.#request !== undefined && this.#concluding) {
      this.#conclude(handshake, timestamp, now);
    }
  }

  async #prepareConclusion(induction: Handshake): Promise<void> {
    const { passphrase, streamId } = this.#options;
    let keyLength: KeyLength = 16;
    if (passphrase !== undefined) {
      const advertised = induction.encryption >= 2 && induction.encryption <= 4 ? induction.encryption * 8 : 16;
      keyLength = this.#options.keyLength ?? (advertised as KeyLength);
      const generated = await ConnectionKeys.generate(
        passphrase,
        keyLength,
        this.#options.keyRefresh ?? DEFAULT_KEY_REFRESH,
      );
      this.#keys = generated.keys;
      this.#keyRequest = generated.request;
    }
    const hasStreamId = streamId !== undefined && streamId !== "";
    this.#request = (now) =>
      this.#write(now, {
        version: 5,
        encryption: this.#keyRequest === undefined ? 0 : keyLength / 8,
        extension:
          ExtensionFlag.handshake |
          (this.#keyRequest === undefined ? 0 : ExtensionFlag.keyMaterial) |
          (hasStreamId ? ExtensionFlag.config : 0),
        type: HandshakeType.conclusion,
        cookie: induction.cookie,
        capabilities: {
          version: OUR_VERSION,
          flags: OUR_FLAGS,
          receiveLatencyMs: this.#connectionOptions.latencyMs,
          sendLatencyMs: this.#connectionOptions.peerLatencyMs,
        },
        ...(this.#keyRequest === undefined ? {} : { keyMaterial: this.#keyRequest }),
        ...(hasStreamId ? { streamId } : {}),
      });
    this.#sendRequest();
  }

  #conclude(response: Handshake, timestamp: number, now: number): void {
    const { capabilities } = response;
    const port = this.#port;
    if (port === undefined) return;
    if (capabilities === undefined || payloadRoom(response.mss, this.#remoteAddress) < 188) {
      this.#fail(new SrtError("protocol", "The listener's answer lacks the SRT handshake extension."));
      return;
    }
    const refusal = this.#judgeKeyResponse(response.keyMaterial);
    if (refusal !== undefined) {
      this.#fail(SrtError.rejected(refusal));
      return;
    }
    this.#settled = true;
    const connection = new SrtConnection(
      {
        socketId: this.#socketId,
        peerSocketId: response.socketId,
        remoteAddress: this.#remoteAddress,
        remotePort: this.#remotePort,
        streamId: this.#options.streamId ?? "",
        peerVersion: capabilities.version,
        peerFlags: capabilities.flags,
        initialSequence: this.#initialSequence,
        receiveLatencyMs: Math.max(this.#connectionOptions.latencyMs, capabilities.sendLatencyMs),
        sendLatencyMs: Math.max(this.#connectionOptions.peerLatencyMs, capabilities.receiveLatencyMs),
        maxPayload: payloadRoom(Math.min(response.mss, DEFAULT_MSS), this.#remoteAddress),
        flowWindow: response.flowWindow,
        peerTimestamp: timestamp,
        peerArrivalMicros: now,
        startMicros: this.#startMicros,
        keys: this.#keys,
      },
      this.#connectionOptions,
      this.#options.handler ?? {},
      { port, scheduler: this.#scheduler, onClosed: () => void port.close() },
    );
    this.#connection = connection;
    connection.open(true);
    this.#result.resolve(connection);
  }

  /** @returns the reason to hang up, when the listener did not take our key. */
  #judgeKeyResponse(keyMaterial: Buffer | undefined): number | undefined {
    if (this.#keyRequest === undefined) return undefined;
    if (keyMaterial?.equals(this.#keyRequest)) return undefined;
    const state = keyMaterial?.length === 4 ? readKeyMaterialState(keyMaterial) : KeyMaterialState.noSecret;
    return state === KeyMaterialState.badSecret ? RejectReason.badSecret : RejectReason.unsecure;
  }

  #socketFailed(error: SrtError): void {
    if (this.#connection === undefined) this.#fail(error);
    else void this.#connection.close({ kind: "socket_error", by: "self", message: error.message, error });
  }
}

async function resolveAddress(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new SrtError("socket", `The name ${host} cannot be resolved.`, { cause: error });
  }
}
