import { Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { Logger } from "../ports/logger.ts";
import { SfuAudioObserver, type SfuAudioObserverOptions } from "./sfu-audio-observer.ts";
import { producerGone, stageEnded, workerFailed } from "./sfu-error.ts";
import { SfuFeed } from "./sfu-feed.ts";
import type { BroughtProducer, SfuNode, SfuStageEvents, StageGround, StageProducer } from "./sfu-node.ts";
import { SfuPeer, type SfuPeerOptions } from "./sfu-peer.ts";
import { SfuTap, type SfuTapSink } from "./sfu-tap.ts";
import type { SfuWorker } from "./sfu-worker.ts";
import { StageNodes } from "./stage-nodes.ts";
import { StagePipes } from "./stage-pipes.ts";
import { type Seat, StagePlacement } from "./stage-placement.ts";

export interface SfuStageOptions {
  readonly workers: readonly SfuWorker[];
  /** Of the loopback interface, for pipes between workers; any where undefined. */
  readonly pipePorts: types.TransportPortRange | undefined;
  readonly logger: Logger;
  readonly onClosed: () => void;
}

/**
 * What is sent and watched together: a broadcast, or a room. Its producers live wherever their sender is; a consumer on
 * another worker gets them through a pipe, one for all consumers there, so that one stage can fill every core.
 *
 * When a worker dies, its peers (`worker`) and producers (`producerClosed`) close first, then comes `workerLost`; whoever
 * comes again, then or before, is placed on a worker that runs.
 */
export class SfuStage implements StageGround, Disposable {
  readonly events = new Emitter<SfuStageEvents>();
  readonly #options: SfuStageOptions;
  readonly #placement: StagePlacement;
  readonly #pipes: StagePipes;
  readonly #nodes = new StageNodes();
  readonly #producers = new Map<string, StageProducer>();
  readonly #peers = new Set<SfuPeer>();
  readonly #subscriptions = new DisposableStack();
  #closed = false;

  constructor(options: SfuStageOptions) {
    this.#options = options;
    this.#placement = new StagePlacement(options.workers);
    this.#pipes = new StagePipes(options.pipePorts);
    for (const worker of options.workers) {
      this.#subscriptions.use(worker.events.on("died", () => this.#onWorkerDied(worker)));
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  get peers(): ReadonlySet<SfuPeer> {
    return this.#peers;
  }

  get producers(): ReadonlyMap<string, StageProducer> {
    return this.#producers;
  }

  /** Pipes between its workers, one for each producer and worker that it was brought to. */
  get pipes(): number {
    return this.#pipes.size;
  }

  /** What its routers can carry; the same on every worker. @throws {KliegError} `webrtc_unavailable`, `gone`. */
  rtpCapabilities(): Promise<types.RtpCapabilities> {
    return this.#atHome(async ({ router }) => router.rtpCapabilities);
  }

  /**
   * A new WebRTC peer, on the worker that suits it best.
   * @throws {KliegError} `webrtc_unavailable` where no worker can be started, `gone` once the stage is closed,
   *   `overloaded` where there are too many layouts of payload types.
   */
  async addPeer(options: SfuPeerOptions): Promise<SfuPeer> {
    const { layout } = options;
    let seat: Seat | undefined;
    const choose = () => {
      seat = this.#placement.seat(this.#nodes.workers);
      return seat.worker;
    };
    return this.#onWorker(choose, async (worker) => {
      using taking = new DisposableStack();
      if (seat !== undefined) taking.use(seat);
      const held = layout === undefined ? undefined : taking.use(this.#nodes.hold(worker, layout));
      const node = await (held?.opening ?? this.#nodes.node(worker));
      const transport = await node.router.createWebRtcTransport({
        webRtcServer: node.server,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        initialAvailableOutgoingBitrate: options.initialBitrate ?? 1_500_000,
        iceConsentTimeout: options.iceConsentTimeoutS ?? 15,
        enableSctp: false,
      });
      if (this.#closed) {
        transport.close();
        throw stageEnded();
      }
      const taken = taking.move();
      const onClosed = () => {
        this.#peers.delete(peer);
        taken.dispose();
      };
      const peer: SfuPeer = new SfuPeer({ stage: this, node, transport, onClosed });
      this.#peers.add(peer);
      return peer;
    });
  }

  /**
   * A producer whose RTP packets this process makes.
   * @throws {KliegError} `webrtc_unavailable`, `gone`; TypeError where mediasoup does not take the parameters.
   */
  addFeed(kind: types.MediaKind, rtpParameters: types.RtpParameters): Promise<SfuFeed> {
    return this.#atHome(async (node) => {
      const transport = await node.router.createDirectTransport();
      try {
        const producer = await transport.produce({ kind, rtpParameters });
        this.register(producer, node);
        return new SfuFeed(transport, producer);
      } catch (error) {
        transport.close();
        throw error;
      }
    });
  }

  /**
   * Hands a producer's RTP packets to this process.
   * @throws {KliegError} `gone` where the producer is.
   */
  async addTap(producerId: string, sink: SfuTapSink): Promise<SfuTap> {
    const found = this.#producers.get(producerId);
    if (found === undefined) throw producerGone();
    const { producer, node } = found;
    let transport: types.DirectTransport | undefined;
    try {
      transport = await node.router.createDirectTransport();
      const consumer = await transport.consume({
        producerId,
        rtpCapabilities: node.router.rtpCapabilities,
        enableRtx: false,
      });
      if (this.#closed || producer.closed || consumer.closed) throw producerGone();
      const occupied = node.worker.occupy();
      consumer.observer.once("close", () => occupied[Symbol.dispose]());
      return new SfuTap(transport, consumer, producer, sink);
    } catch (error) {
      transport?.close();
      throw this.#producers.has(producerId) ? error : producerGone();
    }
  }

  /**
   * Listens to the stage's audio producers, those that are there and those that come.
   * @throws {KliegError} `webrtc_unavailable`, `gone` once the stage is closed.
   */
  addAudioObserver(options: SfuAudioObserverOptions): Promise<SfuAudioObserver> {
    return this.#atHome(async (node) => {
      const levels = await node.router.createAudioLevelObserver({
        maxEntries: options.maxLevels,
        threshold: options.threshold,
        interval: options.levelIntervalMs,
      });
      const speaker = await node.router.createActiveSpeakerObserver({ interval: options.speakerIntervalMs });
      if (this.#closed) throw stageEnded();
      return new SfuAudioObserver(this, node, options, { levels, speaker });
    });
  }

  /** See {@link StageGround}. */
  reportProblem(message: string, error: unknown): void {
    this.#options.logger.warn({ err: error }, message);
  }

  canConsume(producerId: string, rtpCapabilities: types.RtpCapabilities): boolean {
    const found = this.#producers.get(producerId);
    return found?.node.router.canConsume({ producerId, rtpCapabilities }) === true;
  }

  /** See {@link StageGround}. @throws {KliegError} `gone`. */
  register(producer: types.Producer, node: SfuNode): void {
    if (this.#closed) {
      producer.close();
      throw stageEnded();
    }
    if (producer.closed) throw producerGone();
    const entry = { producer, node };
    const occupied = node.worker.occupy();
    this.#producers.set(producer.id, entry);
    producer.observer.once("close", () => {
      occupied[Symbol.dispose]();
      this.#producers.delete(producer.id);
      this.events.emit("producerClosed", { id: producer.id });
    });
    this.events.emit("producer", entry);
  }

  /** See {@link StageGround}. @throws {KliegError} `gone`, `webrtc_unavailable`. */
  async bring(producerId: string, node: SfuNode): Promise<BroughtProducer> {
    const found = this.#producers.get(producerId);
    if (found === undefined) throw producerGone();
    using bringing = new DisposableStack();
    bringing.use(node.worker.occupy());
    let id = producerId;
    if (found.node.router !== node.router) ({ id } = bringing.use(await this.#pipes.enter(found, node)));
    const brought = bringing.move();
    return { id, [Symbol.dispose]: () => brought.dispose() };
  }

  /** Closes every peer, producer and router of the stage. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscriptions.dispose();
    for (const peer of this.#peers) peer.close();
    this.#nodes.close();
    this.#options.onClosed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Makes something that belongs to none of the peers. */
  #atHome<T>(make: (node: SfuNode) => Promise<T>): Promise<T> {
    return this.#onWorker(
      () => this.#placement.home(this.#nodes.workers),
      async (worker) => make(await this.#nodes.node(worker)),
    );
  }

  /** Where the worker cannot be started, or dies at this moment, `choose` is asked for another. */
  async #onWorker<T>(choose: () => SfuWorker, make: (worker: SfuWorker) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closed) throw stageEnded();
      const worker = choose();
      const { failures } = worker;
      try {
        return await make(worker);
      } catch (error) {
        if (this.#closed) throw stageEnded();
        const isLost = worker.failures !== failures;
        if (isLost && attempt <= this.#options.workers.length) continue;
        // What mediasoup does not take is the asker's fault.
        throw error instanceof TypeError && !isLost ? error : workerFailed(error);
      }
    }
  }

  #onWorkerDied(worker: SfuWorker): void {
    if (!this.#nodes.forget(worker)) return;
    this.#options.logger.warn({ worker: worker.index }, "a worker died with part of this stage");
    this.events.emit("workerLost", { worker: worker.index });
  }
}
