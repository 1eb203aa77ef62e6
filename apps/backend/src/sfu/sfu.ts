import { isIPv6 } from "node:net";
import { type Clock, type Closable, systemClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { Logger } from "../ports/logger.ts";
import type { ListenAddress } from "./listen-addresses.ts";
import { SfuStage } from "./sfu-stage.ts";
import { readSfuStatistics, type SfuStatistics } from "./sfu-statistics.ts";
import { SfuWorker } from "./sfu-worker.ts";
import { tryWorkerProgram } from "./worker-program.ts";

export interface SfuOptions {
  readonly logger: Logger;
  /** Path of mediasoup's worker program; undefined where there is none, which every peer is then told. */
  readonly workerProgram: string | undefined;
  /** How many workers: usually one for each core. */
  readonly workers: number;
  /** Port of the first worker, UDP and TCP; each further one has the next. 0: mediasoup takes any, one for each socket. */
  readonly port: number;
  /** What the workers listen on, and what they tell peers of it. */
  readonly addresses: readonly ListenAddress[];
  /** By which workers are watched, and rest after a failure. Default: the machine's. */
  readonly clock?: Clock;
}

/** From the first to the last port that workers may have pipes on, a few thousand. */
const PIPE_PORTS = 8000;
const LAST_PORT = 65_535;

/**
 * The SFU of this host (RTC1, RTC4): mediasoup workers over the cores, each with one port. Everything that is sent and
 * watched together has a {@link SfuStage}.
 */
export class Sfu implements Closable {
  readonly #options: Omit<SfuOptions, "workerProgram">;
  readonly #stages = new Set<SfuStage>();
  #workers: readonly SfuWorker[] = [];
  #unavailable: string | undefined = "its media worker is not installed yet";
  #closed: Promise<void> | undefined;

  private constructor(options: Omit<SfuOptions, "workerProgram">) {
    this.#options = options;
  }

  /** An SFU that refuses everybody, for the reason given: it ends the sentence "This server cannot do WebRTC: …". */
  static unavailable(logger: Logger, reason: string): Sfu {
    const sfu = new Sfu({ logger, workers: 0, port: 0, addresses: [] });
    sfu.#unavailable = reason;
    return sfu;
  }

  /** Never throws for want of a worker program: that is told to whoever wants WebRTC. */
  static async open(options: SfuOptions): Promise<Sfu> {
    const sfu = new Sfu(options);
    if (options.workerProgram !== undefined) await sfu.provide(options.workerProgram);
    return sfu;
  }

  /** Its workers; none while it is unavailable. */
  get workers(): readonly SfuWorker[] {
    return this.#workers;
  }

  /** Why there is no WebRTC here, in words; undefined where there is. */
  get unavailable(): string | undefined {
    return this.#unavailable;
  }

  /** Takes a worker program that was not there when the SFU was opened; without effect once it is available. */
  async provide(program: string): Promise<void> {
    if (this.#unavailable === undefined) return;
    const why = await tryWorkerProgram(program);
    // Another one may have been provided meanwhile.
    if (this.#unavailable === undefined || this.#closed !== undefined) return;
    if (why !== undefined) {
      this.#unavailable = `its media worker (${program}) does not run: ${why}`;
    } else if (this.#options.addresses.length === 0) {
      this.#unavailable = "this machine has no network address";
    } else {
      this.#workers = this.#makeWorkers(program);
      this.#unavailable = undefined;
    }
  }

  get stages(): number {
    return this.#stages.size;
  }

  /** What it does now; never rejects. */
  statistics(): Promise<SfuStatistics> {
    return readSfuStatistics(this.#workers, this.#stages);
  }

  /**
   * A new stage. It holds nothing before its first peer or feed.
   * @param name for the log.
   * @throws {KliegError} `webrtc_unavailable`, `shutting_down`.
   */
  openStage(name: string): SfuStage {
    if (this.#closed !== undefined) throw new KliegError("shutting_down", "The server is shutting down.");
    if (this.#unavailable !== undefined) {
      throw new KliegError("webrtc_unavailable", `This server cannot do WebRTC: ${this.#unavailable}.`);
    }
    const stage = new SfuStage({
      workers: this.workers,
      pipePorts: this.#pipePorts,
      logger: this.#options.logger.child({ stage: name }),
      onClosed: () => this.#stages.delete(stage),
    });
    this.#stages.add(stage);
    return stage;
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #makeWorkers(program: string): SfuWorker[] {
    const { logger, workers, port, addresses, clock = systemClock } = this.#options;
    return Array.from({ length: workers }, (_, index) => {
      const listenInfos = addresses.flatMap(({ ip, announced, ownToo = false }) =>
        (["udp", "tcp"] as const).map(
          (protocol): types.TransportListenInfo => ({
            protocol,
            ip,
            ...(announced === undefined ? {} : { announcedAddress: announced, exposeInternalIp: ownToo }),
            // Otherwise `::` takes IPv4's port too.
            ...(isIPv6(ip) ? { flags: { ipv6Only: true } } : {}),
            ...(port === 0 ? {} : { port: port + index }),
          }),
        ),
      );
      return new SfuWorker({ index, listenInfos, program, clock, logger });
    });
  }

  /** Beside the ports of the workers: those that have not been started need theirs later. */
  get #pipePorts(): types.TransportPortRange | undefined {
    const { port, workers } = this.#options;
    if (port === 0) return undefined;
    const min = port + workers;
    if (min + PIPE_PORTS <= LAST_PORT) return { min, max: min + PIPE_PORTS };
    return { min: port - PIPE_PORTS, max: port - 1 };
  }

  async #close(): Promise<void> {
    for (const stage of this.#stages) stage.close();
    await Promise.all(this.workers.map((worker) => worker.close()));
  }
}
