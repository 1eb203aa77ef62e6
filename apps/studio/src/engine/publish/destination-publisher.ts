import type { Clock } from "@klieg/base";
import type { AccessUnit, Track } from "@klieg/media";
import type { DestinationHealth, DestinationState, KliegError } from "@klieg/protocol";
import type { ProgramFeed } from "../program/program-feed.ts";
import type { ProgramReader } from "../program/program-reader.ts";
import { BitrateController, type BitrateLimits, type BitrateReason } from "./bitrate-controller.ts";
import type { DestinationOutput, OutputEvents, OutputStatistics } from "./destination-output.ts";
import type { MachineLoad } from "./machine-load.ts";
import { failure, PublishFailure } from "./publish-failure.ts";
import { ReconnectPolicy } from "./reconnect-policy.ts";

/** Opens a connection. @throws PublishFailure */
export type OpenOutput = (events: OutputEvents, signal: AbortSignal) => Promise<DestinationOutput>;

export interface DestinationPublisherOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly feed: ProgramFeed;
  readonly open: OpenOutput;
  /** bits/s of all media together. */
  readonly limits: Omit<BitrateLimits, "latencyMs">;
  readonly onState: () => void;
  /** As Math.random. */
  readonly random?: (() => number) | undefined;
}

type Phase = DestinationState["state"];

/**
 * One destination for the length of a broadcast: connects when there is a program, sends it, and comes back after what was not
 * its owner's wish. Touches neither the program nor the other destinations.
 */
