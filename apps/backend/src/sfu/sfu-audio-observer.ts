import { Emitter } from "@klieg/base";
import type { types } from "mediasoup";
import type { SfuNode, StageGround, StageProducer } from "./sfu-node.ts";

export interface SfuAudioObserverEvents {
  /** Producers that can be heard, loudest first, in dBov (-127 to 0); empty once when it has become quiet. */
  levels: readonly { readonly producerId: string; readonly level: number }[];
  /** Whoever speaks now is another. */
  speaker: { readonly producerId: string };
}

export interface SfuAudioObserverOptions {
  /** How often levels are told, ms. */
  readonly levelIntervalMs: number;
  /** How often it is decided anew who speaks, ms. */
  readonly speakerIntervalMs: number;
  /** What is quieter is not told of, dBov. */
  readonly threshold: number;
  readonly maxLevels: number;
  /** Which of the stage's audio producers are listened to. */
  readonly accepts: (producer: types.Producer) => boolean;
}

/**
 * Listens to a stage: how loud its audio producers are and who of them speaks. Both are judged in one place, to which
 * producers of other workers are piped: who speaks is a comparison.
 */
export class SfuAudioObserver implements Disposable {
  readonly events = new Emitter<SfuAudioObserverEvents>();
  readonly #stage: StageGround;
  readonly #node: SfuNode;
  readonly #options: SfuAudioObserverOptions;
  readonly #levels: types.AudioLevelObserver;
  readonly #speaker: types.ActiveSpeakerObserver;
  readonly #subscription: Disposable;

  constructor(
    stage: StageGround,
    node: SfuNode,
    options: SfuAudioObserverOptions,
    observers: { levels: types.AudioLevelObserver; speaker: types.ActiveSpeakerObserver },
  ) {
    this.#stage = stage;
    this.#node = node;
    this.#options = options;
    this.#levels = observers.levels;
    this.#speaker = observers.speaker;
    this.#levels.on("volumes", (volumes) => {
      this.events.emit(
        "levels",
        volumes.map(({ producer, volume }) => ({ producerId: producer.id, level: volume })),
      );
    });
    this.#levels.on("silence", () => this.events.emit("levels", []));
    this.#speaker.on("dominantspeaker", ({ producer }) => this.events.emit("speaker", { producerId: producer.id }));
    this.#subscription = stage.events.on("producer", (entry) => this.#listenTo(entry));
    for (const entry of stage.producers.values()) this.#listenTo(entry);
  }

  /** Idempotent. */
  close(): void {
    this.#subscription[Symbol.dispose]();
    this.#levels.close();
    this.#speaker.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #listenTo({ producer }: StageProducer): void {
    if (producer.kind !== "audio" || !this.#options.accepts(producer)) return;
    this.#add(producer.id).catch((error: unknown) => {
      // Gone before it was listened to, as a rule; else the worker is, and with it the stage.
      if (!producer.closed && !this.#levels.closed) this.#stage.reportProblem("a producer is not listened to", error);
    });
  }

  async #add(producerId: string): Promise<void> {
    await this.#stage.bring(producerId, this.#node);
    await Promise.all([this.#levels.addProducer({ producerId }), this.#speaker.addProducer({ producerId })]);
  }
}
