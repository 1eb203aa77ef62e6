import { Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { PayloadLayout } from "./payload-layout.ts";
import { producerGone, stageEnded } from "./sfu-error.ts";
import type { SfuNode, StageGround } from "./sfu-node.ts";

export interface SfuPeerOptions {
  /** What the congestion control begins with towards this peer, bits/s. */
  readonly initialBitrate?: number;
  /** A peer that answers no consent check for so long is gone, s. */
  readonly iceConsentTimeoutS?: number;
  /** The payload types that it wants to be sent; the SFU's own where it takes those. */
  readonly layout?: PayloadLayout;
}

export type SfuPeerState = "new" | "connected" | "disconnected" | "closed";

/** Why a peer closed: asked to; its network is gone; its DTLS failed or said goodbye; its worker died. */
export type SfuPeerEnd = "owner" | "ice" | "dtls" | "worker";

export interface SfuPeerEvents {
  state: { readonly state: SfuPeerState; readonly end?: SfuPeerEnd };
}

/** One WebRTC connection of a stage: ICE-lite, DTLS and RTP of one remote peer, which may send and receive. */
export class SfuPeer implements Disposable {
  readonly events = new Emitter<SfuPeerEvents>();
  readonly transport: types.WebRtcTransport;
  readonly node: SfuNode;
  readonly #stage: StageGround;
  readonly #onClosed: () => void;
  #state: SfuPeerState = "new";
  #consumers = 0;

  constructor(options: {
    stage: StageGround;
    node: SfuNode;
    transport: types.WebRtcTransport;
    onClosed: () => void;
  }) {
    this.#stage = options.stage;
    this.node = options.node;
    this.transport = options.transport;
    this.#onClosed = options.onClosed;
    const { transport } = options;
    transport.on("dtlsstatechange", (state) => {
      if (state === "connected") this.#enter("connected");
      else if (state === "failed" || state === "closed") this.#end("dtls");
    });
    transport.on("icestatechange", (state) => {
      if (state === "disconnected") this.#enter("disconnected");
      else if (state === "closed") this.#end("ice");
      else if ((state === "connected" || state === "completed") && transport.dtlsState === "connected") {
        this.#enter("connected");
      }
    });
    // The stage closes its peers before their routers.
    transport.on("routerclose", () => this.#end("worker"));
  }

  get state(): SfuPeerState {
    return this.#state;
  }

  /** RTP streams that it is sent. */
  get consumers(): number {
    return this.#consumers;
  }

  /**
   * Takes what the peer sends into the stage.
   * @throws {KliegError} `gone` where the peer closes meanwhile; else where mediasoup does not take the parameters.
   */
  async produce(options: types.ProducerOptions): Promise<types.Producer> {
    this.#isThere();
    let producer: types.Producer;
    try {
      producer = await this.transport.produce(options);
    } catch (error) {
      this.#isThere();
      throw error;
    }
    if (this.transport.closed) {
      // It was made on a transport that no longer closes what it carries.
      producer.close();
      throw stageEnded();
    }
    this.#stage.register(producer, this.node);
    return producer;
  }

  /**
   * Sends a producer of the stage to the peer, from whichever worker it lives on.
   * @throws {KliegError} `gone` where the producer is, or the peer closes meanwhile; `webrtc_unavailable` where a worker
   *   fails; else where mediasoup does not take the capabilities.
   */
  async consume(options: types.ConsumerOptions): Promise<types.Consumer> {
    this.#isThere();
    using bringing = new DisposableStack();
    const { id } = bringing.use(await this.#stage.bring(options.producerId, this.node));
    this.#isThere();
    let consumer: types.Consumer;
    try {
      consumer = await this.transport.consume({ ...options, producerId: id });
    } catch (error) {
      this.#isThere();
      throw this.#stage.producers.has(options.producerId) ? error : producerGone();
    }
    if (this.transport.closed) {
      consumer.close();
      throw stageEnded();
    }
    if (consumer.closed) throw producerGone();
    this.#consumers += 1;
    bringing.defer(() => {
      this.#consumers -= 1;
    });
    const brought = bringing.move();
    consumer.observer.once("close", () => brought.dispose());
    return consumer;
  }

  /** Idempotent. */
  close(): void {
    this.#end("owner");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #isThere(): void {
    if (this.#state === "closed") throw stageEnded();
  }

  #end(end: SfuPeerEnd): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.transport.close();
    this.#onClosed();
    this.events.emit("state", { state: "closed", end });
  }

  #enter(state: SfuPeerState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.events.emit("state", { state });
  }
}
