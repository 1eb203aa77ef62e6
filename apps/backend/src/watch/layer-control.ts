import type { Clock } from "@klieg/base";
import type { types } from "mediasoup";
import { LayerChooser } from "./layer-chooser.ts";
import { layerBitrates, type ProducerRates } from "./producer-rates.ts";

const SAMPLE_EVERY_MS = 1000;

export interface LayerControlOptions {
  readonly consumer: types.Consumer;
  /** What it consumes, as its sender has it: a consumer on another router sees a copy. */
  readonly producer: types.Producer;
  /** How many layers there are. */
  readonly layers: number;
  readonly rates: ProducerRates;
  readonly clock: Clock;
}

/**
 * Whether the SFU estimates a consumer's bandwidth by itself: only with feedback that the viewer's offer numbers as the
 * SFU does.
 */
export function hasBandwidthEstimation({ rtpParameters }: types.Consumer): boolean {
  return rtpParameters.codecs.some(({ rtcpFeedback = [] }) =>
    rtcpFeedback.some(({ type }) => type === "transport-cc" || type === "goog-remb"),
  );
}

/** Keeps one consumer on the layer that its viewer's network carries. */
export class LayerControl implements Disposable {
  readonly #options: LayerControlOptions;
  readonly #chooser = new LayerChooser();
  #timer: Disposable | undefined;
  #asking = false;
  #sent = 0;
  #repeated = 0;
  #layer: number | undefined;

  constructor(options: LayerControlOptions) {
    this.#options = options;
  }

  /** Idempotent. */
  start(): void {
    this.#timer ??= this.#options.clock.every(SAMPLE_EVERY_MS, () => void this.#sample());
    void this.#sample();
  }

  /** Leaves the consumer as it is. */
  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#layer = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  async #sample(): Promise<void> {
    const { consumer, producer, layers, rates, clock } = this.#options;
    if (this.#asking || consumer.closed || consumer.paused) return;
    this.#asking = true;
    try {
      const [stats, produced] = await Promise.all([consumer.getStats(), rates.of(producer)]);
      const sent = stats.find(({ type }) => type === "outbound-rtp");
      if (this.#timer === undefined || sent === undefined) return;
      const packets = sent.packetCount - this.#sent;
      const repeated = sent.packetsRetransmitted - this.#repeated;
      this.#sent = sent.packetCount;
      this.#repeated = sent.packetsRetransmitted;
      const layer = this.#chooser.add({
        at: clock.now(),
        // What was asked for again was lost, though the report counts it as received.
        loss: Math.max(sent.fractionLost / 256, packets > 0 ? Math.min(1, repeated / packets) : 0),
        roundTripMs: sent.roundTripTime,
        layers: layerBitrates(producer, produced, layers),
      });
      if (layer === this.#layer) return;
      this.#layer = layer;
      await consumer.setPreferredLayers({ spatialLayer: layer });
    } catch {
      // Closed in the meantime, or its worker is gone: both are told of otherwise.
    } finally {
      this.#asking = false;
    }
  }
}
