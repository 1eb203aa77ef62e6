import type { Clock } from "@klieg/base";
import {
  type BroadcastState,
  type ChangeStream,
  type DestinationState,
  IDLE_BROADCAST,
  KliegError,
  type ServerHealth,
  type StreamHealth,
  type StudioAnswerOf,
  type StudioEvent,
  type StudioRequestInput,
} from "@klieg/protocol";
import type { Destination } from "../../../document/destination.ts";
import { localStrings } from "../../strings/local.ts";
import type { KliegDoor } from "./klieg-door.ts";

export interface LocalBroadcastOptions {
  readonly clock: Clock;
  /** The door of a destination with its key. @throws {KliegError} `stream_key_missing`. */
  readonly doorOf: (destination: Destination) => KliegDoor;
  readonly tell: (event: StudioEvent) => void;
}

/** What the backend is asked for while a broadcast is under way, ms. */
const ASK_EVERY_MS = 1000;
/** Sessions of one page; more are none that its publisher knows. */
const MAX_SESSIONS = 20;

interface Session {
  readonly id: string;
  readonly line: Line;
  readonly url: string;
  etag: string | undefined;
}

/** One destination of the broadcast. */
interface Line {
  readonly destination: Destination;
  readonly door: KliegDoor | undefined;
  state: DestinationState;
  health: ServerHealth | undefined;
  asking: boolean;
}

/**
 * A broadcast of a page without an engine: the page sends by WebRTC, this speaks HTTP for it. What it is called and who may
 * see it is told to the server before each session: one that comes back after an outage must not be public by mistake.
 */
export class LocalBroadcast implements Disposable {
  readonly #options: LocalBroadcastOptions;
  readonly #sessions = new Map<string, Session>();
  #lines: Line[] = [];
  #state: BroadcastState = IDLE_BROADCAST;
  #preview = false;
  #timer: Disposable | undefined;
  #nextSession = 0;

  constructor(options: LocalBroadcastOptions) {
    this.#options = options;
  }

  get state(): BroadcastState {
    return this.#state;
  }

  /**
   * @throws {KliegError} `conflict` where one is under way; `bad_request` without a destination; what the server says where no
   * destination takes it.
   */
  async start(
    asked: StudioRequestInput<"start_broadcast">,
    destinations: readonly Destination[],
  ): Promise<BroadcastState> {
    if (this.#state.state !== "idle") throw new KliegError("conflict", localStrings.onAir);
    if (destinations.length === 0) throw new KliegError("bad_request", localStrings.noDestination);
    this.#preview = asked.preview || (asked.public_at !== null && asked.public_at > this.#options.clock.wall());
    this.#lines = destinations.map((destination) => this.#lineOf(destination));
    this.#become({
      ...IDLE_BROADCAST,
      state: "starting",
      title: asked.title.trim(),
      category: asked.category.trim(),
      visibility: asked.visibility,
      public_at: asked.public_at,
    });
    const lines = this.#lines.filter(({ door }) => door !== undefined);
    const problems = await Promise.all(
      lines.map((line) => this.#announce(line).then(() => undefined, KliegError.from)),
    );
    // Stopped while the servers were asked.
    if (this.state.state !== "starting") throw new KliegError("conflict", localStrings.offAir);
    for (const [i, problem] of problems.entries()) {
      const line = lines[i];
      if (problem !== undefined && line !== undefined) this.#fail(line, problem);
    }
    if (this.#lines.every(({ state }) => state.state === "failed")) {
      const [first] = this.#lines;
      const problem = first?.state.problem;
      this.#idle();
      throw new KliegError(problem?.code ?? "unreachable", problem?.message ?? localStrings.noDestination);
    }
    this.#timer = this.#options.clock.every(ASK_EVERY_MS, () => this.#ask());
    this.#tellState();
    return this.#state;
  }

  /** The preview is over. @throws {KliegError} `conflict` off air; what the server says. */
  async goPublic(): Promise<void> {
    this.#mustBeOn();
    await this.#tellServers({ preview: false });
    this.#preview = false;
    this.#become({ ...this.#state, public_at: null });
    this.#settle();
  }

