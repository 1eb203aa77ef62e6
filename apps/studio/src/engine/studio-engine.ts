import { join } from "node:path";
import { type Clock, Emitter, systemClock } from "@klieg/base";
import { type FfmpegBinary, findFfmpeg } from "@klieg/ffmpeg";
import {
  KliegError,
  type ProgramFrame,
  STUDIO_CLOSE,
  STUDIO_PROTOCOL,
  type StudioEvent,
  type StudioRequest,
  type StudioWelcome,
} from "@klieg/protocol";
import { type AssetFile, AssetStore } from "./assets/asset-store.ts";
import { KliegBackend } from "./backend/klieg-backend.ts";
import { backendRequests } from "./backend-requests.ts";
import { EngineCaptures } from "./capture/capture-requests.ts";
import { EncoderShelf } from "./encode/encoder-shelf.ts";
import type { EngineHandlers, EngineOutlet } from "./engine-handlers.ts";
import type { EnginePeer } from "./engine-peer.ts";
import { EngineSession, requireProtocol, type SessionHost } from "./engine-session.ts";
import { Guests } from "./guest-requests.ts";
import { type EngineStores, keepingRequests } from "./keeping-requests.ts";
import { OnAir } from "./on-air-requests.ts";
import { ProgramFeed, type ProgramSource } from "./program/program-feed.ts";
import { isolatedSources } from "./record/isolated-source.ts";
import { Recorder } from "./record/recorder.ts";
import { RecordingShelf } from "./record/recording-shelf.ts";
import { Replay } from "./record/replay.ts";
import { recordingRequests } from "./recording-requests.ts";
import { FileSecretStore } from "./secrets/file-secret-store.ts";
import type { SecretSealer } from "./secrets/secret-store.ts";
import { SettingsStore } from "./settings/settings-store.ts";
import { ShowStore } from "./show/show-store.ts";

export interface StudioEngineOptions {
  /** Absolute path of the folder of all that the studio keeps; made where it is not there. */
  readonly dataFolder: string;
  /** Absolute path; recordings go there until the operator says otherwise. */
  readonly recordingFolder: string;
  readonly version: string;
  readonly host: StudioWelcome["host"];
  /** The system's keychain; undefined: secrets are in a file that only this user can read. */
  readonly sealer?: SecretSealer | undefined;
  /** A path or a name on the PATH; undefined: whatever FFmpeg the machine has. */
  readonly ffmpeg?: string | undefined;
  readonly clock?: Clock;
  readonly platform?: string;
  readonly cores: number;
}

/** What the program around the engine has to know. */
export interface EngineState {
  readonly onAir: boolean;
  readonly recording: boolean;
  /** Command name to key, as in the settings. */
  readonly globalKeys: Readonly<Record<string, string>>;
}

export interface StudioEngineEvents {
  state: EngineState;
}

type Handle = (request: StudioRequest, session: EngineSession) => unknown;

/** Told while no page is there: kept for the first that comes. */
const MAX_UNTOLD = 16;
/** What the program around the engine has to know of may have changed with these. */
const STATE_EVENTS: ReadonlySet<StudioEvent["event"]> = new Set(["settings", "broadcast", "recording"]);

/**
 * The engine of one machine's studio (STU3): answers its pages and tells them what happens. Pages come and go; the show, the
 * broadcast and the recording stay.
 */
