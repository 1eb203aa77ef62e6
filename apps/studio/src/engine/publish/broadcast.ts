import { type Clock, Emitter } from "@klieg/base";
import {
  type BroadcastState,
  type DestinationHealth,
  type DestinationState,
  IDLE_BROADCAST,
  KliegError,
  type Visibility,
} from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";
import type { Encoding } from "../../document/encoding.ts";
import type { ProgramFeed } from "../program/program-feed.ts";
import type { ProgramReader } from "../program/program-reader.ts";
import { BroadcastDestination } from "./broadcast-destination.ts";
import type { KliegDetails, KliegDoor, KliegStart, SecretReader } from "./broadcast-ports.ts";
import { MachineLoad } from "./machine-load.ts";
import { VideoRate, type VideoRateTarget } from "./video-rate.ts";

export interface BroadcastOptions {
  readonly clock: Clock;
  readonly feed: ProgramFeed;
  readonly secrets: SecretReader;
  readonly klieg: KliegDoor;
  /** As Math.random, for the jitter of reconnects. */
  readonly random?: () => number;
}

/** What a broadcast is begun with. */
export interface BroadcastPlan {
  readonly title: string;
  readonly category: string;
  readonly visibility: Visibility;
  readonly preview: boolean;
  /** Epoch ms at which it becomes public by itself; null: by hand. */
  readonly public_at: number | null;
  /** Where it goes; those that are not enabled are left out. */
  readonly destinations: readonly Destination[];
  readonly encoding: Encoding;
}

export interface BroadcastEvents {
  state: BroadcastState;
  /** Once a second while anything is sent. */
  health: readonly DestinationHealth[];
  /** What the page's video encoder is to make from now on. */
  video_bitrate: VideoRateTarget;
  /** Something that the user should know and no state tells. */
  notice: KliegError;
}

/** How often the connections are looked at, ms. */
const SAMPLE_MS = 100;
const HEALTH_MS = 1000;
/** The longest delay that a timer can have is less than a broadcast may be planned ahead; it is looked at so often, ms. */
const SCHEDULE_MS = 1000;

/** Reads the program without doing anything with it. */
const KEEPER: ProgramReader = {
  onTrack: () => undefined,
  onAccessUnit: () => undefined,
  onRemoved: () => undefined,
};

/**
 * Being on air (STU3): all destinations of one show at once, each for itself, from one program. One broadcast at a time.
 */
