import { z } from "zod";

/** Seats of a room: as many as a show's sources can name. */
export const SEATS = 16;

const Kept = z.object({
  room: z.string().max(64),
  seats: z.record(z.string().max(64), z.int().min(1).max(SEATS)),
});
const KEY = "klieg.guest-seats";

/**
 * Who sits where in the room: each in one seat at most, and one in each. Remembered for the last room: a page that is loaded again, or
 * takes another's place in the same browser, has everybody in their seats.
 */
export class Seats {
  readonly #memory: Pick<Storage, "getItem" | "setItem"> | undefined;
  readonly #seats = new Map<string, number>();
  #room: string | undefined;

  /** @param memory undefined where the browser has none. */
  constructor(memory: Pick<Storage, "getItem" | "setItem"> | undefined) {
    this.#memory = memory;
  }

  /** A room was entered. Who sat in the same one before the page was loaded again sits there still. */
  enter(room: string): void {
    if (this.#room === room) return;
    this.#room = room;
    this.#seats.clear();
    const kept = this.#kept();
    if (kept?.room === room) for (const [id, seat] of Object.entries(kept.seats)) this.#seats.set(id, seat);
  }

  of(id: string): number | undefined {
    return this.#seats.get(id);
  }

  /** Everybody who has a seat. */
  ids(): readonly string[] {
    return [...this.#seats.keys()];
  }

  /** Gives a seat, taking it from whoever sits there; or (undefined) takes it away. @throws {RangeError} no such seat. */
  set(id: string, seat: number | undefined): void {
    if (seat !== undefined && !(Number.isInteger(seat) && seat >= 1 && seat <= SEATS)) {
      throw new RangeError(`there is no seat ${seat}`);
    }
    for (const [other, taken] of this.#seats) if (taken === seat) this.#seats.delete(other);
    if (seat === undefined) this.#seats.delete(id);
    else this.#seats.set(id, seat);
    if (this.#room === undefined) return;
    this.#memory?.setItem(KEY, JSON.stringify({ room: this.#room, seats: Object.fromEntries(this.#seats) }));
  }

  #kept(): z.infer<typeof Kept> | undefined {
    try {
      return Kept.parse(JSON.parse(this.#memory?.getItem(KEY) ?? "null"));
    } catch {
      // Nothing kept, or not by this version: nobody sits anywhere yet.
      return undefined;
    }
  }
}
