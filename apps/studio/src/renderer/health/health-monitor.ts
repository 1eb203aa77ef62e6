import { type Clock, systemClock } from "@klieg/base";
import { createStore, type StoreApi } from "zustand/vanilla";
import { audioOf } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { Captures } from "../media/capture/captures.ts";
import type { MediaStatistics } from "../media/media-contract.ts";
import { type AudioMixer, PROGRAM } from "../media/mixer/mixer-contract.ts";
import type { EngineStore } from "../state/engine-store.ts";
import { assess, type Health, IDLE_HEALTH, isOnAir } from "./assess.ts";
import { connectionsOf } from "./connection.ts";
import { HealthHistory } from "./health-history.ts";
import type { HealthSample, TroubledSource } from "./health-sample.ts";

/** Where the monitor looks. */
export interface HealthSources {
  readonly engine: EngineStore;
  readonly mixer: Pick<AudioMixer, "meters" | "loudness" | "state">;
  readonly captures: Pick<Captures, "get">;
  statistics(): MediaStatistics | undefined;
  document(): StudioDocument;
  hidden(): boolean;
}

export interface MonitoredHealth {
  readonly health: Health;
  /** What was judged last; undefined before the first look. */
  readonly sample: HealthSample | undefined;
}

const EVERY_MS = 1000;
/** Figures of the engine that are older are none, ms. */
const STALE_MS = 3000;
/** Short-term loudness that nobody hears, LUFS. */
const SILENT = -60;
/** dB that the program's safety limiter takes away when the mix is far too loud, and for how many looks in a row. */
const TOO_LOUD_DB = 6;
const TOO_LOUD_LOOKS = 3;

/** Looks at everything once a second, keeps the last five minutes, and says how the show does. */
export class HealthMonitor implements Disposable {
  readonly state: StoreApi<MonitoredHealth>;
  readonly history = new HealthHistory();
  readonly #sources: HealthSources;
  readonly #clock: Clock;
  readonly #timer: Disposable;
  readonly #stop: () => void;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #silentMs = 0;
  #loudLooks = 0;
  #listenedAt = Number.POSITIVE_INFINITY;
  #wasOnAir = false;
  #onAirSince = 0;

  constructor(sources: HealthSources, clock: Clock = systemClock) {
    this.#sources = sources;
    this.#clock = clock;
    this.state = createStore<MonitoredHealth>(() => ({ health: IDLE_HEALTH, sample: undefined }));
    this.#timer = clock.every(EVERY_MS, () => this.look());
    // What begins or ends is told at once.
    this.#stop = sources.engine.state.subscribe(({ broadcast, linked }, before) => {
      if (broadcast.state !== before.broadcast.state || linked !== before.linked) this.look();
    });
  }

  /** Looks now. */
  look(): void {
    const sample = this.#sample();
    const onAir = isOnAir(sample);
    if (onAir && !this.#wasOnAir) {
      this.history.clear();
      this.#onAirSince = sample.now;
    }
    this.#wasOnAir = onAir;
    // Graphs have a value for each second, however often is looked.
    if (onAir && sample.now - this.#lookedAt >= EVERY_MS / 2) {
      this.#lookedAt = sample.now;
      this.history.add(sample);
    }
    this.state.setState({ sample, health: assess(sample, this.history) });
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#stop();
  }

  #sample(): HealthSample {
    const { engine, statistics, document } = this.#sources;
    const now = this.#clock.wall();
    const { linked, broadcast, program, recording, health, healthAt, bitrate } = engine.now;
    const media = statistics();
    const show = document();
    this.#listen(show, now);
    const fresh = health !== undefined && now - healthAt <= STALE_MS ? health : undefined;
    const connections = connectionsOf(broadcast, show.destinations, fresh, media?.whip ?? []);
    const server = fresh?.server ?? [];
    const counted = server.map(({ viewers }) => viewers).filter((viewers) => viewers !== null);
    return {
      now,
      linked,
      broadcast,
      program,
      recording,
      connections,
      server,
      silentEngineSince: fresh !== undefined || !this.#wasOnAir ? undefined : Math.max(healthAt, this.#onAirSince),
      media,
      encoding: show.encoding,
      // Until the engine says otherwise it is what was chosen.
      askedBitrate: bitrate?.asked ?? show.encoding.video_bitrate,
      bitrateReason: bitrate?.reason,
      troubledSources: this.#troubled(show),
      viewers: counted.length === 0 ? undefined : counted.reduce((sum, viewers) => sum + viewers, 0),
      hidden: this.#sources.hidden(),
      silentMs: this.#silentMs,
      clipped: this.#loudLooks >= TOO_LOUD_LOOKS,
    };
  }

  #listen(show: StudioDocument, now: number): void {
    const sinceMs = Math.max(0, now - this.#listenedAt);
    this.#listenedAt = now;
    const { mixer } = this.#sources;
    // A show without sound is silent on purpose.
    const audible = mixer.state === "running" && show.sources.some((source) => audioOf(source) !== undefined);
    this.#silentMs = audible && !(mixer.loudness().shortTerm > SILENT) ? this.#silentMs + sinceMs : 0;
    const reduction = mixer.meters().get(PROGRAM)?.reductionDb ?? 0;
    this.#loudLooks = audible && reduction >= TOO_LOUD_DB ? this.#loudLooks + 1 : 0;
  }

  #troubled(show: StudioDocument): TroubledSource[] {
    const shown = new Set(
      show.scenes
        .find(({ id }) => id === show.program)
        ?.items.filter(({ visible }) => visible)
        .map(({ source }) => source),
    );
    return show.sources.flatMap(({ id, name }) => {
      const capture = this.#sources.captures.get(id);
      if (capture?.problem === undefined) return [];
      return [{ id, name, state: capture.state, message: capture.problem.message, onAir: shown.has(id) }];
    });
  }
}
