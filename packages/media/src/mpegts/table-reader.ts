import { equalBytes } from "../bits/equal-bytes.ts";
import { MediaError } from "../media-error.ts";
import { SectionAssembler } from "./section.ts";
import { CONTINUITY_MODULUS, type TsPacketHeader } from "./ts-packet.ts";

/**
 * Reads the sections of one PID of program specific information, and hands on those that differ from the one before.
 * It goes by the bytes, not by version_number: an encoder that starts again counts from the same number.
 */
export class TableReader {
  readonly #assembler = new SectionAssembler();
  readonly #onSection: (section: Uint8Array) => void;
  readonly #onMalformed: (message: string) => void;
  #continuity = -1;
  #last: Uint8Array | undefined;
  readonly #take = (section: Uint8Array) => this.#section(section);

  /**
   * @param onSection a view, good during the call. A `MediaError` that it throws goes to `onMalformed`.
   * @param onMalformed told in words of a section that cannot be read.
   */
  constructor(onSection: (section: Uint8Array) => void, onMalformed: (message: string) => void) {
    this.#onSection = onSection;
    this.#onMalformed = onMalformed;
  }

  /** Takes the PID's next packet; `header` was just read from `data`. */
  packet(data: Uint8Array, header: TsPacketHeader): void {
    if (!header.hasPayload) return;
    const counter = header.continuityCounter;
    if (counter === this.#continuity) return; // sent twice; after a loss of 15 packets a table waits for the next round
    if (this.#continuity >= 0 && counter !== (this.#continuity + 1) % CONTINUITY_MODULUS) this.#assembler.reset();
    this.#continuity = counter;
    this.#assembler.push(data, header.payloadStart, header.payloadEnd, header.payloadUnitStart, this.#take);
  }

  /** Packets of the PID may be missing. */
  lost(): void {
    this.#continuity = -1;
    this.#assembler.reset();
  }

  /** The next section is handed on, whatever it is. */
  forget(): void {
    this.lost();
    this.#last = undefined;
  }

  #section(section: Uint8Array): void {
    if (this.#last !== undefined && equalBytes(this.#last, section)) return;
    try {
      this.#onSection(section);
      this.#last = section.slice();
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#onMalformed(error.message);
    }
  }
}
