import type { AccessUnit, Track } from "@klieg/media";
import { type HealthWarning, type IngestProfile, KliegError } from "@klieg/protocol";
import type { IngestMeter } from "./ingest-meter.ts";

/** How long a bit rate may stay above the profile's maximum before the contribution is refused, ms. */
const EXCESS_TOLERANCE_MS = 10_000;
const CHECK_EVERY_MS = 1000;

/** Holds a contribution to its channel's profile (ING4): refuses what may not be, warns of what should not. */
export class ProfileGuard {
  readonly #profile: IngestProfile;
  readonly #meter: IngestMeter;
  readonly #warnings = new Map<string, HealthWarning>();
  readonly #wall: () => number;
  #checkedAt = 0;
  #excessSince: number | undefined;

  /** @param wall Unix time, ms. */
  constructor(profile: IngestProfile, meter: IngestMeter, wall: () => number) {
    this.#profile = profile;
    this.#meter = meter;
    this.#wall = wall;
  }

  get warnings(): HealthWarning[] {
    return [...this.#warnings.values()];
  }

  warn(code: string, message: string): void {
    const known = this.#warnings.get(code);
    this.#warnings.set(code, { code, message, since: known?.since ?? new Date(this.#wall()).toISOString() });
  }

  clear(code: string): void {
    this.#warnings.delete(code);
  }

  /** @throws {KliegError} `codec_not_allowed`, `resolution_too_high`. */
  checkTrack(track: Track): void {
    const profile = this.#profile;
    if (track.kind === "audio") {
      if (!(profile.audio_codecs as readonly string[]).includes(track.codec)) {
        throw new KliegError(
          "codec_not_allowed",
          `This channel does not take ${track.codec.toUpperCase()} audio. Set the encoder to ${list(profile.audio_codecs)}.`,
        );
      }
      return;
    }
    if (!(profile.video_codecs as readonly string[]).includes(track.codec)) {
      throw new KliegError(
        "codec_not_allowed",
        `This channel does not take ${track.codec.toUpperCase()} video. Set the encoder to ${list(profile.video_codecs)}.`,
      );
    }
    const [long, short] = [Math.max(track.width, track.height), Math.min(track.width, track.height)];
    const [maxLong, maxShort] = [
      Math.max(profile.max_width, profile.max_height),
      Math.min(profile.max_width, profile.max_height),
    ];
    if (long > maxLong || short > maxShort) {
      throw new KliegError(
        "resolution_too_high",
        `${track.width}×${track.height} is more than this channel takes (${profile.max_width}×${profile.max_height}). Lower the encoder's output resolution.`,
      );
    }
    if (track.frameRate !== undefined && track.frameRate > profile.max_frame_rate) {
      this.warn(
        "frame_rate_high",
        `${track.frameRate.toFixed(2)} frames a second is more than the ${profile.max_frame_rate} that this channel is made for.`,
      );
    } else this.clear("frame_rate_high");
  }

  /**
   * @param now monotonic, ms.
   * @throws {KliegError} `bitrate_too_high`, `keyframe_interval_too_long`.
   */
  checkUnit(unit: AccessUnit, now: number): void {
    if (unit.track.kind === "video") this.#checkKeyframes(unit);
    if (now - this.#checkedAt < CHECK_EVERY_MS) return;
    this.#checkedAt = now;
    const bitrate = this.#meter.bitrate(now);
    if (bitrate <= this.#profile.max_bitrate) {
      this.#excessSince = undefined;
      this.clear("bitrate_high");
      return;
    }
    const asked = `${megabits(bitrate)} Mb/s is more than this channel takes (${megabits(this.#profile.max_bitrate)} Mb/s). Lower the encoder's bit rate.`;
    this.warn("bitrate_high", asked);
    this.#excessSince ??= now;
    if (now - this.#excessSince >= EXCESS_TOLERANCE_MS || bitrate > 3 * this.#profile.max_bitrate) {
      throw new KliegError("bitrate_too_high", asked);
    }
  }

  #checkKeyframes(unit: AccessUnit): void {
    const maximum = this.#profile.max_keyframe_interval_ms;
    const interval = unit.keyframe ? (this.#meter.keyframeIntervalMs ?? 0) : this.#meter.sinceKeyframeMs(unit.dts);
    // One frame of grace: an interval of exactly the maximum is measured with the container's rounding.
    if (interval <= maximum + 50) {
      if (unit.keyframe) this.clear("keyframe_interval_too_long");
      return;
    }
    const message = `Keyframes come ${(interval / 1000).toFixed(1)} s apart; ${maximum / 1000} s is the most. Set the encoder's keyframe interval to 2 s.`;
    if (this.#profile.on_long_keyframe_interval === "refuse") {
      throw new KliegError("keyframe_interval_too_long", message);
    }
    if (unit.keyframe || !this.#warnings.has("keyframe_interval_too_long")) {
      this.warn("keyframe_interval_too_long", message);
    }
  }
}

function list(codecs: readonly string[]): string {
  return codecs.map((codec) => codec.toUpperCase()).join(" or ");
}

function megabits(bitsPerSecond: number): string {
  return (bitsPerSecond / 1e6).toFixed(1);
}
