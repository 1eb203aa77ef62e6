import { MAX_PES_HEADER_SIZE, PesHeader } from "./pes-header.ts";
import { CONTINUITY_MODULUS, type TsPacketHeader } from "./ts-packet.ts";

/** What takes the elementary stream out of PES packets. Bytes are good during the call only. */
export interface PesSink {
  /** A PES packet begins; `header` and the container's flags are good during the call only. */
  onPesStart(header: PesHeader, flags: PesFlags): void;
  onPesData(data: Uint8Array, start: number, end: number): void;
  /** All of the PES packet was handed on. */
  onPesEnd(): void;
  /** Bytes of the PES packet, or packets after it, are missing: what is pending is damaged. */
  onPesLost(): void;
  /** A PES packet that `onPesEnd` called complete goes on after all: only where its end had to be guessed. */
  onPesContinued(): void;
}

/** What the adaptation field said in the packet where the PES packet began. */
export interface PesFlags {
  /** random_access_indicator. */
  readonly randomAccess: boolean;
}

/** What {@link PesReader} finds wrong. */
export type PesTrouble = "continuity_lost" | "pes_malformed" | "pes_end_misjudged";

/** After so many unbounded PES packets that ended where stuffing said, stuffing is believed. */
const STUFFING_TRUST = 8;

/**
 * Takes the PES packets of one PID out of its transport stream packets. Holds no payload.
 *
 * A PES packet with a length is complete at its last byte. One without (video may leave the length out, and most
 * encoders do) ends where the next begins, which costs a frame of latency. But a multiplexer must fill the last
 * packet of a PES packet up, and fills up no other, since those are full anyhow: so once `STUFFING_TRUST` PES packets
 * in a row had stuffing in their last packet or none at all, stuffing ends the PES packet at once. The first PES
 * packet that goes on after stuffing withdraws that trust for good.
 */
export class PesReader {
  readonly #sink: PesSink;
  readonly #onTrouble: (trouble: PesTrouble, message: string) => void;
  readonly #header = new PesHeader();
  readonly #endsAtStuffing: boolean;
  /** The header under way when it does not fit one packet. */
  #partial: Uint8Array | undefined;
  #partialLength = 0;
  #flags: PesFlags = { randomAccess: false };
  #state: "idle" | "header" | "payload" | "ended" | "ended_by_stuffing" | "skip" = "idle";
  /** Bytes that are still to come; −1 without a bound. */
  #remaining = -1;
  #continuity = -1;
  #repeated = false;
  #lastPayload = new Uint8Array(0);
  #lastPayloadLength = 0;
  /** Stuffing was in the last packet. */
  #stuffed = false;
  /** How often in a row stuffing was followed by the beginning of a PES packet; −1: it once was not. */
  #stuffingHeld = 0;

  /** @param endsAtStuffing whether stuffing may end an unbounded PES packet. */
  constructor(
    sink: PesSink,
    onTrouble: (trouble: PesTrouble, message: string) => void,
    options: { readonly endsAtStuffing: boolean },
  ) {
    this.#sink = sink;
    this.#onTrouble = onTrouble;
    this.#endsAtStuffing = options.endsAtStuffing;
  }

