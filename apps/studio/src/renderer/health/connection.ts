import type { BroadcastState, DestinationState, StudioEventOf } from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";
import type { WhipState, WhipStatistics } from "../media/whip/whip-state.ts";
import { healthStrings } from "../strings/health.ts";

/** How the program travels to one destination. */
export type Carrier = "srt" | "whip" | "rtmp";

/** One destination on air, whichever end of the studio sends to it; undefined where its protocol does not tell. */
export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly carrier: Carrier;
  readonly state: DestinationState["state"];
  readonly attempt: number;
  /** Epoch ms; undefined while none is planned. */
  readonly nextAttemptAt: number | undefined;
  readonly problem: DestinationState["problem"];
  readonly watchUrl: string | undefined;
  /** bits/s that left. */
  readonly bitrate: number | undefined;
  readonly rttMs: number | undefined;
  /** 0 to 1. */
  readonly loss: number | undefined;
  readonly retransmitted: number | undefined;
  readonly bufferMs: number | undefined;
  /** Since the beginning. */
  readonly droppedFrames: number | undefined;
  /** What the browser says that it sends less for: `cpu`, `bandwidth`, `none`; only by WHIP. */
  readonly limitedBy: string | undefined;
  /** What the browser asks of its encoder, bits/s; only by WHIP. */
  readonly targetBitrate: number | undefined;
  /** What the browser encodes with, and what it makes; only by WHIP. */
  readonly encoding: string | undefined;
}

export function carrierOf(destination: Destination): Carrier {
  return destination.kind === "klieg" ? destination.protocol : destination.kind;
}

/** The protocol's name as people write it. */
export const CARRIER_NAMES: Record<Carrier, string> = { srt: "SRT", whip: "WebRTC", rtmp: "RTMP" };

/**
 * Joins what the engine and the page know of each destination of a broadcast. By WebRTC the page sends by itself, so there
 * it is the page that knows; unless the operator stopped it, which the engine was told.
 */
export function connectionsOf(
  broadcast: BroadcastState,
  destinations: readonly Destination[],
  health: StudioEventOf<"health"> | undefined,
  whips: readonly WhipState[],
): Connection[] {
  return broadcast.destinations.map((state) => {
    const destination = destinations.find(({ id }) => id === state.id);
    const sent = health?.destinations.find(({ id }) => id === state.id);
    const whip = state.state === "stopped" ? undefined : whips.find(({ destinationId }) => destinationId === state.id);
    return {
      id: state.id,
      name: destination?.name ?? state.id,
      carrier: destination === undefined ? "srt" : carrierOf(destination),
      state: whip?.state ?? state.state,
      attempt: whip?.attempt ?? state.attempt,
      nextAttemptAt: whip === undefined ? (state.next_attempt_at ?? undefined) : whip.nextAttemptAt,
      problem: whip === undefined ? state.problem : (whip.problem ?? null),
      watchUrl: state.watch_url ?? undefined,
      bitrate: whip?.statistics?.bitrate ?? sent?.bitrate,
      rttMs: whip?.statistics?.rttMs ?? sent?.rtt_ms ?? undefined,
      loss: whip?.statistics?.loss ?? sent?.loss ?? undefined,
      retransmitted: whip?.statistics?.retransmitted ?? sent?.retransmitted ?? undefined,
      bufferMs: sent?.buffer_ms,
      droppedFrames: sent?.dropped_frames,
      limitedBy: whip?.statistics?.limitedBy,
      targetBitrate: whip?.statistics?.targetBitrate,
      encoding: whip?.statistics === undefined ? undefined : encodingOf(whip.statistics),
    };
  });
}

/** "OpenH264, CPU, 1280 × 720 at 30 fps". */
function encodingOf({ encoder, codec, hardware, width, height, frameRate }: WhipStatistics): string {
  const { picture } = healthStrings;
  const where = hardware === undefined ? "" : hardware ? picture.gpu : picture.cpu;
  const parts = [encoder === "" ? codec : encoder, where, width > 0 ? picture.of(width, height, frameRate) : ""];
  return parts.filter((part) => part !== "").join(", ");
}
