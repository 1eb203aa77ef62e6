import type { AccessUnit } from "@klieg/media";

export interface ReaderOptions {
  /** For logs, metrics and the health answer, e.g. `package`. */
  readonly name: string;
  /** Bytes of media that may wait before the reader loses some. */
  readonly maxQueuedBytes: number;
  /** Access units that may wait before the reader loses some. */
  readonly maxQueuedUnits?: number;
}

/**
 * One consumer of a stream. Access units wait in a bounded queue until they are taken; a reader that does not keep
 * up loses everything it has queued and what follows up to the next video keyframe, and is told of it by a
 * `discontinuity` on the first unit after the hole. It never slows the source or another reader.
 */
export class Reader implements Disposable {
  readonly name: string;
  /** Called when there is something to take and there was nothing before. Must not throw. */
  onReadable: (() => void) | undefined;
  /** Called once when the stream has ended or the reader was closed. */
  onEnd: (() => void) | undefined;
  readonly #maxBytes: number;
  readonly #maxUnits: number;
  readonly #detach: (reader: Reader) => void;
  #queue: AccessUnit[] = [];
  #head = 0;
  #queuedBytes = 0;
  #dropped = 0;
  #overflows = 0;
  #waitingForKeyframe = false;
  /** Tracks whose next delivered unit follows a hole. */
  readonly #broken = new Set<string>();
  readonly #seen = new Set<string>();
  #hasVideo = false;
  #ended = false;

  constructor(options: ReaderOptions, detach: (reader: Reader) => void) {
    this.name = options.name;
    this.#maxBytes = options.maxQueuedBytes;
    this.#maxUnits = options.maxQueuedUnits ?? 4096;
    this.#detach = detach;
  }

  /** Bytes that wait to be taken. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Access units lost so far because this reader did not keep up. */
  get droppedAccessUnits(): number {
    return this.#dropped;
  }

  /** Times that the queue ran over. */
  get overflows(): number {
    return this.#overflows;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The oldest waiting access unit, or undefined where there is none. */
  take(): AccessUnit | undefined {
    const unit = this.#queue[this.#head];
    if (unit === undefined) return undefined;
    this.#head += 1;
    this.#queuedBytes -= unit.data.byteLength;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return unit;
  }

  /** For the stream only. */
  offer(unit: AccessUnit): void {
    if (this.#ended) return;
    const track = `${unit.track.kind}${unit.track.id}`;
    this.#seen.add(track);
    if (unit.track.kind === "video") this.#hasVideo = true;
    if (this.#waitingForKeyframe) {
      if (this.#hasVideo && !(unit.track.kind === "video" && unit.keyframe)) {
        this.#dropped += 1;
        return;
      }
      this.#waitingForKeyframe = false;
    }
    const waiting = this.#queue.length - this.#head;
    if (waiting > 0 && (this.#queuedBytes + unit.data.byteLength > this.#maxBytes || waiting >= this.#maxUnits)) {
      this.#overflow(unit);
      return;
    }
    const whole = this.#broken.delete(track) && unit.discontinuity !== true ? { ...unit, discontinuity: true } : unit;
    this.#queue.push(whole);
    this.#queuedBytes += unit.data.byteLength;
    if (waiting === 0) this.onReadable?.();
  }

  /** For the stream only: nothing more will come; what waits can still be taken. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd?.();
  }

  /** Stops reading; forgets what waits. */
  close(): void {
    this.#detach(this);
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #overflow(unit: AccessUnit): void {
    this.#overflows += 1;
    this.#dropped += this.#queue.length - this.#head;
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    for (const track of this.#seen) this.#broken.add(track);
    this.#waitingForKeyframe = true;
    // The unit that did not fit may itself be where reading can begin again.
    this.offer(unit);
  }
}
