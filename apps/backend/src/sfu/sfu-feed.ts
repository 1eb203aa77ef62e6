import { Emitter } from "@klieg/base";
import type { types } from "mediasoup";

export interface SfuFeedEvents {
  /** A viewer needs a keyframe. */
  keyframeWanted: undefined;
  closed: undefined;
}

/** RTCP packet types (RFC 3550, RFC 4585). */
const PAYLOAD_SPECIFIC_FEEDBACK = 206;

/** A producer whose RTP packets this process makes, in order and without loss. */
export class SfuFeed implements Disposable {
  readonly events = new Emitter<SfuFeedEvents>();
  readonly producer: types.Producer;
  readonly #transport: types.DirectTransport;

  constructor(transport: types.DirectTransport, producer: types.Producer) {
    this.#transport = transport;
    this.producer = producer;
    transport.on("rtcp", (packet) => {
      if (packet.length >= 2 && packet.readUInt8(1) === PAYLOAD_SPECIFIC_FEEDBACK) {
        this.events.emit("keyframeWanted", undefined);
      }
    });
    producer.observer.once("close", () => this.events.emit("closed", undefined));
  }

  get closed(): boolean {
    return this.producer.closed;
  }

  /** @param packet a whole RTP packet; it is copied before this returns. */
  send(packet: Buffer): void {
    if (!this.producer.closed) this.producer.send(packet);
  }

  /** @param packet a compound RTCP packet, such as a sender report (RFC 3550 § 6.4.1): it ties RTP time to the wall clock. */
  sendRtcp(packet: Buffer): void {
    if (!this.#transport.closed) this.#transport.sendRtcp(packet);
  }

  /** Idempotent. */
  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
