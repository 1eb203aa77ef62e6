import {
  type ChangeStream,
  ChannelList,
  CreatedInvite,
  CreatedRoom,
  ErrorBody,
  KliegError,
  RoomInfo,
  ServerInfo,
  StartedStream,
  StreamHealth,
  StreamInfo,
  StreamKeyCheck,
} from "@klieg/protocol";
import type { z } from "zod";
import type { GuestRoomServer } from "../../../guests/guest-room-ports.ts";
import { localStrings } from "../../strings/local.ts";

const PATIENCE_MS = 10_000;
/** No answer of this API is as large, bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** A WHIP session (RFC 9725) as the server answered. */
export interface WhipResource {
  /** Whole address. */
  readonly url: string;
  readonly etag: string | undefined;
  readonly sdp: string;
  /** `Link` of the answer. */
  readonly link: string | null;
}

/** A Klieg backend's HTTP API, as the owner of a stream key uses it. Every method throws {@link KliegError}s only. */
export class KliegDoor {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof fetch;

  /** @param url of the backend, without a path. */
  constructor(url: string, key: string | undefined, fetcher: typeof fetch = (...request) => fetch(...request)) {
    this.#base = url.replace(/\/+$/, "");
    this.#key = key;
    this.#fetch = fetcher;
  }

  server(): Promise<ServerInfo> {
    return this.#json(ServerInfo, "GET", "/v1/server");
  }

  channels(): Promise<ChannelList> {
    return this.#json(ChannelList, "GET", "/v1/channels");
  }

  checkKey(): Promise<StreamKeyCheck> {
    return this.#json(StreamKeyCheck, "GET", "/v1/stream-key");
  }

  start(details: ChangeStream): Promise<StartedStream> {
    return this.#json(StartedStream, "POST", "/v1/streams/start", details);
  }

  change(streamId: string, details: ChangeStream): Promise<StreamInfo> {
    return this.#json(StreamInfo, "PATCH", `/v1/streams/${streamId}`, details);
  }

  stop(streamId: string): Promise<StreamInfo> {
    return this.#json(StreamInfo, "POST", "/v1/streams/stop", { stream_id: streamId });
  }

  stream(streamId: string): Promise<StreamInfo> {
    return this.#json(StreamInfo, "GET", `/v1/streams/${streamId}`);
  }

  health(streamId: string): Promise<StreamHealth> {
    return this.#json(StreamHealth, "GET", `/v1/streams/${streamId}/health`);
  }

  /** Rooms for guests (STU7). */
  readonly rooms: GuestRoomServer = {
    find: (id) => this.#json(RoomInfo, "GET", `/v1/rooms/${id}`).catch(unlessGone),
    create: (title) => this.#json(CreatedRoom, "POST", "/v1/rooms", { title }),
    invite: (id, role, expires_in_s, label) =>
      this.#json(CreatedInvite, "POST", `/v1/rooms/${id}/invites`, { role, expires_in_s, label }),
    revoke: async (id, invite) => {
      await this.#ask("DELETE", `/v1/rooms/${id}/invites/${invite}`, {}).catch(unlessGone);
    },
    end: async (id) => {
      await this.#ask("DELETE", `/v1/rooms/${id}`, {}).catch(unlessGone);
    },
    socketUrl: (id) => `${this.#base.replace(/^http/, "ws")}/v1/rooms/${id}`,
  };

  async offer(sdp: string): Promise<WhipResource> {
    const response = await this.#ask("POST", "/v1/whip", { body: sdp, type: "application/sdp" });
    const location = response.headers.get("location");
    const answer = await textOf(response);
    if (location === null) throw notKlieg();
    const etag = response.headers.get("etag") ?? undefined;
    return { url: new URL(location, `${this.#base}/`).href, etag, sdp: answer, link: response.headers.get("link") };
  }

  /**
   * Candidates, or an ICE restart (RFC 9725 § 4.3).
   * @param match the entity tag of the session, or `*` for a restart.
   */
  async patch(
    url: string,
    fragment: string,
    match: string,
  ): Promise<{ etag: string | undefined; fragment: string | null }> {
    const type = "application/trickle-ice-sdpfrag";
    const response = await this.#ask("PATCH", url, { body: fragment, type, headers: { "if-match": match } });
    const etag = response.headers.get("etag") ?? undefined;
    return { etag, fragment: response.status === 200 ? await textOf(response) : null };
  }

  async end(url: string): Promise<void> {
    await this.#ask("DELETE", url, {});
  }

  async #json<T>(schema: z.ZodType<T>, method: string, path: string, body?: object): Promise<T> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), type: "application/json" };
    const text = await textOf(await this.#ask(method, path, sent));
    const parsed = schema.safeParse(jsonOf(text));
    if (!parsed.success) throw notKlieg();
    return parsed.data;
  }

  async #ask(
    method: string,
    path: string,
    { body, type, headers }: { body?: string; type?: string; headers?: Record<string, string> },
  ): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(new URL(path, `${this.#base}/`).href, {
        method,
        headers: {
          ...headers,
          ...(type === undefined ? {} : { "content-type": type }),
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        ...(body === undefined ? {} : { body }),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (cause) {
      const late = cause instanceof DOMException && cause.name === "TimeoutError";
      const words = late ? localStrings.serverSilent(this.#base) : localStrings.serverGone(this.#base);
      throw new KliegError(late ? "timeout" : "unreachable", words, { cause });
    }
    if (response.ok) return response;
    const problem = ErrorBody.safeParse(jsonOf(await textOf(response)));
    if (problem.success) throw new KliegError(problem.data.error.code, problem.data.error.message);
    // What stands in front of a server that is down answers so.
    throw response.status >= 500 ? new KliegError("unreachable", localStrings.serverGone(this.#base)) : notKlieg();
  }
}

/** @throws {KliegError} where it breaks off, or is larger than any of ours. */
async function textOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for (let reader = response.body?.getReader(), size = 0; reader !== undefined; ) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > MAX_ANSWER_BYTES) {
        await reader.cancel();
        throw notKlieg();
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch (cause) {
    if (cause instanceof KliegError) throw cause;
    throw new KliegError("unreachable", localStrings.brokenAnswer, { cause });
  }
  return text + decoder.decode();
}

/** @returns undefined for what is not there any more. */
function unlessGone(error: unknown): undefined {
  if (error instanceof KliegError && (error.code === "not_found" || error.code === "gone")) return undefined;
  throw error;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: what it is taken for says so.
    return undefined;
  }
}

function notKlieg(): KliegError {
  return new KliegError("not_found", localStrings.notKlieg);
}
