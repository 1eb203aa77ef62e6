/** How a viewer's network did since the last sample. */
export interface NetworkSample {
  /** Monotonic, ms. */
  readonly at: number;
  /** Share of the packets sent that did not arrive at first, 0 to 1. */
  readonly loss: number;
  /** Round trip, ms; undefined where it is not known yet. */
  readonly roundTripMs: number | undefined;
  /** What comes of each layer from the sender now, bits/s, lowest first; 0 for one that is not sent. */
  readonly layers: readonly number[];
}

/** Until the network is known it is believed to carry this, bits/s. */
const INITIAL_BITRATE = 1_500_000;
/** A network that loses more is full, however short its queue. */
const FULL_LOSS = 0.1;
/** More than chance: with a queue that has grown it means full. */
const SOME_LOSS = 0.03;
/** Loss at which nothing more is tried. */
const CLEAN_LOSS = 0.02;
/** A round trip that is so much longer than the shortest is waiting in a queue, ms. */
const LONG_QUEUE_MS = 120;
const SHORT_QUEUE_MS = 60;
/** The shortest round trip counts for so long: routes change. */
const SHORTEST_HOLDS_MS = 60_000;
/** So long reports are still of what was sent before the layer went down, ms. */
const SETTLE_MS = 2200;
/** Before it went up the network was clean: what is lost now is of the new layer. */
const TRIAL_SETTLE_MS = 800;
/** A higher layer that is given up within this time has failed, ms. */
const TRIAL_MS = 6000;
const FIRST_PATIENCE_MS = 3000;
/** A layer that the network proved too narrow for is left alone for so long, ms: each try costs the viewer a freeze. */
const NARROW_PATIENCE_MS = 8000;
const MAX_PATIENCE_MS = 90_000;
/** Of what got through when it was full, so much is asked of a network again. */
const BACK_OFF = 0.85;

/**
 * Chooses the layer to send by what the receiver's reports say of loss and round trip: for viewers whose offer gives the
 * SFU's own bandwidth estimation nothing to go by. It goes down as soon as the network is full, to what got through, and
 * up a layer at a time when it has been clean for a while; what then fails is tried again later and later.
 */
export class LayerChooser {
  #layer: number | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;
  #cleanSince: number | undefined;
  /** When the present layer was gone up to; undefined once it has proved. */
  #trialSince: number | undefined;
  /** The layer from which the present one was gone up to. */
  #provenLayer = 0;
  /** How long a network must have been clean before each layer is tried, ms. */
  readonly #patience = new Map<number, number>();
  #shortest: { readonly ms: number; readonly at: number } | undefined;
  #fullSamples = 0;

  /** The layer to send, 0 is the lowest; undefined before the first sample. */
  get layer(): number | undefined {
    return this.#layer;
  }

  /** @returns the layer to send from now on. */
  add(sample: NetworkSample): number {
    const highest = Math.max(0, sample.layers.length - 1);
    if (this.#layer === undefined) {
      this.#go(this.#fitting(sample.layers, INITIAL_BITRATE), sample.at);
      return this.#layer ?? 0;
    }
    if (this.#layer > highest) this.#go(highest, sample.at);
    const queueMs = this.#queue(sample);
    const isFull =
      sample.loss >= FULL_LOSS || queueMs > LONG_QUEUE_MS || (sample.loss >= SOME_LOSS && queueMs > SHORT_QUEUE_MS);
    if (sample.at - this.#changedAt < (this.#trialSince === undefined ? SETTLE_MS : TRIAL_SETTLE_MS))
      return this.#layer;
    this.#fullSamples = isFull ? this.#fullSamples + 1 : 0;
    // One report may be of a burst; two are not, and much loss needs no second.
    if (isFull && (this.#fullSamples > 1 || sample.loss >= 2 * FULL_LOSS)) this.#goDown(sample);
    else if (!isFull) this.#considerUp(sample, queueMs, highest);
    else this.#cleanSince = undefined;
    return this.#layer;
  }

  #goDown(sample: NetworkSample): void {
    const layer = this.#layer ?? 0;
    this.#cleanSince = undefined;
    this.#fullSamples = 0;
    if (this.#trialSince !== undefined && sample.at - this.#trialSince < TRIAL_MS) {
      const patience = Math.max(NARROW_PATIENCE_MS, this.#patience.get(layer) ?? 0);
      this.#patience.set(layer, Math.min(MAX_PATIENCE_MS, patience * 2.5));
      // The one before had proved.
      this.#go(this.#provenLayer, sample.at);
      return;
    }
    if (layer === 0) return;
    const gotThrough = (sample.layers[layer] ?? 0) * (1 - sample.loss) * BACK_OFF;
    for (const [above, needed] of sample.layers.entries()) {
      if (needed <= gotThrough) continue;
      this.#patience.set(above, Math.max(NARROW_PATIENCE_MS, this.#patience.get(above) ?? 0));
    }
    this.#go(Math.min(layer - 1, this.#fitting(sample.layers, gotThrough)), sample.at);
  }

  #considerUp(sample: NetworkSample, queueMs: number, highest: number): void {
    const layer = this.#layer ?? 0;
    if (this.#trialSince !== undefined && sample.at - this.#trialSince >= TRIAL_MS) {
      this.#trialSince = undefined;
      this.#patience.delete(layer);
    }
    if (sample.loss > CLEAN_LOSS || queueMs > SHORT_QUEUE_MS) {
      this.#cleanSince = undefined;
      return;
    }
    this.#cleanSince ??= sample.at;
    // The next one that is sent at all.
    let next = layer + 1;
    while (next <= highest && (sample.layers[next] ?? 0) === 0) next += 1;
    if (next > highest) return;
    if (sample.at - this.#cleanSince < (this.#patience.get(next) ?? FIRST_PATIENCE_MS)) return;
    this.#provenLayer = layer;
    this.#go(next, sample.at);
    this.#trialSince = sample.at;
  }

  #go(layer: number, at: number): void {
    this.#layer = layer;
    this.#changedAt = at;
    this.#cleanSince = undefined;
    this.#trialSince = undefined;
    this.#fullSamples = 0;
  }

  /** The highest layer that is sent and takes no more than `bitrate`; else the lowest. */
  #fitting(layers: readonly number[], bitrate: number): number {
    let best = 0;
    for (const [layer, needed] of layers.entries()) if (needed > 0 && needed <= bitrate) best = layer;
    return best;
  }

  /** How long packets seem to wait on the way, ms. */
  #queue({ at, roundTripMs }: NetworkSample): number {
    if (roundTripMs === undefined || roundTripMs <= 0) return 0;
    const shortest = this.#shortest;
    if (shortest === undefined || roundTripMs <= shortest.ms || at - shortest.at > SHORTEST_HOLDS_MS) {
      this.#shortest = { ms: roundTripMs, at };
      return 0;
    }
    return roundTripMs - shortest.ms;
  }
}
