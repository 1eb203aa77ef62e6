/** One entry of a `Link` header: `<uri>; name="value"`, values quoted or not (RFC 8288 § 3). */
const ENTRY = /<([^>]*)>((?:\s*;\s*[\w-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))?)*)/g;
const PARAMETER = /;\s*([\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+)))?/g;
/** A header longer than this is not read. */
const MAX_LENGTH = 8192;

/** The STUN and TURN servers that a `Link` header names with `rel="ice-server"` (RFC 9725 § 4.6). */
export function iceServersOf(header: string | null): RTCIceServer[] {
  const servers: RTCIceServer[] = [];
  if (header === null || header.length > MAX_LENGTH) return servers;
  for (const [, uri = "", rest = ""] of header.matchAll(ENTRY)) {
    const parameters = new Map<string, string>();
    for (const [, name = "", quoted, plain] of rest.matchAll(PARAMETER)) {
      parameters.set(name.toLowerCase(), quoted === undefined ? (plain ?? "") : quoted.replaceAll(/\\(.)/g, "$1"));
    }
    if (!parameters.get("rel")?.split(/\s+/).includes("ice-server")) continue;
    if (!/^(stun|turn)s?:/.test(uri)) continue;
    const username = parameters.get("username");
    const credential = parameters.get("credential");
    servers.push({
      urls: uri,
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    });
  }
  return servers;
}
