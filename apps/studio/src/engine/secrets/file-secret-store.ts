import { chmod, readFile } from "node:fs/promises";
import type { Clock } from "@klieg/base";
import { KliegError, type SecretHolder, StudioRecordId } from "@klieg/protocol";
import { z } from "zod";
import { diskError, isMissing } from "../disk/disk-error.ts";
import { putAside, writeWholeFile } from "../disk/whole-file.ts";
import type { SecretKind, SecretSealer, SecretStore } from "./secret-store.ts";

const MAX_HOLDERS = 200;

/** Base64: of what the keychain sealed, or of the secret itself in a file that only its user can read. */
const KeptSecret = z.object({ sealed: z.boolean(), bytes: z.base64().max(16_384) });
type KeptSecret = z.infer<typeof KeptSecret>;

const Secrets = z.object({
  version: z.literal(1),
  secrets: z.record(
    StudioRecordId,
    z.object({
      stream_key: KeptSecret.optional(),
      passphrase: KeptSecret.optional(),
      guest_room: KeptSecret.optional(),
    }),
  ),
});
type Kept = z.infer<typeof Secrets>["secrets"];

/**
 * Secrets in a file that only this user can read; where there is a keychain, sealed by it one by one, so that which there are is
 * known while it is locked.
 */
export class FileSecretStore implements SecretStore {
  readonly kind: "keychain" | "file";
  readonly #path: string;
  readonly #sealer: SecretSealer | undefined;
  #kept: Kept;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(path: string, sealer: SecretSealer | undefined, kept: Kept) {
    this.kind = sealer === undefined ? "file" : "keychain";
    this.#path = path;
    this.#sealer = sealer;
    this.#kept = kept;
  }

  /** @throws {KliegError} `storage_unavailable` where there is a file that cannot be read. One that is damaged is put aside. */
  static async open(path: string, sealer: SecretSealer | undefined, clock: Clock): Promise<FileSecretStore> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
      // Copied from elsewhere, or restored from a backup, it may have become readable for others.
      await chmod(path, 0o600);
    } catch (error) {
      if (isMissing(error)) return new FileSecretStore(path, sealer, {});
      throw diskError(error, "The stream keys could not be read");
    }
    const parsed = Secrets.safeParse(parseJson(text));
    if (parsed.success) return new FileSecretStore(path, sealer, parsed.data.secrets);
    await putAside(path, clock.wall());
    return new FileSecretStore(path, sealer, {});
  }

  holders(): readonly SecretHolder[] {
    return Object.entries(this.#kept).map(([holder, { stream_key, passphrase }]) => ({
      holder,
      stream_key: stream_key !== undefined,
      passphrase: passphrase !== undefined,
    }));
  }

  async get(holder: string, kind: SecretKind): Promise<string | undefined> {
    const kept = Object.hasOwn(this.#kept, holder) ? this.#kept[holder]?.[kind] : undefined;
    if (kept === undefined) return undefined;
    const bytes = Uint8Array.from(Buffer.from(kept.bytes, "base64"));
    const opened = kept.sealed ? await this.#sealer?.open(bytes) : bytes;
    if (opened === undefined || opened === null) {
      throw new KliegError("stream_key_missing", "The system's keychain did not give the key: enter it once more.");
    }
    return Buffer.from(opened).toString("utf8");
  }

  set(holder: string, kind: SecretKind, secret: string): Promise<void> {
    return this.#change(async (before) => {
      if (!Object.hasOwn(before, holder) && Object.keys(before).length >= MAX_HOLDERS) {
        throw new KliegError("bad_request", "There are too many stream keys: forget some that are not needed.");
      }
      return { ...before, [holder]: { ...before[holder], [kind]: await this.#keep(secret) } };
    });
  }

  forget(holder: string): Promise<void> {
    return this.#change(async ({ [holder]: forgotten, ...others }) => (forgotten === undefined ? undefined : others));
  }

  async #keep(secret: string): Promise<KeptSecret> {
    const bytes = Uint8Array.from(Buffer.from(secret, "utf8"));
    if (this.#sealer === undefined) return { sealed: false, bytes: Buffer.from(bytes).toString("base64") };
    const sealed = await this.#sealer.seal(bytes);
    if (sealed === null) throw new KliegError("storage_unavailable", "The system's keychain did not take the key.");
    return { sealed: true, bytes: Buffer.from(sealed).toString("base64") };
  }

  /** One after another. @param change returns undefined where there is nothing to do. */
  #change(change: (before: Kept) => Promise<Kept | undefined>): Promise<void> {
    const done = this.#work.then(async () => {
      const after = await change(this.#kept);
      if (after === undefined) return;
      try {
        await writeWholeFile(this.#path, `${JSON.stringify({ version: 1, secrets: after }, null, 1)}\n`);
      } catch (error) {
        throw diskError(error, "The stream key could not be kept");
      }
      this.#kept = after;
    });
    this.#work = done.catch(() => undefined);
    return done;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Damaged: put aside by the caller.
  }
}
