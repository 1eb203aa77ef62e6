import { type SecretHolder, StudioRecordId, StudioSettings } from "@klieg/protocol";
import { z } from "zod";

/** What of the browser's `Storage` is used. */
export type TextStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Of settings; what is undefined is not changed. */
type Changes = { readonly [Name in keyof StudioSettings]?: StudioSettings[Name] | undefined };
type SecretKind = "stream_key" | "passphrase" | "guest_room";

const SETTINGS = "klieg-studio-settings";
const SECRETS = "klieg-studio-secrets";
const Secrets = z.record(
  StudioRecordId,
  z.object({ stream_key: z.string(), passphrase: z.string(), guest_room: z.string() }).partial(),
);

const DEFAULT_SETTINGS: StudioSettings = {
  welcomed: false,
  theme: "system",
  last_title: "",
  last_category: "",
  last_visibility: "public",
  // A tab records nothing.
  recording_folder: "-",
  record_with_broadcast: false,
  replay_seconds: 0,
  keys: {},
  global_keys: {},
  monitor_device: "",
};

/**
 * Settings, which the browser keeps for the page, and secrets, which it keeps for the tab until that is closed: a page that is
 * loaded again in mid-show finds its key, the next one at the machine does not.
 */
export class LocalMemory {
  readonly #page: TextStorage;
  readonly #tab: TextStorage;
  #settings: StudioSettings;
  readonly #secrets: z.infer<typeof Secrets>;

  /** @param page kept for good. @param tab kept until the tab is closed. */
  constructor(page: TextStorage, tab: TextStorage) {
    this.#page = page;
    this.#tab = tab;
    const settings = StudioSettings.partial().safeParse(read(page, SETTINGS));
    this.#settings = { ...DEFAULT_SETTINGS, ...(settings.success ? withoutGaps(settings.data) : {}) };
    const secrets = Secrets.safeParse(read(tab, SECRETS));
    this.#secrets = secrets.success ? secrets.data : {};
  }

  get settings(): StudioSettings {
    return this.#settings;
  }

  changeSettings(changes: Changes): StudioSettings {
    this.#settings = { ...this.#settings, ...withoutGaps(changes), record_with_broadcast: false, replay_seconds: 0 };
    write(this.#page, SETTINGS, this.#settings);
    return this.#settings;
  }

  secret(holder: string, kind: SecretKind): string | undefined {
    return this.#secrets[holder]?.[kind];
  }

  secretHolders(): SecretHolder[] {
    return Object.entries(this.#secrets).map(([holder, { stream_key, passphrase }]) => ({
      holder,
      stream_key: stream_key !== undefined,
      passphrase: passphrase !== undefined,
    }));
  }

  setSecret(holder: string, kind: SecretKind, secret: string): void {
    this.#secrets[holder] = { ...this.#secrets[holder], [kind]: secret };
    write(this.#tab, SECRETS, this.#secrets);
  }

  forgetSecrets(holder: string): void {
    delete this.#secrets[holder];
    write(this.#tab, SECRETS, this.#secrets);
  }
}

/** Of what a page may leave out. */
function withoutGaps(settings: Changes): Partial<StudioSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function read(storage: TextStorage, name: string): unknown {
  try {
    return JSON.parse(storage.getItem(name) ?? "null");
  } catch {
    // Damaged, or not ours to read: as if there were nothing.
    return undefined;
  }
}

/** A browser that keeps nothing (a private window, no room) costs what is not kept; the page itself knows it still. */
function write(storage: TextStorage, name: string, value: unknown): void {
  try {
    storage.setItem(name, JSON.stringify(value));
  } catch (error) {
    console.info("Klieg: the browser does not keep this:", error);
  }
}