export class DestinationPublisher implements AsyncDisposable, ProgramReader {
  readonly id: string;
  readonly #options: DestinationPublisherOptions;
  readonly #policy: ReconnectPolicy;
  #phase: Phase = "waiting";
  #since: number;
  #problem: KliegError | null = null;
  #nextAttempt: { readonly at: number; readonly timer: Disposable } | undefined;
  #output: DestinationOutput | undefined;
  #place: Disposable | undefined;
  #controller: BitrateController | undefined;
  #connecting: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #everLive = false;
  #liveAt = 0;
  /** Of the connections before. */
  #before: { readonly dropped: number; readonly retransmitted: number | null } = { dropped: 0, retransmitted: null };
  #last: { readonly at: number; readonly statistics: OutputStatistics } | undefined;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: DestinationPublisherOptions) {
    this.id = options.id;
    this.#options = options;
    this.#policy = new ReconnectPolicy(options.random);
    this.#since = options.clock.wall();
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What the network to here carries, bits/s of all media, and why; undefined while it is not live. */
  get rate(): { readonly target: number; readonly reason: BitrateReason } | undefined {
    if (this.#controller === undefined || this.#output === undefined) return undefined;
    return { target: this.#controller.target, reason: this.#controller.reason };
  }

  get state(): Pick<DestinationState, "id" | "state" | "since" | "attempt" | "next_attempt_at" | "problem"> {
    return {
      id: this.id,
      state: this.#phase,
      since: this.#since,
      attempt: this.#policy.attempt,
      next_attempt_at: this.#nextAttempt?.at ?? null,
      problem: this.#problem?.toBody().error ?? null,
    };
  }

  /** There is a program: connects, where it waited for that. */
  begin(): void {
    if (this.#phase === "waiting") this.#connect();
  }

  /** Tries at once: after a wait, a failure or a stop. Does nothing while live or connecting. */
  retry(): void {
    if (this.#phase === "live" || this.#connecting !== undefined) return;
    this.#policy.reset();
    this.#cancelWait();
    this.#connect();
  }

  /** By the operator: stays so until {@link retry}. */
  async stop(): Promise<void> {
    this.#problem = null;
    await this.#end();
  }

  /** The broadcast is over. Idempotent. */
  async close(): Promise<void> {
    await this.#end();
    await Promise.all(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Looks at the connection; some times a second. @param load of this computer. */
  sample(now: number, load?: MachineLoad): void {
    const link = this.#output?.sample(now);
    // Looking may have found that it is dead.
    if (link === undefined || this.#output === undefined || this.#controller === undefined) return;
    const busy = load !== undefined && (load.late(now) || (link.local && load.full));
    this.#controller.sample(link, busy);
    this.#output.pace?.(this.#controller.pacing);
  }

  /** Over the time since this was last called. */
  health(now: number): DestinationHealth {
    const statistics = this.#output?.statistics();
    const last = this.#last;
    this.#last = statistics === undefined ? undefined : { at: now, statistics };
    const { dropped, retransmitted } = this.#before;
    const none = { id: this.id, bitrate: 0, rtt_ms: null, loss: null, buffer_ms: 0 };
    if (statistics === undefined) return { ...none, retransmitted, dropped_frames: dropped };
    const { packetsSent, packetsReportedLost, packetsRetransmitted } = statistics;
    const elapsed = last === undefined ? now - this.#liveAt : now - last.at;
    const sent = statistics.bytesSent - (last?.statistics.bytesSent ?? 0);
    let loss: number | null = null;
    if (packetsSent !== null && packetsReportedLost !== null) {
      const packets = packetsSent - (last?.statistics.packetsSent ?? 0);
      const lost = packetsReportedLost - (last?.statistics.packetsReportedLost ?? 0);
      loss = packets <= 0 ? 0 : Math.min(1, Math.max(0, lost / packets));
    }
    return {
      id: this.id,
      bitrate: elapsed <= 0 ? 0 : Math.max(0, Math.round((sent * 8000) / elapsed)),
      rtt_ms: statistics.rttMs,
      loss,
      retransmitted: packetsRetransmitted === null ? null : (retransmitted ?? 0) + packetsRetransmitted,
      buffer_ms: Math.round(statistics.bufferMs),
      dropped_frames: dropped + statistics.droppedFrames,
    };
  }

  onTrack(track: Track): void {
    this.#output?.onTrack(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    this.#output?.onAccessUnit(unit);
  }

  /** The feed took us off, because a muxer could not take what came. */
  onRemoved(error: unknown): void {
    this.#lost(failure("network", "internal", "The program could not be packed for this destination.", error));
  }

  #connect(): void {
    const abort = new AbortController();
    this.#enter(this.#everLive ? "reconnecting" : "connecting");
    const done = this.#open(abort.signal).finally(() => {
      if (this.#connecting?.abort === abort) this.#connecting = undefined;
    });
    this.#connecting = { abort, done };
  }

  async #open(signal: AbortSignal): Promise<void> {
    let output: DestinationOutput;
    let closedEarly: PublishFailure | undefined;
    let current: DestinationOutput | undefined;
    try {
      output = await this.#options.open(
        {
          onKeyframeWanted: () => this.#options.feed.requestKeyframe(),
          onClosed: (reason) => {
            closedEarly = reason;
            if (current !== undefined && this.#output === current) this.#lost(reason);
          },
        },
        signal,
      );
    } catch (error) {
      if (!signal.aborted) this.#failed(PublishFailure.from(error));
      return;
    }
    if (signal.aborted) {
      await output.close();
      return;
    }
    if (closedEarly !== undefined) {
      this.#failed(closedEarly);
      return;
    }
    current = output;
    this.#live(output);
  }

  #live(output: DestinationOutput): void {
    const { clock, feed, limits } = this.#options;
    this.#output = output;
    this.#last = undefined;
    this.#liveAt = clock.now();
    this.#everLive = true;
    this.#problem = null;
    if (this.#controller === undefined) {
      this.#controller = new BitrateController({ ...limits, latencyMs: output.latencyMs });
    } else this.#controller.reconnected();
    this.#enter("live");
    this.#place = feed.addReader(this);
  }

  /** What was live is not any more. */
  #lost(reason: PublishFailure): void {
    this.#policy.wasLive(this.#options.clock.now() - this.#liveAt);
    this.#dropOutput();
    this.#failed(reason);
  }

  #failed({ kind, error }: PublishFailure): void {
    this.#problem = error;
    const delay = this.#policy.failed(kind);
    if (delay === undefined) {
      this.#enter("failed");
      return;
    }
    const { clock } = this.#options;
    const timer = clock.after(delay, () => {
      this.#nextAttempt = undefined;
      this.#connect();
    });
    this.#nextAttempt = { at: clock.wall() + delay, timer };
    this.#enter(this.#everLive ? "reconnecting" : "connecting");
  }

  #dropOutput(): void {
    this.#place?.[Symbol.dispose]();
    this.#place = undefined;
    const output = this.#output;
    if (output === undefined) return;
    const { droppedFrames, packetsRetransmitted } = output.statistics();
    const { dropped, retransmitted } = this.#before;
    this.#before = {
      dropped: dropped + droppedFrames,
      retransmitted: packetsRetransmitted === null ? null : (retransmitted ?? 0) + packetsRetransmitted,
    };
    this.#output = undefined;
    const closing = output.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async #end(): Promise<void> {
    this.#cancelWait();
    const connecting = this.#connecting;
    connecting?.abort.abort(new Error("The destination was stopped."));
    this.#dropOutput();
    this.#controller = undefined;
    this.#enter("stopped");
    await connecting?.done;
    await Promise.all(this.#closing);
  }

  #cancelWait(): void {
    this.#nextAttempt?.timer[Symbol.dispose]();
    this.#nextAttempt = undefined;
  }

  #enter(phase: Phase): void {
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#since = this.#options.clock.wall();
    }
    this.#options.onState();
  }
}
