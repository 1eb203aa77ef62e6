import { type Clock, Emitter } from "@klieg/base";
import { KliegError, type PinLayer, type WhepMedia } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { PlayedTrack } from "../sfu/sdp/playback.ts";
import { hasBandwidthEstimation, LayerControl } from "./layer-control.ts";
import { layerBitrates, type ProducerRates } from "./producer-rates.ts";

/** One track on its way to one viewer: which of its layers are sent, and which the viewer holds on to. */
export class WhepMedium implements Disposable {
  readonly events = new Emitter<{ layers: undefined }>();
  readonly track: PlayedTrack;
  readonly consumer: types.Consumer;
  readonly #rates: ProducerRates;
  readonly #control: LayerControl | undefined;
  readonly #spatialLayers: number;
  readonly #temporalLayers: number;
  #pinned: { readonly spatialLayer: number; readonly temporalLayer: number | undefined } | undefined;

  constructor(track: PlayedTrack, consumer: types.Consumer, options: { rates: ProducerRates; clock: Clock }) {
    this.track = track;
    this.consumer = consumer;
    this.#rates = options.rates;
    const { encodings = [] } = track.producer.rtpParameters;
    // L3T3, S3T3, L3T3_KEY: https://www.w3.org/TR/webrtc-svc/#scalabilitymodes
    const mode = /^[LS](\d)T(\d)/.exec(encodings[0]?.scalabilityMode ?? "");
    this.#spatialLayers = encodings.length > 1 ? encodings.length : Number(mode?.[1] ?? 1);
    this.#temporalLayers = Number(mode?.[2] ?? 1);
    if (this.#spatialLayers > 1 && !hasBandwidthEstimation(consumer)) {
      const { producer } = track;
      this.#control = new LayerControl({ consumer, producer, layers: this.#spatialLayers, ...options });
    }
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
    const simple = this.consumer.type === "simple" && isFlowing ? { spatial_layer: 0, temporal_layer: 0 } : null;
    return {
      media_id: this.mediaId,
      kind: this.kind,
      codec: mimeType.slice(mimeType.indexOf("/") + 1),
      layers: await this.#layers(),
      current:
        currentLayers === undefined
          ? simple
          : { spatial_layer: currentLayers.spatialLayer, temporal_layer: currentLayers.temporalLayer ?? 0 },
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
      if (this.#spatialLayers * this.#temporalLayers === 1) return;
      await this.consumer.setPreferredLayers({
        spatialLayer: this.#spatialLayers - 1,
        temporalLayer: this.#temporalLayers - 1,
      });
      if (!this.consumer.paused) this.#control?.start();
      return;
    }
    const named = rid === undefined ? spatial : encodings.findIndex((encoding) => encoding.rid === rid);
    const spatialLayer = named ?? this.#spatialLayers - 1;
    const exists = spatialLayer >= 0 && spatialLayer < this.#spatialLayers && (temporal ?? 0) < this.#temporalLayers;
    if (!exists) throw new KliegError("bad_request", "What is sent has no such layer.");
    this.#control?.stop();
    this.#pinned = { spatialLayer, temporalLayer: temporal };
    if (this.#spatialLayers * this.#temporalLayers === 1) return;
    await this.consumer.setPreferredLayers({
      spatialLayer,
      ...(temporal === undefined ? {} : { temporalLayer: temporal }),
    });
  }

  async pause(): Promise<void> {
    this.#control?.stop();
    if (!this.consumer.closed) await this.consumer.pause();
  }

  async resume(): Promise<void> {
    if (this.consumer.closed) return;
    await this.consumer.resume();
    if (this.#pinned === undefined) this.#control?.start();
  }

  [Symbol.dispose](): void {
    this.events.clear();
    this.#control?.[Symbol.dispose]();
    this.consumer.close();
  }

  /** Best first. */
  async #layers(): Promise<WhepMedia["layers"]> {
    const { producer } = this.track;
    const { encodings = [] } = producer.rtpParameters;
    const bitrates = layerBitrates(producer, await this.#rates.of(producer), this.#spatialLayers);
    return bitrates
      .map((bitrate, layer) => ({
        rid: (encodings.length > 1 ? encodings[layer]?.rid : undefined) ?? null,
        spatial_layer: layer,
        temporal_layers: this.#temporalLayers,
        bitrate,
      }))
      .reverse();
  }
}
