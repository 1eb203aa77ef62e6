import { type Clock, Emitter, systemClock } from "@klieg/base";
import {
  KliegError,
  STUDIO_ANSWERS,
  STUDIO_CLOSE,
  STUDIO_MEDIA_BYTES,
  STUDIO_PROTOCOL,
  StudioAnswer,
  type StudioAnswerOf,
  StudioEvent,
  type StudioRequestInput,
  type StudioRequestType,
  type StudioWelcome,
} from "@klieg/protocol";
import { type OpenTransport, type StudioTransport, TransportRefusal } from "./studio-transport.ts";

/** Why the link will not come back by itself. */
export type LinkEnd =
  /** Another page took the stage; {@link StudioLink.reopen} takes it back. */
  | "replaced"
  /** No token, or a wrong one: the printed link must be opened again. */
  | "refused"
  /** Engine and page are of different versions: the page must be loaded again. */
  | "outdated"
  /** Its owner closed it. */
  | "closed";

export type LinkState =
  | { readonly state: "connecting" }
  | { readonly state: "open"; readonly welcome: StudioWelcome }
  /** The engine was there and is gone; it is tried again. */
  | { readonly state: "lost" }
  | { readonly state: "ended"; readonly end: LinkEnd };

export interface StudioLinkOptions {
  readonly open: OpenTransport;
  /** `stage`: this page captures and sends the program. */
  readonly role: "stage" | "control";
  readonly clock?: Clock;
}

interface LinkEvents {
  event: StudioEvent;
  media: Uint8Array<ArrayBuffer>;
  state: LinkState;
}

interface Waiting {
  readonly type: StudioRequestType;
  readonly resolve: (data: never) => void;
  readonly reject: (error: KliegError) => void;
  readonly patience: Disposable;
}

/** ms between attempts; the last is repeated. */
const BACK_OFF = [100, 250, 500, 1000, 2000] as const;
/** An attempt to connect and be greeted may take so long, ms. */
const CONNECT_MS = 10_000;
/** A request may take so long, ms; those that encode or speak to other machines longer. */
const ANSWER_MS = 30_000;
const LONG_ANSWER_MS = 120_000;
const LONG: ReadonlySet<StudioRequestType> = new Set([
  "test_encoder",
  "list_encoders",
  "test_upload",
  "start_broadcast",
  "stop_broadcast",
  "stop_recording",
  "finish_asset",
]);
/** Media that may wait in the transport, bytes: beyond, it is left out. Well over what any page lets wait. */
const MAX_BUFFERED = 64 * 1024 * 1024;

const LOST = "The studio's engine cannot be reached at the moment.";

/** The page's link to its engine: typed requests, events, and the program's media. It comes back by itself. */
export class StudioLink implements Disposable {
  readonly #options: StudioLinkOptions;
  readonly #clock: Clock;
  readonly #emitter = new Emitter<LinkEvents>();
  readonly #waiting = new Map<number, Waiting>();
  #state: LinkState = { state: "connecting" };
  #transport: StudioTransport | undefined;
  #attempt = new AbortController();
  #retry: Disposable | undefined;
  #failures = 0;
  #nextId = 0;
  #droppedMedia = 0;

