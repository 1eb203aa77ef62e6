import {
  type DtlsParameters,
  KliegError,
  type RoomConsumer,
  type RoomEvent,
  type RoomProducer,
  type RoomSource,
  type RtpCapabilities,
  type RtpParameters,
} from "@klieg/protocol";
import type { types } from "mediasoup";
import type { SfuPeer } from "../sfu/sfu-peer.ts";
import type { SfuStage } from "../sfu/sfu-stage.ts";

/** What a room's producers carry with them: whose they are. */
export interface RoomProducerData {
  readonly participantId: string;
  readonly source: RoomSource;
}

/** A producer of a participant. */
export interface HeldProducer {
  readonly producer: types.Producer;
  readonly source: RoomSource;
  mutedByHost: boolean;
}

export interface ParticipantMediaOptions {
  readonly stage: SfuStage;
  readonly participantId: string;
  readonly maxConsumers: number;
  /** Tells the participant. */
  readonly tell: (event: RoomEvent) => void;
  /** A producer closed, whoever closed it; not told of those that {@link ParticipantMedia.close} closes. */
  readonly onProducerClosed: (held: HeldProducer) => void;
}

/** A page has one for each direction; while it makes a new one the old one may still be there. */
const MAX_TRANSPORTS = 4;
/** What one participant may send, bits/s: a camera and a screen in several layers. */
const MAX_INCOMING_BITRATE = 12_000_000;
const INITIAL_OUTGOING_BITRATE = 1_500_000;

/** The WebRTC side of one participant: its transports, what it sends and what it is sent. */
export class ParticipantMedia implements Disposable {
  readonly #options: ParticipantMediaOptions;
  readonly #peers = new Map<string, { readonly peer: SfuPeer; readonly direction: "send" | "recv" }>();
  readonly #producers = new Map<string, HeldProducer>();
  readonly #consumers = new Map<string, types.Consumer>();
  /** Asked for and not there yet: they count too. */
  #opening = 0;
  #capabilities: types.RtpCapabilities | undefined;
  #closed = false;

  constructor(options: ParticipantMediaOptions) {
    this.#options = options;
  }

  get producers(): Iterable<HeldProducer> {
    return this.#producers.values();
  }

