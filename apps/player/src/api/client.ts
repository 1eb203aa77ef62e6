import type { ChannelInfo } from "@klieg/protocol";
import { ApiError } from "@klieg/room";
import { readChannel, readChannelList } from "./channel.ts";

/** One answer's `Date` header with when it was asked for and received, all ms since the epoch. */
export type DateObserver = (serverDate: number, sentAt: number, receivedAt: number) => void;

/** Longer than this no answer comes. */
const TIMEOUT_MS = 10_000;

/** Reads the backend's HTTP API. */
export class ApiClient {
  readonly #fetch: typeof fetch;
  readonly #observeDate: DateObserver | null;
  readonly #early = new Map<string, Promise<unknown>>();

  constructor(observeDate: DateObserver | null = null, fetcher: typeof fetch = (...request) => fetch(...request)) {
    this.#observeDate = observeDate;
    this.#fetch = fetcher;
  }

  /** Asks for a channel before anyone waits for it; the next `channel()` with that name takes the answer. */
  prefetchChannel(name: string, preview?: string): void {
    const path = channelPath(name, preview);
    const answer = this.#get(path);
    answer.catch(() => {
      // Whoever takes the answer handles its failure; nobody may.
    });
    this.#early.set(path, answer);
  }

  /**
   * @param preview token of who watches a hidden broadcast of their own.
   * @throws ApiError; `channel_unknown` when there is no such channel.
   */
  async channel(name: string, signal?: AbortSignal, preview?: string): Promise<ChannelInfo> {
    const path = channelPath(name, preview);
    const early = this.#early.get(path);
    this.#early.delete(path);
    return readChannel(await (early ?? this.#get(path, signal)));
  }

  /** @throws ApiError */
  async channels(signal?: AbortSignal): Promise<ChannelInfo[]> {
    return readChannelList(await this.#get("/v1/channels", signal));
  }

  async #get(path: string, signal?: AbortSignal): Promise<unknown> {
    const sentAt = Date.now();
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    try {
      response = await this.#fetch(path, {
        // The browser keeps the answer and sends its ETag: an unchanged channel costs a 304.
        cache: "no-cache",
        headers: { accept: "application/json" },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (cause) {
      throw new ApiError("network", "No answer from the server.", true, { cause });
    }
    // An answer out of a shared cache tells the time at which it was made, not the time now.
    if (!response.headers.has("age")) {
      this.#observeDate?.(Date.parse(response.headers.get("date") ?? ""), sentAt, Date.now());
    }
    const body: unknown = await response.json().catch((cause: unknown) => {
      throw new ApiError("malformed", `The server answered ${path} with something that is not JSON.`, true, { cause });
    });
    if (!response.ok) throw problem(response.status, body);
    return body;
  }
}

function channelPath(name: string, preview: string | undefined): string {
  const query = preview === undefined ? "" : `?preview=${encodeURIComponent(preview)}`;
  return `/v1/channels/${encodeURIComponent(name)}${query}`;
}

function problem(status: number, body: unknown): ApiError {
  const error = (body as { error?: { code?: unknown; message?: unknown; retryable?: unknown } } | null)?.error;
  if (typeof error?.code === "string") {
    return new ApiError(error.code, String(error.message ?? ""), error.retryable === true);
  }
  return new ApiError("malformed", `The server answered with status ${status}.`, status >= 500);
}
