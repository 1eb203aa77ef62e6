/** What the connection says of itself at one moment; counters run from its beginning. */
export interface LinkSample {
  /** Monotonic ms. */
  readonly now: number;
  /** Smoothed round trip, ms; undefined until it is measured, 0 where nothing measures it. */
  readonly rttMs: number | undefined;
  /** Age of the oldest packet that was not acknowledged, ms. */
  readonly sendBufferMs: number;
  /** What was not sent even once, as long as it takes at the pace of now, ms. */
  readonly unsentMs: number;
  /** Bytes that the peer has acknowledged; retransmissions do not count. */
  readonly bytesDelivered: number;
  readonly packetsSent: number;
  /** Packets that were sent again, since the peer missed them. */
  readonly packetsResent: number;
  /** Packets that were given up as too late. */
  readonly packetsDropped: number;
  /** Whether the peer is on this machine: nothing between is a network. */
  readonly local: boolean;
}

export interface BitrateLimits {
  /** bits/s of all media together. */
  readonly lowest: number;
  readonly highest: number;
  /** What the receiver waits for what is missing, ms: a buffer older than that is lost. */
  readonly latencyMs: number;
}

/** Why the bitrate is what it is, for words in the interface. */
export type BitrateReason = "full" | "queue" | "loss" | "drops" | "busy" | "probing";

/** Share of the latency that may wait, beyond the round trip, before the network counts as full. */
const QUEUE_SHARE = 0.4;
const QUEUE_LEAST_MS = 60;
/** That it was so once may be a hiccup of either end, unless it is so many times as much. */
const CROWDED_SAMPLES = 3;
const CLEARLY = 2.5;
/** So many times as much is allowed where this computer has too much to do. */
const BUSY_PATIENCE = 3;
/** What is lost is there again after a round trip or two: only what is older than so many waits. Nor is that at once, ms. */
const REPAIR_ROUND_TRIPS = 3;
const REPAIR_MS = 300;
/** The round trip without a queue is the shortest one of so long, ms: a new way may be longer, and others' queues may stay. */
const BASE_RTT_MS = 15_000;
/** Share of packets sent again from which retransmissions themselves crowd the link. */
const LOSS_SHARE = 0.1;
/** Over how long that is counted at least and at most, ms. */
const LOSS_LEAST_MS = 500;
const LOSS_WINDOW_MS = 1500;
/** What the network carries is what it delivered over so long while it was full, ms. */
const DELIVERY_WINDOW_MS = 300;
/** or over so long where there were losses: what came after one counts only when that is repaired. */
const REPAIRED_WINDOW_MS = 800;
/** What waits is to be gone after about so long, ms: so much less than the network carries is sent meanwhile, */
const DRAIN_MS = 1500;
/** and never less than this share of it. */
const DRAIN_LEAST = 0.5;
/** Of what the network carries, once nothing waits any more. */
const USED_SHARE = 0.92;
/** One decrease is given so long to show, beside the round trip, before the next, ms: encoders need time, too. */
const SETTLE_MS = 700;
/** For so long after the network filled up, what was delivered is looked at anew, ms. */
const FIRST_LOOK_MS = 1000;
/** So much may wait here, ms: a keyframe is many times as large as another picture, and leaves a little at a time. */
const UNSENT_MOST_MS = 900;
/** So little waits here always, ms. */
const UNSENT_LITTLE_MS = 60;
/** How fast, so that it does not fill the network: as multiples of the target; where it is known to carry little more; */
const PACING = 1.75;
const PACING_NEAR = 1.15;
/** and, while the network's queue drains, as a share of what it carries, at least. */
const PACING_LEAST = 0.75;
/** How much faster it goes each second, while nothing waits in the network and something here: as a share. */
const DRAIN_GROWTH_PER_S = 0.4;
/** After trouble nothing more is tried for so long, ms; longer each time that trying failed, up to the longest. */
const HOLD_MS = 3000;
const LONGEST_HOLD_MS = 8000;
/** Growth a second while there is room: a doubling takes about seven seconds. */
const GROWTH_PER_S = 0.1;
/** Near what the network carried last it grows so much slower; well above it, that is forgotten. */
const CAREFUL = 0.4;
const FORGOTTEN_ABOVE = 1.15;

/**
 * Lets the bitrate follow the network (STU3). When the network is full (what is sent waits, is given up, or is lost) it falls
 * at once to what was delivered meanwhile, less what lets the queue drain, and no deeper; when the queue is gone it takes up
 * what the network is known to carry, and feels its way up from there. Pure: the same samples give the same bitrates.
 */
