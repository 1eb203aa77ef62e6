import type { Clock } from "@klieg/base";
import { LiveMediaPlaylist, type PlaylistSegmentStart, type RenditionReport, TICKS_PER_SECOND } from "@klieg/media";
import type { SegmentArchive } from "./segment-archive.ts";

/** Followers are counted over this time, and the one before, ms: longer than a player is between two reloads. */
const FOLLOWERS_PERIOD_MS = 3000;

export interface RenditionEdgeOptions {
  /** Part of its addresses: `source`, `720p`, `audio`. */
  readonly name: string;
  readonly archive: SegmentArchive;
  readonly clock: Clock;
  /** EXT-X-TARGETDURATION, whole seconds; constant for the stream's life. */
  readonly targetDuration: number;
  /** PART-TARGET, seconds; constant for the stream's life. */
  readonly partTarget: number;
  /** 90 kHz ticks of the past that the playlist holds. */
  readonly windowTicks: number;
  /** Segments that stay in memory behind the open one. */
  readonly segmentsInMemory: number;
  /** Media Sequence Number of its first segment. */
  readonly firstMediaSequence: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE at its first segment. */
  readonly firstDiscontinuitySequence: number;
  readonly reports: () => readonly RenditionReport[];
}

/** A part as the packager hands it over. */
export interface EdgePart {
  /** 90 kHz ticks. */
  readonly durationTicks: number;
  readonly independent: boolean;
  readonly buffers: readonly Uint8Array[];
}

interface EdgeSegment {
  readonly msn: number;
  readonly chunks: Uint8Array[];
  byteLength: number;
  durationTicks: number;
  state: "open" | "storing" | "stored" | "unstored";
  readonly firstSerial: number;
  readonly gap: boolean;
}

/** Somebody who waits for something that is about to be published. */
interface Waiter {
  /** Whether it is a blocking reload of the playlist, as players send them one after another. */
  readonly reload: boolean;
  readonly isDue: () => boolean;
  /** @param timedOut whether it waited in vain. */
  readonly wake: (timedOut: boolean) => void;
  timer: Disposable;
}

/**
 * One rendition's live edge: its playlist, the parts and segments that are still in memory, the init segments, and
 * everybody who waits for the next part. Whole segments go to the archive; one leaves memory only when it is there.
 */
export class RenditionEdge {
  readonly name: string;
  readonly playlist: LiveMediaPlaylist;
  readonly #options: RenditionEdgeOptions;
  readonly #segments = new Map<number, EdgeSegment>();
  readonly #parts = new Map<number, Uint8Array>();
  readonly #inits: Uint8Array[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #removed: { msn: number; atTicks: number }[] = [];
  #open: EdgeSegment | undefined;
  #nextSerial = 0;
  #totalTicks = 0;
  #lastSealed = -1;
  #sealedBytes = 0;
  #sealedTicks = 0;
  #peakBitrate = 0;
  #partsPublished = 0;
  #waking = false;
  /** Viewers are shown nothing of segments before this one. */
  #firstShown = 0;
  /** Serial number of that segment's first part; infinite until it begins. */
  #firstShownSerial = 0;
  /** Most blocking reloads that waited at once: since `#reloadsSince`, and in the period before. */
  #reloads = { now: 0, before: 0 };
  #reloadsSince = 0;

  constructor(options: RenditionEdgeOptions) {
    this.#options = options;
    this.name = options.name;
    this.playlist = new LiveMediaPlaylist({
      targetDuration: options.targetDuration,
      partTarget: options.partTarget,
      windowTicks: options.windowTicks,
      independentSegments: true,
      firstMediaSequence: options.firstMediaSequence,
      firstDiscontinuitySequence: options.firstDiscontinuitySequence,
      segmentUri: (msn) => `${msn}.m4s`,
      partUri: (serial) => `part-${serial}.m4s`,
      reports: options.reports,
      onRemoved: ({ msn }) => this.#onRemoved(msn),
    });
  }

  get partsPublished(): number {
    return this.#partsPublished;
  }

  /** Requests that wait for something to be published. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Whether there is a whole segment to play: players take a playlist that has only parts yet for an empty one. */
  get playable(): boolean {
    return this.#sealedTicks > 0;
  }

  /** {@link playable} for viewers: whether there is such a segment among those that they may see. */
  get shown(): boolean {
    return this.playable && this.#lastSealed >= this.#firstShown;
  }

  /** Players that follow this rendition: most blocking reloads that waited at once within the last seconds. */
  get followers(): number {
    const age = this.#options.clock.now() - this.#reloadsSince;
    const { now, before } = this.#reloads;
    if (age < FOLLOWERS_PERIOD_MS) return Math.max(now, before);
    if (age < 2 * FOLLOWERS_PERIOD_MS) return now;
    // Nothing is published: whoever follows it waits now.
    return this.#waitingReloads();
  }

