import { ControlType, HEADER_SIZE, writeControlHeader } from "./packet.ts";

/** Size of the handshake's control information field without extensions, bytes (section 3.2.1). */
export const HANDSHAKE_SIZE = 48;

/** Handshake types; other values from 1000 on are refusals. */
export const HandshakeType = {
  waveAHand: 0,
  induction: 1,
  agreement: -2,
  conclusion: -1,
} as const;

/** Extension field of the listener's induction response, which says that it speaks version 5. */
export const SRT_MAGIC = 0x4a17;

/** Extension field of the caller's induction request: UDT's datagram socket type. */
export const UDT_DATAGRAM = 2;

/** Bits of the extension field of a conclusion, section 3.2.1. */
export const ExtensionFlag = { handshake: 1, keyMaterial: 2, config: 4 } as const;

/** Extension types; the first four are also subtypes of user-defined control packets. */
export const ExtensionType = {
  handshakeRequest: 1,
  handshakeResponse: 2,
  keyMaterialRequest: 3,
  keyMaterialResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;

/** Capability flags of the handshake extension, section 3.2.1.1. */
export const SrtFlag = {
  tsbpdSender: 0x01,
  tsbpdReceiver: 0x02,
  encryption: 0x04,
  tooLateDrop: 0x08,
  periodicNak: 0x10,
  retransmitFlag: 0x20,
  stream: 0x40,
  packetFilter: 0x80,
} as const;

/** What this implementation can do. */
export const OUR_FLAGS =
  SrtFlag.tsbpdSender |
  SrtFlag.tsbpdReceiver |
  SrtFlag.encryption |
  SrtFlag.tooLateDrop |
  SrtFlag.periodicNak |
  SrtFlag.retransmitFlag;

/** The protocol version that this implementation announces: 1.5.3. */
export const OUR_VERSION = 0x01_05_03;

/** Longest stream id, bytes (section 3.2.1.3). */
export const MAX_STREAM_ID_SIZE = 512;

/** Handshake extension: HSREQ or HSRSP. */
export interface HandshakeCapabilities {
  /** `0x00MMmmpp`. */
  readonly version: number;
  /** {@link SrtFlag} bits. */
  readonly flags: number;
  /** TSBPD delay that the one who wrote it wants as receiver, ms. */
  readonly receiveLatencyMs: number;
  /** Smallest TSBPD delay that the one who wrote it wants of its peer as receiver, ms. */
  readonly sendLatencyMs: number;
}

/** A handshake packet, section 3.2.1. */
export interface Handshake {
  readonly version: number;
  /** 0 none advertised, else key length in bytes / 8 (2, 3, 4). */
  readonly encryption: number;
  /** Extension field: type in an induction, {@link ExtensionFlag} bits in a conclusion. */
  readonly extension: number;
  readonly initialSequence: number;
  /** Maximum segment size: bytes of an IP datagram. */
  readonly mss: number;
  /** Packets that may be under way. */
  readonly flowWindow: number;
  /** {@link HandshakeType}, or 1000 + reject reason. */
  readonly type: number;
  readonly socketId: number;
  readonly cookie: number;
  readonly capabilities?: HandshakeCapabilities;
  /** Raw key material message, KMREQ or KMRSP. */
  readonly keyMaterial?: Buffer;
  readonly streamId?: string;
  /** Congestion controller's name; absent means `live`. */
  readonly congestion?: string;
  readonly filter?: string;
  readonly group?: boolean;
}

/** Thrown by {@link parseHandshake}. */
export class MalformedHandshakeError extends Error {
  override readonly name = "MalformedHandshakeError";
}

/**
 * Reads a handshake control packet.
 * @throws MalformedHandshakeError when lengths do not fit.
 */
export function parseHandshake(packet: Buffer): Handshake {
  if (packet.length < HEADER_SIZE + HANDSHAKE_SIZE) throw new MalformedHandshakeError("shorter than a handshake");
  const at = HEADER_SIZE;
  const handshake: { -readonly [Key in keyof Handshake]: Handshake[Key] } = {
    version: packet.readUInt32BE(at),
    encryption: packet.readUInt16BE(at + 4),
    extension: packet.readUInt16BE(at + 6),
    initialSequence: packet.readUInt32BE(at + 8),
    mss: packet.readUInt32BE(at + 12),
    flowWindow: packet.readUInt32BE(at + 16),
    type: packet.readInt32BE(at + 20),
    socketId: packet.readUInt32BE(at + 24),
    cookie: packet.readUInt32BE(at + 28),
  };
  if (handshake.initialSequence > 0x7fff_ffff) throw new MalformedHandshakeError("sequence number of 32 bits");
  if (handshake.version < 5 || handshake.type !== HandshakeType.conclusion) return handshake;

  let offset = at + HANDSHAKE_SIZE;
  while (offset + 4 <= packet.length) {
    const type = packet.readUInt16BE(offset);
    const size = packet.readUInt16BE(offset + 2) * 4;
    offset += 4;
    if (offset + size > packet.length) throw new MalformedHandshakeError(`extension ${type} runs past the packet`);
    const body = packet.subarray(offset, offset + size);
    offset += size;
    switch (type) {
      case ExtensionType.handshakeRequest:
      case ExtensionType.handshakeResponse:
        if (size < 12) throw new MalformedHandshakeError("handshake extension too short");
        handshake.capabilities = {
          version: body.readUInt32BE(0),
          flags: body.readUInt32BE(4),
          receiveLatencyMs: body.readUInt16BE(8),
          sendLatencyMs: body.readUInt16BE(10),
        };
        break;
      case ExtensionType.keyMaterialRequest:
      case ExtensionType.keyMaterialResponse:
        handshake.keyMaterial = body;
        break;
      case ExtensionType.streamId:
        if (size > MAX_STREAM_ID_SIZE) throw new MalformedHandshakeError("stream id too long");
        handshake.streamId = decodeSwappedText(body);
        break;
      case ExtensionType.congestion:
        handshake.congestion = decodeSwappedText(body);
        break;
      case ExtensionType.filter:
        handshake.filter = decodeSwappedText(body);
        break;
      case ExtensionType.group:
        handshake.group = true;
        break;
      default:
        // A later version's extension: section 3.2.1 lets a receiver pass over what it does not know.
        break;
    }
  }
  if (offset !== packet.length) throw new MalformedHandshakeError("loose bytes after the extensions");
  return handshake;
}

/** What {@link writeHandshake} writes besides the handshake itself. */
export interface HandshakeEnvelope {
  /** Destination socket id of the header. */
  readonly destination: number;
  readonly timestampMicros: number;
  /** The peer's address, repeated to it. */
  readonly peerAddress: string;
  /** `request` numbers the extensions HSREQ and KMREQ, `response` HSRSP and KMRSP. */
  readonly direction: "request" | "response";
}

/** A whole handshake packet, header and extensions included. */
export function writeHandshake(handshake: Handshake, envelope: HandshakeEnvelope): Buffer {
  const response = envelope.direction === "response" ? 1 : 0;
  const extensions: Buffer[] = [];
  const { capabilities } = handshake;
  if (capabilities !== undefined) {
    const body = Buffer.alloc(12);
    body.writeUInt32BE(capabilities.version, 0);
    body.writeUInt32BE(capabilities.flags, 4);
    body.writeUInt16BE(capabilities.receiveLatencyMs, 8);
    body.writeUInt16BE(capabilities.sendLatencyMs, 10);
    extensions.push(extension(ExtensionType.handshakeRequest + response, body));
  }
  if (handshake.keyMaterial !== undefined) {
    extensions.push(extension(ExtensionType.keyMaterialRequest + response, handshake.keyMaterial));
  }
  if (handshake.streamId !== undefined) {
    extensions.push(extension(ExtensionType.streamId, encodeSwappedText(handshake.streamId)));
  }
  if (handshake.congestion !== undefined) {
    extensions.push(extension(ExtensionType.congestion, encodeSwappedText(handshake.congestion)));
  }
  const base = Buffer.alloc(HEADER_SIZE + HANDSHAKE_SIZE);
  writeControlHeader(base, ControlType.handshake, 0, 0, envelope.timestampMicros, envelope.destination);
  const at = HEADER_SIZE;
  base.writeUInt32BE(handshake.version, at);
  base.writeUInt16BE(handshake.encryption, at + 4);
  base.writeUInt16BE(handshake.extension, at + 6);
  base.writeUInt32BE(handshake.initialSequence, at + 8);
  base.writeUInt32BE(handshake.mss, at + 12);
  base.writeUInt32BE(handshake.flowWindow, at + 16);
  base.writeInt32BE(handshake.type, at + 20);
  base.writeUInt32BE(handshake.socketId, at + 24);
  base.writeUInt32BE(handshake.cookie, at + 28);
  writeAddress(base, at + 32, envelope.peerAddress);
  return extensions.length === 0 ? base : Buffer.concat([base, ...extensions]);
}

/**
 * Extension text travels as 32-bit words in little-endian order, padded with zero bytes (section 3.2.1.3).
 * Invalid UTF-8 becomes U+FFFD.
 */
export function decodeSwappedText(body: Buffer): string {
  const swapped = Buffer.from(body.subarray(0, body.length & ~3)).swap32();
  let end = swapped.length;
  while (end > 0 && swapped[end - 1] === 0) end--;
  return swapped.toString("utf8", 0, end);
}

/** @throws RangeError when the text is longer than {@link MAX_STREAM_ID_SIZE} bytes. */
export function encodeSwappedText(text: string): Buffer {
  const size = Buffer.byteLength(text);
  if (size > MAX_STREAM_ID_SIZE) throw new RangeError(`text of ${size} bytes; ${MAX_STREAM_ID_SIZE} are allowed`);
  const body = Buffer.alloc((size + 3) & ~3);
  body.write(text);
  return body.swap32();
}

function extension(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

/** libsrt writes an IPv4 address as one little-endian word, followed by zeros. IPv6 is left zero: nobody reads it. */
function writeAddress(packet: Buffer, at: number, address: string): void {
  const octets = address.replace(/^::ffff:/i, "").split(".");
  if (octets.length !== 4) return;
  for (const [index, octet] of octets.entries()) packet[at + 3 - index] = Number(octet);
}
