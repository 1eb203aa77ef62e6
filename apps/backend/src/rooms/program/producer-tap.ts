import type { Clock } from "@klieg/base";
import { type MediaSink, RtpDemuxer, type RtpStream } from "@klieg/media";
import type { SfuStage } from "../../sfu/sfu-stage.ts";
import type { SfuTap } from "../../sfu/sfu-tap.ts";

const TICK_MS = 50;

/** Access units of one producer of a room. */
export class ProducerTap implements Disposable {
  readonly #tap: SfuTap;
  readonly #demuxer: RtpDemuxer;
  readonly #tick: Disposable;

  private constructor(tap: SfuTap, demuxer: RtpDemuxer, tick: Disposable) {
    this.#tap = tap;
    this.#demuxer = demuxer;
    this.#tick = tick;
  }

  /**
   * @param spatialLayer of a simulcast or SVC producer, the highest that is wanted; undefined for the best.
   * @throws {KliegError} `gone` where the producer is; MediaError for a codec that is not taken in.
   */
  static async open(options: {
    stage: SfuStage;
    producerId: string;
    spatialLayer: number | undefined;
    clock: Clock;
    sink: MediaSink;
  }): Promise<ProducerTap> {
    const { stage, clock, sink } = options;
    let stream: RtpStream | undefined;
    const demuxer = new RtpDemuxer(sink);
    const tap = await stage.addTap(options.producerId, {
      onRtp: (packet) => stream?.push(packet, clock.now()),
      onSenderReport: (report) => stream?.onSenderReport(report),
      onClosed: () => demuxer.close(),
    });
    try {
      const { codecs, encodings } = tap.rtpParameters;
      const codec = codecs[0];
      if (codec === undefined) throw new TypeError("a consumer without a codec");
      stream = demuxer.addStream({
        id: 0,
        kind: tap.consumer.kind,
        codec,
        payloadType: codec.payloadType,
        ssrc: encodings?.[0]?.ssrc,
      });
      // A producer that is gone at this moment has told so by closing the tap.
      stream.onKeyframeNeeded = () => void tap.requestKeyframe().catch(() => undefined);
      const { spatialLayer } = options;
      if (spatialLayer !== undefined && tap.consumer.type !== "simple") {
        await tap.consumer.setPreferredLayers({ spatialLayer });
      }
    } catch (error) {
      tap.close();
      throw error;
    }
    if (tap.consumer.kind === "video") void tap.requestKeyframe().catch(() => undefined);
    return new ProducerTap(
      tap,
      demuxer,
      clock.every(TICK_MS, () => demuxer.tick(clock.now())),
    );
  }

  get closed(): boolean {
    return this.#tap.closed;
  }

  /** Asks the sender for a keyframe. */
  requestKeyframe(): void {
    void this.#tap.requestKeyframe().catch(() => undefined);
  }

  /** Idempotent. */
  close(): void {
    this.#tick[Symbol.dispose]();
    this.#tap.close();
    this.#demuxer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
