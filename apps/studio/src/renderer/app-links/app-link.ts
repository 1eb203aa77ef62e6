/**
 * What a link of the app's own scheme asks for. `connect`: to get to know a server, whose page hands the link out
 * (`klieg://connect?server=https://live.example.com`); `unknown`: nothing that this version knows.
 *
 * Anybody can make a link, and it is followed with a click: it only opens a form that is filled in. Keys are not taken from
 * links, and nothing is ever begun by one.
 */
export type AppLink = { readonly kind: "connect"; readonly server: string } | { readonly kind: "unknown" };

/** Browsers do not agree on the parts of addresses of schemes of one's own. */
const PARTS = /^klieg:\/\/([a-z-]{1,40})\/?(?:\?([^#]*))?(?:#.*)?$/i;
const MAX_SERVER_CHARACTERS = 1000;

/** Never throws: whatever is no link of ours is `unknown`. */
export function readAppLink(url: string): AppLink {
  const [, action, query] = PARTS.exec(url) ?? [];
  if (action?.toLowerCase() !== "connect") return { kind: "unknown" };
  const asked = new URLSearchParams(query).get("server") ?? "";
  const server = asked.length > MAX_SERVER_CHARACTERS ? null : URL.parse(asked);
  const fits = server !== null && /^https?:$/.test(server.protocol) && server.username === "" && server.password === "";
  if (!fits) return { kind: "unknown" };
  return { kind: "connect", server: `${server.origin}${server.pathname}`.replace(/\/$/, "") };
}
