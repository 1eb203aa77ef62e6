import type { AccessUnit } from "../access-unit.ts";

/** Where a packetizer puts payloads together and sends them; one packet at a time. */
export interface PayloadWriter {
  /** Bytes that still fit into the payload. */
  readonly room: number;
  /** Most bytes of a payload. */
  readonly capacity: number;
  /** Whether nothing was written into the payload yet. */
  readonly empty: boolean;
  byte(value: number): void;
  u16(value: number): void;
  /** Sets the first byte of the payload, which was written before. */
  setFirst(value: number): void;
  /** Appends `source[start..end)`. */
  bytes(source: Buffer, start: number, end: number): void;
  /** Sends the packet with what was written; the next payload begins empty. */
  send(marker: boolean): void;
}

/** Cuts the access units of one codec into RTP payloads. */
export interface AccessUnitPacketizer {
  /**
   * @param afterGap whether time was left out between this access unit and the one before, or it is the first.
   * @throws MediaError where the access unit or its track's configuration cannot be read; a part of it may have been sent.
   */
  packetize(unit: AccessUnit, writer: PayloadWriter, afterGap: boolean): void;
}
