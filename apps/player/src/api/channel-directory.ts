import type { ChannelInfo } from "@klieg/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { ApiClient } from "./client.ts";
import { Poll } from "./poll.ts";

/** The channels of this server. */
export interface DirectorySnapshot {
  /** Null until first answered. */
  readonly channels: readonly ChannelInfo[] | null;
  readonly unreachable: boolean;
}

/** Keeps the list of channels up to date while the page is in sight. */
export class ChannelDirectory implements AsyncDisposable {
  readonly store: StoreApi<DirectorySnapshot>;
  readonly #poll: Poll;
  #failures = 0;
  #closed = false;

  constructor(api: Pick<ApiClient, "channels">) {
    this.store = createStore<DirectorySnapshot>(() => ({ channels: null, unreachable: false }));
    this.#poll = new Poll(async (signal) => {
      try {
        const channels = await api.channels(signal);
        this.#failures = 0;
        this.store.setState({ channels, unreachable: false });
      } catch (error) {
        if (!this.#closed) {
          this.#failures++;
          console.info("Klieg: channels not known:", error);
          this.store.setState({ unreachable: true });
        }
      }
      return {
        expecting: "idle",
        hidden: globalThis.document?.visibilityState === "hidden",
        failures: this.#failures,
      };
    });
    this.#poll.now();
  }

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
}
