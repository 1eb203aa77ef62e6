import type { Clock, CloseReason } from "@klieg/base";
import type { AccessUnit, AudioTrack, MediaSink, MediaWarning, Timeline, Track, VideoTrack } from "@klieg/media";
import { type IngestProfile, type IngestProtocol, KliegError } from "@klieg/protocol";
import type { RealtimeSource } from "../sfu/realtime-source.ts";
import { IngestMeter } from "./ingest-meter.ts";
import { ProfileGuard } from "./profile-guard.ts";

/** The ingest adapter's side of a contribution: what the stream may ask of it. */
export interface ContributionSession {
  readonly protocol: IngestProtocol;
  /** What the encoder calls itself, if it does. */
  readonly encoder: string | undefined;
  readonly remoteAddress: string;
  /** The stream key that admitted it. */
  readonly keyId: string;
  /** What WebRTC viewers can be given as it came; absent where the encoder came by another protocol. */
  readonly realtime?: RealtimeSource;
  /** Link statistics for the health answer, where the protocol has any. */
  linkStatistics?(): Record<string, number>;
  /** Puts the encoder off, showing it `error` the way its protocol can. Idempotent. */
  refuse(error: KliegError): void;
}

/** What a contribution reports to its stream. */
export interface ContributionOwner {
  onTrack(track: Track, contribution: Contribution): void;
  onUnit(unit: AccessUnit, contribution: Contribution): void;
  onEnded(contribution: Contribution, reason: CloseReason): void;
}

/** More tracks than these are ignored, with a warning. */
const TRACKS_TAKEN = 1;

/**
 * One encoder's time as a stream's source: mends its timestamps, holds it to the profile, measures it.
 * The adapter feeds it as a {@link MediaSink} and calls {@link Contribution.close} when the encoder is gone.
 */
export class Contribution implements MediaSink {
  readonly session: ContributionSession;
  readonly meter = new IngestMeter();
  readonly guard: ProfileGuard;
  /** Monotonic, ms. */
  readonly connectedAt: number;
  readonly #owner: ContributionOwner;
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #lastUnitAt: number;
  #closed = false;

  constructor(options: {
    session: ContributionSession;
    profile: IngestProfile;
    timeline: Timeline;
    clock: Clock;
    owner: ContributionOwner;
  }) {
    this.session = options.session;
    this.#owner = options.owner;
    this.#timeline = options.timeline;
    this.#clock = options.clock;
    this.connectedAt = options.clock.now();
    this.#lastUnitAt = this.connectedAt;
    this.guard = new ProfileGuard(options.profile, this.meter, () => options.clock.wall());
  }

  get video(): VideoTrack | undefined {
    return this.#video;
  }

  get audio(): AudioTrack | undefined {
    return this.#audio;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** When the last access unit came, monotonic ms. */
  get lastUnitAt(): number {
    return this.#lastUnitAt;
  }

  onTrack(track: Track): void {
    if (this.#closed) return;
    if (track.id >= TRACKS_TAKEN) {
      this.guard.warn(
        "extra_track_ignored",
        `The encoder sends more than one ${track.kind} track; only the first is used.`,
      );
      return;
    }
    try {
      this.guard.checkTrack(track);
    } catch (error) {
      this.#refuse(KliegError.from(error));
      return;
    }
    if (track.kind === "video") this.#video = track;
    else this.#audio = track;
    this.#owner.onTrack(track, this);
  }

  onAccessUnit(raw: AccessUnit): void {
    if (this.#closed || raw.track.id >= TRACKS_TAKEN) return;
    const now = this.#clock.now();
    this.#lastUnitAt = now;
    const unit = this.#timeline.map(raw);
    this.meter.add(unit, now);
    try {
      this.guard.checkUnit(unit, now);
    } catch (error) {
      this.#refuse(KliegError.from(error));
      return;
    }
    this.#owner.onUnit(unit, this);
  }

  onWarning(warning: MediaWarning): void {
    this.guard.warn(warning.code, warning.message);
  }

  /** The encoder is gone, or must go. Idempotent. */
  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.onEnded(this, reason);
  }

  /** Puts the encoder off with an error it can show, and closes. */
  refuse(error: KliegError): void {
    this.#refuse(error);
  }

  #refuse(error: KliegError): void {
    if (this.#closed) return;
    this.session.refuse(error);
    this.close({ by: "self", message: error.message, error });
  }
}
