import type { Clock } from "@klieg/base";
import type { types } from "mediasoup";
import type { SfuPeer } from "../../sfu/sfu-peer.ts";
import type { SfuStage } from "../../sfu/sfu-stage.ts";

const ASK_EVERY_MS = 1000;

export interface WhipLinkOptions {
  readonly peer: SfuPeer;
  readonly stage: SfuStage;
  /** Ids of what the peer sends. */
  readonly producers: readonly string[];
  readonly clock: Clock;
  /** Nothing came from the peer for so long, ms; told again each second. */
  readonly onQuiet: (quietMs: number) => void;
  /** Something came. */
  readonly onHeard: () => void;
}

/** Watches a publisher's connection: whether anything comes, and how well. */
export class WhipLink implements Disposable {
  readonly #options: WhipLinkOptions;
  #timer: Disposable | undefined;
  #asking = false;
  #bytes = 0;
  #heardAt: number;
  #statistics: Record<string, number> = {};

  constructor(options: WhipLinkOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  /** As last measured: bits/s, packets, ms. */
  get statistics(): Record<string, number> {
    return this.#statistics;
  }

  /** Begins to watch. Idempotent. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#heardAt = this.#options.clock.now();
    this.#timer = this.#options.clock.every(ASK_EVERY_MS, () => void this.#ask());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  async #ask(): Promise<void> {
    const { peer, stage, producers, clock, onHeard, onQuiet } = this.#options;
    // A worker that is slow to answer is not asked twice.
    if (this.#asking || peer.state === "closed") return;
    this.#asking = true;
    try {
      const [transport, ...streams] = await Promise.all([
        peer.transport.getStats(),
        ...producers.map(async (id) => stage.producers.get(id)?.producer.getStats() ?? []),
      ]);
      if (this.#timer === undefined) return;
      const bytes = transport[0]?.bytesReceived ?? 0;
      this.#statistics = summary(transport[0], streams.flat());
      const heard = bytes !== this.#bytes;
      this.#bytes = bytes;
      if (heard) {
        this.#heardAt = clock.now();
        onHeard();
      } else onQuiet(clock.now() - this.#heardAt);
    } catch {
      // Closed in the meantime, or its worker is gone: both are told of otherwise.
    } finally {
      this.#asking = false;
    }
  }
}

function summary(
  transport: types.WebRtcTransportStat | undefined,
  streams: readonly types.ProducerStat[],
): Record<string, number> {
  const sum = (read: (stat: types.ProducerStat) => number | undefined) =>
    streams.reduce((total, stat) => total + (read(stat) ?? 0), 0);
  const roundTrip = Math.max(0, ...streams.map((stat) => stat.roundTripTime ?? 0));
  const layers = streams.filter(({ kind }) => kind === "video");
  return {
    receive_bitrate: Math.round(transport?.recvBitrate ?? 0),
    round_trip_ms: Math.round(roundTrip * 10) / 10,
    jitter_ms: Math.round(Math.max(0, ...streams.map(jitterMs)) * 10) / 10,
    packets_received: sum((stat) => stat.packetCount),
    packets_lost: sum((stat) => stat.packetsLost),
    packets_retransmitted: sum((stat) => stat.packetsRetransmitted),
    packets_repaired: sum((stat) => stat.packetsRepaired),
    nacks_sent: sum((stat) => stat.nackCount),
    keyframes_requested: sum((stat) => stat.pliCount) + sum((stat) => stat.firCount),
    layers: layers.length,
    ...Object.fromEntries(layers.map(({ rid, bitrate }, i) => [`layer_${rid ?? i}_bitrate`, Math.round(bitrate)])),
  };
}

/** mediasoup tells it in units of the codec's clock. */
function jitterMs({ kind, jitter }: types.ProducerStat): number {
  return jitter / (kind === "video" ? 90 : 48);
}
