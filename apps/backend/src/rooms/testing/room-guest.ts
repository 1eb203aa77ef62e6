import {
  ROOM_ANSWERS,
  RoomAnswer,
  type RoomAnswerOf,
  RoomEvent,
  type RoomEventName,
  type RoomEventOf,
  type RoomRequestInput,
  type RoomRequestType,
} from "@klieg/protocol";
import { RoomSession, type RoomSessionOptions } from "../room-session.ts";

/** A participant without a socket: speaks the protocol, and checks all that it hears against it. */
export class RoomGuest implements Disposable {
  readonly session: RoomSession;
  readonly events: RoomEvent[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #waiters = new Set<() => void>();
  readonly #answers = new Map<number, PromiseWithResolvers<unknown> & { type: RoomRequestType }>();
  #id = 0;

  constructor(options: Omit<RoomSessionOptions, "outlet">) {
    this.session = new RoomSession({
      ...options,
      outlet: {
        remoteAddress: "192.0.2.1",
        send: (text) => this.#hear(JSON.parse(text)),
        close: (code, reason) => {
          this.closed ??= { code, reason };
          for (const { reject } of this.#answers.values()) reject(new Error(`closed: ${reason}`));
          this.#answers.clear();
          for (const wake of this.#waiters) wake();
        },
      },
    });
  }

  /** @throws what the room answers: `{code, message, retryable}`. */
  ask<T extends RoomRequestType>(type: T, request: RoomRequestInput<T>): Promise<RoomAnswerOf<T>> {
    if (this.closed !== undefined) return Promise.reject(new Error(`closed before: ${this.closed.reason}`));
    this.#id += 1;
    const answer = { ...Promise.withResolvers<unknown>(), type };
    this.#answers.set(this.#id, answer);
    this.session.onMessage(JSON.stringify({ id: this.#id, type, ...request }));
    return answer.promise as Promise<RoomAnswerOf<T>>;
  }

  told<T extends RoomEventName>(name: T): RoomEventOf<T>[] {
    return this.events.filter((event): event is RoomEventOf<T> => event.event === name);
  }

  /** The first event of that name, heard or yet to be heard. */
  async hear<T extends RoomEventName>(
    name: T,
    accept: (event: RoomEventOf<T>) => boolean = () => true,
  ): Promise<RoomEventOf<T>> {
    for (;;) {
      const found = this.told(name).find(accept);
      if (found !== undefined) return found;
      if (this.closed !== undefined) throw new Error(`closed without ${name}: ${this.closed.reason}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }

  /** Its connection breaks. */
  vanish(): void {
    this.session.onClosed(false);
  }

  [Symbol.dispose](): void {
    this.session.onClosed(true);
  }

  #hear(json: unknown): void {
    if (typeof json === "object" && json !== null && "event" in json) {
      this.events.push(RoomEvent.parse(json));
      for (const wake of [...this.#waiters]) wake();
      return;
    }
    const answer = RoomAnswer.parse(json);
    const asked = this.#answers.get(answer.id ?? -1);
    if (asked === undefined) return;
    this.#answers.delete(answer.id ?? -1);
    if (answer.ok) asked.resolve(ROOM_ANSWERS[asked.type].parse(answer.data));
    else asked.reject(answer.error);
  }
}
