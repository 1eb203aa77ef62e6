import type { Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { SfuWorker } from "./sfu-worker.ts";

/** One worker's part of a stage. */
export interface SfuNode {
  readonly worker: SfuWorker;
  readonly router: types.Router;
  /** Whether it is for peers with payload types of their own; there may be several such on one worker. */
  readonly laidOut: boolean;
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
  /** A producer is there. */
  register(producer: types.Producer, node: SfuNode): void;
  /**
   * Sees to it that a producer can be consumed on `node`.
   * @returns its id there.
   * @throws {KliegError} `gone` where the producer is; `webrtc_unavailable`.
   */
  bring(producerId: string, node: SfuNode): Promise<string>;
  /** Something that only the log is told of. */
  reportProblem(message: string, error: unknown): void;
}
