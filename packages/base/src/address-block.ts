/** `address` without IPv6 mapping and zone; empty where there is none (the peer is gone already). */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  const mapped = address.toLowerCase().startsWith("::ffff:") && address.includes(".");
  const plain = mapped ? address.slice(7) : address;
  const zone = plain.indexOf("%");
  return zone < 0 ? plain : plain.slice(0, zone);
}

/**
 * What counts as one source for limits: an IPv4 address, or the /64 of an IPv6 one, as one subscriber has all of it.
 * @param address as {@link plainAddress} gives it.
 */
export function addressBlock(address: string): string {
  if (!address.includes(":")) return address;
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
