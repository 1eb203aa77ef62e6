import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { type Clock, type Closable, type CloseReason, Emitter, plainAddress, systemClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { ConnectionCounter } from "./connection-counter.ts";
import { type EnhancedCapabilities, SERVER_CAPABILITIES } from "./enhanced.ts";
import type { PublishAuthoriser, SessionStats } from "./publish.ts";
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from "./server-limits.ts";
import { ServerSession } from "./server-session.ts";

/** What an RTMP server is made of. */
export interface RtmpServerOptions {
  /** Asked before a byte of media is taken. */
  readonly onPublish: PublishAuthoriser;
  readonly limits?: Partial<ServerLimits>;
  /** What connect is answered with about Enhanced RTMP. */
  readonly enhanced?: EnhancedCapabilities;
  readonly clock?: Clock;
}

/** Where to listen. */
export interface RtmpListenOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly host?: string;
  /** PEM; makes the listener RTMPS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
}

/** Where a listener is. */
export interface RtmpAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

export interface RtmpServerEvents {
  /** Turned away at the door: too many connections, or no TLS. */
  refused: { readonly remoteAddress: string; readonly reason: string };
  /** A connection is over, whether it published or not. */
  disconnected: {
    readonly id: number;
    readonly remoteAddress: string;
    readonly reason: CloseReason;
    readonly stats: SessionStats;
  };
  /** A listener failed after it had begun to listen. */
  failed: { readonly error: Error };
}

/** An RTMP and RTMPS server for publishers (ING1). */
export class RtmpServer implements Closable<KliegError> {
  readonly events = new Emitter<RtmpServerEvents>();
  readonly #options: RtmpServerOptions;
  readonly #limits: ServerLimits;
  readonly #counter: ConnectionCounter;
  readonly #listeners = new Map<Server, RtmpAddress>();
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerSession>();
  #lastId = 0;
  #closing: Promise<void> | undefined;

  constructor(options: RtmpServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits };
    this.#counter = new ConnectionCounter(this.#limits.maxConnections, this.#limits.maxConnectionsPerIp);
  }

  /** Where the server listens, in the order of the `listen` calls. */
  get addresses(): readonly RtmpAddress[] {
    return [...this.#listeners.values()];
  }

  /** The first address; undefined before `listen`. */
  get address(): RtmpAddress | undefined {
    return this.addresses[0];
  }

  /** Open connections, published on or not. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * Begins to listen; may be called once for RTMP and once for RTMPS, or for several addresses. All listeners share
   * the connection limits.
   * @throws the system's error (EADDRINUSE, EACCES, …), or that of an unusable certificate
   */
  async listen(options: RtmpListenOptions): Promise<RtmpAddress> {
    if (this.#closing !== undefined) throw new Error("the server is closed");
    const secure = options.tls !== undefined;
    const tls = options.tls === undefined ? undefined : this.#createTlsServer(options.tls);
    const server = createServer((socket) => this.#onSocket(socket, tls));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(options.port, options.host, () => resolve());
    await promise;
    server.off("error", reject);
    server.on("error", (error) => this.events.emit("failed", { error }));
    const { address, port } = server.address() as AddressInfo;
    const bound: RtmpAddress = { host: address, port, secure };
    this.#listeners.set(server, bound);
    return bound;
  }

  /** Stops listening, ends every session with `reason` (told to its encoder), and waits for all sockets to close. */
  close(reason: KliegError = new KliegError("shutting_down", "The server is shutting down.")): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(reason: KliegError): Promise<void> {
    const listeners = [...this.#listeners.keys()].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    await Promise.all([...this.#sessions].map((session) => session.end(reason)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(listeners);
    this.#listeners.clear();
  }

  #createTlsServer(tls: { cert: string | Buffer; key: string | Buffer }): TlsServer {
    const server = createTlsServer({
      cert: tls.cert,
      key: tls.key,
      handshakeTimeout: this.#limits.handshakeTimeoutMs,
    });
    server.on("secureConnection", (socket) => this.#open(socket, true));
    server.on("tlsClientError", (error, socket) => {
      this.events.emit("refused", {
        remoteAddress: plainAddress(socket.remoteAddress),
        reason: `TLS handshake failed: ${error.message}`,
      });
      socket.destroy();
    });
    return server;
  }

  #onSocket(socket: Socket, tls: TlsServer | undefined): void {
    const remoteAddress = plainAddress(socket.remoteAddress);
    const refusal = this.#closing === undefined ? this.#counter.enter(remoteAddress) : "the server is closing";
    if (refusal !== undefined) {
      socket.destroy();
      this.events.emit("refused", { remoteAddress, reason: refusal });
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#counter.leave(remoteAddress);
    });
    if (tls === undefined) this.#open(socket, false);
    else tls.emit("connection", socket);
  }

  #open(socket: Socket, secure: boolean): void {
    const remoteAddress = plainAddress(socket.remoteAddress);
    const session: ServerSession = new ServerSession({
      id: ++this.#lastId,
      socket,
      remoteAddress,
      secure,
      limits: this.#limits,
      enhanced: this.#options.enhanced ?? SERVER_CAPABILITIES,
      authorise: this.#options.onPublish,
      clock: this.#options.clock ?? systemClock,
      onClosed: (reason) => {
        this.#sessions.delete(session);
        this.events.emit("disconnected", { id: session.id, remoteAddress, reason, stats: session.stats });
      },
    });
    this.#sessions.add(session);
  }
}
