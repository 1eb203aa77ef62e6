import { Emitter } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { Logger } from "../ports/logger.ts";
import type { PayloadLayout } from "./payload-layout.ts";
import { SfuAudioObserver, type SfuAudioObserverOptions } from "./sfu-audio-observer.ts";
import { SfuFeed } from "./sfu-feed.ts";
import type { SfuNode, SfuStageEvents, StageGround, StageProducer } from "./sfu-node.ts";
import { SfuPeer, type SfuPeerOptions } from "./sfu-peer.ts";
import { SfuTap, type SfuTapSink } from "./sfu-tap.ts";
import type { SfuWorker } from "./sfu-worker.ts";

export interface SfuStageOptions {
  readonly workers: readonly SfuWorker[];
  readonly logger: Logger;
  readonly onClosed: () => void;
}

/** So many peers fit a worker before the next one is taken for the same stage: piping has its price too. */
const PEERS_BEFORE_SPREADING = 25;
/** More layouts of payload types than all browsers together have. */
const MAX_LAYOUTS = 48;

/** One worker's router for one layout of payload types. */
interface LayoutNode {
  readonly key: string;
  readonly node: Promise<SfuNode>;
  /** Peers on it, and on their way to it. */
  peers: number;
}

/**
 * What is sent and watched together: a broadcast, or a room. Its producers live wherever their sender is; a consumer on
 * another worker gets them through a pipe, one for all consumers there, so that one stage can fill every core.
 */
export class SfuStage implements StageGround, Disposable {
  readonly events = new Emitter<SfuStageEvents>();
  readonly #options: SfuStageOptions;
  readonly #nodes = new Map<SfuWorker, Promise<SfuNode>>();
  /** Routers of peers with payload types of their own, by worker and layout, while there are such peers. */
  readonly #layoutNodes = new Map<string, LayoutNode>();
  readonly #producers = new Map<string, StageProducer>();
  /** Ids that producers have on the routers that they are piped to, by producer and router. */
  readonly #pipes = new Map<string, Promise<string>>();
  readonly #peers = new Set<SfuPeer>();
  readonly #peersOf = new Map<SfuWorker, number>();
  readonly #subscriptions = new DisposableStack();
  #closed = false;

