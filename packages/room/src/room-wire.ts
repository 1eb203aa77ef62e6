import type {
  ROOM_CLOSE,
  RoomAnswer,
  RoomAnswerOf,
  RoomEvent,
  RoomRequestInput,
  RoomRequestType,
} from "@klieg/protocol";
import { ApiError } from "./api-error.ts";
import type { RoomWireTransport } from "./room-wire-transport.ts";

/** The protocol's close codes; the type holds them to its table. */
export const CLOSE: typeof ROOM_CLOSE = {
  protocol: 4400,
  refused: 4401,
  removed: 4403,
  replaced: 4409,
  ended: 4410,
  overloaded: 4429,
  reconnect: 4503,
};
/** An answer that takes longer will not come, ms. */
const ANSWER_MS = 10_000;
/** An encoder has to start first, or a file to be finished. */
const SLOW_ANSWER_MS = 30_000;
const SLOW: ReadonlySet<RoomRequestType> = new Set<RoomRequestType>([
  "go_on_air",
  "go_off_air",
  "start_recording",
  "stop_recording",
  "end_room",
]);
/** Nothing heard for so long: ask whether anybody is there, ms. */
const QUIET_MS = 4000;
/** No answer to that for so long: nobody is, ms. */
const PING_MS = 4000;

/** Asks something of the room's server. */
export type RoomAsk = <T extends RoomRequestType>(type: T, input: RoomRequestInput<T>) => Promise<RoomAnswerOf<T>>;

export interface RoomWireOptions {
  readonly transport: RoomWireTransport;
  readonly onEvent: (event: RoomEvent) => void;
  /** Once, where the wire broke or the server closed it; never after `close()`. @param code of the WebSocket. */
  readonly onLost: (code: number) => void;
}

interface Pending {
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: ApiError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** One connection to a room: questions with their answers, events, and whether anybody is still at the other end. */
export class RoomWire implements Disposable {
  readonly #options: RoomWireOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;
  #heardCount = 0;
  #watch: ReturnType<typeof setTimeout> | null = null;

  constructor(options: RoomWireOptions) {
    this.#options = options;
    const { transport } = options;
    transport.onMessage = (text) => {
      if (this.#closed) return;
      this.#heard();
      this.#take(text);
    };
    transport.onClose = (code) => this.#lose(code);
    this.#listen();
  }

  /**
   * Sends a request and waits for its answer.
   * @throws {ApiError} the server's error; `timeout`; `network` where the wire is gone first.
   */
  readonly ask: RoomAsk = (type, input) => this.#send(type, input, SLOW.has(type) ? SLOW_ANSWER_MS : ANSWER_MS);

  /** Says goodbye. Idempotent; what waits for an answer is rejected. */
  close(): void {
    if (this.#closed) return;
    this.#end();
    this.#options.transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #send<T extends RoomRequestType>(type: T, input: object, withinMs: number): Promise<RoomAnswerOf<T>> {
    if (this.#closed) return Promise.reject(gone());
    const id = this.#nextId++;
    const text = JSON.stringify({ ...input, id, type });
    return new Promise<RoomAnswerOf<T>>((resolve, reject) => {
      const heardBefore = this.#heardCount;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new ApiError("timeout", "The server did not answer in time.", true));
        // Not a word about anything: nobody is there.
        if (heardBefore === this.#heardCount) this.#abandon();
      }, withinMs);
      this.#pending.set(id, { resolve: (data) => resolve(data as RoomAnswerOf<T>), reject, timer });
      this.#options.transport.send(text);
    });
  }

  #take(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      console.warn("Klieg: the room's server sent something that is not JSON:", error);
      return;
    }
    if (typeof message !== "object" || message === null) return;
    if ("event" in message) this.#options.onEvent(message as RoomEvent);
    else if ("ok" in message) this.#answer(message as RoomAnswer);
  }

  #answer(answer: RoomAnswer): void {
    if (answer.id === null) {
      console.warn("Klieg: the room's server did not understand a request:", answer.ok ? answer.data : answer.error);
      return;
    }
    const pending = this.#pending.get(answer.id);
    // Later than anybody waited for it.
    if (!pending) return;
    this.#pending.delete(answer.id);
    clearTimeout(pending.timer);
    if (answer.ok) pending.resolve(answer.data);
    else pending.reject(new ApiError(answer.error.code, answer.error.message, answer.error.retryable));
  }

  #heard(): void {
    this.#heardCount += 1;
    this.#listen();
  }

  /** A network that vanished says nothing: a socket over it looks open for minutes. */
  #listen(): void {
    if (this.#watch) clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.#listen();
      // What waits for its answer already will tell, and is answered first.
      if (this.#pending.size > 0) return;
      this.#send("ping", {}, PING_MS).catch((error: ApiError) => {
        if (error.code !== "timeout" && error.code !== "network") console.warn("Klieg: a ping was refused:", error);
      });
    }, QUIET_MS);
  }

  /** The connection's own goodbye would wait for the other end, which is silent. */
  #abandon(): void {
    if (this.#closed) return;
    this.#options.transport.close();
    this.#lose(1006);
  }

  #lose(code: number): void {
    if (this.#closed) return;
    this.#end();
    this.#options.onLost(code);
  }

  #end(): void {
    this.#closed = true;
    if (this.#watch) clearTimeout(this.#watch);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(gone());
    }
    this.#pending.clear();
  }
}

function gone(): ApiError {
  return new ApiError("network", "The connection to the room is gone.", true);
}
