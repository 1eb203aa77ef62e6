import type { RoomSource } from "@klieg/protocol";
import type { RoomMedia } from "./room-media.ts";

/** One source as it is to be sent. */
export interface Publication {
  readonly track: MediaStreamTrack;
  readonly paused: boolean;
}

const SOURCES: readonly RoomSource[] = ["microphone", "camera", "screen", "screen_audio"];

/** Keeps what is sent in step with what is captured, one change after the other, the latest wish only. */
export class Publications {
  readonly #media: RoomMedia;
  readonly #onFault: (source: RoomSource, error: unknown) => void;
  readonly #sent = new Map<RoomSource, Publication>();
  #wanted: ReadonlyMap<RoomSource, Publication> = new Map();
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #closed = false;

  /** @param onFault a source could not be sent; it is tried again when it changes. */
  constructor(media: RoomMedia, onFault: (source: RoomSource, error: unknown) => void) {
    this.#media = media;
    this.#onFault = onFault;
  }

  /** Resolves once what is sent is what was wanted last. */
  sync(wanted: ReadonlyMap<RoomSource, Publication>): Promise<void> {
    this.#wanted = wanted;
    if (!this.#isRunning) this.#running = this.#run();
    return this.#running;
  }

  /** The room took a source away: what is captured of it goes nowhere until it changes. */
  lost(source: RoomSource): void {
    this.#sent.delete(source);
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let source = this.#next(); source !== null && !this.#closed; source = this.#next()) {
      const wanted = this.#wanted.get(source);
      // Written down first: what fails is not tried again and again.
      if (wanted) this.#sent.set(source, wanted);
      else this.#sent.delete(source);
      try {
        if (wanted) await this.#media.publish(source, wanted.track, wanted.paused);
        else await this.#media.unpublish(source);
      } catch (error) {
        if (!this.#closed) this.#onFault(source, error);
      }
    }
    // At once, not when the promise is looked at: a change in between would be nobody's.
    this.#isRunning = false;
  }

  #next(): RoomSource | null {
    return (
      SOURCES.find((source) => {
        const wanted = this.#wanted.get(source);
        const sent = this.#sent.get(source);
        return wanted?.track !== sent?.track || wanted?.paused !== sent?.paused;
      }) ?? null
    );
  }
}
