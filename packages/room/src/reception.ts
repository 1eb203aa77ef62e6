import type { RoomProducer } from "@klieg/protocol";
import { spatialLayerFor } from "./encodings.ts";
import type { ReceptionWish, RoomMedia, ShownSize } from "./room-media.ts";

export interface ReceptionOptions {
  readonly onReceived: (producer: RoomProducer, track: MediaStreamTrack) => void;
  readonly onForgotten: (producer: RoomProducer) => void;
}

/** Tiles come and go while a layout changes: the picture of one that is back within this is never paused, ms. */
const SETTLE_MS = 250;
const RETRY_MS = 1500;
const MOST_TRIES = 4;
/** A screen is read: it comes first. */
const SCREEN_PRIORITY = 255;

/**
 * Decides what is received and how large: every sound, and of pictures those that are on screen, in the layer of that size. Nothing is
 * asked of the server that it was told already.
 */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #producers = new Map<string, RoomProducer>();
  readonly #shown = new Map<string, ShownSize>();
  /** Being asked for, or received. */
  readonly #begun = new Set<string>();
  readonly #received = new Set<string>();
  readonly #wishes = new Map<string, ReceptionWish>();
  readonly #retries = new Map<string, ReturnType<typeof setTimeout>>();
  #media: RoomMedia | null = null;
  #hidden = false;
  #settle: ReturnType<typeof setTimeout> | null = null;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** The room was joined, perhaps again: everything is received anew over this. */
  attach(media: RoomMedia, producers: readonly RoomProducer[]): void {
    this.detach();
    this.#media = media;
    this.setProducers(producers);
  }

  /** What was received is gone with its connection; what is shown stays known. */
  detach(): void {
    this.#media = null;
    for (const timer of this.#retries.values()) clearTimeout(timer);
    this.#retries.clear();
    if (this.#settle) clearTimeout(this.#settle);
    this.#settle = null;
    this.#producers.clear();
    this.#begun.clear();
    this.#received.clear();
    this.#wishes.clear();
  }

  /** @param producers everybody else's. */
  setProducers(producers: readonly RoomProducer[]): void {
    const present = new Set(producers.map(({ id }) => id));
    for (const [id, producer] of this.#producers) if (!present.has(id)) this.#forget(id, producer);
    for (const producer of producers) this.#producers.set(producer.id, producer);
    if (!this.#media) return;
    for (const producer of producers) if (this.#isWanted(producer)) this.#begin(producer, 0);
  }

  /** A picture is on screen at this size, or (null) is not any more. */
  show(producerId: string, size: ShownSize | null): void {
    if (size) this.#shown.set(producerId, size);
    else this.#shown.delete(producerId);
    this.#settle ??= setTimeout(() => {
      this.#settle = null;
      this.#review();
    }, SETTLE_MS);
  }

  /** Nobody sees pictures of a tab in the background. */
  setHidden(hidden: boolean): void {
    if (this.#hidden === hidden) return;
    this.#hidden = hidden;
    this.#review();
  }

  close(): void {
    this.detach();
    this.#shown.clear();
  }

  #isWanted(producer: RoomProducer): boolean {
    return producer.kind === "audio" || this.#shown.has(producer.id);
  }

  #review(): void {
    for (const producer of this.#producers.values()) {
      if (producer.kind === "audio") continue;
      if (this.#received.has(producer.id)) this.#wish(producer);
      else if (this.#isWanted(producer)) this.#begin(producer, 0);
    }
  }

  #begin(producer: RoomProducer, tries: number): void {
    const media = this.#media;
    if (!media || this.#begun.has(producer.id)) return;
    this.#begun.add(producer.id);
    media.receive(producer).then(
      (track) => {
        if (media !== this.#media) return;
        if (!this.#producers.has(producer.id)) {
          media.forget(producer.id);
          return;
        }
        this.#received.add(producer.id);
        this.#options.onReceived(producer, track);
        if (producer.kind === "video") this.#wish(producer);
      },
      (error: unknown) => {
        if (media !== this.#media) return;
        this.#begun.delete(producer.id);
        // Gone while it was asked for: what removed it is on its way here.
        if (!this.#producers.has(producer.id)) return;
        console.info("Klieg: something could not be received:", error);
        if (tries + 1 >= MOST_TRIES) return;
        const again = setTimeout(
          () => {
            this.#retries.delete(producer.id);
            if (this.#producers.has(producer.id)) this.#begin(producer, tries + 1);
          },
          RETRY_MS * 2 ** tries,
        );
        this.#retries.set(producer.id, again);
      },
    );
  }

  #wish(producer: RoomProducer): void {
    const wish = this.#wishOf(producer);
    const before = this.#wishes.get(producer.id);
    if (
      before &&
      before.paused === wish.paused &&
      (wish.paused || (before.spatialLayer === wish.spatialLayer && before.priority === wish.priority))
    ) {
      return;
    }
    this.#wishes.set(producer.id, wish);
    this.#media?.wish(producer.id, wish).catch((error: unknown) => {
      console.info("Klieg: a layer could not be chosen:", error);
      this.#wishes.delete(producer.id);
    });
  }

  #wishOf(producer: RoomProducer): ReceptionWish {
    const size = this.#shown.get(producer.id);
    if (!size || this.#hidden) return { paused: true, spatialLayer: null, priority: 1 };
    if (producer.source === "screen") return { paused: false, spatialLayer: null, priority: SCREEN_PRIORITY };
    const spatialLayer = spatialLayerFor(size.width, size.height);
    // What is larger on screen gets its bandwidth first.
    return { paused: false, spatialLayer, priority: 20 + spatialLayer * 60 };
  }

  #forget(id: string, producer: RoomProducer): void {
    this.#producers.delete(id);
    this.#begun.delete(id);
    this.#received.delete(id);
    this.#wishes.delete(id);
    const retry = this.#retries.get(id);
    if (retry) clearTimeout(retry);
    this.#retries.delete(id);
    this.#media?.forget(id);
    this.#options.onForgotten(producer);
  }
}
