import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** An address that WebRTC media is received on. */
export interface ListenAddress {
  /** Local IPv4 or IPv6 address to bind. */
  readonly ip: string;
  /** What peers are told instead of `ip`: an address or a host name. */
  readonly announced?: string;
  /** Peers are told `ip` as well as `announced`. */
  readonly ownToo?: true;
}

/** Every further interface costs two sockets a worker and two candidates in every answer. */
const MAX_ADDRESSES = 8;

/**
 * Where WebRTC listens. Without announced addresses: on each address of the machine by itself, so that a peer on any of
 * its networks is told the one that it can reach, or on `host` alone where that is one address.
 *
 * With announced addresses peers are told these and no others. One that the machine has is listened on by itself. One
 * that it has not is a NAT's: what is sent there arrives at the machine's announced addresses of the same family, or,
 * where none of those is announced, at any. A host name stands for IPv4.
 * @param announced of each family at most one address that is not the machine's own is of use: see {@link tells}.
 * @param host an IP address; every address where undefined, IPv4 only where `0.0.0.0`.
 */
export function listenAddresses(
  announced: readonly string[],
  host: string | undefined,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): ListenAddress[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const single = host !== undefined && host !== "::" && host !== "0.0.0.0" ? host : undefined;
  if (announced.length > 0) {
    const own = new Set(all.map(({ address }) => address));
    if (single !== undefined) return [behind(single, sameFamilyFirst(announced, isIPv6(single)))];
    const v4 = announcedOf(announced, false, own);
    return host === "0.0.0.0" ? v4 : [...v4, ...announcedOf(announced, true, own)];
  }
  if (single !== undefined) return [{ ip: single }];
  const usable = all.filter(({ address, family }) => {
    if (host === "0.0.0.0" && family === "IPv6") return false;
    // A link-local address needs a zone, which candidates cannot carry.
    return !address.toLowerCase().startsWith("fe80:");
  });
  // Those that other machines reach come first; the loopback is for browsers on this one.
  usable.sort((a, b) => Number(a.internal) - Number(b.internal));
  return usable.slice(0, MAX_ADDRESSES).map(({ address }) => ({ ip: address }));
}

/** Whether peers are told `address`, given what is listened on. */
export function tells(addresses: readonly ListenAddress[], address: string): boolean {
  return addresses.some(
    ({ ip, announced, ownToo }) => announced === address || (ip === address && (announced === undefined || ownToo)),
  );
}

function announcedOf(announced: readonly string[], v6: boolean, own: ReadonlySet<string>): ListenAddress[] {
  const family = announced.filter((address) => isIPv6(address) === v6);
  const here = family.filter((address) => own.has(address));
  const nat = family.find((address) => !own.has(address));
  const everywhere = v6 ? "::" : "0.0.0.0";
  // Nothing but the loopback: peers on this machine, and this may be a container on it.
  const [only] = here;
  if (nat === undefined && here.length === 1 && only !== undefined && isLoopback(only)) {
    return [{ ip: everywhere, announced: only }];
  }
  if (nat === undefined) return here.slice(0, MAX_ADDRESSES).map((ip) => ({ ip }));
  if (here.length === 0) return [{ ip: everywhere, announced: nat }];
  return here.slice(0, MAX_ADDRESSES).map((ip) => behind(ip, [ip, nat]));
}

/** A local address that peers know by another. */
function behind(ip: string, announced: readonly string[]): ListenAddress {
  const other = announced.find((address) => address !== ip);
  // No NAT leads to the loopback.
  if (other === undefined || (announced.includes(ip) && isLoopback(ip))) return { ip };
  return announced.includes(ip) ? { ip, announced: other, ownToo: true } : { ip, announced: other };
}

function isLoopback(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

function sameFamilyFirst(announced: readonly string[], v6: boolean): readonly string[] {
  const same = announced.filter((address) => (isIP(address) === 0 ? !v6 : isIPv6(address) === v6));
  return same.length > 0 ? same : announced;
}
