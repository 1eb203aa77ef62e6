import { lookup as systemLookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";

/** Every address of a name; rejects where there is none. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>;

const everyAddress: Lookup = (name) => systemLookup(name, { all: true });

/**
 * The addresses to announce, with the first IPv4 and IPv6 address in place of a host name: not every peer resolves names
 * in candidates. A name that has none, or that means this machine itself here (Debian's own host name does), stays.
 * @param announced addresses and host names.
 */
export async function resolveAnnounced(announced: readonly string[], lookup: Lookup = everyAddress): Promise<string[]> {
  const resolved: string[] = [];
  for (const given of announced) {
    if (isIP(given) !== 0) {
      resolved.push(given);
      continue;
    }
    const found = await lookup(given).catch(() => []);
    const addresses = found.map(({ address }) => address).filter(isElsewhere);
    const v4 = addresses.find((address) => !isIPv6(address));
    const v6 = addresses.find((address) => isIPv6(address));
    resolved.push(...[v4, v6].filter((address) => address !== undefined));
    if (v4 === undefined && v6 === undefined) resolved.push(given);
  }
  return [...new Set(resolved)];
}

/**
 * The one address that `host` names, as listeners bind it.
 * @throws Error where there is none.
 */
export async function resolveHost(host: string, lookup: Lookup = everyAddress): Promise<string> {
  if (isIP(host) !== 0) return host;
  const [first] = await lookup(host);
  if (first === undefined) throw new Error(`${host} has no address`);
  return first.address;
}

function isElsewhere(address: string): boolean {
  const lower = address.toLowerCase();
  return !(address.startsWith("127.") || address === "0.0.0.0" || address === "::1" || lower.startsWith("fe80:"));
}