export class BitrateController {
  readonly #limits: BitrateLimits;
  #target: number;
  #reason: BitrateReason = "full";
  /** Of the last moments, oldest first. */
  #window: LinkSample[] = [];
  /** The shortest round trip of each second, oldest first. */
  #roundTrips: { readonly since: number; ms: number }[] = [];
  /** bits/s that the network carried when it was last full. */
  #carried: number | undefined;
  /** While what waits drains: since when, and when the rate was lowered for it last, and what waited then, ms. */
  #drain: { readonly since: number; readonly decreasedAt: number; readonly waits: number } | undefined;
  /** What waits in the network's queues, ms, and in how many samples in a row that was too much. */
  #inNetwork = 0;
  #crowdedSamples = 0;
  /** When something waited here last. */
  #waitedAt = Number.NEGATIVE_INFINITY;
  #lossesSince = Number.NEGATIVE_INFINITY;
  /** bits/s that are sent while what waits drains, where nothing waits in the network. */
  #drainRate = 0;
  /** Whether nothing was lost in the last moments. */
  #whole = true;
  #troubleAt = Number.NEGATIVE_INFINITY;
  #lossAt = Number.NEGATIVE_INFINITY;
  #holdMs = HOLD_MS;

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

  /**
   * What may be sent a second at most, bits/s on the wire: while the network is full a little less than it carries, so that
   * what is over waits here, where whole pictures can be left out; else as much as lets a keyframe out soon.
   */
  get pacing(): number {
    if (this.#carried === undefined) return this.#target * PACING;
    // An encoder may make more than it is asked for: what got through is not held back.
    if (this.#drain === undefined) return Math.max(this.#target * PACING_NEAR, this.#drainRate);
    return Math.max(this.#limits.lowest, this.#drainRate * Math.max(PACING_LEAST, drainShare(this.#inNetwork)));
  }

  /** A new connection: what was known of the old one's counters does not hold. The target stays. */
  reconnected(): void {
    this.#window = [];
    this.#roundTrips = [];
    this.#drain = undefined;
  }

  /**
   * Takes a sample, five to ten a second.
   * @param busy whether this computer, rather than the network, is what has no room.
   * @returns the target.
   */
  sample(sample: LinkSample, busy = false): number {
    const last = this.#window.at(-1);
    if (last !== undefined && sample.now <= last.now) return this.target;
    this.#window.push(sample);
    while ((this.#window[0]?.now ?? sample.now) < sample.now - LOSS_WINDOW_MS) this.#window.shift();
    if (sample.rttMs === undefined) return this.target;
    this.#inNetwork = this.#queued(sample, sample.rttMs);
    if (last === undefined) return this.target;

    const { unsentMs } = sample;
    const dropped = sample.packetsDropped > last.packetsDropped;
    // Programs that wait for their turn answer late, too.
    const allowed = Math.max(QUEUE_LEAST_MS, this.#limits.latencyMs * QUEUE_SHARE) * (busy ? BUSY_PATIENCE : 1);
    this.#crowdedSamples = this.#inNetwork > allowed ? this.#crowdedSamples + 1 : 0;
    const crowded = this.#crowdedSamples >= CROWDED_SAMPLES || this.#inNetwork > allowed * CLEARLY;
    const clear = this.#inNetwork < allowed / 2;
    const trouble = dropped || crowded || unsentMs > UNSENT_MOST_MS;
    if (trouble) {
      const full = { waits: this.#inNetwork + unsentMs, crowded: !clear };
      this.#full(sample, full, busy ? "busy" : dropped ? "drops" : "queue");
    }
    // Nothing waits in the network: it may carry more than it is given to drain what waits here.
    if (clear && this.#drain !== undefined) {
      const most = this.#limits.highest * PACING;
      this.#drainRate = Math.min(most, this.#drainRate * (1 + (DRAIN_GROWTH_PER_S * (sample.now - last.now)) / 1000));
    }
    if (trouble) return this.target;
    if (this.#drain !== undefined) {
      if (clear && unsentMs < UNSENT_MOST_MS / 2) this.#drained(sample);
    } else if (this.#lossShare(sample) > LOSS_SHARE) this.#lossy(sample);
    else if (sample.now - this.#troubleAt > this.#holdMs) this.#grow(sample.now - last.now);
    return this.target;
  }

  /** Media that waits in the network's queues rather than travels, ms. */
  #queued(sample: LinkSample, rttMs: number): number {
    const newest = this.#roundTrips.at(-1);
    if (newest === undefined || sample.now - newest.since >= 1000) {
      this.#roundTrips.push({ since: sample.now, ms: rttMs });
      while ((this.#roundTrips[0]?.since ?? sample.now) < sample.now - BASE_RTT_MS) this.#roundTrips.shift();
    } else newest.ms = Math.min(newest.ms, rttMs);
    const base = Math.min(...this.#roundTrips.map(({ ms }) => ms));
    const before = this.#window.findLast(
      ({ now }) => now <= sample.now - Math.max(REPAIR_MS, base * REPAIR_ROUND_TRIPS),
    );
    const whole = before?.packetsResent === sample.packetsResent;
    this.#whole = whole;
    // The oldest may have waited here, for its turn: then its age says nothing of the network.
    if (sample.unsentMs > UNSENT_LITTLE_MS) this.#waitedAt = sample.now;
    const waitedHere = sample.now - Math.max(REPAIR_MS, sample.sendBufferMs) <= this.#waitedAt;
    const travels = base * (whole ? 1 : REPAIR_ROUND_TRIPS);
    return Math.max(0, rttMs - base, waitedHere ? 0 : sample.sendBufferMs - travels);
  }

  /** @param crowded whether it is in the network that something waits: then what it delivers is all that it carries. */
  #full(
    sample: LinkSample,
    { waits, crowded }: { readonly waits: number; readonly crowded: boolean },
    reason: "queue" | "drops" | "busy",
  ): void {
    const { now, rttMs = 0 } = sample;
    this.#troubleAt = now;
    const delivered = Math.min(this.#delivered(sample) ?? this.#target * 0.8, this.#limits.highest);
    const drain = this.#drain;
    if (drain === undefined) {
      // What was tried did not work: the next attempt is put off a little longer.
      this.#holdMs = this.#reason === "probing" ? Math.min(this.#holdMs * 1.5, LONGEST_HOLD_MS) : HOLD_MS;
      this.#drain = { since: now, decreasedAt: now, waits };
    } else {
      const settled = now - drain.decreasedAt > rttMs + SETTLE_MS;
      // At first what was delivered before counts, too.
      const known =
        !crowded || now - drain.since > FIRST_LOOK_MS || !this.#whole || delivered > (this.#carried ?? 0) * 0.9;
      if (!(settled ? waits >= drain.waits : !known)) return;
      this.#drain = { ...drain, decreasedAt: now, waits };
    }
    const carried = crowded ? delivered : (this.#carried ?? delivered);
    this.#carried = carried;
    this.#drainRate = crowded ? carried : Math.max(carried, this.#drainRate);
    this.#set(Math.min(this.#target, carried * drainShare(waits)), reason);
  }

  #drained(sample: LinkSample): void {
    this.#drain = undefined;
    this.#troubleAt = sample.now;
    // Nothing waited in the network: it carries that much, and may carry more.
    this.#carried = Math.max(this.#carried ?? 0, Math.min(this.#delivered(sample) ?? 0, this.#limits.highest));
    // What was lost in the full queue is not to be held against the network.
    this.#lossesSince = sample.now;
    this.#set(Math.max(this.#target, this.#carried * USED_SHARE), this.#reason);
  }

  #lossy(sample: LinkSample): void {
    this.#troubleAt = sample.now;
    if (sample.now - this.#lossAt < SETTLE_MS) return;
    this.#lossAt = sample.now;
    this.#carried = this.#target;
    this.#set(this.#target * (1 - this.#lossShare(sample)), "loss");
  }

  #grow(elapsedMs: number): void {
    if (this.#target >= this.#limits.highest) {
      this.#reason = "full";
      return;
    }
    if (this.#carried !== undefined && this.#target > this.#carried * FORGOTTEN_ABOVE) {
      this.#carried = undefined;
      this.#holdMs = HOLD_MS;
    }
    const careful = this.#carried !== undefined && this.#target > this.#carried * USED_SHARE;
    const growth = 1 + ((GROWTH_PER_S * elapsedMs) / 1000) * (careful ? CAREFUL : 1);
    this.#set(this.#target * growth, "probing");
  }

  /** Share of the packets of the last moments that were sent again; 0 while there are too few to tell. */
  #lossShare(sample: LinkSample): number {
    const enough = ({ now, packetsSent }: LinkSample) =>
      now >= this.#lossesSince && now <= sample.now - LOSS_LEAST_MS && sample.packetsSent - packetsSent >= 50;
    const first = this.#window.findLast(enough) ?? sample;
    const sent = sample.packetsSent - first.packetsSent;
    return sent === 0 ? 0 : Math.min(1, (sample.packetsResent - first.packetsResent) / sent);
  }

  /** bits/s that the network has carried lately; undefined where that is not known yet. */
  #delivered(sample: LinkSample): number | undefined {
    const first = this.#window.findLast(
      ({ now }) => now <= sample.now - (this.#whole ? DELIVERY_WINDOW_MS : REPAIRED_WINDOW_MS),
    );
    if (first === undefined) return undefined;
    return ((sample.bytesDelivered - first.bytesDelivered) * 8000) / (sample.now - first.now);
  }

  #set(rate: number, reason: BitrateReason): void {
    this.#target = Math.max(this.#limits.lowest, Math.min(this.#limits.highest, rate));
    this.#reason = this.#target >= this.#limits.highest ? "full" : reason;
  }
}

/** Share of what the network carries that may be sent while so much waits, ms. */
function drainShare(waits: number): number {
  return Math.max(DRAIN_LEAST, 1 - waits / DRAIN_MS);
}
