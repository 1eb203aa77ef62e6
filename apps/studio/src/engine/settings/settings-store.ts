import { mkdir, readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { Clock } from "@klieg/base";
import { KliegError, StudioSettings } from "@klieg/protocol";
import { diskError, isMissing } from "../disk/disk-error.ts";
import { putAside, writeWholeFile } from "../disk/whole-file.ts";

/** More than any settings need, bytes. */
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 200;

function defaultSettings(recordingFolder: string): StudioSettings {
  return {
    welcomed: false,
    theme: "dark",
    last_title: "",
    last_category: "",
    last_visibility: "public",
    recording_folder: recordingFolder,
    record_with_broadcast: false,
    replay_seconds: 0,
    keys: {},
    global_keys: {},
    monitor_device: "",
  };
}

/** What is to be changed; undefined stays as it is. */
export type SettingsChanges = { readonly [K in keyof StudioSettings]?: StudioSettings[K] | undefined };

/** The operator's settings on the disk. */
export class SettingsStore {
  readonly #path: string;
  #settings: StudioSettings;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, settings: StudioSettings) {
    this.#path = path;
    this.#settings = settings;
  }

  /** Opens the settings; those that are missing or damaged are as they were at first. @param recordingFolder absolute. */
  static async open(path: string, recordingFolder: string, clock: Clock): Promise<SettingsStore> {
    const defaults = defaultSettings(recordingFolder);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return new SettingsStore(path, defaults);
      throw diskError(error, "The settings could not be read");
    }
    const saved = text.length > MAX_BYTES ? undefined : parseJson(text);
    if (saved === undefined) {
      await putAside(path, clock.wall());
      return new SettingsStore(path, defaults);
    }
    // Each by itself: one that is of another version, or was edited wrongly, does not take the others along.
    const settings: Record<string, unknown> = { ...defaults };
    for (const [name, schema] of Object.entries(StudioSettings.shape)) {
      const value = schema.safeParse(saved[name]);
      if (value.success) settings[name] = value.data;
    }
    return new SettingsStore(path, StudioSettings.parse(settings));
  }

  get settings(): StudioSettings {
    return this.#settings;
  }

  /** @throws {KliegError} `bad_request` for what cannot be, `storage_unavailable`: then nothing has changed. */
  async change(changes: SettingsChanges): Promise<StudioSettings> {
    for (const keys of [changes.keys, changes.global_keys]) {
      if (keys !== undefined && Object.keys(keys).length > MAX_KEYS) {
        throw new KliegError("bad_request", `There may be ${MAX_KEYS} keys at most.`);
      }
    }
    const folder = changes.recording_folder;
    if (folder !== undefined && folder !== this.#settings.recording_folder) {
      if (!isAbsolute(folder)) throw new KliegError("bad_request", "The recordings' folder needs its whole path.");
      try {
        await mkdir(folder, { recursive: true });
      } catch (error) {
        throw diskError(error, "Recordings cannot go there");
      }
    }
    const write = this.#writing.then(async () => {
      const changed = Object.entries(changes).filter(([, value]) => value !== undefined);
      const settings: StudioSettings = { ...this.#settings, ...Object.fromEntries(changed) };
      await writeWholeFile(this.#path, `${JSON.stringify(settings, null, 1)}\n`);
      this.#settings = settings;
    });
    this.#writing = write.catch(() => undefined);
    try {
      await write;
    } catch (error) {
      throw diskError(error, "The settings could not be saved");
    }
    return this.#settings;
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // Damaged: put aside by the caller.
  }
}
