import type { RoomInfo } from "@klieg/protocol";
import { ApiError, type RoomProblem } from "@klieg/room";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { RoomApi } from "./room-api.ts";

const EVERY_MS = 8000;

export interface RoomDoorState {
  /** Null until told. */
  readonly info: RoomInfo | null;
  readonly problem: RoomProblem | null;
}

/** What can be seen of a room from outside, asked again now and then while somebody stands before it. */
export class RoomDoor implements Disposable {
  readonly store: StoreApi<RoomDoorState> = createStore(() => ({ info: null, problem: null }));
  readonly #api: Pick<RoomApi, "info">;
  readonly #gone = new AbortController();
  #timer: ReturnType<typeof setTimeout> | null = null;

  #asking = false;
  #watched = false;

  constructor(api: Pick<RoomApi, "info">) {
    this.#api = api;
  }

  /** Somebody stands before it. @returns they do no more. */
  watch(): () => void {
    this.#watched = true;
    this.refresh();
    return () => {
      this.#watched = false;
      this.#rest();
    };
  }

  /** Asks at once. */
  refresh(): void {
    this.#rest();
    if (!this.#asking && !this.#gone.signal.aborted) void this.#ask();
  }

  close(): void {
    this.#gone.abort();
    this.#rest();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #rest(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      const info = await this.#api.info(this.#gone.signal);
      if (!this.#gone.signal.aborted) this.store.setState({ info, problem: null });
    } catch (error) {
      if (this.#gone.signal.aborted) return;
      const { code, message } = error instanceof ApiError ? error : { code: "internal", message: String(error) };
      this.store.setState({ problem: { code, message } });
    }
    this.#asking = false;
    if (this.#watched && !this.#gone.signal.aborted) this.#timer = setTimeout(() => void this.#ask(), EVERY_MS);
  }
}
