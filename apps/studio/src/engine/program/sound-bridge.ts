import { type AccessUnit, type AudioTrack, TICKS_PER_SECOND } from "@klieg/media";
import { silentAacFrame } from "./silent-aac.ts";

const SAMPLES_PER_FRAME = 1024;
/** A hole that is longer stays one, ticks: for so long there was no program at all. */
const LONGEST_HOLE = 10 * TICKS_PER_SECOND;

/**
 * Finds holes in the program's sound where one source of it follows another, a page and the silence that holds its place, or
 * one encoder and the next, and has the silence to fill them: players stumble over holes, and recordings lose their step.
 */
export class SoundBridge {
  #track: AudioTrack | undefined;
  #silence: Uint8Array | undefined;
  /** How long a frame lasts, and where on the program's timeline the last one ends; ticks. */
  #frame = 0;
  #end: number | undefined;

  /** @param unit on the program's timeline. @returns silence that goes before it, on the same timeline. */
  before(unit: AccessUnit, track: AudioTrack): AccessUnit[] {
    if (track !== this.#track) {
      this.#track = track;
      this.#silence = silentAacFrame(track);
      this.#frame = (SAMPLES_PER_FRAME * TICKS_PER_SECOND) / track.sampleRate;
      this.#end = undefined;
    }
    const end = this.#end ?? unit.dts;
    this.#end = unit.dts + this.#frame;
    const hole = unit.dts - end;
    const data = this.#silence;
    if (data === undefined || hole < this.#frame || hole > LONGEST_HOLE) return [];
    return Array.from({ length: Math.floor(hole / this.#frame) }, (_, i) => {
      const dts = Math.round(end + i * this.#frame);
      return { track, dts, pts: dts, keyframe: true, data };
    });
  }
}
