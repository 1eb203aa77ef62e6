import type { Clock } from "@klieg/base";
import type { types } from "mediasoup";

/** All viewers of a producer share one look at it in this time, ms. */
const HOLDS_MS = 800;

/** What producers receive at present; the worker is asked once for all who want to know. */
export class ProducerRates {
  readonly #clock: Clock;
  readonly #known = new WeakMap<
    types.Producer,
    { readonly at: number; readonly stats: Promise<types.ProducerStat[]> }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** None where the producer is closed. */
  of(producer: types.Producer): Promise<types.ProducerStat[]> {
    if (producer.closed) return Promise.resolve([]);
    const now = this.#clock.now();
    const known = this.#known.get(producer);
    if (known !== undefined && now - known.at < HOLDS_MS) return known.stats;
    const stats = producer.getStats().catch((): types.ProducerStat[] => []);
    this.#known.set(producer, { at: now, stats });
    return stats;
  }
}

/** Bits/s of each spatial layer, lowest first: of simulcast its streams, of SVC what each layer takes with those below. */
export function layerBitrates(
  producer: types.Producer,
  stats: readonly types.ProducerStat[],
  layers: number,
): number[] {
  const { encodings = [] } = producer.rtpParameters;
  return Array.from({ length: layers }, (_, layer) => {
    if (encodings.length > 1) {
      const encoding = encodings[layer];
      const stat = stats.find(({ rid, ssrc }) =>
        encoding?.rid === undefined ? ssrc === encoding?.ssrc : rid === encoding.rid,
      );
      return Math.round(stat?.bitrate ?? 0);
    }
    const [stat] = stats;
    if (layers === 1) return Math.round(stat?.bitrate ?? 0);
    const ofLayer = Object.entries(stat?.bitrateByLayer ?? {}).filter(([name]) => name.startsWith(`${layer}.`));
    return Math.round(Math.max(0, ...ofLayer.map(([, bitrate]) => bitrate)));
  });
}