  producerOf(source: RoomSource): HeldProducer | undefined {
    for (const held of this.#producers.values()) if (held.source === source) return held;
    return undefined;
  }

  describe(held: HeldProducer): RoomProducer {
    return {
      id: held.producer.id,
      participant_id: this.#options.participantId,
      source: held.source,
      kind: held.producer.kind,
      paused: held.producer.paused,
      muted_by_host: held.mutedByHost,
    };
  }

  /** @throws {KliegError} `bad_request`, `conflict` where there are too many, `webrtc_unavailable`, `gone`. */
  async openTransport(direction: "send" | "recv", capabilities: RtpCapabilities | undefined): Promise<SfuPeer> {
    if (direction === "recv") {
      if (capabilities === undefined) {
        throw new KliegError("bad_request", "To receive, say with rtp_capabilities what you can play.");
      }
      this.#capabilities = capabilities as types.RtpCapabilities;
    }
    if (this.#peers.size + this.#opening >= MAX_TRANSPORTS) {
      throw new KliegError("conflict", `There are ${MAX_TRANSPORTS} transports already; close one first.`);
    }
    this.#opening += 1;
    let peer: SfuPeer;
    try {
      peer = await this.#options.stage.addPeer({ initialBitrate: INITIAL_OUTGOING_BITRATE });
    } finally {
      this.#opening -= 1;
    }
    if (this.#closed) {
      peer.close();
      throw gone();
    }
    const { id } = peer.transport;
    this.#peers.set(id, { peer, direction });
    peer.events.on("state", ({ state, end }) => {
      if (state !== "closed") return;
      this.#peers.delete(id);
      if (end === "ice" || end === "dtls") this.#options.tell({ event: "transport_closed", transport_id: id });
    });
    if (direction === "send") {
      await settled(() => peer.transport.setMaxIncomingBitrate(MAX_INCOMING_BITRATE));
    }
    return peer;
  }

  /** @throws {KliegError} `not_found`, `conflict` where it was connected before, `bad_request`. */
  async connectTransport(id: string, dtlsParameters: DtlsParameters): Promise<void> {
    const { peer } = this.#peer(id);
    if (peer.transport.dtlsState !== "new") throw new KliegError("conflict", "This transport was connected before.");
    await settled(() => peer.transport.connect({ dtlsParameters: dtlsParameters as types.DtlsParameters }));
  }

  /** @throws {KliegError} `not_found`, `gone`. */
  async restartIce(id: string): Promise<types.IceParameters> {
    const { peer } = this.#peer(id);
    return settled(() => peer.transport.restartIce());
  }

  /** Closes a transport and all that it carries; one that is gone is no error. */
  closeTransport(id: string): void {
    this.#peers.get(id)?.peer.close();
  }

  /** @throws {KliegError} `not_found`, `conflict` where the source is there already, `bad_request`, `media_unsupported`. */
  async produce(request: {
    transportId: string;
    source: RoomSource;
    rtpParameters: RtpParameters;
    paused: boolean;
  }): Promise<HeldProducer> {
    const { source } = request;
    const { peer, direction } = this.#peer(request.transportId);
    if (direction !== "send") throw new KliegError("bad_request", "This transport is for receiving.");
    const isThere = () => {
      if (this.producerOf(source) === undefined) return;
      throw new KliegError("conflict", `You already send your ${source.replace("_", " ")}; close it first.`);
    };
    isThere();
    const appData: RoomProducerData = { participantId: this.#options.participantId, source };
    const producer = await settled(() =>
      peer.produce({
        kind: source === "camera" || source === "screen" ? "video" : "audio",
        rtpParameters: request.rtpParameters as types.RtpParameters,
        paused: request.paused,
        appData: { ...appData },
      }),
    );
    if (this.#closed) {
      producer.close();
      throw gone();
    }
    try {
      isThere();
    } catch (error) {
      producer.close();
      throw error;
    }
    const held: HeldProducer = { producer, source, mutedByHost: false };
    this.#producers.set(producer.id, held);
    producer.observer.once("close", () => {
      this.#producers.delete(producer.id);
      if (!this.#closed) this.#options.onProducerClosed(held);
    });
    return held;
  }

  /** @throws {KliegError} `not_found`. */
  producer(id: string): HeldProducer {
    const held = this.#producers.get(id);
    if (held === undefined) throw new KliegError("not_found", "You have no such producer.");
    return held;
  }

  /** Closes what is sent of `source`, if anything is. */
  closeProducer(held: HeldProducer): void {
    held.producer.close();
  }

  async pauseProducer(held: HeldProducer): Promise<void> {
    await settled(() => held.producer.pause());
  }

  async resumeProducer(held: HeldProducer): Promise<void> {
    await settled(() => held.producer.resume());
  }

  /**
   * Begins to send a producer of the room to the participant, paused.
   * @throws {KliegError} `not_found`, `media_unsupported`, `conflict` where there are too many, `gone`.
   */
  async consume(transportId: string, producerId: string): Promise<RoomConsumer> {
    const { peer, direction } = this.#peer(transportId);
    const { stage, maxConsumers } = this.#options;
    const rtpCapabilities = this.#capabilities;
    if (direction !== "recv" || rtpCapabilities === undefined) {
      throw new KliegError("bad_request", "This transport is for sending.");
    }
    const source = stage.producers.get(producerId)?.producer;
    if (source === undefined) throw new KliegError("not_found", "There is no such producer.");
    if ((source.appData as Partial<RoomProducerData>).participantId === this.#options.participantId) {
      throw new KliegError("bad_request", "This producer is your own.");
    }
    if (this.#consumers.size + this.#opening >= maxConsumers) {
      throw new KliegError("conflict", `You receive ${maxConsumers} things already; close one first.`);
    }
    if (!stage.canConsume(producerId, rtpCapabilities)) {
      throw new KliegError("media_unsupported", "Your browser cannot play what is sent there.");
    }
    this.#opening += 1;
    let consumer: types.Consumer;
    try {
      consumer = await settled(() => peer.consume({ producerId, rtpCapabilities, paused: true }));
    } finally {
      this.#opening -= 1;
    }
    if (this.#closed || peer.state === "closed") {
      consumer.close();
      throw gone();
    }
    this.#hold(consumer);
    const layers = layersOf(consumer);
    return {
      id: consumer.id,
      producer_id: producerId,
      kind: consumer.kind,
      rtp_parameters: consumer.rtpParameters as RtpParameters,
      type: consumer.type,
      spatial_layers: layers.spatial,
      temporal_layers: layers.temporal,
      producer_paused: consumer.producerPaused,
    };
  }

  /** Closes a consumer; one that is gone is no error. */
  closeConsumer(id: string): void {
    const consumer = this.#consumers.get(id);
    this.#consumers.delete(id);
    consumer?.close();
  }

  /** @throws {KliegError} `not_found`. */
  async pauseConsumer(id: string): Promise<void> {
    const consumer = this.#consumer(id);
    await settled(() => consumer.pause());
  }

  /** @throws {KliegError} `not_found`. */
  async resumeConsumer(id: string): Promise<void> {
    const consumer = this.#consumer(id);
    await settled(() => consumer.resume());
  }

  /**
   * @param spatial highest layer wanted, from 0; null for the best there is.
   * @throws {KliegError} `not_found`.
   */
  async setLayers(
    id: string,
    wanted: { spatial: number | null; temporal: number | null; priority: number | undefined },
  ): Promise<void> {
    const consumer = this.#consumer(id);
    const { priority } = wanted;
    if (consumer.type === "simulcast" || consumer.type === "svc") {
      const layers = layersOf(consumer);
      const preferred = {
        spatialLayer: Math.min(wanted.spatial ?? layers.spatial - 1, layers.spatial - 1),
        temporalLayer: Math.min(wanted.temporal ?? layers.temporal - 1, layers.temporal - 1),
      };
      await settled(() => consumer.setPreferredLayers(preferred));
    }
    if (priority !== undefined && consumer.kind === "video") await settled(() => consumer.setPriority(priority));
  }

  /** Closes every transport with all that they carry. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const { peer } of [...this.#peers.values()]) peer.close();
    this.#peers.clear();
    this.#producers.clear();
    this.#consumers.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #peer(id: string): { peer: SfuPeer; direction: "send" | "recv" } {
    const found = this.#peers.get(id);
    if (found === undefined) throw new KliegError("not_found", "You have no such transport; it may have closed.");
    return found;
  }

  #consumer(id: string): types.Consumer {
    const consumer = this.#consumers.get(id);
    if (consumer === undefined) throw new KliegError("not_found", "You have no such consumer; it may have closed.");
    return consumer;
  }

  #hold(consumer: types.Consumer): void {
    const { tell } = this.#options;
    const { id: consumer_id, producerId: producer_id } = consumer;
    this.#consumers.set(consumer_id, consumer);
    consumer.on("producerpause", () => tell({ event: "consumer_paused", consumer_id }));
    consumer.on("producerresume", () => tell({ event: "consumer_resumed", consumer_id }));
    consumer.on("layerschange", (layers) =>
      tell({
        event: "consumer_layers",
        consumer_id,
        spatial_layer: layers?.spatialLayer ?? null,
        temporal_layer: layers?.temporalLayer ?? null,
      }),
    );
    consumer.on("score", ({ score, producerScore }) =>
      tell({ event: "consumer_score", consumer_id, score, producer_score: producerScore }),
    );
    consumer.observer.once("close", () => {
      // One that was closed on request is no longer held.
      if (!this.#consumers.delete(consumer_id) || this.#closed) return;
      tell({ event: "consumer_closed", consumer_id, producer_id });
    });
  }
}

/** Layers of what a consumer sends, by its scalability mode (`L3T3`, `S3T3`). */
function layersOf(consumer: types.Consumer): { spatial: number; temporal: number } {
  const mode = /^[LS](\d+)T(\d+)/.exec(consumer.rtpParameters.encodings?.[0]?.scalabilityMode ?? "");
  return { spatial: Number(mode?.[1] ?? 1), temporal: Number(mode?.[2] ?? 1) };
}

function gone(): KliegError {
  return new KliegError("gone", "You have left the room.");
}

/** @throws {KliegError} what mediasoup threw, as a row of the table. */
async function settled<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw mediaProblem(error);
  }
}

function mediaProblem(error: unknown): KliegError {
  if (error instanceof KliegError) return error;
  const { name, message } = error as Error;
  if (name === "UnsupportedError") {
    return new KliegError("media_unsupported", `This cannot be carried here: ${message}.`, { cause: error });
  }
  if (name === "WorkerClosedError" || name === "NotFoundError") {
    return new KliegError("gone", "What this is about has closed.", { cause: error });
  }
  // mediasoup refuses parameters with TypeErrors, and its worker with plain Errors.
  return new KliegError("bad_request", `The media server does not take this: ${message}`, { cause: error });
}
