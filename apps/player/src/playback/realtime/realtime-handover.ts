import type { Bridge } from "../bridge.ts";
import type { RealtimeRefusal } from "../playback-state.ts";
import type { PinnedQuality } from "../rendition.ts";
import type { SourceState } from "../source.ts";
import type { RealtimeEvents, RealtimeFactory, RealtimePlayback } from "./realtime-playback.ts";

/** A bridge that waits longer than this for the next picture waits in vain. */
const LEAVING_MS = 8000;

/** `ready` and `refused` tell of the engine that comes up, the others of the one that was taken. */
export interface HandoverEvents extends Omit<RealtimeEvents, "gaveUp"> {
  /** The engine that comes up will not. */
  readonly refused: (refusal: RealtimeRefusal) => void;
  /** The engine that was taken has lost its connection for good. */
  readonly lost: (refusal: RealtimeRefusal) => void;
}

export interface HandoverOptions {
  readonly video: HTMLVideoElement;
  readonly bridge: Bridge;
  readonly create: RealtimeFactory;
  readonly events: HandoverEvents;
  readonly pinned: () => PinnedQuality | null;
}

/** Real-time engines on their way to the element and away from it: something else plays while one comes up, and until one may go. */
export class RealtimeHandover implements Disposable {
  readonly #options: HandoverOptions;
  #attempt = 0;
  #bringing = false;
  #coming: RealtimePlayback | null = null;
  #ready = false;
  #leaving: RealtimePlayback | null = null;
  #leavingTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** Whether an engine comes up. */
  get coming(): boolean {
    return this.#bringing;
  }

  /** Brings an engine up for the WHEP door at `url`, unless one is coming already. */
  bring(url: string, sourceState: SourceState): void {
    if (this.#bringing) return;
    this.#bringing = true;
    const attempt = ++this.#attempt;
    const { video, bridge, create, events, pinned } = this.#options;
    const isComing = () => attempt === this.#attempt && this.#bringing;
    create({
      video,
      bridge,
      sourceState,
      pinned,
      events: {
        ready: () => {
          if (!isComing()) return;
          this.#ready = true;
          events.ready();
        },
        attached: events.attached,
        flowing: events.flowing,
        ended: events.ended,
        renditions: events.renditions,
        rendition: events.rendition,
        gaveUp: (refusal) => (isComing() ? this.#refuse(refusal) : events.lost(refusal)),
      },
    }).then(
      (made) => {
        if (!isComing()) {
          made.destroy();
          return;
        }
        this.#coming = made;
        made.load(url);
      },
      (error) => {
        // The engine's code itself could not be fetched.
        console.warn("Klieg: real time:", error);
        if (isComing()) this.#refuse("unavailable");
      },
    );
  }

  /** Gives the one that comes up away: it may take the element. Null while none is ready. */
  take(): RealtimePlayback | null {
    if (!this.#ready) return null;
    const taken = this.#coming;
    this.#coming = null;
    this.#ready = false;
    this.#bringing = false;
    return taken;
  }

  /** The one that comes up is not wanted any more. */
  abandon(): void {
    this.#attempt++;
    this.#bringing = false;
    this.#ready = false;
    this.#coming?.destroy();
    this.#coming = null;
  }

  /** `engine` gives the element away, and goes on beneath it until `settle()`. */
  retire(engine: RealtimePlayback): void {
    this.settle();
    this.#leaving = engine;
    engine.retreat();
    this.#leavingTimer = setTimeout(() => this.settle(), LEAVING_MS);
  }

  /** The element has its new picture: the one beneath may go. */
  settle(): void {
    if (this.#leavingTimer) clearTimeout(this.#leavingTimer);
    this.#leavingTimer = null;
    this.#leaving?.destroy();
    this.#leaving = null;
  }

  setSourceState(state: SourceState): void {
    this.#coming?.setSourceState(state);
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.abandon();
    this.settle();
  }

  #refuse(refusal: RealtimeRefusal): void {
    this.abandon();
    this.#options.events.refused(refusal);
  }
}
