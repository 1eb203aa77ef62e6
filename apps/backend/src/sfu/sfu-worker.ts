import { type Clock, Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { Logger } from "../ports/logger.ts";
import { ROUTER_CODECS } from "./router-codecs.ts";

export interface SfuWorkerOptions {
  readonly index: number;
  /** Where it listens, a socket each. */
  readonly listenInfos: readonly types.TransportListenInfo[];
  /** Path of mediasoup's worker program. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Running {
  readonly worker: types.Worker;
  readonly server: types.WebRtcServer;
  /** By the clock, ms. */
  readonly since: number;
  readonly watch: Disposable;
}

/** A router, and the server for its WebRTC transports. */
export interface SfuRouter {
  readonly router: types.Router;
  readonly server: types.WebRtcServer;
}

/** Who dies sooner than this after its start counts as one that cannot run, ms. */
const STABLE_AFTER_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** A process that runs is asked so often whether it still does, ms. */
const ASK_EVERY_MS = 2000;
/** So many questions in a row without an answer, and it is killed: whatever is sent to it piles up in this process. */
const UNANSWERED_BEFORE_KILL = 4;
/** A process that was told to end may take so long, ms. */
const END_LIMIT_MS = 3000;

/**
 * One worker process of mediasoup: one core's share of the SFU, with one port that all of its WebRTC transports use.
 * It is started when it is first needed, and again by itself when it dies; what lived in it is gone then. One that
 * stops answering is killed, and one that cannot be started is left alone for a while, longer each time.
 */
export class SfuWorker implements AsyncDisposable {
  readonly index: number;
  /** `died`: what lived in it has closed by then. */
  readonly events = new Emitter<{ died: { error: Error } }>();
  readonly #options: SfuWorkerOptions;
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #load = 0;
  #deaths = 0;
  #failedStarts = 0;
  /** In a row: starts that failed, and deaths soon after the start. */
  #inARow = 0;
  #failure: Error | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | undefined;

  constructor(options: SfuWorkerOptions) {
    this.index = options.index;
    this.#options = options;
  }

  /** RTP streams, peers and pipes that it serves: what the pool goes by. */
  get load(): number {
    return this.#load;
  }

  /** Times that the process has died. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Times that it died or could not be started. */
  get failures(): number {
    return this.#deaths + this.#failedStarts;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Whether it runs or may be started; not while it rests after a failure. */
  get isUsable(): boolean {
    return this.#closed === undefined && (this.isRunning || this.#options.clock.now() >= this.#notBefore);
  }

  /** The process id while it runs; for tests that kill it, and for metrics. */
  get pid(): number | undefined {
    return this.#running?.worker.pid;
  }

  /** Counts one more thing that it serves, until disposed or the process has died. */
  occupy(): Disposable {
    const deaths = this.#deaths;
    this.#load += 1;
    let occupied = true;
    return {
      [Symbol.dispose]: () => {
        if (occupied && deaths === this.#deaths) this.#load -= 1;
        occupied = false;
      },
    };
  }

  /**
   * @param codecs what the router carries.
   * @throws Error where the program cannot be started or its port cannot be had, at once while it rests.
   */
  async createRouter(codecs: readonly types.RouterRtpCodecCapability[] = ROUTER_CODECS): Promise<SfuRouter> {
    const { worker, server } = await this.#start();
    return { router: await worker.createRouter({ mediaCodecs: [...codecs] }), server };
  }

  /** What the process has used; undefined while it does not run. */
  async resourceUsage(): Promise<types.WorkerResourceUsage | undefined> {
    // It may die before it answers.
    return this.#running?.worker.getResourceUsage().catch(() => undefined);
  }

  /** What the process holds; undefined while it does not run. For tests. */
  async dump(): Promise<types.WorkerDump | undefined> {
    return this.#running?.worker.dump();
  }

  /** Resolves when the process is gone. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const running = await this.#starting?.catch(() => undefined);
    if (running === undefined) return;
    running.watch[Symbol.dispose]();
    this.#running = undefined;
    await this.#end(running.worker);
  }

  #start(): Promise<Running> {
    if (this.#closed !== undefined) return Promise.reject(new Error("the SFU is closed"));
    if (this.#starting !== undefined) return this.#starting;
    if (this.#failure !== undefined && !this.isUsable) return Promise.reject(this.#failure);
    const starting = this.#launch();
    this.#starting = starting;
    starting.then(
      (running) => {
        // It may have died in the meantime.
        if (this.#starting === starting) this.#running = running;
      },
      (error: unknown) => {
        if (this.#starting === starting) this.#starting = undefined;
        this.#failedStarts += 1;
        this.#inARow += 1;
        this.#rest(error as Error, this.#inARow);
      },
    );
    return starting;
  }

  async #launch(): Promise<Running> {
    const { logger, index, program, listenInfos, clock } = this.#options;
    // Loaded with the first peer: a backend without WebRTC viewers does without its memory.
    const { createWorker } = await import("mediasoup");
    const worker = await withoutItsSignalHandlers(() => createWorker({ workerBin: program, logLevel: "error" }));
    try {
      const server = await worker.createWebRtcServer({ listenInfos: [...listenInfos] });
      const running: Running = { worker, server, since: clock.now(), watch: this.#watch(worker) };
      worker.once("died", (error) => this.#onDied(running, error));
      logger.info({ worker: index, pid: worker.pid }, "SFU worker up");
      return running;
    } catch (error) {
      await this.#end(worker);
      throw error;
    }
  }

  #watch(worker: types.Worker): Disposable {
    let unanswered = 0;
    return this.#options.clock.every(ASK_EVERY_MS, () => {
      if (unanswered >= UNANSWERED_BEFORE_KILL) {
        this.#options.logger.error({ worker: this.index, pid: worker.pid }, "SFU worker does not answer; killed");
        kill(worker.pid);
        return;
      }
      unanswered += 1;
      // Where it fails the process has died, of which `died` tells.
      worker.getResourceUsage().then(
        () => {
          unanswered = 0;
        },
        () => undefined,
      );
    });
  }

  #onDied(running: Running, error: Error): void {
    running.watch[Symbol.dispose]();
    if (this.#closed !== undefined) return;
    const { logger, clock } = this.#options;
    this.#deaths += 1;
    this.#starting = undefined;
    this.#running = undefined;
    this.#load = 0;
    if (clock.now() - running.since < STABLE_AFTER_MS) this.#inARow += 1;
    else this.#inARow = 0;
    // The first time it comes back at once.
    this.#rest(error, this.#inARow - 1);
    logger.error({ worker: this.index, pid: running.worker.pid, err: error }, "SFU worker died");
    this.events.emit("died", { error });
    // One that was told to end by a signal: this process has had the same one, as a rule. It comes back when needed.
    const wasToldTo = /\bcode:0\b/.test(error.message);
    if (wasToldTo || !this.isUsable) return;
    // Those that come back at once find it there already.
    this.#start().catch((failure: unknown) => {
      logger.error({ worker: this.index, err: failure }, "SFU worker could not be started again");
    });
  }

  /** Is not started again for a while, the longer the more often it has failed in a row. */
  #rest(error: Error, failures: number): void {
    this.#failure = error;
    const pauseMs = failures <= 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
    this.#notBefore = this.#options.clock.now() + pauseMs;
  }

  async #end(worker: types.Worker): Promise<void> {
    if (worker.subprocessClosed) return;
    const gone = new Promise<void>((resolve) => worker.once("subprocessclose", resolve));
    worker.close();
    using _insist = this.#options.clock.after(END_LIMIT_MS, () => kill(worker.pid));
    await gone;
  }
}

/**
 * mediasoup closes its workers on SIGINT and SIGTERM by itself, before sessions could be told that the server shuts
 * down. Whoever owns a worker closes it in time.
 */
function withoutItsSignalHandlers<T>(create: () => Promise<T>): Promise<T> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const created = create();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener);
  }
  return created;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