  /** Media Sequence Number of the first segment that viewers are shown. */
  get firstShown(): number {
    return this.#firstShown;
  }

  /**
   * From now on viewers see nothing of what comes before segment `msn`, which is still to come. Once that is whole, what was
   * before goes from the playlist; until then nobody but the stream's owner has the playlist, and plays on.
   */
  showFrom(msn: number): void {
    if (msn <= this.#firstShown) return;
    this.#firstShown = msn;
    this.#firstShownSerial = Number.POSITIVE_INFINITY;
  }

  /** Whether viewers may have the part of that serial number. */
  showsPart(serial: number): boolean {
    return serial >= this.#firstShownSerial;
  }

  /** Highest bit rate of a segment so far; of the parts so far before the first segment is whole. bits/s. */
  get peakBitrate(): number {
    return Math.ceil(this.#peakBitrate === 0 ? this.#openBitrate() : this.#peakBitrate);
  }

  /** bits/s over all segments so far. */
  get averageBitrate(): number {
    if (this.#sealedTicks === 0) return Math.ceil(this.#openBitrate());
    return Math.ceil((this.#sealedBytes * 8 * TICKS_PER_SECOND) / this.#sealedTicks);
  }

  /** Keeps an init segment. @returns its address, relative to the playlist. */
  addInit(bytes: Uint8Array): string {
    this.#inits.push(bytes);
    return `init-${this.#inits.length - 1}.mp4`;
  }

  startSegment(start: PlaylistSegmentStart): number {
    const msn = this.playlist.startSegment(start);
    if (msn >= this.#firstShown) this.#firstShownSerial = Math.min(this.#firstShownSerial, this.#nextSerial);
    this.#open = {
      msn,
      chunks: [],
      byteLength: 0,
      durationTicks: 0,
      state: "open",
      firstSerial: this.#nextSerial,
      gap: start.gap === true,
    };
    this.#segments.set(msn, this.#open);
    return msn;
  }

  /** Publishes a part of the open segment. */
  addPart(part: EdgePart): void {
    const segment = this.#open;
    if (segment === undefined) throw new Error(`rendition ${this.name}: a part without a segment`);
    // One copy, made once: what is served a thousand times is one buffer, and the ingest's buffers are let go.
    const bytes = Buffer.concat(part.buffers);
    segment.chunks.push(bytes);
    segment.byteLength += bytes.byteLength;
    segment.durationTicks += part.durationTicks;
    this.#parts.set(this.#nextSerial, bytes);
    this.#totalTicks += part.durationTicks;
    this.#partsPublished += 1;
    const { serial } = this.playlist.appendPart(part);
    this.#nextSerial = serial + 1;
    this.#wakeDue();
  }

  /**
   * Ends the open segment and sends it to the archive.
   * @param durationTicks its true duration, where a picture outlasted what its part could say; else that of its parts.
   */
  sealSegment(durationTicks?: number): void {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    if (durationTicks !== undefined) segment.durationTicks = durationTicks;
    if (this.playlist.sealSegment(durationTicks) === undefined) {
      this.#segments.delete(segment.msn);
      return;
    }
    this.#lastSealed = segment.msn;
    this.#account(segment);
    if (this.shown) this.playlist.dropThrough(this.#firstShown - 1);
    segment.state = "storing";
    void this.#options.archive.store(this.name, segment.msn, segment.chunks, segment.byteLength).then((stored) => {
      segment.state = stored ? "stored" : "unstored";
      this.#forgetOld();
    });
    this.#forgetOld();
    this.#wakeDue();
  }

  /** A segment for which this rendition has no media. @returns its Media Sequence Number. */
  addGapSegment(start: Omit<PlaylistSegmentStart, "gap">, durationTicks: number): number {
    const msn = this.playlist.appendGapSegment(start, durationTicks);
    this.#nextSerial += Math.ceil(durationTicks / Math.floor(this.#options.partTarget * TICKS_PER_SECOND + 1e-6));
    this.#totalTicks += durationTicks;
    this.#wakeDue();
    return msn;
  }

  /** Nothing more will come: everybody who waits is answered. */
  end(): void {
    this.sealSegment();
    this.playlist.end();
    for (const waiter of [...this.#waiters]) this.#settle(waiter, false);
  }

  /** The init segment of that number. */
  init(number: number): Uint8Array | undefined {
    return this.#inits[number];
  }

  /** The part of that serial number, if it is in memory. */
  part(serial: number): Uint8Array | undefined {
    return this.#parts.get(serial);
  }

  /** Whether a part of that serial number is the one that the preload hint names. */
  isHinted(serial: number): boolean {
    return serial === this.#nextSerial && !this.playlist.ended;
  }

  /** Where a whole segment is. @param insider whether the stream's owner asks. */
  segment(
    msn: number,
    insider: boolean,
  ): { in: "memory"; chunks: Uint8Array[]; byteLength: number } | { in: "archive" } | undefined {
    if (msn < this.#firstShown && !insider) return undefined;
    const segment = this.#segments.get(msn);
    if (segment !== undefined) {
      if (segment.state === "open" || segment.gap) return undefined;
      return { in: "memory", chunks: segment.chunks, byteLength: segment.byteLength };
    }
    return msn < (this.playlist.openMsn ?? Number.POSITIVE_INFINITY) && msn <= this.playlist.lastMsn
      ? { in: "archive" }
      : undefined;
  }

  /**
   * Calls `wake` once: when `isDue` turns true as something is published, when the rendition ends, or after
   * `deadlineMs` with `timedOut`. Disposing the answer forgets it.
   * @param what is waited for.
   */
  wait(
    what: "playlist" | "part",
    isDue: () => boolean,
    deadlineMs: number,
    wake: (timedOut: boolean) => void,
  ): Disposable {
    const waiter: Waiter = {
      reload: what === "playlist",
      isDue,
      wake,
      timer: this.#options.clock.after(deadlineMs, () => this.#settle(waiter, true)),
    };
    this.#waiters.add(waiter);
    return {
      [Symbol.dispose]: () => {
        waiter.timer[Symbol.dispose]();
        this.#waiters.delete(waiter);
      },
    };
  }

  /**
   * Answers who waits, once all that belongs together is published: a segment's last part and its end come in one
   * step, and a playlist that showed the one without the other would have a short part in mid-segment.
   */
  #wakeDue(): void {
    if (this.#waking || this.#waiters.size === 0) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      this.#wakeNow();
    });
  }

  #wakeNow(): void {
    this.#countFollowers();
    for (const waiter of this.#waiters) if (waiter.isDue()) this.#settle(waiter, false);
  }

  #countFollowers(): void {
    const now = this.#options.clock.now();
    if (now - this.#reloadsSince >= FOLLOWERS_PERIOD_MS) {
      const before = now - this.#reloadsSince < 2 * FOLLOWERS_PERIOD_MS ? this.#reloads.now : 0;
      this.#reloads = { now: 0, before };
      this.#reloadsSince = now;
    }
    this.#reloads.now = Math.max(this.#reloads.now, this.#waitingReloads());
  }

  #waitingReloads(): number {
    let count = 0;
    for (const waiter of this.#waiters) if (waiter.reload) count += 1;
    return count;
  }

  #settle(waiter: Waiter, timedOut: boolean): void {
    waiter.timer[Symbol.dispose]();
    if (this.#waiters.delete(waiter)) waiter.wake(timedOut);
  }

  #account(segment: EdgeSegment): void {
    this.#sealedBytes += segment.byteLength;
    this.#sealedTicks += segment.durationTicks;
    // A stump (the source went away in mid-segment) says nothing of the peak (RFC 8216bis § 4.4.6.2, BANDWIDTH).
    if (segment.durationTicks < (this.#options.targetDuration * TICKS_PER_SECOND) / 4 && this.#peakBitrate > 0) return;
    this.#peakBitrate = Math.max(
      this.#peakBitrate,
      (segment.byteLength * 8 * TICKS_PER_SECOND) / segment.durationTicks,
    );
  }

  #openBitrate(): number {
    const open = this.#open;
    return open === undefined || open.durationTicks === 0
      ? 0
      : (open.byteLength * 8 * TICKS_PER_SECOND) / open.durationTicks;
  }

  /** Lets go of segments and their parts that lie far enough behind and are in the archive. */
  #forgetOld(): void {
    const newest = this.playlist.lastMsn;
    for (const [msn, segment] of this.#segments) {
      if (newest - msn < this.#options.segmentsInMemory) return;
      if (segment.state === "stored") this.#forget(segment);
      else if (segment.state === "unstored") {
        // It cannot be served for much longer: a shorter window is honest, a playlist that names it would not be.
        this.playlist.removeThrough(msn);
        this.#forget(segment);
      }
    }
  }

  #forget(segment: EdgeSegment): void {
    this.#segments.delete(segment.msn);
    for (let index = 0; index < segment.chunks.length; index += 1) this.#parts.delete(segment.firstSerial + index);
  }

  /** RFC 8216bis § 6.2.2: a removed segment stays for its own duration and that of the longest playlist that named it. */
  #onRemoved(msn: number): void {
    this.#removed.push({ msn, atTicks: this.#totalTicks + this.#options.windowTicks });
    while (this.#removed[0] !== undefined && this.#removed[0].atTicks <= this.#totalTicks) {
      const due = this.#removed.shift();
      if (due !== undefined) this.#options.archive.remove(this.name, due.msn);
    }
  }
}
