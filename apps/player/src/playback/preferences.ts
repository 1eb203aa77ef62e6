import type { PlaybackMode } from "@klieg/protocol";
import type { PinnedQuality } from "./rendition.ts";

/** What the player remembers on this device. */
export interface RememberedPreferences {
  /** 0 to 1. */
  readonly volume: number;
  readonly muted: boolean;
  /** Null for automatic. */
  readonly quality: PinnedQuality | null;
  /** Bits/s as last measured; null before the first measurement. */
  readonly bandwidth: number | null;
  /** Real time or low latency; null where the viewer has not chosen, so that the channel does. */
  readonly mode: PlaybackMode | null;
}

const DEFAULTS: RememberedPreferences = { volume: 1, muted: false, quality: null, bandwidth: null, mode: null };

const KEY = "klieg.player";

/** The part of `Storage` that is used. */
export type PreferenceStorage = Pick<Storage, "getItem" | "setItem">;

/**
 * Preferences kept in `localStorage` where the browser allows it: an embed on another site, or a private window, may have none, and
 * then they last as long as the page.
 */
export class Preferences {
  readonly #storage: PreferenceStorage | null;
  #current: RememberedPreferences;

  constructor(storage: PreferenceStorage | null = availableStorage()) {
    this.#storage = storage;
    this.#current = read(storage);
  }

  get current(): RememberedPreferences {
    return this.#current;
  }

  update(change: Partial<RememberedPreferences>): void {
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
    // Reading the property alone throws where storage is partitioned away from an embed.
    return null;
  }
}

function read(storage: PreferenceStorage | null): RememberedPreferences {
  let stored: unknown;
  try {
    stored = JSON.parse(storage?.getItem(KEY) ?? "null");
  } catch {
    return DEFAULTS;
  }
  if (typeof stored !== "object" || stored === null) return DEFAULTS;
  const record = stored as Record<string, unknown>;
  return {
    volume: within(record.volume, 0, 1) ?? DEFAULTS.volume,
    muted: record.muted === true,
    quality: readQuality(record.quality),
    bandwidth: within(record.bandwidth, 10_000, 10_000_000_000),
    mode: record.mode === "realtime" || record.mode === "hls" ? record.mode : null,
  };
}

function readQuality(value: unknown): PinnedQuality | null {
  if (typeof value !== "object" || value === null) return null;
  const record = value as Record<string, unknown>;
  const height = within(record.height, 0, 10_000);
  const bitrate = within(record.bitrate, 1, 1_000_000_000);
  if (height === null || bitrate === null) return null;
  return { height, bitrate, frameRate: within(record.frameRate, 1, 1000) };
}

function within(value: unknown, low: number, high: number): number | null {
  return typeof value === "number" && value >= low && value <= high ? value : null;
}
