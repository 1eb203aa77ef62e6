import { createSocket } from "node:dgram";
import { createServer, isIPv6 } from "node:net";
import type { ListenAddress } from "./listen-addresses.ts";

export interface RtcPortsOptions {
  /** Port of the first worker, UDP and TCP; each further one has the next. 0 takes free ones. */
  readonly port: number;
  readonly workers: number;
  readonly addresses: readonly ListenAddress[];
}

/** Where the workers can listen. */
export interface RtcPorts {
  readonly port: number;
  /** Those addresses that can be bound at all. */
  readonly addresses: readonly ListenAddress[];
}

/** Below the range from which systems take the ports of outgoing connections: what is free now stays so. */
const FREE_FROM = 20_000;
const FREE_TO = 32_000;
const ATTEMPTS = 50;

/**
 * Finds out whether the workers will get their ports, by having each for a moment: they are started with the first
 * peer, and whoever starts the backend should hear of a port that is taken.
 * @throws an Error with a `code` (`EADDRINUSE`, `EACCES`) and the `port` where one cannot be had.
 */
export async function findRtcPorts(options: RtcPortsOptions): Promise<RtcPorts> {
  const { workers } = options;
  const addresses: ListenAddress[] = [];
  for (const address of options.addresses) if (await canBind(address.ip)) addresses.push(address);
  if (options.port !== 0) {
    await tryPorts(options.port, workers, addresses);
    return { port: options.port, addresses };
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = FREE_FROM + Math.floor(Math.random() * (FREE_TO - FREE_FROM - workers));
    try {
      await tryPorts(port, workers, addresses);
      return { port, addresses };
    } catch (error) {
      if (attempt === ATTEMPTS || !isTaken(error)) throw error;
    }
  }
}

/** An address that is being given up or not yet sure (IPv6) is listed by the system, yet cannot be bound. */
async function canBind(ip: string): Promise<boolean> {
  try {
    await bindUdp(ip, 0);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return false;
    throw error;
  }
}

async function tryPorts(first: number, workers: number, addresses: readonly ListenAddress[]): Promise<void> {
  for (let port = first; port < first + workers; port += 1) {
    for (const { ip } of addresses) {
      try {
        await bindUdp(ip, port);
        await bindTcp(ip, port);
      } catch (error) {
        throw Object.assign(error as Error, { port });
      }
    }
  }
}

function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EADDRINUSE" || code === "EACCES";
}

function bindUdp(ip: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = createSocket({ type: isIPv6(ip) ? "udp6" : "udp4", ipv6Only: isIPv6(ip) });
  socket.once("error", (error) => {
    socket.close();
    reject(error);
  });
  socket.bind({ port, address: ip, exclusive: true }, () => socket.close(() => resolve()));
  return promise;
}

function bindTcp(ip: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer();
  server.once("error", reject);
  server.listen({ port, host: ip, ipv6Only: isIPv6(ip), exclusive: true }, () => server.close(() => resolve()));
  return promise;
}
