import type { DatagramPort } from "./datagram-port.ts";
import { HEADER_SIZE, writeControlHeader } from "./packet.ts";

/** Largest control packet: one MTU. */
const SCRATCH_SIZE = 1472;
/** Control packets without information carry one empty word all the same, as libsrt's do. */
const EMPTY_CIF = 4;

/** Builds one connection's control packets in a reusable buffer and sends them. */
export class ControlOutlet {
  readonly #port: DatagramPort;
  readonly #remotePort: number;
  readonly #remoteAddress: string;
  readonly #peerSocketId: number;
  readonly #startMicros: number;
  /** Write control information from {@link HEADER_SIZE} on, then call `send`. */
  scratch = Buffer.alloc(SCRATCH_SIZE);
  /** Local µs of the last packet of any kind; data packets set it too. */
  lastSentAt: number;
  /** Control packets sent. */
  sent = 0;

  /** @param startMicros local time at which this side's timestamps are zero */
  constructor(
    port: DatagramPort,
    remotePort: number,
    remoteAddress: string,
    peerSocketId: number,
    startMicros: number,
  ) {
    this.#port = port;
    this.#remotePort = remotePort;
    this.#remoteAddress = remoteAddress;
    this.#peerSocketId = peerSocketId;
    this.#startMicros = startMicros;
    this.lastSentAt = startMicros;
  }

  /** This side's timestamp for `now`, µs since its start. */
  timestamp(now: number): number {
    return now - this.#startMicros;
  }

  /** Room for control information, bytes. */
  get room(): number {
    return this.scratch.length - HEADER_SIZE;
  }

  /** Sends what stands in `scratch`: `size` bytes of control information. */
  send(type: number, subtype: number, info: number, size: number, now: number): void {
    const packet = this.scratch;
    writeControlHeader(packet, type, subtype, info, this.timestamp(now), this.#peerSocketId);
    this.lastSentAt = now;
    this.sent++;
    if (!this.#port.send(packet, HEADER_SIZE + size, this.#remotePort, this.#remoteAddress)) {
      this.scratch = Buffer.alloc(SCRATCH_SIZE);
    }
  }

  /** Sends a control packet without information. */
  sendEmpty(type: number, info: number, now: number): void {
    this.scratch.writeUInt32BE(0, HEADER_SIZE);
    this.send(type, 0, info, EMPTY_CIF, now);
  }

  /** Sends a data packet that was built elsewhere; its buffer answers as {@link DatagramPort.send} does. */
  sendData(packet: Buffer, length: number, now: number): boolean {
    this.lastSentAt = now;
    return this.#port.send(packet, length, this.#remotePort, this.#remoteAddress);
  }
}
