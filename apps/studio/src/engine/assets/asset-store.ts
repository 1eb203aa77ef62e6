import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@klieg/base";
import { KliegError, StudioAsset } from "@klieg/protocol";
import { z } from "zod";
import { diskError, isMissing } from "../disk/disk-error.ts";
import { putAside, syncFolder, writeWholeFile } from "../disk/whole-file.ts";

/** Where an asset is, and what it is. */
export interface AssetFile {
  readonly path: string;
  readonly mediaType: string;
}

const MAX_ASSETS = 1000;
/** Files that are being taken in at one time. */
const MAX_UPLOADS = 8;
/** What may wait for the disk, bytes, of one upload. */
const MAX_WAITING = 32 * 1024 * 1024;
/** Browsers show or play these; whatever else is served could do more. */
const MEDIA_TYPE = /^(image|video|audio)\/[a-z0-9][a-z0-9.+-]{0,80}$/;

interface Upload {
  readonly owner: object;
  readonly asset: StudioAsset;
  readonly path: string;
  file: FileHandle | undefined;
  received: number;
  waiting: number;
  work: Promise<void>;
  failure: KliegError | undefined;
}

/** Pictures and films of the show, each a file; taken in piece by piece, there only once they are whole. */
export class AssetStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #index: string;
  readonly #assets: Map<string, StudioAsset>;
  readonly #uploads = new Map<number, Upload>();
  #nextUpload = 0;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, index: string, assets: readonly StudioAsset[]) {
    this.#folder = folder;
    this.#index = index;
    this.#assets = new Map(assets.map((asset) => [asset.id, asset]));
  }

  /** @param folder is made where it is not there. What a crash left of uploads is removed. */
  static async open(folder: string, clock: Clock): Promise<AssetStore> {
    await mkdir(folder, { recursive: true });
    const index = join(folder, "assets.json");
    let assets: readonly StudioAsset[] = [];
    try {
      const parsed = z
        .array(StudioAsset)
        .max(MAX_ASSETS)
        .safeParse(parseJson(await readFile(index, "utf8")));
      if (parsed.success) assets = parsed.data;
      else await putAside(index, clock.wall());
    } catch (error) {
      if (!isMissing(error)) throw diskError(error, "The show's files could not be read");
    }
    for (const name of await readdir(folder)) {
      if (name.endsWith(".part")) await rm(join(folder, name), { force: true });
    }
    return new AssetStore(folder, index, assets);
  }

  list(): StudioAsset[] {
    return [...this.#assets.values()];
  }

  /** @returns undefined where there is no such asset. */
  file(id: string): AssetFile | undefined {
    const asset = this.#assets.get(id);
    return asset === undefined ? undefined : { path: join(this.#folder, id), mediaType: asset.media_type };
  }

  /**
   * Begins to take a file in.
   * @param owner whose upload it is: {@link receive} and {@link finish} are for the same one only.
   * @throws {KliegError} `media_unsupported`, `rate_limited`, `storage_unavailable`.
   */
  async begin(
    owner: object,
    { name, media_type, size }: Omit<StudioAsset, "id">,
  ): Promise<{ readonly asset_id: string; readonly upload: number }> {
    if (!MEDIA_TYPE.test(media_type)) {
      throw new KliegError("media_unsupported", "Only pictures, films and sound can be part of a show.");
    }
    if (this.#assets.size + this.#uploads.size >= MAX_ASSETS) {
      throw new KliegError("bad_request", "The show has too many files: remove some that are not needed.");
    }
    if (this.#uploads.size >= MAX_UPLOADS) {
      throw new KliegError("rate_limited", "Other files are being taken in: wait until they are done.");
    }
    const id = randomBytes(12).toString("hex");
    const path = join(this.#folder, `${id}.part`);
    const asset = { id, name, media_type, size };
    const upload = this.#freeNumber();
    const state: Upload = {
      owner,
      asset,
      path,
      file: undefined,
      received: 0,
      waiting: 0,
      work: Promise.resolve(),
      failure: undefined,
    };
    // Its place is taken before there is anything to wait for: the bound holds for those that come at once.
    this.#uploads.set(upload, state);
    try {
      state.file = await open(path, "wx", 0o600);
    } catch (error) {
      this.#uploads.delete(upload);
      throw diskError(error, "The file could not be taken in");
    }
    if (this.#uploads.get(upload) !== state) {
      await this.#discard(state);
      throw new KliegError("gone", "The upload was given up.");
    }
    return { asset_id: id, upload };
  }

  /** A piece of an upload, in order. What is wrong with it is told by {@link finish}. @returns whether there is such an upload. */
  receive(owner: object, upload: number, offset: number, data: Uint8Array): boolean {
    const state = this.#uploads.get(upload);
    if (state === undefined || state.owner !== owner || state.file === undefined) return false;
    if (state.failure !== undefined) return true;
    const { file, asset } = state;
    if (offset !== state.received || offset + data.length > asset.size) {
      state.failure = new KliegError("bad_request", "The file did not arrive as it was announced.");
      return true;
    }
    state.received += data.length;
    state.waiting += data.length;
    if (state.waiting > MAX_WAITING) {
      state.failure = new KliegError("storage_unavailable", "The disk is too slow for the file.");
      return true;
    }
    state.work = state.work.then(async () => {
      try {
        if (state.failure === undefined) await file.appendFile(data);
      } catch (error) {
        state.failure = diskError(error, "The file could not be taken in");
      } finally {
        state.waiting -= data.length;
      }
    });
    return true;
  }

  /** The file is whole. @throws {KliegError} what went wrong on the way; nothing is left of it then. */
  async finish(owner: object, id: string): Promise<StudioAsset> {
    const [upload, state] = [...this.#uploads].find(([, { asset }]) => asset.id === id) ?? [];
    if (upload === undefined || state === undefined || state.owner !== owner || state.file === undefined) {
      throw new KliegError("not_found", "There is no such upload.");
    }
    this.#uploads.delete(upload);
    await state.work;
    try {
      if (state.failure !== undefined) throw state.failure;
      if (state.received !== state.asset.size) {
        throw new KliegError("bad_request", "The file did not arrive as it was announced.");
      }
      await state.file.sync();
      await state.file.close();
      state.file = undefined;
      await rename(state.path, join(this.#folder, id));
      await syncFolder(this.#folder);
      await this.#change((assets) => assets.set(id, state.asset));
      return state.asset;
    } catch (error) {
      await this.#discard(state);
      throw diskError(error, "The file could not be taken in");
    }
  }

  /** Removes an asset, or an upload that is given up. Does nothing where there is none. */
  async remove(owner: object, id: string): Promise<void> {
    for (const [number, state] of this.#uploads) {
      if (state.asset.id !== id || state.owner !== owner) continue;
      this.#uploads.delete(number);
      await this.#discard(state);
      return;
    }
    if (!this.#assets.has(id)) return;
    await this.#change((assets) => assets.delete(id));
    await rm(join(this.#folder, id), { force: true });
  }

  /** Its owner is gone: what it had not finished is removed. */
  async abandon(owner: object): Promise<void> {
    const abandoned = [...this.#uploads].filter(([, state]) => state.owner === owner);
    for (const [number] of abandoned) this.#uploads.delete(number);
    await Promise.all(abandoned.map(([, state]) => this.#discard(state)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const states = [...this.#uploads.values()];
    this.#uploads.clear();
    await Promise.all(states.map((state) => this.#discard(state)));
    await this.#writing;
  }

  /** 16 bits go with every piece. */
  #freeNumber(): number {
    do this.#nextUpload = (this.#nextUpload + 1) % 0x1_0000;
    while (this.#uploads.has(this.#nextUpload));
    return this.#nextUpload;
  }

  async #discard(state: Upload): Promise<void> {
    const { file } = state;
    state.file = undefined;
    state.failure ??= new KliegError("gone", "The upload was given up.");
    await state.work;
    await file?.close().catch(() => undefined);
    await rm(state.path, { force: true }).catch(() => undefined);
  }

  #change(change: (assets: Map<string, StudioAsset>) => void): Promise<void> {
    const done = this.#writing.then(async () => {
      const after = new Map(this.#assets);
      change(after);
      await writeWholeFile(this.#index, `${JSON.stringify([...after.values()], null, 1)}\n`);
      change(this.#assets);
    });
    this.#writing = done.catch(() => undefined);
    return done.catch((error: unknown) => {
      throw diskError(error, "The show's files could not be changed");
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Damaged: put aside by the caller.
  }
}
