import type { RoomEvent } from "@klieg/protocol";
import type { SfuAudioObserver } from "../sfu/sfu-audio-observer.ts";
import type { SfuStage } from "../sfu/sfu-stage.ts";
import type { RoomProducerData } from "./participant-media.ts";

/** How often those in a room are told how loud everybody is, ms. */
const LEVEL_INTERVAL_MS = 200;
const SPEAKER_INTERVAL_MS = 300;
/** What is quieter counts as silence, dBov. */
const THRESHOLD = -60;
const MAX_LEVELS = 16;

/** Who in a room can be heard, and who speaks. */
export class RoomVoices implements Disposable {
  readonly #stage: SfuStage;
  readonly #observer: SfuAudioObserver;
  readonly #subscriptions = new DisposableStack();
  readonly #tell: (event: RoomEvent) => void;
  #activeSpeaker: string | undefined;
  /** Who would speak, were anything to be heard of them. */
  #candidate: string | undefined;
  #heard: ReadonlySet<string> = new Set();

  private constructor(stage: SfuStage, observer: SfuAudioObserver, tell: (event: RoomEvent) => void) {
    this.#stage = stage;
    this.#observer = this.#subscriptions.use(observer);
    this.#tell = tell;
    this.#subscriptions.use(
      observer.events.on("levels", (levels) => {
        const known = levels.flatMap(({ producerId, level }) => {
          const participant_id = this.#whose(producerId);
          return participant_id === undefined ? [] : [{ participant_id, level }];
        });
        tell({ event: "levels", levels: known });
        this.#heard = new Set(known.map(({ participant_id }) => participant_id));
        this.#decide();
      }),
    );
    this.#subscriptions.use(
      observer.events.on("speaker", ({ producerId }) => {
        this.#candidate = this.#whose(producerId);
        this.#decide();
      }),
    );
  }

  /** @param tell told of `levels` and `active_speaker`. @throws {KliegError} `webrtc_unavailable`. */
  static async open(stage: SfuStage, tell: (event: RoomEvent) => void): Promise<RoomVoices> {
    const observer = await stage.addAudioObserver({
      levelIntervalMs: LEVEL_INTERVAL_MS,
      speakerIntervalMs: SPEAKER_INTERVAL_MS,
      threshold: THRESHOLD,
      maxLevels: MAX_LEVELS,
      // What a shared screen sounds like is nobody's voice.
      accepts: ({ appData }) => (appData as Partial<RoomProducerData>).source === "microphone",
    });
    return new RoomVoices(stage, observer, tell);
  }

  /** Id of the participant who spoke last and still has a microphone here. */
  get activeSpeaker(): string | undefined {
    return this.#activeSpeaker;
  }

  get observer(): SfuAudioObserver {
    return this.#observer;
  }

  /** Somebody's microphone is gone. */
  onMicrophoneClosed(participantId: string): void {
    if (this.#candidate === participantId) this.#candidate = undefined;
    if (this.#activeSpeaker === participantId) this.#enter(undefined);
  }

  /** Idempotent. */
  close(): void {
    this.#subscriptions.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #whose(producerId: string): string | undefined {
    const producer = this.#stage.producers.get(producerId)?.producer;
    return (producer?.appData as Partial<RoomProducerData> | undefined)?.participantId;
  }

  /** Of those who are silent the observer names one too: the only one there is, say. */
  #decide(): void {
    if (this.#candidate !== undefined && this.#heard.has(this.#candidate)) this.#enter(this.#candidate);
  }

  #enter(participantId: string | undefined): void {
    if (this.#activeSpeaker === participantId) return;
    this.#activeSpeaker = participantId;
    this.#tell({ event: "active_speaker", participant_id: participantId ?? null });
  }
}
