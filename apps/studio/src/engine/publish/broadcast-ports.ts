import type { Visibility } from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";

/** A destination that is a Klieg backend. */
export type KliegDestination = Extract<Destination, { kind: "klieg" }>;

/** Reads a destination's secret; undefined where it has none. */
export type SecretReader = (holder: string, kind: "stream_key" | "passphrase") => Promise<string | undefined>;

/** What a Klieg backend is told of a broadcast. */
export interface KliegDetails {
  readonly title: string;
  readonly category: string;
  readonly visibility: Visibility;
  readonly preview: boolean;
  /** Epoch ms. */
  readonly public_at: number | null;
}

/** What it answered to the start (`POST /v1/streams/start`). */
export interface KliegStart {
  readonly streamId: string;
  /** Page for viewers, or for the owner while it is hidden. */
  readonly watchUrl: string | null;
  /** SRT address, with the stream id in its query. */
  readonly srt: string;
  /** WHIP endpoint, which wants the stream key as bearer; null where there is no WebRTC. */
  readonly whip: string | null;
}

/**
 * The HTTP side of a Klieg backend. All of it throws KliegError: `retryable` ones are tried again, others are final.
 */
export interface KliegDoor {
  /** Opens the stream, or answers the one that is open already. */
  start(destination: KliegDestination, key: string, details: KliegDetails, signal: AbortSignal): Promise<KliegStart>;
  change(
    destination: KliegDestination,
    key: string,
    streamId: string,
    details: Partial<KliegDetails>,
  ): Promise<{ readonly watchUrl: string | null }>;
  /** The show is over: no grace for an encoder that comes back. */
  stop(destination: KliegDestination, key: string, streamId: string): Promise<void>;
}
