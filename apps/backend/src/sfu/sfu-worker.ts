import { Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { Logger } from "../ports/logger.ts";
import { ROUTER_CODECS } from "./router-codecs.ts";

export interface SfuWorkerOptions {
  readonly index: number;
  /** Where it listens, a socket each. */
  readonly listenInfos: readonly types.TransportListenInfo[];
  /** Path of mediasoup's worker program. */
  readonly program: string;
  readonly logger: Logger;
}

interface Running {
  readonly worker: types.Worker;
  readonly server: types.WebRtcServer;
}

/**
 * One worker process of mediasoup: one core's share of the SFU, with one port that all of its WebRTC transports use.
 * It is started when it is first needed, and again by itself when it dies; what lived in it is gone then.
 */
export class SfuWorker implements AsyncDisposable {
  readonly index: number;
  readonly events = new Emitter<{ died: { error: Error } }>();
  /** Peers and pipes that it serves: what the pool goes by. */
  load = 0;
  readonly #options: SfuWorkerOptions;
  #running: Promise<Running> | undefined;
  #deaths = 0;
  #closed = false;

  constructor(options: SfuWorkerOptions) {
    this.index = options.index;
    this.#options = options;
  }

  /** Times that the process has died. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The process id while it runs; for tests that kill it, and for metrics. */
  async pid(): Promise<number | undefined> {
    return (await this.#running?.catch(() => undefined))?.worker.pid;
  }

  /**
   * @param codecs what the router carries.
   * @throws Error where the program cannot be started or its port cannot be had.
   */
  async createRouter(codecs: readonly types.RouterRtpCodecCapability[] = ROUTER_CODECS): Promise<types.Router> {
    const { worker } = await this.#start();
    return worker.createRouter({ mediaCodecs: [...codecs] });
  }

  /** The one server that its WebRTC transports share. */
  async server(): Promise<types.WebRtcServer> {
    return (await this.#start()).server;
  }

  /** What the process has used; undefined while it does not run. */
  async resourceUsage(): Promise<types.WorkerResourceUsage | undefined> {
    const running = await this.#running?.catch(() => undefined);
    return running?.worker.getResourceUsage();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = await this.#running?.catch(() => undefined);
    if (running === undefined || running.worker.closed) return;
    const { worker } = running;
    const gone = new Promise<void>((resolve) => {
      if (worker.subprocessClosed) resolve();
      else worker.once("subprocessclose", resolve);
    });
    worker.close();
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(): Promise<Running> {
    if (this.#closed) return Promise.reject(new Error("the SFU is closed"));
    if (this.#running !== undefined) return this.#running;
    const starting = this.#launch();
    this.#running = starting;
    starting.catch(() => {
      // The next one who needs it tries again; this one is told.
      if (this.#running === starting) this.#running = undefined;
    });
    return starting;
  }

  async #launch(): Promise<Running> {
    const { logger, index, program, listenInfos } = this.#options;
    // Loaded with the first peer: a backend without WebRTC viewers does without its memory.
    const { createWorker } = await import("mediasoup");
    const worker = await createWorker({ workerBin: program, logLevel: "error" });
    try {
      const server = await worker.createWebRtcServer({ listenInfos: [...listenInfos] });
      worker.once("died", (error) => this.#onDied(worker, error));
      logger.info({ worker: index, pid: worker.pid }, "SFU worker up");
      return { worker, server };
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  #onDied(worker: types.Worker, error: Error): void {
    if (this.#closed) return;
    this.#deaths += 1;
    this.#running = undefined;
    this.load = 0;
    this.#options.logger.error({ worker: this.index, pid: worker.pid, err: error }, "SFU worker died");
    this.events.emit("died", { error });
    // Those that come back at once find it there already.
    this.#start().catch((failure: unknown) => {
      this.#options.logger.error({ worker: this.index, err: failure }, "SFU worker could not be started again");
    });
  }
}