  /** Takes the PID's next packet; `header` was just read from `data`. */
  packet(data: Uint8Array, header: TsPacketHeader): void {
    if (!header.hasPayload) {
      // Counters stand still without payload. A discontinuity announced here applies to the next packet.
      if (header.discontinuity) this.#continuity = -1;
      return;
    }
    if (!this.#checkContinuity(data, header)) return;
    if (header.payloadUnitStart) this.#start(data, header);
    else if (header.payloadEnd > header.payloadStart) this.#continue(data, header);
    if (header.stuffed && this.#state === "payload" && this.#remaining < 0) {
      this.#stuffed = true;
      if (this.#endsAtStuffing && this.#stuffingHeld >= STUFFING_TRUST) this.#end("ended_by_stuffing");
    }
  }

  /** Packets of the PID are missing or damaged, as the demultiplexer knows. */
  lost(): void {
    this.#continuity = -1;
    this.#stuffed = false;
    this.#state = "skip";
    this.#sink.onPesLost();
  }

  /** The end of the stream: an unbounded PES packet ends here. */
  flush(): void {
    if (this.#state === "payload" && this.#remaining < 0) this.#end("ended");
    else if (this.#state === "payload" || this.#state === "header") this.lost();
    this.#state = "idle";
  }

  /** Whether the packet is to be read: not when it is a repetition. */
  #checkContinuity(data: Uint8Array, header: TsPacketHeader): boolean {
    const counter = header.continuityCounter;
    const last = this.#continuity;
    this.#continuity = counter;
    if (last < 0 || header.discontinuity || counter === (last + 1) % CONTINUITY_MODULUS) {
      this.#remember(data, header);
      this.#repeated = false;
      return true;
    }
    // A packet may be sent twice (2.4.3.3). The same counter with other contents means that 15 packets are missing.
    if (counter === last && !this.#repeated && this.#isRepetition(data, header)) {
      this.#repeated = true;
      return false;
    }
    this.#repeated = false;
    this.#remember(data, header);
    this.#onTrouble("continuity_lost", `counter ${last} was followed by ${counter}`);
    this.lost();
    this.#continuity = counter;
    return true;
  }

  /** Keeps a few bytes of the payload, enough to tell a repeated packet from another. */
  #remember(data: Uint8Array, header: TsPacketHeader): void {
    const length = Math.min(16, header.payloadEnd - header.payloadStart);
    if (this.#lastPayload.length === 0) this.#lastPayload = new Uint8Array(16);
    for (let i = 0; i < length; i += 1) this.#lastPayload[i] = data[header.payloadEnd - length + i] as number;
    this.#lastPayloadLength = header.payloadEnd - header.payloadStart;
  }

  #isRepetition(data: Uint8Array, header: TsPacketHeader): boolean {
    const length = header.payloadEnd - header.payloadStart;
    if (length !== this.#lastPayloadLength) return false;
    const kept = Math.min(16, length);
    for (let i = 0; i < kept; i += 1) {
      if (this.#lastPayload[i] !== data[header.payloadEnd - kept + i]) return false;
    }
    return true;
  }

  #start(data: Uint8Array, header: TsPacketHeader): void {
    if (this.#stuffed && this.#stuffingHeld >= 0) this.#stuffingHeld += 1;
    if (this.#state === "payload") {
      if (this.#remaining < 0) {
        this.#end("ended");
      } else {
        this.#onTrouble("pes_malformed", `a PES packet ended ${this.#remaining} bytes early`);
        this.#sink.onPesLost();
      }
    }
    this.#stuffed = false;
    this.#partialLength = 0;
    this.#state = "header";
    this.#flags = header.randomAccess ? RANDOM_ACCESS : NO_FLAGS;
    this.#continueHeader(data, header.payloadStart, header.payloadEnd);
  }

  #continue(data: Uint8Array, header: TsPacketHeader): void {
    switch (this.#state) {
      case "header":
        this.#continueHeader(data, header.payloadStart, header.payloadEnd);
        return;
      case "ended_by_stuffing":
        this.#stuffingHeld = -1;
        this.#onTrouble("pes_end_misjudged", "a PES packet went on after stuffing; stuffing is not believed any more");
        this.#state = "payload";
        this.#sink.onPesContinued();
        this.#payload(data, header.payloadStart, header.payloadEnd);
        return;
      case "payload":
        if (this.#stuffed) {
          this.#stuffed = false;
          this.#stuffingHeld = -1;
        }
        this.#payload(data, header.payloadStart, header.payloadEnd);
        return;
      case "ended":
        this.#state = "skip";
        this.#onTrouble("pes_malformed", "a PES packet went on past its length");
        this.#sink.onPesLost();
        return;
      default: // after a loss nothing belongs to anything until the next PES packet begins
    }
  }

  #continueHeader(data: Uint8Array, start: number, end: number): void {
    let from = data;
    let at = start;
    let stop = end;
    if (this.#partialLength > 0) {
      const partial = this.#partial as Uint8Array;
      const take = Math.min(end - start, partial.length - this.#partialLength);
      for (let i = 0; i < take; i += 1) partial[this.#partialLength + i] = data[start + i] as number;
      from = partial;
      at = 0;
      stop = this.#partialLength + take;
    }
    switch (this.#header.read(from, at, stop)) {
      case "complete": {
        const payloadStart = start + this.#header.headerLength - this.#partialLength;
        this.#remaining = this.#header.dataLength;
        this.#state = "payload";
        this.#sink.onPesStart(this.#header, this.#flags);
        this.#payload(data, payloadStart, end);
        return;
      }
      case "incomplete":
        if (this.#partialLength === 0) {
          this.#partial ??= new Uint8Array(MAX_PES_HEADER_SIZE);
          for (let i = start; i < end; i += 1) this.#partial[i - start] = data[i] as number;
          this.#partialLength = end - start;
        } else {
          this.#partialLength = stop;
        }
        return;
      case "irrelevant":
        this.#state = "skip";
        return;
      case "malformed":
        this.#onTrouble("pes_malformed", "not a PES header");
        this.#state = "skip";
        this.#sink.onPesLost();
    }
  }

  #payload(data: Uint8Array, start: number, end: number): void {
    let stop = end;
    if (this.#remaining >= 0) {
      stop = Math.min(end, start + this.#remaining);
      this.#remaining -= stop - start;
    }
    if (stop > start) this.#sink.onPesData(data, start, stop);
    if (this.#remaining === 0) this.#end("ended");
  }

  #end(state: "ended" | "ended_by_stuffing"): void {
    this.#state = state;
    this.#sink.onPesEnd();
  }
}

const RANDOM_ACCESS: PesFlags = { randomAccess: true };
const NO_FLAGS: PesFlags = { randomAccess: false };
