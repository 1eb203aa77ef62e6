import { isIPv6 } from "node:net";
import type { Closable } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import type { Logger } from "../ports/logger.ts";
import type { ListenAddress } from "./listen-addresses.ts";
import { SfuStage } from "./sfu-stage.ts";
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
}

/**
 * The SFU of this host (RTC1, RTC4): mediasoup workers over the cores, each with one port. Everything that is sent and
 * watched together has a {@link SfuStage}.
 */
export class Sfu implements Closable {
  readonly workers: readonly SfuWorker[];
  readonly #logger: Logger;
  readonly #unavailable: string | undefined;
  readonly #stages = new Set<SfuStage>();
  #closed: Promise<void> | undefined;

  private constructor(workers: readonly SfuWorker[], logger: Logger, unavailable: string | undefined) {
    this.workers = workers;
    this.#logger = logger;
    this.#unavailable = unavailable;
  }

  /** An SFU that refuses everybody, for the reason given: it ends the sentence "This server cannot do WebRTC: …". */
  static unavailable(logger: Logger, reason: string): Sfu {
    return new Sfu([], logger, reason);
  }

  /** Never throws for want of a worker program: that is told to whoever wants WebRTC. */
  static async open(options: SfuOptions): Promise<Sfu> {
    const { logger, workerProgram: program } = options;
    if (program === undefined) return new Sfu([], logger, "its media worker is not installed");
    const why = await tryWorkerProgram(program);
    if (why !== undefined) return new Sfu([], logger, `its media worker (${program}) does not run: ${why}`);
    if (options.addresses.length === 0) return new Sfu([], logger, "this machine has no network address");
    const workers = Array.from({ length: options.workers }, (_, index) => {
      const listenInfos = options.addresses.flatMap(({ ip, announced, ownToo = false }) =>
        (["udp", "tcp"] as const).map(
          (protocol): types.TransportListenInfo => ({
            protocol,
            ip,
            ...(announced === undefined ? {} : { announcedAddress: announced, exposeInternalIp: ownToo }),
            // Otherwise `::` takes IPv4's port too.
            ...(isIPv6(ip) ? { flags: { ipv6Only: true } } : {}),
            ...(options.port === 0 ? {} : { port: options.port + index }),
          }),
        ),
      );
      return new SfuWorker({ index, listenInfos, program, logger });
    });
    return new Sfu(workers, logger, undefined);
  }

  /** Why there is no WebRTC here, in words; undefined where there is. */
  get unavailable(): string | undefined {
    return this.#unavailable;
  }

  get stages(): number {
    return this.#stages.size;
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
      logger: this.#logger.child({ stage: name }),
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

  async #close(): Promise<void> {
    for (const stage of this.#stages) stage.close();
    await Promise.all(this.workers.map((worker) => worker.close()));
  }
}
