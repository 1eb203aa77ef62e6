import { isIPv6 } from "node:net";

/** `address` without IPv6 mapping and zone; empty when there is none (the peer is gone already). */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  const mapped = address.toLowerCase().startsWith("::ffff:") && address.includes(".");
  const plain = mapped ? address.slice(7) : address;
  const zone = plain.indexOf("%");
  return zone < 0 ? plain : plain.slice(0, zone);
}

/** Counts open connections, in all and per source. */
export class ConnectionCounter {
  readonly #max: number;
  readonly #maxPerSource: number;
  readonly #bySource = new Map<string, number>();
  #total = 0;

  constructor(max: number, maxPerSource: number) {
    this.#max = max;
    this.#maxPerSource = maxPerSource;
  }

  /** Connections that have entered and not left. */
  get total(): number {
    return this.#total;
  }

  /** Counts a connection in; answers with why it may not come in, or undefined when it may. */
  enter(address: string): string | undefined {
    if (this.#total >= this.#max) return `more than ${this.#max} connections`;
    const source = sourceOf(address);
    const open = this.#bySource.get(source) ?? 0;
    if (open >= this.#maxPerSource) return `more than ${this.#maxPerSource} connections from ${source}`;
    this.#bySource.set(source, open + 1);
    this.#total++;
    return undefined;
  }

  /** Counts a connection that had entered out. */
  leave(address: string): void {
    const source = sourceOf(address);
    const open = (this.#bySource.get(source) ?? 0) - 1;
    if (open > 0) this.#bySource.set(source, open);
    else this.#bySource.delete(source);
    this.#total--;
  }
}

/** One subscriber has a whole /64 of IPv6 addresses, so that is what counts as one source. */
function sourceOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const groups = address.includes("::")
    ? [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after]
    : before;
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
