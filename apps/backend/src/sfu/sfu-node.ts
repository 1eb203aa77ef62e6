import type { Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { SfuRouter, SfuWorker } from "./sfu-worker.ts";

/** One worker's part of a stage. */
export interface SfuNode extends SfuRouter {
  readonly worker: SfuWorker;
  /** Whether it is for peers with payload types of their own; there may be several such on one worker. */
  readonly laidOut: boolean;
}

/** A producer where it is to be consumed, until disposed: a pipe that nobody consumes from is closed. */
export interface BroughtProducer extends Disposable {
  /** Its id there. */
  readonly id: string;
}

/** A producer of a stage and where it lives. */
export interface StageProducer {
  readonly producer: types.Producer;
  readonly node: SfuNode;
}

export interface SfuStageEvents {
  producer: StageProducer;
  producerClosed: { readonly id: string };
  /** A worker died with part of the stage: the peers and producers that it had are closed. */
  workerLost: { readonly worker: number };
}

/** A stage as its own parts see it. */
export interface StageGround {
  readonly events: Emitter<SfuStageEvents>;
  readonly closed: boolean;
  readonly producers: ReadonlyMap<string, StageProducer>;
  /**
   * A producer is there.
   * @throws {KliegError} `gone` where it has closed meanwhile, or the stage has: then the producer is closed too.
   */
  register(producer: types.Producer, node: SfuNode): void;
  /**
   * Sees to it that a producer can be consumed on `node`.
   * @throws {KliegError} `gone` where the producer is, `webrtc_unavailable` where its worker or this one fails.
   */
  bring(producerId: string, node: SfuNode): Promise<BroughtProducer>;
  /** Something that only the log is told of. */
  reportProblem(message: string, error: unknown): void;
}
