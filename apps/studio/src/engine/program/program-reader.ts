import type { AccessUnit, MediaSink, Track } from "@klieg/media";

/**
 * Takes the program: a destination, a recording, the replay. Called synchronously, in order; it keeps its own bounds and slows
 * nobody. Each begins with the tracks, and then with a picture that can stand by itself.
 */
export interface ProgramReader extends MediaSink {
  /** It threw, and is off the feed. */
  onRemoved(error: unknown): void;
}

interface Place {
  readonly reader: ProgramReader;
  /** Whether it has had its first keyframe. */
  begun: boolean;
}

/** All that read the program. One that throws is taken off, and harms no other. */
export class ProgramReaders {
  readonly #places = new Set<Place>();

  get size(): number {
    return this.#places.size;
  }

  add(reader: ProgramReader, tracks: readonly Track[]): Disposable {
    const place: Place = { reader, begun: false };
    this.#places.add(place);
    for (const track of tracks) this.#call(place, () => reader.onTrack(track));
    return { [Symbol.dispose]: () => void this.#places.delete(place) };
  }

  onTrack(track: Track): void {
    for (const place of this.#places) this.#call(place, () => place.reader.onTrack(track));
  }

  onAccessUnit(unit: AccessUnit): void {
    const opens = unit.keyframe && unit.track.kind === "video";
    for (const place of this.#places) {
      place.begun ||= opens;
      if (!place.begun) continue;
      try {
        place.reader.onAccessUnit(unit);
      } catch (error) {
        this.#remove(place, error);
      }
    }
  }

  clear(): void {
    this.#places.clear();
  }

  #call(place: Place, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#remove(place, error);
    }
  }

  #remove(place: Place, error: unknown): void {
    this.#places.delete(place);
    place.reader.onRemoved(error);
  }
}
