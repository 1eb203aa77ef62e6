/** The part of `Storage` that is used. */
export type PreferenceStorage = Pick<Storage, "getItem" | "setItem">;

/**
 * A record kept in `localStorage` where the browser allows it: an embed on another site, or a private window, may have none, and
 * then it lasts as long as the page.
 */
export class KeptOnDevice<Kept extends object> {
  readonly #key: string;
  readonly #storage: PreferenceStorage | null;
  #current: Kept;

  /** @param read makes the record of what was found, which may be anything; of an empty one where there was nothing. */
  constructor(
    key: string,
    read: (stored: Readonly<Record<string, unknown>>) => Kept,
    storage: PreferenceStorage | null = availableStorage(),
  ) {
    this.#key = key;
    this.#storage = storage;
    this.#current = read(stored(storage, key));
  }

  get current(): Kept {
    return this.#current;
  }

  update(change: Partial<Kept>): void {
    this.#current = { ...this.#current, ...change };
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(this.#current));
    } catch (error) {
      // Full or forbidden storage costs only the memory of it.
      console.info("Klieg: preferences are not kept on this device:", error);
    }
  }
}

function availableStorage(): PreferenceStorage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    // Reading the property alone throws where storage is partitioned away from an embed.
    return null;
  }
}

function stored(storage: PreferenceStorage | null, key: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(storage?.getItem(key) ?? "null");
    return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
