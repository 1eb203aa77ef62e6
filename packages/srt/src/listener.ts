import { CLOSED_BY_OWNER, type Clock, type Closable, type CloseReason, systemClock } from "@klieg/base";
import type { SrtConnection, SrtConnectionHost } from "./connection.ts";
import { DEFAULT_KEY_REFRESH, type KeyRefreshPolicy } from "./connection-keys.ts";
import { DEFAULT_CONNECTION_OPTIONS, type SrtConnectionOptions } from "./connection-options.ts";
import type { SrtAuthoriser } from "./connection-request.ts";
import { type DatagramPort, type DatagramPortFactory, openUdpPort } from "./datagram-port.ts";
import { DEFAULT_HANDSHAKE_LIMITS, type HandshakeLimits, ListenerHandshakes } from "./listener-handshakes.ts";
import { ControlType, HEADER_SIZE } from "./packet.ts";
import { Scheduler } from "./scheduler.ts";
import type { SrtError } from "./srt-error.ts";

export interface SrtListenerOptions extends Partial<SrtConnectionOptions> {
  /** Asked for every caller that has proved its address, before a byte of its media is taken. */
  readonly onConnection: SrtAuthoriser;
  /** What an authoriser threw that is not a KliegError, and a UDP socket that failed under way. */
  readonly onError?: (error: Error) => void;
  readonly limits?: Partial<HandshakeLimits>;
  readonly keyRefresh?: KeyRefreshPolicy;
  readonly clock?: Clock;
  /** How datagrams travel; UDP by default. */
  readonly openPort?: DatagramPortFactory;
}

/** What a listener has counted; packets that belong to no connection are dropped. */
export interface SrtListenerStatistics {
  readonly connections: number;
  readonly halfOpenHandshakes: number;
  readonly datagramsReceived: number;
  /** Too short for an SRT header, or a handshake that cannot be read. */
  readonly datagramsMalformed: number;
  /** For a socket id that does not exist (any more). */
  readonly datagramsUnknownSocket: number;
  /** For a connection, but not from its peer's address. */
  readonly datagramsWrongAddress: number;
  readonly inductions: number;
  readonly conclusions: number;
  readonly badCookies: number;
  readonly connectionsAccepted: number;
  readonly connectionsRejected: number;
  readonly sendFailures: number;
}

/** Accepts SRT callers on one UDP socket, which carries all their connections. */
export class SrtListener implements Closable<CloseReason> {
  readonly #options: SrtListenerOptions;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #connections = new Map<number, SrtConnection>();
  #port: DatagramPort | undefined;
  #handshakes: ListenerHandshakes | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #received = 0;
  #malformed = 0;
  #unknownSocket = 0;
  #wrongAddress = 0;

  constructor(options: SrtListenerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#scheduler = new Scheduler(this.#clock);
  }

  /** The port listened on. @throws Error before `listen` has resolved. */
  get port(): number {
    if (this.#port === undefined) throw new Error("the listener does not listen yet");
    return this.#port.localPort;
  }

  /** The connections that stand. */
  get connections(): IterableIterator<SrtConnection> {
    return this.#connections.values();
  }

  /**
   * Binds the socket; `port` 0 takes any, `host` is a literal address (default all of IPv4; `::` takes IPv4 too).
   * @throws SrtError `socket` when it cannot be bound
   */
  listen({ port, host = "0.0.0.0" }: { port: number; host?: string }): Promise<void> {
    if (this.#listening !== undefined) throw new Error("a listener listens once");
    this.#listening = this.#open(port, host);
    return this.#listening;
  }

  async #open(port: number, host: string): Promise<void> {
    const open = this.#options.openPort ?? openUdpPort;
    const opened = await open({
      host,
      port,
      onDatagram: (datagram, remotePort, remoteAddress) => this.#take(datagram, remotePort, remoteAddress),
      onError: (error) => this.#socketFailed(error),
    });
    if (this.#closing !== undefined) {
      await opened.close();
      return;
    }
    this.#port = opened;
    const connectionHost: SrtConnectionHost = {
      port: opened,
      scheduler: this.#scheduler,
      onClosed: (connection) => void this.#connections.delete(connection.socketId),
    };
    this.#handshakes = new ListenerHandshakes({
      authorise: async (request) => this.#options.onConnection(request),
      connection: { ...DEFAULT_CONNECTION_OPTIONS, ...definedOnly(this.#options) },
      keyRefresh: this.#options.keyRefresh ?? DEFAULT_KEY_REFRESH,
      limits: { ...DEFAULT_HANDSHAKE_LIMITS, ...this.#options.limits },
      host: connectionHost,
      connections: this.#connections,
      wall: () => this.#clock.wall(),
      onError: (error) => this.#options.onError?.(error instanceof Error ? error : new Error(String(error))),
    });
  }

  statistics(): SrtListenerStatistics {
    const counters = this.#handshakes?.counters;
    return {
      connections: this.#connections.size,
      halfOpenHandshakes: this.#handshakes?.halfOpen ?? 0,
      datagramsReceived: this.#received,
      datagramsMalformed: this.#malformed + (counters?.malformed ?? 0),
      datagramsUnknownSocket: this.#unknownSocket,
      datagramsWrongAddress: this.#wrongAddress,
      inductions: counters?.inductions ?? 0,
      conclusions: counters?.conclusions ?? 0,
      badCookies: counters?.badCookies ?? 0,
      connectionsAccepted: counters?.accepted ?? 0,
      connectionsRejected: counters?.rejected ?? 0,
      sendFailures: this.#port?.sendFailures ?? 0,
    };
  }

  /** Says goodbye on every connection and gives the port back. Idempotent. */
  close(reason: CloseReason = CLOSED_BY_OWNER): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(reason: CloseReason): Promise<void> {
    // A failure to bind was reported to who called `listen`.
    if (this.#listening !== undefined) await Promise.allSettled([this.#listening]);
    this.#handshakes?.close();
    await Promise.all([...this.#connections.values()].map((each) => each.close({ ...reason, kind: "owner" })));
    await this.#port?.close();
  }

  #take(datagram: Buffer, port: number, address: string): void {
    this.#received++;
    if (datagram.length < HEADER_SIZE) {
      this.#malformed++;
      return;
    }
    const destination = datagram.readUInt32BE(12);
    const now = this.#scheduler.now;
    if (destination !== 0) {
      const connection = this.#connections.get(destination);
      if (connection === undefined) this.#unknownSocket++;
      else if (connection.remotePort !== port || connection.remoteAddress !== address) this.#wrongAddress++;
      else connection.handlePacket(datagram, now);
      return;
    }
    if (datagram.readUInt16BE(0) === (0x8000 | ControlType.handshake)) {
      this.#handshakes?.handlePacket(datagram, now, port, address);
    } else this.#malformed++;
  }

  #socketFailed(error: SrtError): void {
    for (const connection of this.#connections.values()) {
      void connection.close({ kind: "socket_error", by: "self", message: error.message, error });
    }
    this.#options.onError?.(error);
  }
}

/** Only what is set: an option given as undefined means its default. */
function definedOnly(options: SrtListenerOptions): Partial<SrtConnectionOptions> {
  const known = Object.keys(DEFAULT_CONNECTION_OPTIONS) as (keyof SrtConnectionOptions)[];
  return Object.fromEntries(known.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]));
}
