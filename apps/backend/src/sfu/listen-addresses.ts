import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** An address that WebRTC media is received on. */
export interface ListenAddress {
  /** Local IPv4 or IPv6 address to bind. */
  readonly ip: string;
  /** What peers are told instead of `ip`: an address or a host name. */
  readonly announced?: string;
}

/** Every further interface costs two sockets a worker and two candidates in every answer. */
const MAX_ADDRESSES = 8;

/**
 * Where WebRTC listens. With announced addresses: on every interface, once for each IP family that one of them is of
 * (a host name stands for IPv4). Without: on each address of the machine by itself, so that a peer on any of its
 * networks is told the one that it can reach, or on `host` alone where that is one address.
 * @param announced at most one IPv4 address or host name, and one IPv6 address, are of use.
 */
export function listenAddresses(
  announced: readonly string[],
  host: string | undefined,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): ListenAddress[] {
  const single = host !== undefined && host !== "::" && host !== "0.0.0.0" ? host : undefined;
  if (announced.length > 0) {
    const v4 = announced.find((address) => !isIPv6(address));
    const v6 = announced.find((address) => isIPv6(address));
    if (single !== undefined) {
      const own = isIPv6(single) ? (v6 ?? v4) : (v4 ?? v6);
      return [{ ip: single, announced: own as string }];
    }
    return [
      ...(v4 === undefined ? [] : [{ ip: "0.0.0.0", announced: v4 }]),
      ...(v6 === undefined ? [] : [{ ip: "::", announced: v6 }]),
    ];
  }
  if (single !== undefined && isIP(single) !== 0) return [{ ip: single }];
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ address, family }) => {
    if (host === "0.0.0.0" && family === "IPv6") return false;
    // A link-local address needs a zone, which candidates cannot carry.
    return !address.toLowerCase().startsWith("fe80:");
  });
  // Those that other machines reach come first; the loopback is for browsers on this one.
  usable.sort((a, b) => Number(a.internal) - Number(b.internal));
  return usable.slice(0, MAX_ADDRESSES).map(({ address }) => ({ ip: address }));
}
