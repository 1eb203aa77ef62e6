import type { PlaybackMode } from "@klieg/protocol";
import { KeptOnDevice, type PreferenceStorage } from "./kept-on-device.ts";
import type { PinnedQuality } from "./rendition.ts";

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

/** What the player remembers on this device. */
export class Preferences extends KeptOnDevice<RememberedPreferences> {
  constructor(storage?: PreferenceStorage | null) {
    super("klieg.player", read, storage);
  }
}

function read(record: Readonly<Record<string, unknown>>): RememberedPreferences {
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
