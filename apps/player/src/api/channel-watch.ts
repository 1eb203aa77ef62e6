import type { ChannelInfo } from "@klieg/protocol";
import { ApiError } from "@klieg/room";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { ApiClient } from "./client.ts";
import { Poll, type PollContext } from "./poll.ts";

/** What is known of a channel. */
export interface ChannelSnapshot {
  /** `unknown`: not yet answered. `missing`: there is no such channel. */
  readonly status: "unknown" | "known" | "missing";
  /** As last answered; null until then. */
  readonly channel: ChannelInfo | null;
  /** Whether the last requests got no usable answer. */
  readonly unreachable: boolean;
  /** The stream that ended while this page watched; null when none did. */
  readonly ended: { readonly streamId: string; readonly liveSince: string | null; readonly endedAt: number } | null;
}

const EXPECTING = { starting: "soon", interrupted: "soon", live: "steady", ended: "idle" } as const;

const UNKNOWN: ChannelSnapshot = { status: "unknown", channel: null, unreachable: false, ended: null };

/** Keeps asking how a channel is doing, so that off air → live → ended happens on the page without a reload. */
export class ChannelWatch implements AsyncDisposable {
  readonly name: string;
  readonly store: StoreApi<ChannelSnapshot>;
  readonly #api: Pick<ApiClient, "channel">;
  readonly #preview: string | undefined;
  readonly #poll: Poll;
  #failures = 0;
  #closed = false;

  /** @param preview token of who watches a hidden broadcast of their own. */
  constructor(name: string, api: Pick<ApiClient, "channel">, preview?: string) {
    this.name = name;
    this.#preview = preview;
    this.#api = api;
    this.store = createStore<ChannelSnapshot>(() => UNKNOWN);
    this.#poll = new Poll((signal) => this.#ask(signal));
    this.#poll.now();
  }

  /** Asks at once: something happened that the channel may explain. */
  refresh(): void {
    this.#poll.now();
  }

  close(): void {
    this.#closed = true;
    this.#poll.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #ask(signal: AbortSignal): Promise<PollContext> {
    try {
      const channel = await this.#api.channel(this.name, signal, this.#preview);
      this.#failures = 0;
      this.#learn(channel);
    } catch (error) {
      if (!this.#closed) this.#failed(error);
    }
    const { channel, status } = this.store.getState();
    return {
      expecting: EXPECTING[channel?.state ?? "ended"],
      hidden: status === "missing" || globalThis.document?.visibilityState === "hidden",
      failures: this.#failures,
    };
  }

  #learn(channel: ChannelInfo): void {
    const before = this.store.getState();
    const last = before.channel;
    let { ended } = before;
    if (last?.live_stream_id && last.live_stream_id !== channel.live_stream_id) {
      ended = { streamId: last.live_stream_id, liveSince: last.live_since, endedAt: Date.now() };
    }
    this.store.setState({ status: "known", channel, unreachable: false, ended });
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && error.code === "channel_unknown") {
      this.#failures = 0;
      this.store.setState({ status: "missing", channel: null, unreachable: false });
      return;
    }
    this.#failures++;
    console.info(`Klieg: channel ${this.name} not known:`, error);
    // One lost request is a hiccup; on a page that shows nothing yet it is worth a word all the same.
    if (this.#failures > 1 || this.store.getState().status === "unknown") this.store.setState({ unreachable: true });
  }
}
