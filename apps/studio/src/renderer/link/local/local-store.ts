import { KliegError, StudioAsset } from "@klieg/protocol";
import { localStrings } from "../../strings/local.ts";

/** A file of the show with its bytes. */
export interface StoredAsset {
  readonly asset: StudioAsset;
  readonly blob: Blob;
}

/** Where the studio keeps a show without an engine. Every method throws {@link KliegError} `storage_unavailable`. */
export interface LocalStore {
  /** The show's text; undefined where none was saved. */
  readShow(): Promise<string | undefined>;
  writeShow(text: string): Promise<void>;
  /** Keeps a text that could not be used, in place of the one before. */
  keepDamaged(text: string): Promise<void>;
  assets(): Promise<StoredAsset[]>;
  putAsset(stored: StoredAsset): Promise<void>;
  removeAsset(id: string): Promise<void>;
  close(): void;
}

const NAME = "klieg-studio";
const VERSION = 1;

/** {@link LocalStore} in the browser's IndexedDB: a write is durable, or did not happen. */
export class IndexedStore implements LocalStore {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** @throws {KliegError} `storage_unavailable` where the browser keeps nothing for this page. */
  static async open(): Promise<IndexedStore> {
    try {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("texts");
        request.result.createObjectStore("assets");
      };
      const db = await settled(request);
      // Another tab has a newer page, which must not wait for this one.
      db.onversionchange = () => db.close();
      return new IndexedStore(db);
    } catch (cause) {
      throw new KliegError("storage_unavailable", localStrings.noStore, { cause });
    }
  }

  async readShow(): Promise<string | undefined> {
    const found: unknown = await this.#do("texts", "readonly", (store) => store.get("show"));
    return typeof found === "string" ? found : undefined;
  }

  async writeShow(text: string): Promise<void> {
    await this.#do("texts", "readwrite", (store) => store.put(text, "show"));
  }

  async keepDamaged(text: string): Promise<void> {
    await this.#do("texts", "readwrite", (store) => store.put(text, "damaged"));
  }

  async assets(): Promise<StoredAsset[]> {
    const all: unknown[] = await this.#do("assets", "readonly", (store) => store.getAll());
    return all.flatMap((stored) => {
      const { asset, blob } = stored as StoredAsset;
      return StudioAsset.safeParse(asset).success && blob instanceof Blob ? [{ asset, blob }] : [];
    });
  }

  async putAsset(stored: StoredAsset): Promise<void> {
    await this.#do("assets", "readwrite", (store) => store.put(stored, stored.asset.id));
  }

  async removeAsset(id: string): Promise<void> {
    await this.#do("assets", "readwrite", (store) => store.delete(id));
  }

  close(): void {
    this.#db.close();
  }

  async #do<T>(
    name: "texts" | "assets",
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    try {
      const transaction = this.#db.transaction(name, mode, { durability: "strict" });
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      const [answer] = await Promise.all([settled(work(transaction.objectStore(name))), done]);
      return answer;
    } catch (cause) {
      const full = cause instanceof DOMException && cause.name === "QuotaExceededError";
      throw new KliegError("storage_unavailable", full ? localStrings.noRoom : localStrings.noStore, { cause });
    }
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
