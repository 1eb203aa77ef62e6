import type { Clock } from "@klieg/base";
import type { Logger } from "../../ports/logger.ts";
import type { RoomProducerData } from "../participant-media.ts";
import type { Room } from "../room.ts";
import { Voice } from "./voice.ts";
import type { VoiceBuffer } from "./voice-buffer.ts";

/** Voices beyond these are not mixed in: each is decoded. Those that came first are. */
const MAX_VOICES = 32;

/** Everybody's sound: a voice for each audio producer of the room. */
export class ProgramSound implements Disposable {
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** By producer; undefined while one is being opened, or where it could not be. */
  readonly #voices = new Map<string, Voice | undefined>();
  #closed = false;

  constructor(options: { room: Room; clock: Clock; logger: Logger }) {
    this.#room = options.room;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  get voices(): Iterable<Voice> {
    return this.#open();
  }

  /** What is to be mixed. */
  *buffers(): Generator<VoiceBuffer, void, undefined> {
    for (const voice of this.#open()) yield voice.buffer;
  }

  /** What is sent in the room has changed. */
  update(): void {
    if (this.#closed) return;
    const { stage } = this.#room;
    const present = new Set<string>();
    for (const { producer } of stage?.producers.values() ?? []) {
      const { participantId } = producer.appData as Partial<RoomProducerData>;
      if (producer.kind === "audio" && participantId !== undefined) present.add(producer.id);
    }
    for (const [id, voice] of this.#voices) {
      if (present.has(id)) continue;
      this.#voices.delete(id);
      voice?.close();
    }
    for (const id of present) {
      if (this.#voices.has(id) || this.#voices.size >= MAX_VOICES || stage === undefined) continue;
      this.#voices.set(id, undefined);
      void this.#add(stage, id);
    }
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const voice of this.#voices.values()) voice?.close();
    this.#voices.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #add(stage: NonNullable<Room["stage"]>, producerId: string): Promise<void> {
    let voice: Voice;
    try {
      voice = await Voice.open({ stage, producerId, clock: this.#clock });
    } catch (error) {
      if (this.#voices.has(producerId)) this.#logger.warn({ err: error, producer: producerId }, "a voice is not mixed");
      return;
    }
    if (this.#voices.has(producerId)) this.#voices.set(producerId, voice);
    else voice.close();
  }

  *#open(): Generator<Voice, void, undefined> {
    for (const voice of this.#voices.values()) if (voice !== undefined) yield voice;
  }
}
