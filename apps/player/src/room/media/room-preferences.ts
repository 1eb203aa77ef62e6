import type { PreferenceStorage } from "../../playback/preferences.ts";

/** What rooms remember on this device. */
export interface RememberedRoom {
  readonly name: string;
  /** Device ids as the browser gives them to this origin; null for its own choice. */
  readonly camera: string | null;
  readonly microphone: string | null;
  readonly speaker: string | null;
  readonly cameraOn: boolean;
  readonly microphoneOn: boolean;
  readonly layout: "grid" | "speaker";
}

const DEFAULTS: RememberedRoom = {
  name: "",
  camera: null,
  microphone: null,
  speaker: null,
  cameraOn: true,
  microphoneOn: true,
  layout: "grid",
};
const KEY = "klieg.room";
const NAME_LENGTH = 60;

/** Kept in `localStorage` where the browser allows it, else for as long as the page. */
export class RoomPreferences {
  readonly #storage: PreferenceStorage | null;
  #current: RememberedRoom;

  constructor(storage: PreferenceStorage | null = availableStorage()) {
    this.#storage = storage;
    this.#current = read(storage);
  }

  get current(): RememberedRoom {
    return this.#current;
  }

  update(change: Partial<RememberedRoom>): void {
    this.#current = { ...this.#current, ...change };
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#current));
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
    // Reading the property alone throws where storage is forbidden.
    return null;
  }
}

function read(storage: PreferenceStorage | null): RememberedRoom {
  let stored: unknown;
  try {
    stored = JSON.parse(storage?.getItem(KEY) ?? "null");
  } catch {
    return DEFAULTS;
  }
  if (typeof stored !== "object" || stored === null) return DEFAULTS;
  const record = stored as Record<string, unknown>;
  return {
    name: text(record.name)?.slice(0, NAME_LENGTH) ?? "",
    camera: text(record.camera),
    microphone: text(record.microphone),
    speaker: text(record.speaker),
    cameraOn: record.cameraOn !== false,
    microphoneOn: record.microphoneOn !== false,
    layout: record.layout === "speaker" ? "speaker" : "grid",
  };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.length > 0 && value.length < 1000 ? value : null;
}