  constructor(options: SfuStageOptions) {
    this.#options = options;
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

  /** What its routers can carry; the same on every worker. @throws {KliegError} `webrtc_unavailable`. */
  async rtpCapabilities(): Promise<types.RtpCapabilities> {
    return (await this.#node(this.#choose())).router.rtpCapabilities;
  }

  /**
   * A new WebRTC peer, on the worker that suits it best.
   * @throws {KliegError} `webrtc_unavailable` where the worker cannot be started, `gone` once the stage is closed,
   *   `overloaded` where there are too many layouts of payload types.
   */
  async addPeer(options: SfuPeerOptions): Promise<SfuPeer> {
    const worker = this.#choose();
    // Counted from now on: many who come at once must not all choose the same worker.
    this.#count(worker, 1);
    let layoutNode: LayoutNode | undefined;
    let peer: SfuPeer | undefined;
    try {
      layoutNode = options.layout === undefined ? undefined : this.#enterLayout(worker, options.layout);
      const node = await (layoutNode?.node ?? this.#node(worker));
      const transport = await node.router.createWebRtcTransport({
        webRtcServer: await worker.server(),
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        initialAvailableOutgoingBitrate: options.initialBitrate ?? 1_500_000,
        iceConsentTimeout: options.iceConsentTimeoutS ?? 15,
        enableSctp: false,
      });
      const onClosed = () => this.#removePeer(worker, added, layoutNode);
      const added = new SfuPeer({ stage: this, node, transport, onClosed });
      peer = added;
    } catch (error) {
      this.#count(worker, -1);
      this.#leaveLayout(layoutNode);
      throw unavailable(error);
    }
    this.#peers.add(peer);
    if (this.#closed) {
      peer.close();
      throw new KliegError("gone", "This has ended.");
    }
    return peer;
  }

  /**
   * A producer whose RTP packets this process makes.
   * @throws {KliegError} `webrtc_unavailable`, `gone`; TypeError where mediasoup does not take the parameters.
   */
  async addFeed(kind: types.MediaKind, rtpParameters: types.RtpParameters): Promise<SfuFeed> {
    const node = await this.#node(this.#home());
    const transport = await node.router.createDirectTransport();
    try {
      const producer = await transport.produce({ kind, rtpParameters });
      this.register(producer, node);
      return new SfuFeed(transport, producer);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /**
   * Hands a producer's RTP packets to this process.
   * @throws {KliegError} `gone` where the producer is.
   */
  async addTap(producerId: string, sink: SfuTapSink): Promise<SfuTap> {
    const found = this.#producers.get(producerId);
    if (found === undefined) throw new KliegError("gone", "What was sent is no longer there.");
    const { router } = found.node;
    const transport = await router.createDirectTransport();
    try {
      const consumer = await transport.consume({
        producerId,
        rtpCapabilities: router.rtpCapabilities,
        enableRtx: false,
      });
      return new SfuTap(transport, consumer, found.producer, sink);
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /**
   * Listens to the stage's audio producers, those that are there and those that come.
   * @throws {KliegError} `webrtc_unavailable`, `gone` once the stage is closed.
   */
  async addAudioObserver(options: SfuAudioObserverOptions): Promise<SfuAudioObserver> {
    const node = await this.#node(this.#home());
    try {
      const [levels, speaker] = await Promise.all([
        node.router.createAudioLevelObserver({
          maxEntries: options.maxLevels,
          threshold: options.threshold,
          interval: options.levelIntervalMs,
        }),
        node.router.createActiveSpeakerObserver({ interval: options.speakerIntervalMs }),
      ]);
      return new SfuAudioObserver(this, node, options, { levels, speaker });
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** See {@link StageGround}. */
  reportProblem(message: string, error: unknown): void {
    this.#options.logger.warn({ err: error }, message);
  }

  canConsume(producerId: string, rtpCapabilities: types.RtpCapabilities): boolean {
    const found = this.#producers.get(producerId);
    return found?.node.router.canConsume({ producerId, rtpCapabilities }) === true;
  }

  /** See {@link StageGround}. */
  register(producer: types.Producer, node: SfuNode): void {
    const entry = { producer, node };
    this.#producers.set(producer.id, entry);
    producer.observer.once("close", () => {
      this.#producers.delete(producer.id);
      this.events.emit("producerClosed", { id: producer.id });
    });
    this.events.emit("producer", entry);
  }

  /** See {@link StageGround}. @throws {KliegError} `gone` where the producer is. */
  async bring(producerId: string, node: SfuNode): Promise<string> {
    const found = this.#producers.get(producerId);
    if (found === undefined) throw new KliegError("gone", "What was sent is no longer there.");
    if (found.node.router === node.router) return producerId;
    const key = `${producerId} ${node.router.id}`;
    let pipe = this.#pipes.get(key);
    if (pipe === undefined) {
      pipe = this.#pipe(found, node, key);
      this.#pipes.set(key, pipe);
      pipe.catch(() => this.#pipes.delete(key));
    }
    return pipe;
  }

  /** Closes every peer, producer and router of the stage. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscriptions.dispose();
    for (const peer of this.#peers) peer.close();
    for (const opening of this.#nodes.values()) closeRouter(opening);
    this.#nodes.clear();
    for (const { node } of this.#layoutNodes.values()) closeRouter(node);
    this.#layoutNodes.clear();
    this.#options.onClosed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #pipe({ producer, node: from }: StageProducer, to: SfuNode, key: string): Promise<string> {
    const { pipeProducer } = await from.router
      // Within a worker an id can be there only once.
      .pipeToRouter({ producerId: producer.id, router: to.router, enableSctp: false, keepId: !to.laidOut })
      .catch((error: unknown) => {
        if (producer.closed) throw new KliegError("gone", "What was sent is no longer there.");
        throw unavailable(error);
      });
    if (pipeProducer === undefined || pipeProducer.closed) {
      throw new KliegError("gone", "What was sent is no longer there.");
    }
    to.worker.load += 1;
    pipeProducer.observer.once("close", () => {
      this.#pipes.delete(key);
      to.worker.load = Math.max(0, to.worker.load - 1);
    });
    return pipeProducer.id;
  }

  /** Where a stage's feeds live: with its peers as long as they fit one worker. */
  #home(): SfuWorker {
    let home: SfuWorker | undefined;
    for (const [worker, peers] of this.#peersOf) {
      if (home === undefined || peers > (this.#peersOf.get(home) ?? 0)) home = worker;
    }
    return home ?? this.#choose();
  }

  /** A worker that the stage already uses while its peers there are few; else the one with the least to do. */
  #choose(): SfuWorker {
    let best: SfuWorker | undefined;
    for (const worker of this.#options.workers) {
      if (best === undefined || worker.load < best.load) best = worker;
    }
    for (const worker of this.#nodes.keys()) {
      if ((this.#peersOf.get(worker) ?? 0) < PEERS_BEFORE_SPREADING) return worker;
    }
    if (best === undefined) throw new KliegError("webrtc_unavailable", "This server cannot do WebRTC.");
    return best;
  }

  #node(worker: SfuWorker): Promise<SfuNode> {
    if (this.#closed) return Promise.reject(new KliegError("gone", "This has ended."));
    let node = this.#nodes.get(worker);
    if (node === undefined) {
      const opening = worker.createRouter().then((router): SfuNode => ({ worker, router, laidOut: false }));
      node = opening.catch((error: unknown) => {
        if (this.#nodes.get(worker) === node) this.#nodes.delete(worker);
        throw unavailable(error);
      });
      this.#nodes.set(worker, node);
      // Closed while the worker started: nobody else will.
      node.then(({ router }) => this.#closed && router.close()).catch(() => undefined);
    }
    return node;
  }

  #enterLayout(worker: SfuWorker, layout: PayloadLayout): LayoutNode {
    if (this.#closed) throw new KliegError("gone", "This has ended.");
    const key = `${worker.index} ${layout.key}`;
    let entry = this.#layoutNodes.get(key);
    if (entry === undefined) {
      if (this.#layoutNodes.size >= MAX_LAYOUTS) {
        throw new KliegError("overloaded", "Too many different players watch this; try again later.");
      }
      const node = worker.createRouter(layout.codecs).then((router): SfuNode => ({ worker, router, laidOut: true }));
      entry = { key, node, peers: 0 };
      this.#layoutNodes.set(key, entry);
    }
    entry.peers += 1;
    return entry;
  }

  #leaveLayout(entry: LayoutNode | undefined): void {
    if (entry === undefined) return;
    entry.peers -= 1;
    if (entry.peers > 0) return;
    if (this.#layoutNodes.get(entry.key) === entry) this.#layoutNodes.delete(entry.key);
    closeRouter(entry.node);
  }

  #removePeer(worker: SfuWorker, peer: SfuPeer, layoutNode: LayoutNode | undefined): void {
    if (!this.#peers.delete(peer)) return;
    this.#count(worker, -1);
    this.#leaveLayout(layoutNode);
  }

  #count(worker: SfuWorker, change: 1 | -1): void {
    this.#peersOf.set(worker, Math.max(0, (this.#peersOf.get(worker) ?? 0) + change));
    worker.load = Math.max(0, worker.load + change);
  }

  #onWorkerDied(worker: SfuWorker): void {
    let concerned = this.#nodes.delete(worker);
    for (const [key] of this.#layoutNodes) {
      if (key.startsWith(`${worker.index} `)) concerned = this.#layoutNodes.delete(key) || concerned;
    }
    if (!concerned) return;
    this.#peersOf.delete(worker);
    this.#options.logger.warn({ worker: worker.index }, "a worker died with part of this stage");
    this.events.emit("workerLost", { worker: worker.index });
  }
}

function closeRouter(opening: Promise<SfuNode>): void {
  opening.then(
    ({ router }) => router.close(),
    // It was never there.
    () => undefined,
  );
}

function unavailable(error: unknown): KliegError {
  if (error instanceof KliegError) return error;
  return new KliegError("webrtc_unavailable", "The media worker of this server failed; try again in a moment.", {
    cause: error,
  });
}