  /** Begins to connect at once. */
  constructor(options: StudioLinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    void this.#connect();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Bytes of media that wait to leave. */
  get buffered(): number {
    return this.#transport?.buffered ?? 0;
  }

  /** Messages of media that were left out since the beginning: no engine, or it did not take them. */
  get droppedMedia(): number {
    return this.#droppedMedia;
  }

  onEvent(listener: (event: StudioEvent) => void): Disposable {
    return this.#emitter.on("event", listener);
  }

  /** Told of messages of `studio-capture.ts`: media of what the engine captures for this page. */
  onMedia(listener: (message: Uint8Array<ArrayBuffer>) => void): Disposable {
    return this.#emitter.on("media", listener);
  }

  /** Told of every change of {@link state}. States of the engine are told as events right after `open`. */
  onState(listener: (state: LinkState) => void): Disposable {
    return this.#emitter.on("state", listener);
  }

  /** Resolves once the link is open. @throws {KliegError} `unreachable` where it ended. */
  async opened(): Promise<StudioWelcome> {
    for (let state = this.#state; ; state = await this.#emitter.once("state")) {
      if (state.state === "open") return state.welcome;
      if (state.state === "ended") throw new KliegError("unreachable", `The link to the engine ended: ${state.end}.`);
    }
  }

  /**
   * Asks the engine.
   * @throws {KliegError} what the engine says; `unreachable` where it is not there or goes away meanwhile, `timeout` where it
   * does not answer.
   */
  request<T extends StudioRequestType>(type: T, input: StudioRequestInput<T>): Promise<StudioAnswerOf<T>> {
    const transport = this.#transport;
    if (transport === undefined || this.#state.state !== "open") {
      return Promise.reject(new KliegError("unreachable", LOST));
    }
    return this.#ask(transport, type, input);
  }

  /** Sends a message of `studio-program.ts`; its memory belongs to the link from then on. */
  sendMedia(message: Uint8Array<ArrayBuffer>): void {
    const transport = this.#transport;
    const fits = message.byteLength <= STUDIO_MEDIA_BYTES;
    if (transport === undefined || this.#state.state !== "open" || !fits || transport.buffered > MAX_BUFFERED) {
      this.#droppedMedia += 1;
      return;
    }
    transport.send(message);
  }

  /** Connects now: takes the stage back, or does not wait for the next attempt. Does nothing while the link is open. */
  reopen(): void {
    if (this.#state.state === "open" || (this.#state.state === "ended" && this.#state.end === "closed")) return;
    this.#failures = 0;
    this.#become({ state: "connecting" });
    void this.#connect();
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    if (this.#state.state !== "ended") this.#end("closed");
    this.#state = { state: "ended", end: "closed" };
    this.#emitter.clear();
  }

  async #connect(): Promise<void> {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
    this.#attempt.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    using _patience = this.#clock.after(CONNECT_MS, () => attempt.abort(new Error("The engine does not answer.")));
    try {
      const transport = await this.#options.open(attempt.signal);
      if (attempt.signal.aborted) {
        transport.close();
        throw attempt.signal.reason;
      }
      this.#transport = transport;
      transport.onMessage = (text) => this.#receive(transport, text);
      transport.onMedia = (message) => {
        if (transport === this.#transport) this.#emitter.emit("media", message);
      };
      transport.onClose = (code) => this.#closed(transport, code);
      const onAbort = () => this.#closed(transport, 1006);
      attempt.signal.addEventListener("abort", onAbort, { once: true });
      const { role } = this.#options;
      const welcome = await this.#ask(transport, "hello", { protocol: STUDIO_PROTOCOL, role });
      attempt.signal.removeEventListener("abort", onAbort);
      if (welcome.protocol !== STUDIO_PROTOCOL) return this.#end("outdated");
      this.#failures = 0;
      this.#become({ state: "open", welcome });
    } catch (error) {
      // A newer attempt has taken over, or its owner has closed the link.
      if (attempt !== this.#attempt || this.#state.state === "ended") return;
      if (error instanceof TransportRefusal) return this.#end(endOf(error.code) ?? "refused");
      if (error instanceof KliegError && error.code === "bad_request") return this.#end("outdated");
      this.#again();
    }
  }

  #again(): void {
    this.#drop(LOST);
    if (this.#state.state === "open") this.#become({ state: "lost" });
    const wait = BACK_OFF[Math.min(this.#failures, BACK_OFF.length - 1)] as number;
    this.#failures += 1;
    this.#retry?.[Symbol.dispose]();
    this.#retry = this.#clock.after(wait, () => void this.#connect());
  }

  #closed(transport: StudioTransport, code: number): void {
    if (transport !== this.#transport) return;
    const end = endOf(code);
    if (end !== undefined) {
      this.#end(end);
      return;
    }
    const greeted = this.#state.state === "open";
    this.#drop(LOST);
    // Before the greeting the attempt itself fails, and goes on from there.
    if (greeted) this.#again();
  }

  #end(end: LinkEnd): void {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
    this.#become({ state: "ended", end });
    this.#drop("The link to the studio's engine was closed.");
    this.#attempt.abort(new Error("closed"));
  }

  /** Lets go of the transport and of whoever waits for an answer. */
  #drop(words: string): void {
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { patience, reject } of waiting) {
      patience[Symbol.dispose]();
      reject(new KliegError("unreachable", words));
    }
  }

  #become(state: LinkState): void {
    this.#state = state;
    this.#emitter.emit("state", state);
  }

  #ask<T extends StudioRequestType>(
    transport: StudioTransport,
    type: T,
    input: StudioRequestInput<T>,
  ): Promise<StudioAnswerOf<T>> {
    const { promise, resolve, reject } = Promise.withResolvers<StudioAnswerOf<T>>();
    const id = this.#nextId++;
    const patience = this.#clock.after(LONG.has(type) ? LONG_ANSWER_MS : ANSWER_MS, () => {
      this.#waiting.delete(id);
      reject(new KliegError("timeout", "The studio's engine did not answer in time."));
    });
    this.#waiting.set(id, { type, resolve: resolve as (data: never) => void, reject, patience });
    transport.send(JSON.stringify({ ...input, id, type }));
    return promise;
  }

  #receive(transport: StudioTransport, text: string): void {
    if (transport !== this.#transport) return;
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.#closed(transport, STUDIO_CLOSE.protocol);
      return;
    }
    if (typeof message === "object" && message !== null && "event" in message) {
      const event = StudioEvent.safeParse(message);
      // One that this page does not know is for a newer page.
      if (event.success) this.#emitter.emit("event", event.data);
      return;
    }
    const answer = StudioAnswer.safeParse(message);
    if (!answer.success) this.#closed(transport, STUDIO_CLOSE.protocol);
    else if (answer.data.id !== null) this.#answered(answer.data);
  }

  #answered(answer: StudioAnswer): void {
    const waiting = this.#waiting.get(answer.id as number);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id as number);
    waiting.patience[Symbol.dispose]();
    if (!answer.ok) {
      waiting.reject(new KliegError(answer.error.code, answer.error.message));
      return;
    }
    const data = STUDIO_ANSWERS[waiting.type].safeParse(answer.data);
    if (data.success) waiting.resolve(data.data as never);
    else waiting.reject(new KliegError("internal", "The studio's engine gave an answer that this page cannot read."));
  }
}

function endOf(code: number): LinkEnd | undefined {
  if (code === STUDIO_CLOSE.replaced) return "replaced";
  if (code === STUDIO_CLOSE.refused) return "refused";
  if (code === STUDIO_CLOSE.protocol) return "outdated";
  return undefined;
}
