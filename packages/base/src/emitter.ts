/** A typed event emitter whose subscriptions are disposable. A listener that throws stops no other. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #onListenerError: (error: unknown) => void;

  /** @param onListenerError told of what a listener threw; by default it is re-thrown as an uncaught exception. */
  constructor(onListenerError: (error: unknown) => void = rethrowLater) {
    this.#onListenerError = onListenerError;
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Disposable {
    let set = this.#listeners.get(name);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(name, set);
    }
    set.add(listener as (event: never) => void);
    return { [Symbol.dispose]: () => void this.#listeners.get(name)?.delete(listener as (event: never) => void) };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const set = this.#listeners.get(name);
    if (set === undefined) return;
    for (const listener of set) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  /** Resolves with the next `name` event that passes `accept`; rejects when `signal` aborts. */
  once<Name extends keyof Events>(
    name: Name,
    options: { signal?: AbortSignal; accept?: (event: Events[Name]) => boolean } = {},
  ): Promise<Events[Name]> {
    const { promise, resolve, reject } = Promise.withResolvers<Events[Name]>();
    const onAbort = () => {
      subscription[Symbol.dispose]();
      reject(options.signal?.reason);
    };
    const subscription = this.on(name, (event) => {
      if (options.accept !== undefined && !options.accept(event)) return;
      subscription[Symbol.dispose]();
      options.signal?.removeEventListener("abort", onAbort);
      resolve(event);
    });
    if (options.signal?.aborted) onAbort();
    else options.signal?.addEventListener("abort", onAbort, { once: true });
    return promise;
  }

  listenerCount(name: keyof Events): number {
    return this.#listeners.get(name)?.size ?? 0;
  }

  /** Forgets every listener. */
  clear(): void {
    this.#listeners.clear();
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
