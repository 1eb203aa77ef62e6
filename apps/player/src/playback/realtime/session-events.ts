/** The part of `EventSource` that is used. */
export type EventStream = Pick<EventSource, "addEventListener" | "close" | "readyState">;

export type EventStreamFactory = (url: string) => EventStream;

export interface SessionEventHandlers {
  /** The source is there, or it is not. */
  readonly sending: (sending: boolean) => void;
  /** The layers that there are, or the one that is sent, changed. @param data the event's own JSON. */
  readonly layers: (data: unknown) => void;
  /** The session is about to end: open another one. @param reason for the log. */
  readonly reconnect: (reason: string) => void;
  /** The broadcast is over. */
  readonly ended: () => void;
  /** Nothing more will come: the session may be gone. */
  readonly lost: () => void;
}

/** `EventSource.CLOSED` */
const CLOSED = 2;

/** What a session tells by itself (draft-ietf-wish-whep § 4.6.1, server-sent events). */
export class SessionEvents implements Disposable {
  readonly #source: EventStream;

  constructor(url: string, open: EventStreamFactory, handlers: SessionEventHandlers) {
    this.#source = open(url);
    const on = (type: string, listener: (data: unknown) => void) =>
      this.#source.addEventListener(type, (event) => listener(dataOf(event)));
    on("active", () => handlers.sending(true));
    on("inactive", () => handlers.sending(false));
    on("layers", handlers.layers);
    // After these nothing comes but the end of the stream, which the browser would take for an accident.
    on("reconnect", (data) => {
      this.close();
      handlers.reconnect(reasonOf(data));
    });
    on("ended", () => {
      this.close();
      handlers.ended();
    });
    this.#source.addEventListener("error", () => {
      // A stream that only broke off is opened again by the browser; one that was refused is closed.
      if (this.#source.readyState === CLOSED) handlers.lost();
    });
  }

  /** Idempotent. */
  close(): void {
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function dataOf(event: Event): unknown {
  const { data } = event as MessageEvent<unknown>;
  if (typeof data !== "string" || data === "") return null;
  try {
    return JSON.parse(data);
  } catch {
    // An event of a later version may carry something else: its name says enough.
    return null;
  }
}

function reasonOf(data: unknown): string {
  const reason = (data as { reason?: unknown } | null)?.reason;
  return typeof reason === "string" ? reason : "asked to";
}
