/** What the connection says of itself at one moment; counters run from its beginning. */
export interface LinkSample {
  /** Monotonic ms. */
  readonly now: number;
  /** Smoothed round trip, ms. */
  readonly rttMs: number;
  /** Age of the oldest packet that was not acknowledged, ms. */
  readonly sendBufferMs: number;
  /** Bytes that the peer has acknowledged, or that left the send buffer for good: retransmissions do not count. */
  readonly bytesDelivered: number;
  readonly packetsSent: number;
  /** Packets that the peer reported missing. */
  readonly packetsReportedLost: number;
  /** Packets that were given up as too late. */
  readonly packetsDropped: number;
}

export interface BitrateLimits {
  /** bits/s of all media together. */
  readonly lowest: number;
  readonly highest: number;
  /** What the receiver waits for what is missing, ms: a buffer older than that is lost. */
  readonly latencyMs: number;
}

/** Why the bitrate is what it is, for words in the interface. */
export type BitrateReason = "full" | "queue" | "loss" | "drops" | "probing";

/** Share of the latency that may wait in the send buffer, beyond the round trip, before the network counts as full. */
const QUEUE_SHARE = 0.4;
const QUEUE_LEAST_MS = 60;
/** The round trip without queues is the shortest one seen; it is taken to have grown by this share of the difference a second. */
const BASE_RTT_DRIFT = 0.01;
/** Share of packets reported lost from which retransmissions themselves crowd the link. */
const LOSS_SHARE = 0.1;
/** Of what the network was seen to deliver, when it is full: what waits must drain too. */
const DRAIN_SHARE = 0.85;
/** One decrease is given so long to show in the buffer before the next. */
const SETTLE_MS = 700;
/** After a decrease nothing is tried for so long. */
const HOLD_MS = 4000;
/** Growth a second while there is room: a doubling takes about ten seconds. */
const GROWTH_PER_S = 0.07;
/** Near where it last failed it grows so much slower. */
const NEAR_FAILURE = 0.9;
const CAREFUL = 0.4;
/** What failed is forgotten after so long. */
const FAILURE_REMEMBERED_MS = 20_000;
const DELIVERY_WINDOW_MS = 1500;

/**
 * Lets the bitrate follow the network (STU3): down at once to what it delivers when the send buffer grows, packets are
 * given up or many are lost; up again gently once the buffer is calm. Pure: the same samples give the same bitrates.
 */
export class BitrateController {
  readonly #limits: BitrateLimits;
  #target: number;
  #reason: BitrateReason = "full";
  #last: LinkSample | undefined;
  #decreasedAt = Number.NEGATIVE_INFINITY;
  #failed: { readonly rate: number; readonly at: number } | undefined;
  #baseRtt = Number.POSITIVE_INFINITY;
  /** Samples of the last moments, oldest first. */
  #window: LinkSample[] = [];

  constructor(limits: BitrateLimits) {
    this.#limits = limits;
    this.#target = limits.highest;
  }

  /** bits/s that the encoders together should make. */
  get target(): number {
    return Math.round(this.#target);
  }

  get reason(): BitrateReason {
    return this.#reason;
  }

  /** A new connection: what was known of the old one's counters does not hold. The target stays. */
  reconnected(): void {
    this.#last = undefined;
    this.#window = [];
    this.#baseRtt = Number.POSITIVE_INFINITY;
  }

  /** Takes a sample, two to ten a second. @returns the target. */
  sample(sample: LinkSample): number {
    const last = this.#last;
    this.#last = sample;
    this.#window.push(sample);
    while ((this.#window[0]?.now ?? sample.now) < sample.now - DELIVERY_WINDOW_MS) this.#window.shift();
    if (last === undefined || sample.now <= last.now) {
      this.#baseRtt = Math.min(this.#baseRtt, sample.rttMs);
      return this.target;
    }
    const drift = ((sample.rttMs - this.#baseRtt) * BASE_RTT_DRIFT * (sample.now - last.now)) / 1000;
    this.#baseRtt = Math.min(sample.rttMs, this.#baseRtt + drift);

    const trouble = this.#troubleIn(sample, last);
    if (trouble !== undefined) this.#decrease(sample, trouble);
    else if (sample.now - this.#decreasedAt > HOLD_MS) this.#grow(sample.now, sample.now - last.now);
    return this.target;
  }

  #troubleIn(sample: LinkSample, last: LinkSample): "queue" | "loss" | "drops" | undefined {
    if (sample.packetsDropped > last.packetsDropped) return "drops";
    // Not the round trip of now: a queue in the network makes that longer, too.
    const allowed = this.#baseRtt + Math.max(QUEUE_LEAST_MS, this.#limits.latencyMs * QUEUE_SHARE);
    if (sample.sendBufferMs > allowed) return "queue";
    const first = this.#window[0] ?? last;
    const sent = sample.packetsSent - first.packetsSent;
    const lost = sample.packetsReportedLost - first.packetsReportedLost;
    return sent >= 50 && lost > sent * LOSS_SHARE ? "loss" : undefined;
  }

  #decrease(sample: LinkSample, trouble: "queue" | "loss" | "drops"): void {
    if (sample.now - this.#decreasedAt < SETTLE_MS) return;
    this.#failed = { rate: this.#target, at: sample.now };
    this.#decreasedAt = sample.now;
    const delivered = this.#delivered(sample);
    const least = trouble === "drops" ? 0.5 : 0.7;
    const wanted = delivered === undefined ? this.#target * 0.8 : delivered * DRAIN_SHARE;
    // Never by less than a tenth, or it would creep; never by more than `least` on one sample's word.
    this.#set(Math.max(this.#target * least, Math.min(this.#target * 0.9, wanted)), trouble);
  }

  #grow(now: number, elapsedMs: number): void {
    if (this.#target >= this.#limits.highest) {
      this.#reason = "full";
      return;
    }
    const { rate, at } = this.#failed ?? { rate: Number.POSITIVE_INFINITY, at: now };
    const careful = now - at < FAILURE_REMEMBERED_MS && this.#target > rate * NEAR_FAILURE;
    const growth = 1 + ((GROWTH_PER_S * elapsedMs) / 1000) * (careful ? CAREFUL : 1);
    this.#set(this.#target * growth, "probing");
  }

  /** bits/s that the network has carried lately; undefined where that is not known yet. */
  #delivered(sample: LinkSample): number | undefined {
    const first = this.#window[0];
    if (first === undefined || sample.now - first.now < 300) return undefined;
    return ((sample.bytesDelivered - first.bytesDelivered) * 8000) / (sample.now - first.now);
  }

  #set(rate: number, reason: BitrateReason): void {
    this.#target = Math.max(this.#limits.lowest, Math.min(this.#limits.highest, rate));
    this.#reason = this.#target >= this.#limits.highest ? "full" : reason;
  }
}
