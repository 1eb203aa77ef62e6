import { createHmac } from "node:crypto";
import { z } from "zod";

/** What a peer passes to `RTCPeerConnection` as one of its `iceServers`. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** KLIEG_ICE_SERVERS cannot be read; the message says what is wrong with it, for the operator. */
export class IceServersSyntaxError extends Error {
  override readonly name = "IceServersSyntaxError";
}

/** `stun:` and `turn:` URIs (RFC 7064 § 3.1, RFC 7065 § 3.1). */
const URL_PATTERN =
  /^(?:stuns?:(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?|turns?:(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?)$/i;

const Url = z
  .string()
  .max(300)
  .regex(URL_PATTERN, "an address looks like stun:HOST:3478 or turn:HOST:3478?transport=udp");

/** What a header can carry as it is. */
const Text = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[\x20-\x7e]+$/, "plain ASCII is wanted");

const Given = z
  .array(
    z.strictObject({
      urls: z.preprocess((urls) => (typeof urls === "string" ? [urls] : urls), z.array(Url).min(1).max(10)),
      username: Text.optional(),
      credential: Text.optional(),
    }),
  )
  .max(10);

/**
 * Reads ICE servers as an operator writes them: addresses with commas between them, or JSON as `RTCPeerConnection`
 * takes it (`[{"urls": "turn:HOST", "username": "…", "credential": "…"}]`).
 * @throws {IceServersSyntaxError}
 */
export function parseIceServers(text: string): IceServer[] {
  const trimmed = text.trim();
  let given: unknown;
  if (trimmed.startsWith("[")) {
    try {
      given = JSON.parse(trimmed);
    } catch (error) {
      throw new IceServersSyntaxError(`it is not JSON: ${(error as Error).message}`);
    }
  } else {
    const urls = trimmed.split(",").map((url) => url.trim());
    given = urls.filter((url) => url !== "").map((url) => ({ urls: url }));
  }
  const parsed = Given.safeParse(given);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "it cannot be read" };
    throw new IceServersSyntaxError(path.length === 0 ? message : `${path.join(".")}: ${message}`);
  }
  return parsed.data.map(({ urls, username, credential }) => {
    if ((username === undefined) !== (credential === undefined)) {
      throw new IceServersSyntaxError("username and credential go together: give both or none");
    }
    return username === undefined || credential === undefined ? { urls } : { urls, username, credential };
  });
}

/** Whether a server relays, and therefore wants to know who asks. */
export function isTurn(server: IceServer): boolean {
  return server.urls.some((url) => /^turns?:/i.test(url));
}

export interface IceServersOptions {
  readonly servers: readonly IceServer[];
  /** The secret that the TURN servers share with this backend; undefined where they have fixed credentials. */
  readonly turnSecret: string | undefined;
  /** How long credentials made with the secret are good for, s. */
  readonly turnTtlS: number;
  /** Unix time, ms. */
  readonly wall: () => number;
}

/** The STUN and TURN servers that peers are told, with credentials made for each of them (RTC4). */
export class IceServers {
  readonly #options: IceServersOptions;

  constructor(options: IceServersOptions) {
    this.#options = options;
  }

  /**
   * The servers for one peer. Servers without fixed credentials get such as the shared secret makes (the "REST API for
   * access to TURN services": coturn's `use-auth-secret`): user name `EXPIRY:NAME`, where EXPIRY is the Unix time, s,
   * until which they are good, and its HMAC-SHA1 as the password.
   * @param name who asks, as the TURN server's log should have it: a session's id, say.
   */
  issue(name: string): IceServer[] {
    const { servers, turnSecret, turnTtlS, wall } = this.#options;
    const expiry = Math.floor(wall() / 1000) + turnTtlS;
    return servers.map((server) => {
      if (turnSecret === undefined || server.username !== undefined || !isTurn(server)) return server;
      const username = `${expiry}:${name.replace(/[^A-Za-z0-9_.-]/g, "_")}`;
      const credential = createHmac("sha1", turnSecret).update(username).digest("base64");
      return { urls: server.urls, username, credential };
    });
  }
}

/** The values of the `Link` header fields that tell a WHIP or WHEP client its ICE servers (RFC 9725 § 4.6). */
export function iceServerLinks(servers: readonly IceServer[]): string[] {
  return servers.flatMap(({ urls, username, credential }) =>
    urls.map((url) => {
      const link = `<${url}>; rel="ice-server"`;
      if (username === undefined || credential === undefined || !/^turns?:/i.test(url)) return link;
      return `${link}; username=${quoted(username)}; credential=${quoted(credential)}; credential-type="password"`;
    }),
  );
}

/** A quoted-string (RFC 9110 § 5.6.4). */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
