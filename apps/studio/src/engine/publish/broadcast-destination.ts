import type { Clock } from "@klieg/base";
import { type DestinationHealth, type DestinationState, KliegError } from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";
import type { ProgramFeed } from "../program/program-feed.ts";
import type { BitrateLimits } from "./bitrate-controller.ts";
import type { KliegDetails, KliegDoor, KliegStart, SecretReader } from "./broadcast-ports.ts";
import type { DestinationOutput, OutputEvents } from "./destination-output.ts";
import { DestinationPublisher } from "./destination-publisher.ts";
import type { MachineLoad } from "./machine-load.ts";
import { RtmpOutput } from "./rtmp-output.ts";
import { parseSrtUrl } from "./srt-address.ts";
import { SrtOutput } from "./srt-output.ts";

export interface BroadcastDestinationOptions {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly feed: ProgramFeed;
  readonly secrets: SecretReader;
  readonly klieg: KliegDoor;
  /** What a Klieg backend is to be told now. */
  readonly details: () => KliegDetails;
  readonly limits: Omit<BitrateLimits, "latencyMs">;
  readonly random: (() => number) | undefined;
  readonly onState: () => void;
}

/** ms: a backend that does not answer must not keep the show from ending. */
const FAREWELL_MS = 5000;

/**
 * A destination of the show while it is on air: its addresses and keys, and, at a Klieg backend, its stream. The page itself
 * publishes to those by WHIP, and reports.
 */
export class BroadcastDestination {
  readonly id: string;
  readonly #options: BroadcastDestinationOptions;
  readonly #publisher: DestinationPublisher | undefined;
  /** Of a WHIP destination. */
  #reported: Pick<DestinationState, "state" | "since" | "problem">;
  #stream: { readonly id: string; readonly key: string } | undefined;
  #watchUrl: string | null = null;

  constructor(options: BroadcastDestinationOptions) {
    this.#options = options;
    const { destination, clock, feed, limits, random, onState } = options;
    this.id = destination.id;
    this.#reported = { state: "waiting", since: clock.wall(), problem: null };
    if (destination.kind === "klieg" && destination.protocol === "whip") return;
    this.#publisher = new DestinationPublisher({
      id: destination.id,
      clock,
      feed,
      limits,
      random,
      onState,
      open: (events, signal) => this.#open(events, signal),
    });
  }

  get state(): DestinationState {
    const own = this.#publisher?.state ?? { id: this.id, ...this.#reported, attempt: 0, next_attempt_at: null };
    return { ...own, stream_id: this.#stream?.id ?? null, watch_url: this.#watchUrl };
  }

  /** bits/s that the network carries to it; undefined where that is not known. */
  get rate(): DestinationPublisher["rate"] {
    return this.#publisher?.rate;
  }

  /** Whether the engine sends to it; else its page does, by WHIP. */
  get isPublishedHere(): boolean {
    return this.#publisher !== undefined;
  }

  begin(): void {
    this.#publisher?.begin();
  }

  retry(): void {
    this.#publisher?.retry();
  }

  async stop(): Promise<void> {
    if (this.#publisher === undefined) this.report("stopped", null);
    await this.#publisher?.stop();
    await this.#farewell();
  }

  /** @throws KliegError where a backend could not be told that it is over. */
  async end(): Promise<void> {
    await this.#publisher?.close();
    await this.#farewell();
  }

  sample(now: number, load: MachineLoad): void {
    this.#publisher?.sample(now, load);
  }

  health(now: number): DestinationHealth | undefined {
    return this.#publisher?.health(now);
  }

  report(state: DestinationState["state"], problem: KliegError | null): void {
    const { clock, onState } = this.#options;
    const since = state === this.#reported.state ? this.#reported.since : clock.wall();
    this.#reported = { state, since, problem: problem?.toBody().error ?? null };
    onState();
  }

  /** Tells a Klieg backend of a new title and the like. @throws KliegError */
  async change(details: Partial<KliegDetails>): Promise<void> {
    const { destination, klieg } = this.#options;
    if (destination.kind !== "klieg" || this.#stream === undefined) return;
    const { watchUrl } = await klieg.change(destination, this.#stream.key, this.#stream.id, details);
    this.#watchUrl = watchUrl;
  }

  /**
   * Opens the stream at a Klieg backend, as each attempt does: after a restart it may be another one.
   * @throws KliegError
   */
  async openStream(signal: AbortSignal): Promise<KliegStart> {
    const { destination, klieg, details } = this.#options;
    if (destination.kind !== "klieg") throw new KliegError("bad_request", "This destination is no Klieg backend.");
    const key = await this.#key();
    const started = await klieg.start(destination, key, details(), signal);
    this.#stream = { id: started.streamId, key };
    this.#watchUrl = started.watchUrl;
    return started;
  }

  async #open(events: OutputEvents, signal: AbortSignal): Promise<DestinationOutput> {
    const { destination, clock, secrets } = this.#options;
    const passphrase = await secrets(destination.id, "passphrase");
    switch (destination.kind) {
      case "klieg": {
        const { srt } = await this.openStream(signal);
        return SrtOutput.connect(parseSrtUrl(srt, { passphrase }), events, { clock, signal });
      }
      case "srt": {
        const streamId = await secrets(destination.id, "stream_key");
        return SrtOutput.connect(parseSrtUrl(destination.url, { streamId, passphrase }), events, { clock, signal });
      }
      case "rtmp":
        // Some platforms give one address that ends with the key.
        return RtmpOutput.connect(
          { url: destination.url, streamKey: await secrets(destination.id, "stream_key") },
          events,
          { signal },
        );
    }
  }

  async #key(): Promise<string> {
    const key = await this.#options.secrets(this.id, "stream_key");
    if (key !== undefined) return key;
    throw new KliegError("stream_key_missing", "The destination has no stream key. Enter it in its settings.");
  }

  async #farewell(): Promise<void> {
    const stream = this.#stream;
    const { destination, klieg, clock } = this.#options;
    if (stream === undefined || destination.kind !== "klieg") return;
    this.#stream = undefined;
    const late = Promise.withResolvers<never>();
    using _timer = clock.after(FAREWELL_MS, () =>
      late.reject(
        new KliegError("unreachable", "The backend did not answer when the show ended: it ends the stream by itself."),
      ),
    );
    await Promise.race([klieg.stop(destination, stream.key, stream.id), late.promise]);
  }
}
