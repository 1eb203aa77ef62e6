import type { SecretHolder } from "@klieg/protocol";

/** `guest_room`: the room of a Klieg backend for guests, with the tokens that open it. */
export type SecretKind = "stream_key" | "passphrase" | "guest_room";

/** Keeps what opens destinations. Secrets go in, and only the engine itself takes them out. */
export interface SecretStore {
  /** How, for the operator. */
  readonly kind: "keychain" | "file";
  /** Who has any. */
  holders(): readonly SecretHolder[];
  /** @returns undefined where there is none. @throws {KliegError} `stream_key_missing` where it is there and cannot be opened. */
  get(holder: string, kind: SecretKind): Promise<string | undefined>;
  /** @throws {KliegError} `storage_unavailable`: then nothing has changed. */
  set(holder: string, kind: SecretKind, secret: string): Promise<void>;
  /** Does nothing where there are none. @throws {KliegError} `storage_unavailable`. */
  forget(holder: string): Promise<void>;
}

/** The system's keychain, as the desktop app has it: turns secrets into bytes that only this user's session can turn back. */
export interface SecretSealer {
  /** @returns null where the keychain did not do it. */
  seal(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null>;
  /** @returns null where the keychain is locked, or somebody else sealed them. */
  open(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null>;
}
