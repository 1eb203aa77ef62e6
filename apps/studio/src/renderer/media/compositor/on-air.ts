import type { Transition } from "../../../document/scene.ts";

/** A transition under way. */
export interface Mix {
  readonly from: string;
  readonly to: string;
  readonly transition: Transition;
  /** How far the new scene has come, 0 to 1, eased. */
  readonly progress: number;
}

/** Which scene is on air, and what it comes from: follows the document, and transitions that are asked for beside it. */
export class OnAir {
  #scene = "";
  #named = "";
  #mix: { from: string; transition: Transition; startedAt: number } | undefined;

  /** The scene that is on air, or will be when the transition is over. */
  get scene(): string {
    return this.#scene;
  }

  /**
   * The document's program. Only a change of it counts, and cuts: so a document that was on its way when a transition was
   * asked for does not undo it.
   */
  follow(program: string): void {
    const changed = program !== this.#named;
    this.#named = program;
    if (!changed || program === this.#scene) return;
    this.#scene = program;
    this.#mix = undefined;
  }

  /** Brings a scene on air. @param now µs on the program clock. */
  take(scene: string, transition: Transition, now: number): void {
    if (scene === this.#scene) return;
    const from = this.#scene;
    this.#scene = scene;
    this.#mix = transition.kind === "cut" || from === "" ? undefined : { from, transition, startedAt: now };
  }

  /** The transition as it is at a time, µs; undefined where one scene alone is on air. */
  mixAt(now: number): Mix | undefined {
    const mix = this.#mix;
    if (mix === undefined || mix.transition.kind === "cut") return undefined;
    const passed = (now - mix.startedAt) / (mix.transition.duration * 1000);
    if (passed >= 1) {
      this.#mix = undefined;
      return undefined;
    }
    return { from: mix.from, to: this.#scene, transition: mix.transition, progress: eased(Math.max(0, passed)) };
  }
}

/** Gentle at both ends. */
function eased(share: number): number {
  return share * share * (3 - 2 * share);
}
