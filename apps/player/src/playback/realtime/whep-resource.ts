import { iceServersOf } from "@klieg/room";

/** Longer than this no answer comes. */
const TIMEOUT_MS = 5000;
/** An answer longer than this is not one of the door's. */
const MAX_BODY = 256 * 1024;

export type WhepProblem =
  /** What was asked for is not there (any more). */
  | "gone"
  /** The door has nothing that this browser can play. */
  | "unsupported"
  /** It may not be had. */
  | "forbidden"
  /** The server cannot do it, or not now. */
  | "unavailable"
  /** No answer came. */
  | "unreachable"
  /** An answer that makes no sense. */
  | "malformed";

/** The door did not do what was asked. */
export class WhepError extends Error {
  override readonly name = "WhepError";
  readonly problem: WhepProblem;
  /** HTTP status; null where there was no answer. */
  readonly status: number | null;

  constructor(problem: WhepProblem, status: number | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
    this.status = status;
  }
}

function problemOf(status: number): WhepProblem {
  if (status === 404 || status === 410) return "gone";
  if (status === 406 || status === 415) return "unsupported";
  if (status === 401 || status === 403) return "forbidden";
  return "unavailable";
}

export type Fetcher = (url: string, init: RequestInit) => Promise<Response>;

/** What the door answers to an offer. */
export interface WhepAnswer {
  readonly resource: WhepResource;
  /** SDP. */
  readonly answer: string;
  readonly iceServers: readonly RTCIceServer[];
}

/** A session at the WHEP door (draft-ietf-wish-whep; the verbs are those of RFC 9725 § 4). */
export class WhepResource {
  /** Absolute. */
  readonly url: string;
  readonly #fetch: Fetcher;
  #over = false;

  private constructor(url: string, fetcher: Fetcher) {
    this.url = url;
    this.#fetch = fetcher;
  }

  /**
   * Offers to receive what is at `endpoint`.
   * @throws WhepError; or the signal's reason once it is aborted.
   */
  static async post(endpoint: string, offer: string, signal: AbortSignal, fetcher: Fetcher): Promise<WhepAnswer> {
    const response = await request(fetcher, endpoint, {
      method: "POST",
      headers: { "content-type": "application/sdp", accept: "application/sdp" },
      body: offer,
      signal,
    });
    const location = response.headers.get("location");
    const answer = await textOf(response);
    if (response.status !== 201 || location === null || !answer.startsWith("v=0")) {
      throw new WhepError("malformed", response.status, "The answer to the offer is not a session.");
    }
    const resource = new WhepResource(new URL(location, response.url || endpoint).href, fetcher);
    return { resource, answer, iceServers: iceServersOf(response.headers.get("link")) };
  }

  /** How the session is doing. @throws WhepError */
  async state(signal: AbortSignal): Promise<unknown> {
    const response = await request(this.#fetch, this.url, {
      method: "GET",
      headers: { accept: "application/json" },
      signal,
    });
    return jsonOf(response);
  }

  /** Asks for an ICE restart with a fragment of the new offer. @returns the door's own fragment. @throws WhepError */
  async restartIce(fragment: string, signal: AbortSignal): Promise<string> {
    const response = await request(this.#fetch, this.url, {
      method: "PATCH",
      // A restart holds whatever the session's ICE was before (RFC 9725 § 4.3.3).
      headers: { "content-type": "application/trickle-ice-sdpfrag", "if-match": "*" },
      body: fragment,
      signal,
    });
    return textOf(response);
  }

  /** Posts to one of the session's own doors, such as `layers`. @returns the answer's JSON; null where it has none. @throws WhepError */
  async post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    const response = await request(this.#fetch, `${this.url}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    return response.status === 204 ? null : jsonOf(response);
  }

  /** The door said that the session is over: it need not be told. */
  markOver(): void {
    this.#over = true;
  }

  /** Ends the session; also while the page goes away. Idempotent, never rejects. */
  async delete(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    try {
      await this.#fetch(this.url, { method: "DELETE", keepalive: true, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      // Whoever cannot be told notices by himself.
      console.info("Klieg: the end of a real-time session could not be told:", error);
    }
  }
}

async function request(fetcher: Fetcher, url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetcher(url, { ...init, cache: "no-store", signal: AbortSignal.any([init.signal, timeout]) });
  } catch (cause) {
    init.signal.throwIfAborted();
    throw new WhepError("unreachable", null, "No answer from the real-time door.", { cause });
  }
  if (response.ok) return response;
  const words = await textOf(response).catch(() => "");
  throw new WhepError(
    problemOf(response.status),
    response.status,
    `The real-time door answered with status ${response.status}: ${words.slice(0, 300)}`,
  );
}

async function textOf(response: Response): Promise<string> {
  try {
    const text = await response.text();
    if (text.length <= MAX_BODY) return text;
  } catch (cause) {
    throw new WhepError("unreachable", response.status, "The answer broke off.", { cause });
  }
  throw new WhepError("malformed", response.status, "The answer is too long.");
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await textOf(response);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WhepError("malformed", response.status, "The answer is not JSON.", { cause });
  }
}
