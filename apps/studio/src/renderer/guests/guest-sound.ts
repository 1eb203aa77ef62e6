import { SoundOut } from "@klieg/room";

/** Gestures that let a page play sound. */
const GESTURES = ["pointerdown", "keydown"] as const;

/** Lets the host hear guests as the room sends them, beside the mixer: those who are in no seat yet, and those it does not monitor. */
export class GuestSound implements Disposable {
  readonly #out = new SoundOut(null, (blocked) => this.#setBlocked(blocked));
  readonly #playing = new Map<string, MediaStreamTrack>();
  #blocked = false;

  /** Plays these and no others. @param tracks by any name that stays. */
  play(tracks: ReadonlyMap<string, MediaStreamTrack>): void {
    for (const id of [...this.#playing.keys()]) {
      if (tracks.has(id)) continue;
      this.#playing.delete(id);
      this.#out.stop(id);
    }
    for (const [id, track] of tracks) {
      if (this.#playing.get(id) === track) continue;
      this.#playing.set(id, track);
      this.#out.play(id, track);
    }
  }

  /** @param device of the operator's monitoring; "" for the system's. */
  async use(device: string): Promise<void> {
    await this.#out.use(device === "" ? null : device);
  }

  [Symbol.dispose](): void {
    this.#setBlocked(false);
    this.#playing.clear();
    this.#out.close();
  }

  /** Browsers hold sound back until their user does something on the page. */
  #setBlocked(blocked: boolean): void {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    for (const gesture of GESTURES) {
      if (blocked) addEventListener(gesture, this.#onGesture, { capture: true });
      else removeEventListener(gesture, this.#onGesture, { capture: true });
    }
  }

  readonly #onGesture = () => void this.#out.unlock();
}
