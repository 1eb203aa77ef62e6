import { type Clock, systemClock } from "@klieg/base";
import {
  type BroadcastState,
  KliegError,
  type ServerHealth,
  type StudioAnswerOf,
  type StudioSettings,
} from "@klieg/protocol";
import type { KliegBackend } from "./backend/klieg-backend.ts";
import { ServerWatch } from "./backend/server-watch.ts";
import { WhipDoor } from "./backend/whip-door.ts";
import type { EngineHandlers, EngineOutlet } from "./engine-handlers.ts";
import type { EngineSession } from "./engine-session.ts";
import type { EngineStores } from "./keeping-requests.ts";
import type { ProgramFeed } from "./program/program-feed.ts";
import { Broadcast } from "./publish/broadcast.ts";
import type { KliegDestination } from "./publish/broadcast-ports.ts";
import { UploadTests } from "./publish/upload-tests.ts";
import type { Recorder } from "./record/recorder.ts";

export interface OnAirOptions {
  readonly clock?: Clock;
  readonly stores: EngineStores;
  readonly feed: ProgramFeed;
  readonly recorder: Recorder;
  readonly backend: KliegBackend;
  readonly outlet: EngineOutlet;
  /** Begins or ended to be on air, or became something else. */
  readonly onState: (state: BroadcastState) => void;
}

/** Being on air, from the pages' side: the broadcast, its WHIP publications, what servers say, and the recording along with it. */
export class OnAir implements AsyncDisposable {
  readonly broadcast: Broadcast;
  readonly #options: OnAirOptions;
  readonly #whip = new WhipDoor();
  readonly #watch: ServerWatch;
  /** Destinations of the broadcast that are Klieg backends, by id, as they were when it began. */
  #kliegs = new Map<string, KliegDestination>();
  /** Whether the recording began with the broadcast, and is to end with it. */
  #recordsAlong = false;
  #closing: AbortController = new AbortController();
  readonly #uploads: UploadTests;

