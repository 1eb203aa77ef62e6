import { type Clock, systemClock } from "@klieg/base";
import { createStore, type StoreApi } from "zustand/vanilla";

export interface Toast {
  readonly id: number;
  readonly text: string;
  /** What can be done about it, e.g. undo. */
  readonly action: { readonly label: string; readonly run: () => void } | undefined;
  readonly tone: "plain" | "bad";
}

/** ms that a toast is to be read in. */
const STAYS = 7000;
/** Older ones make room. */
const MAX_TOASTS = 4;

/** Short words at the edge of the window that go by themselves. */
export class Toasts implements Disposable {
  readonly state: StoreApi<readonly Toast[]> = createStore<readonly Toast[]>(() => []);
  /** What was said last to those who do not see it. */
  readonly spoken: StoreApi<string> = createStore<string>(() => "");
  readonly #clock: Clock;
  readonly #timers = new Map<number, Disposable>();
  #next = 1;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  show(text: string, options: { action?: Toast["action"]; tone?: Toast["tone"] } = {}): void {
    const id = this.#next++;
    const toast: Toast = { id, text, action: options.action, tone: options.tone ?? "plain" };
    const others = this.state.getState().filter((other) => other.text !== text);
    for (const gone of this.state.getState().filter((other) => other.text === text)) this.#stop(gone.id);
    const kept = others.slice(-(MAX_TOASTS - 1));
    for (const { id: dropped } of others.slice(0, others.length - kept.length)) this.#stop(dropped);
    this.state.setState([...kept, toast], true);
    this.resume(id);
  }

  /** Only spoken: what can be seen without words. */
  say(text: string): void {
    this.spoken.setState(text, true);
  }

  dismiss(id: number): void {
    this.#stop(id);
    this.state.setState(
      this.state.getState().filter((toast) => toast.id !== id),
      true,
    );
  }

  /** Somebody is reading it, or has the focus in it. */
  pause(id: number): void {
    this.#stop(id);
  }

  resume(id: number): void {
    this.#stop(id);
    this.#timers.set(
      id,
      this.#clock.after(STAYS, () => this.dismiss(id)),
    );
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #stop(id: number): void {
    this.#timers.get(id)?.[Symbol.dispose]();
    this.#timers.delete(id);
  }
}