export class StudioEngine implements SessionHost, EngineOutlet, AsyncDisposable {
  readonly events = new Emitter<StudioEngineEvents>();
  readonly #options: StudioEngineOptions;
  readonly #stores: EngineStores;
  readonly #ffmpeg: FfmpegBinary | undefined;
  readonly #handlers: EngineHandlers;
  readonly #captures: EngineCaptures;
  readonly #feed: ProgramFeed;
  readonly #onAir: OnAir;
  readonly #guests: Guests;
  readonly #recorder: Recorder;
  readonly #replay: Replay;
  readonly #films = new RecordingShelf();
  readonly #sessions = new Set<EngineSession>();
  readonly #untold: StudioEvent[] = [];
  #stage: EngineSession | undefined;
  /** The stage's program, from its first frame on. */
  #source: ProgramSource | undefined;
  #update: Extract<StudioEvent, { event: "update" }> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: StudioEngineOptions, stores: EngineStores, ffmpeg: FfmpegBinary | undefined) {
    this.#options = options;
    this.#stores = stores;
    this.#ffmpeg = ffmpeg;
    const { clock = systemClock } = options;
    const shelf = new EncoderShelf({ ffmpeg, cores: options.cores });
    this.#captures = new EngineCaptures({ clock, ffmpeg, shelf, stores });
    this.#feed = new ProgramFeed({ clock, ffmpeg, shelf });
    this.#recorder = new Recorder({ clock, feed: this.#feed, ffmpeg });
    this.#replay = new Replay({ clock, feed: this.#feed });
    const backend = new KliegBackend(clock);
    const onState = () => this.events.emit("state", this.state);
    this.#onAir = new OnAir({
      clock,
      stores,
      feed: this.#feed,
      recorder: this.#recorder,
      backend,
      outlet: this,
      onState,
    });
    this.#guests = new Guests({ clock, stores, outlet: this });
    this.#feed.events.on("state", (program) => this.tell({ event: "program", program }));
    this.#feed.events.on("keyframe_wanted", () => this.#stage?.tell({ event: "keyframe_wanted" }));
    this.#feed.events.on("problem", (problem) => this.tell({ event: "notice", ...problem.toBody() }));
    this.#recorder.events.on("state", (recording) => {
      this.tell({ event: "recording", recording });
      onState();
    });
    this.#recorder.events.on("keyframe_wanted", (isolated) =>
      this.#stage?.tell({ event: "keyframe_wanted", isolated }),
    );
    this.#recorder.events.on("problem", (problem) => this.tell({ event: "notice", ...problem.toBody() }));
    this.#replay.events.on("state", (replay) => this.tell({ event: "replay", replay }));
    this.#replay.arm(stores.settings.settings.replay_seconds);
    this.#configure();
    const keeping = keepingRequests(stores, this);
    this.#handlers = {
      hello: ({ protocol }) => {
        requireProtocol(protocol);
        return this.#welcome();
      },
      ...keeping,
      ...this.#captures.handlers,
      list_encoders: async () => ({ encoders: await shelf.list() }),
      test_encoder: async (question) => ({ test: await shelf.test(question) }),
      save_show: async (request, session) => {
        const saved = await keeping.save_show(request, session);
        this.#configure();
        return saved;
      },
      change_settings: async (request, session) => {
        const changed = await keeping.change_settings(request, session);
        if (request.settings.replay_seconds !== undefined) this.#replay.arm(changed.settings.replay_seconds);
        if (request.settings.global_keys !== undefined) onState();
        return changed;
      },
      ...backendRequests(backend, stores),
      ...this.#onAir.handlers,
      ...this.#guests.handlers,
      ...recordingRequests(this.#recorder, this.#replay, this.#films, stores.settings, this),
    };
  }

  /** @throws {KliegError} `storage_unavailable` where the data folder cannot be used. */
  static async open(options: StudioEngineOptions): Promise<StudioEngine> {
    const { dataFolder, recordingFolder, sealer, clock = systemClock } = options;
    const [show, settings, secrets, assets, { binary }] = await Promise.all([
      ShowStore.open(join(dataFolder, "show.json"), clock),
      SettingsStore.open(join(dataFolder, "settings.json"), recordingFolder, clock),
      FileSecretStore.open(join(dataFolder, "secrets.json"), sealer, clock),
      AssetStore.open(join(dataFolder, "assets"), clock),
      findFfmpeg({ configured: options.ffmpeg }),
    ]);
    return new StudioEngine(options, { show, settings, secrets, assets }, binary);
  }

  get state(): EngineState {
    const recording = this.#recorder.state.state;
    return {
      onAir: this.#onAir.broadcast.state.state !== "idle",
      recording: recording === "starting" || recording === "recording",
      globalKeys: this.#stores.settings.settings.global_keys,
    };
  }

  /** A page connects. */
  connect(peer: EnginePeer): EngineSession {
    const session = new EngineSession(peer, this);
    if (this.#closing === undefined) this.#sessions.add(session);
    else queueMicrotask(() => session.close(1001, "the studio is closing"));
    return session;
  }

  /** Tells every page; where none is there yet, the first that comes. */
  tell(event: StudioEvent): void {
    if (event.event === "update") this.#update = event;
    if (STATE_EVENTS.has(event.event)) this.events.emit("state", this.state);
    const greeted = [...this.#sessions].filter(({ listens }) => listens);
    for (const session of greeted) session.tell(event);
    if (greeted.length > 0 || event.event === "update") return;
    this.#untold.push(event);
    if (this.#untold.length > MAX_UNTOLD) this.#untold.shift();
  }

  /** Where an asset of the show, or a film that was listed, is kept; undefined where there is no such. */
  asset(id: string): AssetFile | undefined {
    return this.#films.file(id) ?? this.#stores.assets.file(id);
  }

  /** Ends broadcast and recording in order, and lets go of everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async answer(session: EngineSession, request: StudioRequest): Promise<unknown> {
    if (this.#closing !== undefined) throw new KliegError("shutting_down", "The studio is closing.");
    const handle = this.#handlers[request.type] as Handle;
    return await handle(request, session);
  }

  greeted(session: EngineSession): void {
    if (session.role === "stage") {
      const before = this.#stage;
      this.#leaveSource();
      this.#stage = session;
      before?.close(STUDIO_CLOSE.replaced, "another page took the stage");
    }
    session.tell({ event: "settings", settings: this.#stores.settings.settings });
    session.tell({ event: "secrets", secrets: [...this.#stores.secrets.holders()] });
    session.tell({ event: "program", program: this.#feed.state });
    session.tell({ event: "recording", recording: this.#recorder.state });
    session.tell({ event: "replay", replay: this.#replay.state });
    this.#onAir.greet(session);
    this.#guests.greet(session);
    if (this.#update !== undefined) session.tell(this.#update);
    for (const event of this.#untold.splice(0)) session.tell(event);
  }

  media(session: EngineSession, frame: ProgramFrame): void {
    if (frame.kind === "asset") {
      this.#stores.assets.receive(session, frame.upload, frame.timestamp, frame.data);
      return;
    }
    if (session !== this.#stage) throw new KliegError("forbidden", "Only the page on stage sends the program.");
    if (frame.isolated !== 0) {
      this.#recorder.pushIsolated(frame);
      return;
    }
    this.#source ??= this.#feed.openSource();
    this.#source.push(frame);
  }

  ended(session: EngineSession): void {
    this.#sessions.delete(session);
    if (session === this.#stage) {
      this.#stage = undefined;
      this.#leaveSource();
    }
    this.#guests.pageGone(session);
    this.#captures.pageGone(session);
    void this.#onAir.pageGone(session);
    void this.#stores.assets.abandon(session);
  }

  #leaveSource(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#recorder.pageGone();
  }

  /** What the engine's own encoders are to make, and what is recorded by itself, by the show. */
  #configure(): void {
    const { document } = this.#stores.show;
    this.#feed.configure(document.encoding);
    this.#recorder.isolate(isolatedSources(document), document.encoding.audio_bitrate);
  }

  #welcome(): StudioWelcome {
    const { version, host, platform = process.platform, cores } = this.#options;
    const ffmpeg = this.#ffmpeg === undefined ? null : { version: this.#ffmpeg.version };
    return { protocol: STUDIO_PROTOCOL, version, host, platform, cores, ffmpeg, secrets: this.#stores.secrets.kind };
  }

  async #close(): Promise<void> {
    // First the show, in order: pages see how it ends, and what is recorded is whole.
    await this.#onAir.close();
    await Promise.all([this.#recorder.close(), this.#replay.close()]);
    await Promise.all([this.#feed.close(), this.#captures.close()]);
    this.#guests[Symbol.dispose]();
    const { show, settings, assets } = this.#stores;
    for (const session of [...this.#sessions]) session.close(1001, "the studio is closing");
    await Promise.all([show.settled(), settings.settled(), assets[Symbol.asyncDispose]()]);
    this.events.clear();
  }

  tellOthers(but: EngineSession, event: StudioEvent): void {
    for (const session of this.#sessions) if (session !== but) session.tell(event);
  }
}