  constructor(options: OnAirOptions) {
    this.#options = options;
    const { clock = systemClock, stores, feed, backend, outlet } = options;
    const secrets = stores.secrets.get.bind(stores.secrets);
    this.#uploads = new UploadTests({ clock, backend, secrets });
    this.broadcast = new Broadcast({ clock, feed, secrets, klieg: backend });
    this.#watch = new ServerWatch({
      clock,
      backend,
      secrets,
      streams: () =>
        this.broadcast.state.destinations.flatMap(({ id, stream_id: streamId, state }) => {
          const destination = this.#kliegs.get(id);
          const gone = streamId === null || state === "stopped" || state === "failed";
          const awaited = state !== "live" && destination?.protocol === "whip";
          return destination === undefined || gone ? [] : [{ destination, streamId, awaited }];
        }),
      onHealth: (health) => this.#heard(health),
    });
    const { events } = this.broadcast;
    events.on("state", (state) => {
      outlet.tell({ event: "broadcast", broadcast: state });
      if (state.state === "idle") this.#ended();
      options.onState(state);
    });
    events.on("health", (destinations) =>
      outlet.tell({
        event: "health",
        at: clock.wall(),
        destinations: [...destinations],
        server: this.#watch.health,
        program: feed.rates,
      }),
    );
    events.on("video_bitrate", (target) => outlet.tell({ event: "video_bitrate", ...target }));
    events.on("notice", (error) => outlet.tell({ event: "notice", ...error.toBody() }));
  }

  readonly handlers: EngineHandlers<
    | "test_upload"
    | "start_broadcast"
    | "go_public"
    | "change_broadcast"
    | "stop_broadcast"
    | "retry_destination"
    | "stop_destination"
    | "whip_offer"
    | "whip_patch"
    | "whip_end"
  > = {
    test_upload: ({ destination_id: id }) => this.#testUpload(id),
    start_broadcast: async ({ title, category, visibility, preview, public_at }) => {
      const { destinations, encoding } = this.#options.stores.show.document;
      await this.#uploads.stop();
      const plan = { title, category, visibility, preview, public_at, destinations, encoding };
      this.broadcast.start(plan);
      this.#kliegs = new Map(
        destinations.flatMap((destination) => (destination.kind === "klieg" ? [[destination.id, destination]] : [])),
      );
      await this.#remember({ last_title: title, last_category: category, last_visibility: visibility });
      await this.#recordAlong();
      return { broadcast: this.broadcast.state };
    },
    go_public: async () => {
      await this.broadcast.goPublic();
      return {};
    },
    change_broadcast: async ({ title, category, visibility, public_at }) => {
      const broadcast = await this.broadcast.change({
        ...(title === undefined ? {} : { title }),
        ...(category === undefined ? {} : { category }),
        ...(visibility === undefined ? {} : { visibility }),
        ...(public_at === undefined ? {} : { public_at }),
      });
      return { broadcast };
    },
    stop_broadcast: async () => {
      await this.broadcast.stop();
      return {};
    },
    retry_destination: ({ destination_id: id }) => {
      this.broadcast.retry(id);
      // Its page publishes: it does when it sees that it is waited for.
      if (this.#isWhip(id)) this.broadcast.reportWhip(id, "waiting");
      return {};
    },
    stop_destination: async ({ destination_id: id }) => {
      await this.#whip.leave(id);
      await this.broadcast.stopDestination(id);
      return {};
    },
    whip_offer: ({ destination_id: id, sdp }, session) => this.#offer(session, id, sdp),
    whip_patch: async ({ session: publication, fragment, restart }, session) => ({
      fragment: await this.#whip.patch(session, publication, fragment, restart),
    }),
    whip_end: async ({ session: publication }, session) => {
      await this.#whip.end(session, publication);
      this.#reportLost();
      return {};
    },
  };

  /** What is under way, for a page that has just come. */
  greet(session: EngineSession): void {
    session.tell({ event: "broadcast", broadcast: this.broadcast.state });
    const target = this.broadcast.videoBitrate;
    if (target !== undefined) session.tell({ event: "video_bitrate", ...target });
  }

  /** A page is gone, and its peer connections with it. */
  async pageGone(session: EngineSession): Promise<void> {
    await this.#whip.abandon(session);
    this.#reportLost();
  }

  /** Ends the broadcast in order. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#uploads.stop();
    await this.broadcast.close();
    this.#watch[Symbol.dispose]();
    this.broadcast.events.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #testUpload(id: string): Promise<StudioAnswerOf<"test_upload">> {
    if (this.broadcast.state.state !== "idle") {
      throw new KliegError(
        "conflict",
        "The upload is in use: the show is on air. Its figures are in the health panel.",
      );
    }
    const destination = this.#options.stores.show.document.destinations.find((candidate) => candidate.id === id);
    if (destination === undefined) throw new KliegError("not_found", "The show has no such destination.");
    return { upload: await this.#uploads.measure(destination) };
  }

  async #offer(session: EngineSession, id: string, sdp: string): Promise<StudioAnswerOf<"whip_offer">> {
    if (!this.#isWhip(id)) throw new KliegError("not_found", "The show does not go to this destination by WebRTC.");
    try {
      const { whip } = await this.broadcast.openStream(id, this.#closing.signal);
      if (whip === null || whip === undefined) {
        throw new KliegError("webrtc_unavailable", "The server has no WebRTC: choose SRT for this destination.");
      }
      const key = await this.#options.stores.secrets.get(id, "stream_key");
      if (key === undefined) throw new KliegError("stream_key_missing", "The destination has no stream key.");
      const answer = await this.#whip.offer(session, id, { endpoint: whip, key, sdp });
      // Live is only what the server says that it receives.
      if (this.#stateOf(id) !== "live") this.broadcast.reportWhip(id, this.#connecting(id));
      return answer;
    } catch (error) {
      const problem = KliegError.from(error);
      if (this.#stateOf(id) !== undefined) {
        this.broadcast.reportWhip(id, problem.retryable ? this.#connecting(id) : "failed", problem);
      }
      throw problem;
    }
  }

  #heard(health: ServerHealth): void {
    const { destination: id, bitrate } = health;
    if (!this.#isWhip(id)) return;
    const published = this.#whip.destinations.includes(id);
    const live = published && bitrate > 0;
    if (live === (this.#stateOf(id) === "live")) return;
    if (live) this.broadcast.reportWhip(id, "live");
    else this.broadcast.reportWhip(id, "reconnecting");
  }

  /** What was live and is published by nobody any more. */
  #reportLost(): void {
    for (const { id, state } of this.broadcast.state.destinations) {
      const lost = state === "live" && this.#isWhip(id) && !this.#whip.destinations.includes(id);
      if (lost) this.broadcast.reportWhip(id, "reconnecting");
    }
  }

  #isWhip(id: string): boolean {
    return this.#kliegs.get(id)?.protocol === "whip";
  }

  #stateOf(id: string): string | undefined {
    return this.broadcast.state.destinations.find((destination) => destination.id === id)?.state;
  }

  #connecting(id: string): "connecting" | "reconnecting" {
    const state = this.#stateOf(id);
    return state === "live" || state === "reconnecting" ? "reconnecting" : "connecting";
  }

  async #remember(settings: Partial<StudioSettings>): Promise<void> {
    const { stores, outlet } = this.#options;
    try {
      outlet.tell({ event: "settings", settings: await stores.settings.change(settings) });
    } catch (error) {
      // A full disk keeps nobody from going on air.
      outlet.tell({ event: "notice", ...KliegError.from(error).toBody() });
    }
  }

  async #recordAlong(): Promise<void> {
    const { stores, recorder } = this.#options;
    const { record_with_broadcast, recording_folder } = stores.settings.settings;
    const { state } = recorder.state;
    if (!record_with_broadcast || state === "recording" || state === "starting") return;
    try {
      await recorder.start(recording_folder);
      this.#recordsAlong = true;
    } catch (error) {
      // The recording's state says why; the show goes on air all the same.
      if (!(error instanceof KliegError)) throw error;
    }
  }

  #ended(): void {
    this.#kliegs.clear();
    if (!this.#recordsAlong) return;
    this.#recordsAlong = false;
    const { recorder, outlet } = this.#options;
    if (recorder.state.state === "failed" || recorder.state.state === "off") return;
    recorder.stop().catch((error: unknown) => outlet.tell({ event: "notice", ...KliegError.from(error).toBody() }));
  }
}
