import { wireTimestamp } from "./sequence-number.ts";

/** Every SRT packet begins with four 32-bit words (draft-sharabayko-srt section 3). */
export const HEADER_SIZE = 16;

/** Bytes of an IPv4 datagram that are not payload: IPv4 (20), UDP (8), SRT. */
export const PACKET_OVERHEAD = 28 + HEADER_SIZE;
/** What an IPv6 header is longer by. */
const IPV6_EXTRA = 20;

/** The MSS of an Ethernet path: bytes of an IP datagram. */
export const DEFAULT_MSS = 1500;

/** The largest live payload of one packet, bytes. */
export const MAX_PAYLOAD_SIZE = DEFAULT_MSS - PACKET_OVERHEAD;

/** Bytes of payload that fit into one packet to `address` (literal). */
export function payloadRoom(mss: number, address: string): number {
  const overIpv6 = address.includes(":") && !/^::ffff:\d+\./i.test(address);
  return mss - PACKET_OVERHEAD - (overIpv6 ? IPV6_EXTRA : 0);
}

/** Control packet types, section 3.2. */
export const ControlType = {
  handshake: 0x0000,
  keepAlive: 0x0001,
  ack: 0x0002,
  nak: 0x0003,
  congestionWarning: 0x0004,
  shutdown: 0x0005,
  ackAck: 0x0006,
  dropRequest: 0x0007,
  peerError: 0x0008,
  userDefined: 0x7fff,
} as const;

/** Word 1 of a data packet, section 3.1. */
export const DataField = {
  /** Packet position: both bits set means that the packet is a whole message. */
  boundaryShift: 30,
  solo: 0b11,
  first: 0b10,
  last: 0b01,
  middle: 0b00,
  order: 0x2000_0000,
  keyShift: 27,
  keyMask: 0b11,
  retransmitted: 0x0400_0000,
  messageMask: 0x03ff_ffff,
} as const;

/** The four words of a data packet's header, section 3.1. */
export function writeDataHeader(
  packet: Buffer,
  sequence: number,
  messageNumber: number,
  keyFlag: number,
  timestampMicros: number,
  socketId: number,
): void {
  packet.writeUInt32BE(sequence, 0);
  packet.writeUInt32BE(
    ((DataField.solo << DataField.boundaryShift) | (keyFlag << DataField.keyShift) | messageNumber) >>> 0,
    4,
  );
  packet.writeUInt32BE(wireTimestamp(timestampMicros), 8);
  packet.writeUInt32BE(socketId, 12);
}

/** The four words of a control packet's header, section 3.2. */
export function writeControlHeader(
  packet: Buffer,
  type: number,
  subtype: number,
  info: number,
  timestampMicros: number,
  socketId: number,
): void {
  packet.writeUInt16BE(0x8000 | type, 0);
  packet.writeUInt16BE(subtype, 2);
  packet.writeUInt32BE(info >>> 0, 4);
  packet.writeUInt32BE(wireTimestamp(timestampMicros), 8);
  packet.writeUInt32BE(socketId, 12);
}
