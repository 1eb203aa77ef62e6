import { Emitter } from "@klieg/base";
import { KliegError, type PinLayer, type WhepLayer, type WhepMedia } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { PlayedTrack } from "../sfu/sdp/playback.ts";

/** One track on its way to one viewer: which of its layers are sent, and which the viewer holds on to. */
export class WhepMedium implements Disposable {
  readonly events = new Emitter<{ layers: undefined }>();
  readonly track: PlayedTrack;
  readonly consumer: types.Consumer;
  #pinned: { readonly spatialLayer: number; readonly temporalLayer: number | undefined } | undefined;

  constructor(track: PlayedTrack, consumer: types.Consumer) {
    this.track = track;
    this.consumer = consumer;
    consumer.on("layerschange", () => this.events.emit("layers", undefined));
  }

  get kind(): types.MediaKind {
    return this.consumer.kind;
  }

  get mediaId(): string {
    const { mid, index } = this.track.section;
    return mid ?? String(index);
  }

  async state(): Promise<WhepMedia> {
    const { mimeType } = this.track.codec;
    const { currentLayers } = this.consumer;
    const isFlowing = !this.consumer.paused && !this.consumer.producerPaused;
    return {
      media_id: this.mediaId,
      kind: this.kind,
      codec: mimeType.slice(mimeType.indexOf("/") + 1),
      layers: await this.#layers(),
      current:
        currentLayers !== undefined
          ? { spatial_layer: currentLayers.spatialLayer, temporal_layer: currentLayers.temporalLayer ?? 0 }
          : this.consumer.type === "simple" && isFlowing
            ? { spatial_layer: 0, temporal_layer: 0 }
            : null,
      pinned:
        this.#pinned === undefined
          ? null
          : { spatial_layer: this.#pinned.spatialLayer, temporal_layer: this.#pinned.temporalLayer ?? null },
    };
  }

  /** @throws {KliegError} `bad_request` where there is no such layer. */
  async pin({ auto, rid, spatial_layer: spatial, temporal_layer: temporal }: PinLayer): Promise<void> {
    const { encodings = [] } = this.track.producer.rtpParameters;
    if (auto === true) {
      this.#pinned = undefined;
      if (this.consumer.type !== "simple") await this.consumer.setPreferredLayers(this.#highest());
      return;
    }
    const named = rid === undefined ? spatial : encodings.findIndex((encoding) => encoding.rid === rid);
    const highest = this.#highest();
    const spatialLayer = named ?? highest.spatialLayer;
    const exists = spatialLayer >= 0 && spatialLayer <= highest.spatialLayer;
    if (!exists || (temporal !== undefined && temporal > highest.temporalLayer)) {
      throw new KliegError("bad_request", "What is sent has no such layer.");
    }
    this.#pinned = { spatialLayer, temporalLayer: temporal };
    if (this.consumer.type === "simple") return;
    await this.consumer.setPreferredLayers({
      spatialLayer,
      ...(temporal === undefined ? {} : { temporalLayer: temporal }),
    });
  }

  async pause(): Promise<void> {
    if (!this.consumer.closed) await this.consumer.pause();
  }

  async resume(): Promise<void> {
    if (!this.consumer.closed) await this.consumer.resume();
  }

  [Symbol.dispose](): void {
    this.events.clear();
    this.consumer.close();
  }

  #highest(): { spatialLayer: number; temporalLayer: number } {
    const { encodings = [] } = this.track.producer.rtpParameters;
    const [{ scalabilityMode = "" } = {}] = encodings;
    const match = /^[LS](\d)T(\d)/.exec(scalabilityMode);
    const spatial = encodings.length > 1 ? encodings.length : Number(match?.[1] ?? 1);
    return { spatialLayer: spatial - 1, temporalLayer: Number(match?.[2] ?? 1) - 1 };
  }

  /** Best first. */
  async #layers(): Promise<WhepLayer[]> {
    const { producer } = this.track;
    const { encodings = [] } = producer.rtpParameters;
    const stats = producer.closed ? [] : await producer.getStats().catch((): types.ProducerStat[] => []);
    const { spatialLayer: highest, temporalLayer } = this.#highest();
    const layers: WhepLayer[] = [];
    for (let spatial = highest; spatial >= 0; spatial -= 1) {
      const encoding = encodings.length > 1 ? encodings[spatial] : encodings[0];
      const stat =
        encodings.length > 1
          ? stats.find(({ rid, ssrc }) =>
              encoding?.rid === undefined ? ssrc === encoding?.ssrc : rid === encoding.rid,
            )
          : stats[0];
      const byLayer = Object.entries(stat?.bitrateByLayer ?? {}).filter(([name]) => name.startsWith(`${spatial}.`));
      const bitrate =
        encodings.length === 1 && highest > 0
          ? Math.max(0, ...byLayer.map(([, value]) => Number(value)))
          : (stat?.bitrate ?? 0);
      layers.push({
        rid: encoding?.rid ?? null,
        spatial_layer: spatial,
        temporal_layers: temporalLayer + 1,
        bitrate: Math.round(bitrate),
      });
    }
    return layers;
  }
}