export class Broadcast implements AsyncDisposable {
  readonly events = new Emitter<BroadcastEvents>();
  readonly #options: BroadcastOptions;
  #state: BroadcastState = IDLE_BROADCAST;
  #preview = false;
  #run: BroadcastRun | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  get state(): BroadcastState {
    return this.#state;
  }

  /** What the page's video encoder is to make now; undefined while idle. */
  get videoBitrate(): VideoRateTarget | undefined {
    return this.#run?.rate.target;
  }

  /**
   * Goes on air: as soon as there is a program, each destination connects.
   * @throws KliegError `conflict` while on air, `bad_request` without a destination.
   */
  start(plan: BroadcastPlan): BroadcastState {
    if (this.#run !== undefined) throw new KliegError("conflict", "The show is on air already.");
    const enabled = plan.destinations.filter((destination) => destination.enabled);
    if (enabled.length === 0)
      throw new KliegError("bad_request", "There is no destination to go live to. Add one first.");
    const { clock, feed } = this.#options;
    const hidden = plan.preview || plan.public_at !== null;
    this.#preview = hidden;
    const { title, category, visibility, public_at, encoding } = plan;
    this.#state = { ...IDLE_BROADCAST, state: "starting", public_at, title, category, visibility };
    feed.configure(encoding);
    const rate = new VideoRate({ videoBitrate: encoding.video_bitrate, audioBitrate: encoding.audio_bitrate });
    const destinations = enabled.map(
      (destination) =>
        new BroadcastDestination({
          destination,
          clock,
          feed,
          secrets: this.#options.secrets,
          klieg: this.#options.klieg,
          details: () => this.#details,
          limits: rate.limits,
          random: this.#options.random,
          onState: () => this.#changed(),
        }),
    );
    let healthAt = clock.now();
    const load = new MachineLoad(SAMPLE_MS);
    const held: Disposable[] = [];
    if (destinations.some(({ isPublishedHere }) => isPublishedHere)) {
      held.push(
        // While a destination is away the program is held for it, too.
        feed.addReader(KEEPER),
        feed.events.on("state", ({ state }) => {
          if (state === "fed") this.#begin();
          else if (state === "none") this.#programGone();
        }),
      );
    }
    held.push(
      clock.every(SAMPLE_MS, () => {
        const now = clock.now();
        // After a pause the figures are from before it: what came in meanwhile has not been read yet.
        if (load.look(now)) this.#sample(now, encoding.adaptive, load);
        if (now - healthAt < HEALTH_MS) return;
        healthAt = now;
        this.events.emit("health", this.health());
      }),
      clock.every(SCHEDULE_MS, () => this.#lookAtSchedule()),
    );
    this.#run = { destinations, rate, held };
    this.#changed();
    if (feed.state.state !== "none") this.#begin();
    return this.#state;
  }

  /** The show is over. Resolves when every destination was told. Idempotent. */
  stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return Promise.resolve();
    this.#stopping ??= this.#stop(run).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  /**
   * Ends the preview: everybody may see it now.
   * @throws KliegError `stream_not_live` while idle; what a backend answered, where one could not be told.
   */
  async goPublic(): Promise<void> {
    this.#running();
    this.#preview = false;
    this.#state = { ...this.#state, public_at: null };
    this.#changed();
    await this.#tell({ preview: false, public_at: null });
  }

  /** @throws KliegError as {@link goPublic}. */
  async change(details: Partial<Omit<KliegDetails, "preview">>): Promise<BroadcastState> {
    this.#running();
    this.#state = { ...this.#state, ...details };
    this.#changed();
    await this.#tell(details);
    return this.#state;
  }

  /** Tries a destination at once that waits, failed or was stopped. @throws KliegError `not_found` */
  retry(id: string): void {
    this.#destination(id).retry();
  }

  /** Takes one destination off the air; the others go on. @throws KliegError `not_found` */
  async stopDestination(id: string): Promise<void> {
    await this.#destination(id).stop();
  }

  /**
   * Opens the stream of a Klieg destination that its page publishes to by WHIP.
   * @throws KliegError `not_found`, and what its backend answers.
   */
  async openStream(id: string, signal: AbortSignal): Promise<KliegStart> {
    const destination = this.#destination(id);
    const started = await destination.openStream(signal);
    this.#changed();
    return started;
  }

  /** How a WHIP destination does, which its page publishes to. @throws KliegError `not_found` */
  reportWhip(id: string, state: DestinationState["state"], problem: KliegError | null = null): void {
    this.#destination(id).report(state, problem);
  }

  /** Since it was last asked. WHIP destinations are not in it: their page knows. */
  health(): DestinationHealth[] {
    const now = this.#options.clock.now();
    return this.#run?.destinations.flatMap((destination) => destination.health(now) ?? []) ?? [];
  }

  async close(): Promise<void> {
    await this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #details(): KliegDetails {
    const { title, category, visibility, public_at } = this.#state;
    return { title, category, visibility, public_at, preview: this.#preview };
  }

  #running(): BroadcastRun {
    if (this.#run === undefined) throw new KliegError("stream_not_live", "The show is not on air.");
    return this.#run;
  }

  #destination(id: string): BroadcastDestination {
    const found = this.#run?.destinations.find((destination) => destination.id === id);
    if (found === undefined) throw new KliegError("not_found", "The show does not go to this destination.");
    return found;
  }

  #begin(): void {
    for (const destination of this.#run?.destinations ?? []) destination.begin();
  }

  /** Its page did not come back for so long that the last picture is no longer shown. */
  #programGone(): void {
    if (this.#run === undefined || this.#state.state === "starting") return;
    const words = "The studio's window did not come back, and nothing was left to show: the broadcast was ended.";
    this.events.emit("notice", new KliegError("stream_not_live", words));
    void this.stop();
  }

  #sample(now: number, adaptive: boolean, load: MachineLoad): void {
    const run = this.#run;
    if (run === undefined) return;
    for (const destination of run.destinations) destination.sample(now, load);
    if (!adaptive) return;
    const rates = run.destinations.flatMap((destination) => destination.rate ?? []);
    const target = run.rate.update(rates);
    if (target === undefined) return;
    this.#options.feed.followNetwork(target.bitrate);
    this.events.emit("video_bitrate", target);
  }

  #lookAtSchedule(): void {
    const { public_at } = this.#state;
    if (public_at === null || !this.#preview || this.#options.clock.wall() < public_at) return;
    this.goPublic().catch((error: unknown) => this.events.emit("notice", KliegError.from(error)));
  }

  async #tell(details: Partial<KliegDetails>): Promise<void> {
    const told = await Promise.allSettled(
      this.#running().destinations.map((destination) => destination.change(details)),
    );
    this.#changed();
    const refused = told.find((result) => result.status === "rejected");
    if (refused !== undefined) throw KliegError.from(refused.reason);
  }

  async #stop(run: BroadcastRun): Promise<void> {
    this.#state = { ...this.#state, state: "stopping" };
    this.events.emit("state", this.#state);
    for (const each of run.held) each[Symbol.dispose]();
    const ended = await Promise.allSettled(run.destinations.map((destination) => destination.end()));
    this.#run = undefined;
    this.#options.feed.followNetwork(Number.POSITIVE_INFINITY);
    this.#state = IDLE_BROADCAST;
    this.events.emit("state", this.#state);
    for (const result of ended) {
      if (result.status === "rejected") this.events.emit("notice", KliegError.from(result.reason));
    }
  }

  /** Takes up what the destinations are, and tells it. */
  #changed(): void {
    const run = this.#run;
    if (run === undefined) return;
    const now = this.#options.clock.wall();
    const destinations = run.destinations.map((destination) => destination.state);
    const onAir = destinations.some(({ state }) => state === "live");
    let { state, started_at, live_at } = this.#state;
    if (state !== "stopping") {
      if (onAir) started_at ??= now;
      if (started_at !== null) state = this.#preview ? "preview" : "live";
      if (state === "live") live_at ??= now;
    }
    this.#state = { ...this.#state, state, started_at, live_at, destinations };
    this.events.emit("state", this.#state);
  }
}

interface BroadcastRun {
  readonly destinations: readonly BroadcastDestination[];
  readonly rate: VideoRate;
  /** Timers, subscriptions, the place on the feed. */
  readonly held: readonly Disposable[];
}
