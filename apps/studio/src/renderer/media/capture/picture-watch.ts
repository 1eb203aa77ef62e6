/**
 * s without a picture after which something is wrong with a camera: the slowest take two to begin, and have one in a second in
 * the dark. Chromium itself now and then opens one that then sends nothing, whoever looks.
 */
const FIRST_PATIENCE = 4;
/** s; each time that opening it anew did not help, it is given twice as long, up to this. */
const LONGEST_PATIENCE = 60;

/** `silent`: it has sent nothing for so long that it is to be opened anew. */
export type PictureVerdict = "shows" | "waits" | "silent";

/**
 * Notices a camera that is open, and sends no picture all the same. Looked at once a second while it is open. Whether its track
 * is muted says nothing: Chromium has it so as soon as pictures do not come, whatever the reason.
 */
export class PictureWatch {
  #silentFor = 0;
  #patience = FIRST_PATIENCE;

  /** @param frameRate pictures that came in the last second. */
  look(frameRate: number): PictureVerdict {
    if (frameRate > 0) {
      this.#silentFor = 0;
      this.#patience = FIRST_PATIENCE;
      return "shows";
    }
    this.#silentFor += 1;
    if (this.#silentFor < this.#patience) return "waits";
    this.#silentFor = 0;
    this.#patience = Math.min(LONGEST_PATIENCE, this.#patience * 2);
    return "silent";
  }

  /** It was opened anew by somebody else: from now on it has time again. */
  reset(): void {
    this.#silentFor = 0;
  }
}
