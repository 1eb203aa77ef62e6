import { randomBytes } from "node:crypto";
import { KliegError, type StudioAnswerOf } from "@klieg/protocol";
import { exchange, type HttpAnswer, type HttpRequest, refusalOf } from "./http-exchange.ts";

interface WhipSession {
  readonly owner: object;
  readonly destination: string;
  readonly key: string;
  readonly resource: URL;
  /** Of the present ICE session; null where the server does not tell. */
  etag: string | null;
}

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
/** A server may name another for the publication (RFC 9725 § 4.5); so many times. */
const MAX_REDIRECTIONS = 3;
/** Publications that all pages may have open. */
const MAX_SESSIONS = 32;
/** Posts may take longer than other requests: a media worker may have to be started first. */
const OFFER_MS = 20_000;

/** The HTTP of WHIP (RFC 9725) on a page's behalf: the page has the peer connection, this has the key. */
export class WhipDoor {
  readonly #sessions = new Map<string, WhipSession>();

  /** Destinations that have a publication now. */
  get destinations(): readonly string[] {
    return [...this.#sessions.values()].map(({ destination }) => destination);
  }

  /**
   * Publishes. A publication of the same destination that was there before is ended.
   * @param owner whose publication it is: nobody else can change or end it.
   * @throws {KliegError} the server's own; `unreachable`, `timeout`.
   */
  async offer(
    owner: object,
    destination: string,
    { endpoint, key, sdp }: { readonly endpoint: string; readonly key: string; readonly sdp: string },
  ): Promise<StudioAnswerOf<"whip_offer">> {
    if (this.#sessions.size >= MAX_SESSIONS) throw new KliegError("rate_limited", "Too many publications are open.");
    const { url, answer } = await this.#post(endpoint, key, sdp);
    const location = answer.headers.get("location");
    const resource = location === null ? null : URL.parse(location, url);
    if (resource === null || resource.origin !== url.origin) {
      // The key is for this server alone.
      throw new KliegError("unreachable", `${url.host} does not say where the publication can be ended.`);
    }
    for (const [id, { destination: other }] of this.#sessions) if (other === destination) void this.#end(id);
    const session = randomBytes(12).toString("hex");
    this.#sessions.set(session, { owner, destination, key, resource, etag: answer.headers.get("etag") });
    return { session, sdp: answer.text, link: answer.headers.get("link") };
  }

  /**
   * Hands on candidates, or begins an ICE restart (RFC 9725 § 4.3).
   * @returns the other end's new credentials and candidates after a restart; else null.
   * @throws {KliegError} `not_found` for a session that is over, here or there.
   */
  async patch(owner: object, id: string, fragment: string, restart: boolean): Promise<string | null> {
    const session = this.#sessions.get(id);
    if (session === undefined || session.owner !== owner) throw new KliegError("not_found", "The publication is over.");
    const condition = restart ? "*" : session.etag;
    const answer = await exchange({
      method: "PATCH",
      url: session.resource,
      bearer: session.key,
      headers: { "content-type": FRAGMENT, ...(condition === null ? {} : { "if-match": condition }) },
      body: fragment,
    });
    if (answer.status === 404 || answer.status === 410) this.#sessions.delete(id);
    if (answer.status < 200 || answer.status > 299) throw refusalOf(session.resource, answer);
    if (restart) session.etag = answer.headers.get("etag") ?? session.etag;
    return answer.status === 200 && answer.text !== "" ? answer.text : null;
  }

  /** Ends a publication. Does nothing where it is over. */
  async end(owner: object, id: string): Promise<void> {
    if (this.#sessions.get(id)?.owner === owner) await this.#end(id);
  }

  /** Ends what a page has published: its peer connection is gone with it. */
  async abandon(owner: object): Promise<void> {
    const ids = [...this.#sessions].filter(([, session]) => session.owner === owner).map(([id]) => id);
    await Promise.all(ids.map((id) => this.#end(id)));
  }

  /** Ends what is published to a destination. */
  async leave(destination: string): Promise<void> {
    const ids = [...this.#sessions].filter(([, session]) => session.destination === destination).map(([id]) => id);
    await Promise.all(ids.map((id) => this.#end(id)));
  }

  async #post(endpoint: string, key: string, sdp: string): Promise<{ url: URL; answer: HttpAnswer }> {
    let url = new URL(endpoint);
    for (let redirections = 0; ; redirections += 1) {
      const request: HttpRequest = {
        method: "POST",
        url,
        bearer: key,
        headers: { "content-type": SDP, accept: SDP },
        body: sdp,
        timeoutMs: OFFER_MS,
      };
      const answer = await exchange(request);
      if (answer.status === 307 || answer.status === 308) {
        const next = URL.parse(answer.headers.get("location") ?? "", url);
        // Never from HTTPS to what others can read.
        const safe =
          next !== null && (next.protocol === "https:" || (next.protocol === "http:" && url.protocol === "http:"));
        if (!safe || redirections >= MAX_REDIRECTIONS) {
          throw new KliegError("unreachable", `${url.host} sends the publication on to nowhere.`);
        }
        url = next;
        continue;
      }
      if (answer.status === 201) return { url, answer };
      if (answer.status < 300) throw new KliegError("unreachable", `${url.host} does not answer as WHIP does.`);
      throw refusalOf(url, answer);
    }
  }

  async #end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    try {
      await exchange({ method: "DELETE", url: session.resource, bearer: session.key, timeoutMs: 5000 });
    } catch (error) {
      // It cannot be told; it ends by itself there, when no more media comes.
      if (!(error instanceof KliegError)) throw error;
    }
  }
}
