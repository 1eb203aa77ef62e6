/** Bytes of a transport stream packet, ISO/IEC 13818-1 2.4.3.2. */
export const TS_PACKET_SIZE = 188;
export const TS_SYNC_BYTE = 0x47;
export const PAT_PID = 0x0000;
export const NULL_PID = 0x1fff;

/** Payload bytes of a packet without an adaptation field. */
export const TS_PAYLOAD_SIZE = 184;

/** Size of the circle that continuity counters run on. */
export const CONTINUITY_MODULUS = 16;

/**
 * The header and adaptation field of one packet. One instance is refilled packet after packet, so that reading
 * a packet allocates nothing.
 */
export class TsPacketHeader {
  pid = 0;
  payloadUnitStart = false;
  transportError = false;
  scrambled = false;
  hasPayload = false;
  continuityCounter = 0;
  /** discontinuity_indicator. */
  discontinuity = false;
  /** random_access_indicator. */
  randomAccess = false;
  /** Whether a program_clock_reference is there. */
  hasPcr = false;
  /** The program_clock_reference in 27 MHz ticks, not unwrapped; only when `hasPcr`. */
  pcr = 0;
  /** Whether the adaptation field holds more bytes than its contents need. */
  stuffed = false;
  /** Where the payload lies in the buffer that was read. Equal when there is none. */
  payloadStart = 0;
  payloadEnd = 0;

  /**
   * Reads the packet whose sync byte is at `offset`; all 188 bytes must be there.
   * @returns false when the packet contradicts itself, e.g. an adaptation field longer than the packet. `pid` is
   *   set in any case.
   */
  read(data: Uint8Array, offset: number): boolean {
    const second = data[offset + 1] as number;
    const fourth = data[offset + 3] as number;
    this.pid = ((second & 0x1f) << 8) | (data[offset + 2] as number);
    this.transportError = (second & 0x80) !== 0;
    this.payloadUnitStart = (second & 0x40) !== 0;
    this.scrambled = (fourth & 0xc0) !== 0;
    this.hasPayload = (fourth & 0x10) !== 0;
    this.continuityCounter = fourth & 0x0f;
    this.discontinuity = false;
    this.randomAccess = false;
    this.hasPcr = false;
    this.stuffed = false;
    this.payloadStart = offset + 4;
    this.payloadEnd = offset + TS_PACKET_SIZE;
    if ((fourth & 0x20) !== 0) return this.#readAdaptationField(data, offset + 4);
    // adaptation_field_control 0 is reserved; decoders shall discard such packets.
    return this.hasPayload;
  }

  #readAdaptationField(data: Uint8Array, at: number): boolean {
    const length = data[at] as number;
    const end = at + 1 + length;
    if (length > (this.hasPayload ? 182 : 183)) {
      this.payloadStart = this.payloadEnd;
      return false;
    }
    this.payloadStart = end;
    if (!this.hasPayload) this.payloadStart = this.payloadEnd;
    if (length === 0) {
      this.stuffed = true;
      return true;
    }
    const flags = data[at + 1] as number;
    this.discontinuity = (flags & 0x80) !== 0;
    this.randomAccess = (flags & 0x40) !== 0;
    let used = at + 2;
    if ((flags & 0x10) !== 0) {
      if (used + 6 > end) return false;
      const base = this.#u32(data, used) * 2 + ((data[used + 4] as number) >> 7);
      const extension = (((data[used + 4] as number) & 1) << 8) | (data[used + 5] as number);
      this.hasPcr = true;
      this.pcr = base * 300 + extension;
      used += 6;
    }
    if ((flags & 0x08) !== 0) used += 6; // original_program_clock_reference
    if ((flags & 0x04) !== 0) used += 1; // splice_countdown
    if ((flags & 0x02) !== 0) used += 1 + (used < end ? (data[used] as number) : 0); // private data
    if ((flags & 0x01) !== 0) used += 1 + (used < end ? (data[used] as number) : 0); // extension
    this.stuffed = used < end;
    return used <= end;
  }

  #u32(data: Uint8Array, at: number): number {
    return (
      (data[at] as number) * 0x1000000 +
      (((data[at + 1] as number) << 16) | ((data[at + 2] as number) << 8) | (data[at + 3] as number))
    );
  }
}