  /** @throws {KliegError} as {@link goPublic}. */
  async change(change: StudioRequestInput<"change_broadcast">): Promise<BroadcastState> {
    this.#mustBeOn();
    const { title, category, visibility, public_at: publicAt } = change;
    const details: ChangeStream = {
      ...(title === undefined ? {} : { title }),
      ...(category === undefined ? {} : { category }),
      ...(visibility === undefined ? {} : { visibility }),
      ...(publicAt === undefined ? {} : { public_at: publicAt === null ? null : isoOf(publicAt) }),
    };
    await this.#tellServers(details);
    if (typeof publicAt === "number") this.#preview = publicAt > this.#options.clock.wall();
    this.#become({
      ...this.#state,
      title: title?.trim() ?? this.#state.title,
      category: category?.trim() ?? this.#state.category,
      visibility: visibility ?? this.#state.visibility,
      public_at: publicAt === undefined ? this.#state.public_at : publicAt,
    });
    this.#settle();
    return this.#state;
  }

  /** Ends it everywhere. A server that cannot be told ends it by itself, when nothing comes any more. */
  async stop(): Promise<void> {
    if (this.#state.state === "idle") return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#become({ ...this.#state, state: "stopping" });
    await Promise.all(this.#lines.map((line) => this.#end(line)));
    this.#idle();
  }

  /** @throws {KliegError} `not_found`, `conflict`; what the server says. */
  async retry(destinationId: string): Promise<void> {
    const line = this.#line(destinationId);
    this.#change(line, { state: "connecting", problem: null, attempt: line.state.attempt + 1 });
    try {
      await this.#announce(line);
    } catch (error) {
      this.#fail(line, KliegError.from(error));
      throw error;
    }
  }

  /** @throws {KliegError} `not_found`. */
  async stopDestination(destinationId: string): Promise<void> {
    const line = this.#line(destinationId);
    this.#change(line, { state: "stopped", problem: null });
    await this.#end(line);
    this.#settle();
  }

  /** @throws {KliegError} `not_found`, `conflict`; what the server says. */
  async offer(destinationId: string, sdp: string): Promise<StudioAnswerOf<"whip_offer">> {
    const line = this.#line(destinationId);
    const door = this.#doorOf(line);
    if (line.state.state === "stopped") throw new KliegError("stopped_by_owner", localStrings.stopped);
    if (this.#sessions.size >= MAX_SESSIONS) throw new KliegError("overloaded", localStrings.noSession);
    try {
      await this.#announce(line);
      const { url, etag, sdp: answer, link } = await door.offer(sdp);
      const id = `local-${this.#nextSession++}`;
      this.#sessions.set(id, { id, line, url, etag });
      // Stopped while the server was asked.
      if (this.#lineIsOver(line)) {
        await this.#endSession(id);
        throw new KliegError("stopped_by_owner", localStrings.stopped);
      }
      this.#change(line, { state: "live", attempt: 0, problem: null, next_attempt_at: null });
      this.#settle();
      return { session: id, sdp: answer, link };
    } catch (error) {
      const problem = KliegError.from(error);
      if (!this.#lineIsOver(line)) {
        if (problem.retryable) this.#lose(line, problem);
        else this.#fail(line, problem);
      }
      throw problem;
    }
  }

  /** @throws {KliegError} `not_found`; what the server says. */
  async patch(sessionId: string, fragment: string, restart: boolean): Promise<string | null> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new KliegError("not_found", localStrings.noSession);
    const match = restart ? "*" : (session.etag ?? "*");
    const answer = await this.#doorOf(session.line).patch(session.url, fragment, match);
    session.etag = answer.etag ?? session.etag;
    return answer.fragment;
  }

  /** Idempotent; the page let go of its connection. */
  async endSession(sessionId: string): Promise<void> {
    const line = this.#sessions.get(sessionId)?.line;
    await this.#endSession(sessionId);
    if (line === undefined || this.#lineIsOver(line)) return;
    if (![...this.#sessions.values()].some((session) => session.line === line)) this.#lose(line, undefined);
  }

  /** Leaves the broadcast to the server, which ends it when nothing comes any more. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#sessions.clear();
    this.#lines = [];
    this.#state = IDLE_BROADCAST;
  }

  #lineOf(destination: Destination): Line {
    const state: DestinationState = {
      id: destination.id,
      state: "connecting",
      since: this.#options.clock.wall(),
      attempt: 1,
      next_attempt_at: null,
      problem: null,
      stream_id: null,
      watch_url: null,
    };
    const line = { destination, door: undefined, state, health: undefined, asking: false };
    try {
      if (destination.kind !== "klieg" || destination.protocol !== "whip") {
        throw new KliegError("not_supported", localStrings.needsApp.protocol);
      }
      return { ...line, door: this.#options.doorOf(destination) };
    } catch (error) {
      return { ...line, state: { ...state, state: "failed", problem: KliegError.from(error).toBody().error } };
    }
  }

  #line(id: string): Line {
    this.#mustBeOn();
    const line = this.#lines.find(({ state }) => state.id === id);
    if (line === undefined) throw new KliegError("not_found", localStrings.noSuchDestination);
    return line;
  }

  #doorOf({ door, state }: Line): KliegDoor {
    if (door !== undefined) return door;
    throw new KliegError(
      state.problem?.code ?? "not_supported",
      state.problem?.message ?? localStrings.needsApp.protocol,
    );
  }

  #mustBeOn(): void {
    const { state } = this.#state;
    if (state === "idle" || state === "stopping") throw new KliegError("conflict", localStrings.offAir);
  }

  #lineIsOver(line: Line): boolean {
    return !this.#lines.includes(line) || line.state.state === "stopped" || this.#state.state === "stopping";
  }

  /** Tells the server what this broadcast is; its stream is then open, or as it was. */
  async #announce(line: Line): Promise<void> {
    const { title, category, visibility, public_at: publicAt } = this.#state;
    const later = this.#preview && publicAt !== null && publicAt > this.#options.clock.wall();
    const details = { title, category, visibility, preview: this.#preview };
    const started = await this.#doorOf(line).start(later ? { ...details, public_at: isoOf(publicAt) } : details);
    const hidden = started.preview || started.visibility === "private";
    this.#change(line, {
      stream_id: started.stream_id,
      watch_url: hidden ? started.preview_access.watch : started.playback.watch,
    });
  }

  async #tellServers(details: ChangeStream): Promise<void> {
    const open = this.#lines.flatMap((line) =>
      line.door !== undefined && line.state.stream_id !== null && line.state.state !== "stopped"
        ? [{ line, door: line.door, id: line.state.stream_id }]
        : [],
    );
    const answers = await Promise.allSettled(
      open.map(async ({ line, door, id }) => {
        const info = await door.change(id, details);
        const hidden = info.preview || info.visibility === "private";
        const own = info.preview_access?.watch;
        if (own !== undefined) this.#change(line, { watch_url: hidden ? own : (own.split("?", 1)[0] ?? own) });
      }),
    );
    // One that is away is told when it is back; all of them, or one that says no, is worth a word.
    const problems = answers.flatMap((answer) =>
      answer.status === "rejected" ? [KliegError.from(answer.reason)] : [],
    );
    const refusal = problems.find(({ retryable, code }) => !retryable && code !== "stream_unknown" && code !== "gone");
    if (refusal !== undefined) throw refusal;
    const [first] = problems;
    if (first !== undefined && problems.length === open.length) throw first;
  }

  /** Once a second: what the servers say, and whether what was scheduled has come. */
  #ask(): void {
    const { public_at: publicAt } = this.#state;
    if (this.#preview && publicAt !== null && publicAt <= this.#options.clock.wall()) {
      // The servers do it by themselves.
      this.#preview = false;
      this.#become({ ...this.#state, public_at: null });
      this.#settle();
    }
    for (const line of this.#lines) void this.#askHealth(line);
    this.#options.tell({
      event: "health",
      at: this.#options.clock.wall(),
      // The page has the connections, and their figures.
      destinations: [],
      server: this.#lines.flatMap(({ health }) => (health === undefined ? [] : [health])),
      program: { frame_rate: 0, video_bitrate: 0, audio_bitrate: 0 },
    });
  }

  async #askHealth(line: Line): Promise<void> {
    const { door } = line;
    const { stream_id: id } = line.state;
    if (door === undefined || id === null || line.asking || this.#lineIsOver(line)) return;
    line.asking = true;
    try {
      const [health, info] = await Promise.all([door.health(id), door.stream(id)]);
      if (this.#lineIsOver(line) || line.state.stream_id !== id) return;
      line.health = serverHealthOf(line.destination.id, health, info.renditions, this.#options.clock.wall());
      if (info.state === "ended" && info.end_reason === STOPPED) {
        this.#change(line, {
          state: "stopped",
          problem: new KliegError("stopped_by_owner", localStrings.stopped).toBody().error,
        });
        this.#settle();
      }
    } catch {
      // The page's own connection tells whether the server is there; figures that are not known are not shown.
      line.health = undefined;
    } finally {
      line.asking = false;
    }
  }

  async #end(line: Line): Promise<void> {
    const { door } = line;
    const { stream_id: id } = line.state;
    const sessions = [...this.#sessions.values()].filter((session) => session.line === line);
    const work = sessions.map((session) => this.#endSession(session.id));
    if (door !== undefined && id !== null)
      work.push(
        door.stop(id).then(
          () => undefined,
          () => undefined,
        ),
      );
    line.health = undefined;
    await Promise.all(work);
  }

  async #endSession(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    // One that is gone already need not be ended.
    await session.line.door?.end(session.url).catch(() => undefined);
  }

  #fail(line: Line, problem: KliegError): void {
    this.#change(line, { state: "failed", problem: problem.toBody().error });
    this.#settle();
  }

  #lose(line: Line, problem: KliegError | undefined): void {
    const wasLive = line.state.state === "live" || line.state.state === "reconnecting";
    this.#change(line, {
      state: wasLive ? "reconnecting" : "connecting",
      attempt: line.state.attempt + 1,
      problem: problem?.toBody().error ?? line.state.problem,
    });
    this.#settle();
  }

  #change(line: Line, change: Partial<DestinationState>): void {
    const moved = change.state !== undefined && change.state !== line.state.state;
    line.state = { ...line.state, ...change, ...(moved ? { since: this.#options.clock.wall() } : {}) };
    this.#tellState();
  }

  /** What the destinations make of the broadcast as a whole: once on air it stays so until it is stopped. */
  #settle(): void {
    const { state } = this.#state;
    if (state === "idle" || state === "stopping") return;
    const live = this.#lines.some((line) => line.state.state === "live");
    if (state === "starting" && !live) return;
    const wall = this.#options.clock.wall();
    this.#become({
      ...this.#state,
      state: this.#preview ? "preview" : "live",
      started_at: this.#state.started_at ?? wall,
      live_at: this.#preview ? null : (this.#state.live_at ?? wall),
    });
  }

  #become(state: BroadcastState): void {
    this.#state = state;
    this.#tellState();
  }

  #tellState(): void {
    this.#state = { ...this.#state, destinations: this.#lines.map(({ state }) => state) };
    this.#options.tell({ event: "broadcast", broadcast: this.#state });
  }

  #idle(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#sessions.clear();
    this.#lines = [];
    this.#preview = false;
    this.#become(IDLE_BROADCAST);
  }
}

/** What a backend says of a stream that was stopped through its API. */
const STOPPED = "stopped by its owner";

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function serverHealthOf(
  destination: string,
  health: StreamHealth,
  renditions: ServerHealth["renditions"],
  at: number,
): ServerHealth {
  return {
    destination,
    state: health.state,
    bitrate: health.ingest?.bitrate ?? 0,
    frame_rate: health.ingest?.frame_rate ?? 0,
    keyframe_interval_ms: health.ingest?.keyframe_interval_ms ?? null,
    warnings: health.warnings,
    renditions: renditions.map(({ name, state, width, height }) => ({ name, state, width, height })),
    viewers: health.viewers.hls + health.viewers.webrtc,
    at,
  };
}
