import type { StudioAnswerOf, StudioEvent } from "@klieg/protocol";
import type { LinkState } from "../../link/studio-link.ts";
import type { EngineLink } from "../engine-store.ts";

export const WELCOME: StudioAnswerOf<"hello"> = {
  protocol: 1,
  version: "0.1.0",
  host: "web",
  platform: "linux",
  cores: 4,
  ffmpeg: null,
  secrets: "file",
};

/** The engine's end: tells events, and answers as the test says. */
export class EngineEnd implements EngineLink {
  readonly #listeners = new Set<(event: StudioEvent) => void>();
  readonly #stateListeners = new Set<(state: LinkState) => void>();
  state: LinkState;
  answer: (type: string, input: unknown) => unknown = () => ({});

  constructor(state: LinkState = { state: "connecting" }) {
    this.state = state;
  }

  // The answers' types are the test's to get right.
  async request<T>(type: string, input: unknown): Promise<T> {
    return this.answer(type, input) as T;
  }

  onEvent(listener: (event: StudioEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  onState(listener: (state: LinkState) => void): Disposable {
    this.#stateListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#stateListeners.delete(listener) };
  }

  become(state: LinkState): void {
    this.state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  tell(event: StudioEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get listeners(): number {
    return this.#listeners.size + this.#stateListeners.size;
  }
}
