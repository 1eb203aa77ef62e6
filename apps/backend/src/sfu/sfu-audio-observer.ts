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
  /** What keeps producers of other workers here, by producer. */
  readonly #brought = new Map<string, Disposable>();

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
    for (const brought of this.#brought.values()) brought[Symbol.dispose]();
    this.#brought.clear();
    this.#levels.close();
    this.#speaker.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #listenTo({ producer }: StageProducer): void {
    if (producer.kind !== "audio" || !this.#options.accepts(producer)) return;
    this.#add(producer).catch((error: unknown) => {
      // Gone before it was listened to, as a rule; else the worker is, and with it the stage.
      if (!producer.closed && !this.#levels.closed) this.#stage.reportProblem("a producer is not listened to", error);
    });
  }

  async #add(producer: types.Producer): Promise<void> {
    const { id: producerId } = producer;
    using bringing = new DisposableStack();
    bringing.use(await this.#stage.bring(producerId, this.#node));
    await this.#levels.addProducer({ producerId });
    if (this.#levels.closed || producer.closed) return;
    const brought = bringing.move();
    this.#brought.set(producerId, brought);
    producer.observer.once("close", () => {
      this.#brought.delete(producerId);
      brought.dispose();
    });
    this.#judge(producer);
  }

  /**
   * Lets it be judged whether a producer speaks, while it is not paused: the observer would keep one that is muted, as
   * nothing that it hears speaks against it.
   */
  #judge(producer: types.Producer): void {
    const { id: producerId } = producer;
    let isJudged = false;
    let work: Promise<void> = Promise.resolve();
    const update = () => {
      work = work.then(async () => {
        if (producer.closed || this.#speaker.closed || isJudged === !producer.paused) return;
        isJudged = !producer.paused;
        try {
          if (isJudged) await this.#speaker.addProducer({ producerId });
          else await this.#speaker.removeProducer({ producerId });
        } catch (error) {
          if (!producer.closed && !this.#speaker.closed) {
            this.#stage.reportProblem("it is not known whether a producer speaks", error);
          }
        }
      });
    };
    producer.observer.on("pause", update);
    producer.observer.on("resume", update);
    update();
  }
}
