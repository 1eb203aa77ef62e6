import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** What HTTP/2's connection preface begins with, and no HTTP/1.1 method does. */
const PREFACE = Buffer.from("PRI");
const FIRST_BYTES_TIMEOUT_MS = 10_000;
/** Time for a whole request with its body; an answer may take longer. */
const REQUEST_TIMEOUT_MS = 20_000;

export interface HttpDoorLimits {
  readonly maxConnections: number;
  /** Time for a request's headers, ms. */
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

/**
 * One cleartext port for HTTP/1.1 and for HTTP/2 with prior knowledge (RFC 9113 § 3.3), as a proxy in front speaks it:
 * a connection's first three bytes decide. It is an `http.Server` to whoever listens on it and closes it.
 */
export function createHttpDoor(handler: RequestListener, limits: HttpDoorLimits): Server {
  const http1 = createServer(
    {
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5000,
      maxHeaderSize: 16 * 1024,
      noDelay: true,
      // Whoever offers to speak HTTP/2 by an upgrade is answered in HTTP/1.1 (RFC 9110 § 7.8).
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    },
    handler,
  );
  http1.maxConnections = limits.maxConnections;
  const http2: Http2Server = createHttp2Server(
    { maxSessionMemory: 16, settings: { maxConcurrentStreams: 128, initialWindowSize: 1 << 20 } },
    handler as never,
  );
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    // A peer that stops in mid-preface never sends its SETTINGS.
    const impatience = setTimeout(() => session.destroy(), FIRST_BYTES_TIMEOUT_MS);
    session.once("remoteSettings", () => clearTimeout(impatience));
    session.setTimeout(limits.keepAliveTimeoutMs, () => session.close());
    session.once("close", () => {
      clearTimeout(impatience);
      sessions.delete(session);
    });
  });
  // A peer that breaks the protocol is Node's to answer; nothing here is lost by it.
  http2.on("sessionError", () => undefined);

  const toHttp1 = http1.listeners("connection") as ((this: Server, socket: Socket) => void)[];
  http1.removeAllListeners("connection");
  const undecided = new Set<Socket>();
  http1.on("connection", (socket: Socket) => {
    undecided.add(socket);
    const timer = setTimeout(() => socket.destroy(), FIRST_BYTES_TIMEOUT_MS);
    const settle = () => {
      clearTimeout(timer);
      undecided.delete(socket);
      socket.off("readable", onReadable);
      socket.off("error", settle);
      socket.off("close", settle);
    };
    let head: Buffer = Buffer.alloc(0);
    const onReadable = () => {
      const more: Buffer | null = socket.read();
      if (more === null) return;
      head = head.length === 0 ? more : Buffer.concat([head, more]);
      const isPreface = PREFACE.subarray(0, head.length).equals(head.subarray(0, PREFACE.length));
      if (isPreface && head.length < PREFACE.length) return;
      settle();
      socket.unshift(head);
      if (isPreface) http2.emit("connection", socket);
      else for (const listener of toHttp1) listener.call(http1, socket);
    };
    socket.on("readable", onReadable);
    socket.once("error", settle);
    socket.once("close", settle);
  });

  const close = http1.close.bind(http1);
  http1.close = (callback) => {
    for (const session of sessions) session.close();
    for (const socket of undecided) socket.destroy();
    return close(callback);
  };
  const closeAll = http1.closeAllConnections.bind(http1);
  http1.closeAllConnections = () => {
    for (const session of sessions) session.destroy();
    closeAll();
  };
  return http1;
}
