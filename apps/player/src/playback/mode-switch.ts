import type { PlaybackMode } from "@klieg/protocol";
import type { Bridge } from "./bridge.ts";
import { ModeChoice } from "./mode-choice.ts";
import type { PlaybackStore, RealtimeRefusal } from "./playback-state.ts";
import type { Preferences } from "./preferences.ts";
import type { QualityChoice } from "./quality-choice.ts";
import { createRealtime, hasWebRtc } from "./realtime/create-realtime.ts";
import { type HandoverEvents, RealtimeHandover } from "./realtime/realtime-handover.ts";
import type { RealtimeFactory, RealtimePlayback } from "./realtime/realtime-playback.ts";
import type { Source, SourceState } from "./source.ts";

export interface ModeSwitchOptions {
  readonly video: HTMLVideoElement;
  /** Null where there is no real time. */
  readonly bridge: Bridge | null;
  readonly preferences: Preferences;
  readonly store: PlaybackStore;
  readonly quality: QualityChoice;
  readonly createRealtime: RealtimeFactory | undefined;
  /** `refused` and `lost` are told after the viewer was. */
  readonly events: Pick<HandoverEvents, "ready" | "attached" | "flowing" | "ended"> & {
    readonly refused: () => void;
    readonly lost: () => void;
  };
}

/** Between real time and low latency: which of them is wanted, what is on its way, and what the viewer is told of it. */
export class ModeSwitch implements Disposable {
  readonly #store: PlaybackStore;
  readonly #choice: ModeChoice;
  readonly #handover: RealtimeHandover | null;
  #whep: string | null = null;
  #sourceState: SourceState = "live";

  constructor(options: ModeSwitchOptions) {
    const { video, bridge, preferences, store, quality, events } = options;
    const create = options.createRealtime ?? createRealtime;
    this.#store = store;
    this.#choice = new ModeChoice(
      preferences,
      bridge !== null && (options.createRealtime !== undefined || hasWebRtc()),
    );
    this.#handover =
      bridge &&
      new RealtimeHandover({
        video,
        bridge,
        create,
        pinned: () => preferences.current.quality,
        events: {
          ready: events.ready,
          attached: events.attached,
          flowing: events.flowing,
          ended: events.ended,
          renditions: (list) => quality.offer(list),
          rendition: (index) => quality.show(index),
          refused: (refusal) => this.#refuse(refusal, events.refused),
          lost: (refusal) => this.#refuse(refusal, events.lost),
        },
      });
  }

  /** Whether real time is on its way. */
  get coming(): boolean {
    return this.#handover?.coming ?? false;
  }

  /** What the channel says of the source, which may change while it plays. */
  offer({ whep, defaultMode }: Pick<Source, "whep" | "defaultMode">): void {
    this.#whep = whep;
    this.#choice.offer(whep !== null, defaultMode);
    this.#publish();
  }

  /** Another source comes, and it is live. */
  renew(): void {
    this.abandon();
    this.#sourceState = "live";
    this.#choice.renew();
  }

  /** The viewer's wish; kept for later visits. */
  choose(mode: PlaybackMode): void {
    this.#choice.choose(mode);
    this.#store.setState({ notice: null });
    if (mode === "hls") this.abandon();
    this.#publish();
  }

  setSourceState(state: SourceState): void {
    this.#sourceState = state;
    this.#handover?.setSourceState(state);
  }

  /** Brings real time up where it is wanted and may be had now. @param now monotonic ms. */
  bring(now: number): void {
    if (this.#whep === null || this.#sourceState !== "live" || this.#choice.wanted(now) !== "realtime") return;
    this.#handover?.bring(this.#whep, this.#sourceState);
    this.#publish();
  }

  /** As above, while something else plays, and in sight. */
  consider(now: number): void {
    if (this.coming || globalThis.document?.visibilityState === "hidden") return;
    const { mode, phase } = this.#store.getState();
    if (mode !== "realtime" && phase === "playing") this.bring(now);
  }

  /** Gives away what came up, to be attached; null while nothing is ready. */
  take(): RealtimePlayback | null {
    const engine = this.#handover?.take() ?? null;
    if (!engine) return null;
    this.#choice.succeed();
    this.#store.setState({ mode: "realtime", notice: null });
    this.#publish();
    return engine;
  }

  /** Real time went on for long enough to count. */
  steady(): void {
    this.#choice.settle();
  }

  abandon(): void {
    this.#handover?.abandon();
    this.#publish();
  }

  /** `engine` gives the element away, and goes on beneath it until `settle()`. */
  retire(engine: RealtimePlayback): void {
    this.#handover?.retire(engine);
  }

  /** The element has its new picture. */
  settle(): void {
    this.#handover?.settle();
  }

  /** Takes the connection of an engine that was taken for lost. */
  lose(): void {
    this.#tell("lost");
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.#handover?.[Symbol.dispose]();
  }

  #refuse(refusal: RealtimeRefusal, then: () => void): void {
    this.#tell(refusal);
    then();
  }

  #tell(refusal: RealtimeRefusal): void {
    console.info(`Klieg: no real time (${refusal})`);
    if (this.#choice.refuse(refusal, performance.now())) this.#store.setState({ notice: refusal });
    this.#publish();
  }

  #publish(): void {
    const modes = this.#choice.modes(this.coming);
    const before = this.#store.getState().modes;
    const changed = Object.entries(modes).some(([key, value]) => before[key as keyof typeof before] !== value);
    if (changed) this.#store.setState({ modes });
  }
}
