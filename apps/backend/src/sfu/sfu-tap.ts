import type { types } from "mediasoup";

/** Where a tap hands what it receives. */
export interface SfuTapSink {
  /** A whole RTP packet, in the order of arrival: gaps may be filled later, or never. May not be kept beyond the call. */
  onRtp(packet: Buffer): void;
  /** The sender's own clocks (RTCP sender report): Unix time, ms, of an RTP timestamp. */
  onSenderReport(report: { readonly ntpMs: number; readonly rtpTimestamp: number }): void;
  /** The producer is gone, or the tap was closed: nothing comes any more. */
  onClosed(): void;
}

/** Seconds between the NTP epoch (1900) and the Unix epoch. */
const NTP_EPOCH_S = 2_208_988_800;

/** Hands one producer's RTP packets to this process; of a simulcast one, its best layer. */
export class SfuTap implements Disposable {
  readonly consumer: types.Consumer;
  readonly #transport: types.DirectTransport;
  readonly #producer: types.Producer;
  readonly #onTrace: (trace: types.ProducerTraceEventData) => void;

  constructor(transport: types.DirectTransport, consumer: types.Consumer, producer: types.Producer, sink: SfuTapSink) {
    this.#transport = transport;
    this.consumer = consumer;
    this.#producer = producer;
    consumer.on("rtp", (packet) => sink.onRtp(packet));
    consumer.observer.once("close", () => {
      producer.off("trace", this.#onTrace);
      sink.onClosed();
    });
    this.#onTrace = ({ type, info }) => {
      if (type !== "sr") return;
      const { ntpSec, ntpFrac, rtpTs } = info as { ntpSec?: number; ntpFrac?: number; rtpTs?: number };
      if (ntpSec === undefined || ntpFrac === undefined || rtpTs === undefined) return;
      sink.onSenderReport({ ntpMs: (ntpSec - NTP_EPOCH_S) * 1000 + (ntpFrac / 2 ** 32) * 1000, rtpTimestamp: rtpTs });
    };
    producer.on("trace", this.#onTrace);
    // It fails only where the producer has gone meanwhile, which closes the tap.
    producer.enableTraceEvent(["sr"]).catch(() => undefined);
  }

  get closed(): boolean {
    return this.consumer.closed;
  }

  /** What the producer is: its codec and parameters as this process receives them. */
  get rtpParameters(): types.RtpParameters {
    return this.consumer.rtpParameters;
  }

  /** Asks the sender for a keyframe. */
  async requestKeyframe(): Promise<void> {
    if (!this.consumer.closed) await this.consumer.requestKeyFrame();
  }

  /** Idempotent. */
  close(): void {
    this.#producer.off("trace", this.#onTrace);
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
