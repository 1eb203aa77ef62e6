import { isAppAddress } from "./app-address.ts";

/** `app`: the app's own page may go there; `browser`: the system's browser may; `deny`: nobody. */
export type NavigationVerdict = "app" | "browser" | "deny";

const MAX_ADDRESS_CHARACTERS = 2000;

/**
 * Where a link leads. Only web pages are handed to the system: what else it would open (files, shares, settings, other
 * programs) is a way out of the sandbox.
 */
export function navigationVerdict(address: string): NavigationVerdict {
  if (isAppAddress(address)) return "app";
  if (address.length > MAX_ADDRESS_CHARACTERS) return "deny";
  const url = URL.parse(address);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return "deny";
  // A name before the host serves only to pass one site off as another.
  return url.username === "" && url.password === "" && url.host !== "" ? "browser" : "deny";
}
