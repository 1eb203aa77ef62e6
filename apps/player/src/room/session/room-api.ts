import type { RecordingInfo, RoomInfo } from "@klieg/protocol";
import { ApiError } from "@klieg/room";

const TIMEOUT_MS = 10_000;

/** The room's own part of the HTTP API. */
export class RoomApi {
  readonly #path: string;
  readonly #fetch: typeof fetch;

  constructor(roomId: string, fetcher: typeof fetch = (...request) => fetch(...request)) {
    this.#path = `/v1/rooms/${encodeURIComponent(roomId)}`;
    this.#fetch = fetcher;
  }

  /** Address of the room's socket. @param base of the page. */
  socketUrl(base: string): string {
    const url = new URL(this.#path, base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }

  /** What anybody may know. @throws {ApiError} `not_found` where there is no such room. */
  async info(signal?: AbortSignal): Promise<RoomInfo> {
    const body = (await this.#get("", null, signal)) as Partial<RoomInfo> | null;
    if (typeof body?.title !== "string" || typeof body.participants !== "number") {
      throw new ApiError("malformed", "The server's answer is not about a room.", true);
    }
    return body as RoomInfo;
  }

  /** The latest first. @param token of a host's invite. @throws {ApiError} */
  async recordings(token: string, signal?: AbortSignal): Promise<readonly RecordingInfo[]> {
    const body = (await this.#get("/recordings", token, signal)) as { recordings?: unknown } | null;
    if (!Array.isArray(body?.recordings)) {
      throw new ApiError("malformed", "The server's answer is not a list of recordings.", true);
    }
    return (body.recordings as RecordingInfo[]).toSorted((a, b) => (a.started_at < b.started_at ? 1 : -1));
  }

  async #get(path: string, token: string | null, signal?: AbortSignal): Promise<unknown> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    try {
      response = await this.#fetch(this.#path + path, {
        cache: "no-store",
        headers: { accept: "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (cause) {
      throw new ApiError("network", "No answer from the server.", true, { cause });
    }
    const body: unknown = await response.json().catch(() => null);
    if (response.ok) return body;
    const error = (body as { error?: { code?: unknown; message?: unknown; retryable?: unknown } } | null)?.error;
    if (typeof error?.code === "string") {
      throw new ApiError(error.code, String(error.message ?? ""), error.retryable === true);
    }
    throw new ApiError("malformed", `The server answered with status ${response.status}.`, response.status >= 500);
  }
}
