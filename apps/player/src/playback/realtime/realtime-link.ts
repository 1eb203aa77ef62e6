import type { RealtimeRefusal } from "../playback-state.ts";
import type { SourceState } from "../source.ts";
import { type ResourceState, realtimeAction, SILENT_AFTER_MS } from "./realtime-recovery.ts";
import { changeBetween, type Reception, type ReceptionChange, readReception } from "./reception.ts";
import { type EventStreamFactory, SessionEvents } from "./session-events.ts";
import { readSessionState, type SessionState, UNKNOWN_STATE, withMedium } from "./session-state.ts";
import { type PeerFactory, WhepConnection } from "./whep-connection.ts";
import { type Fetcher, WhepError } from "./whep-resource.ts";

const SAMPLE_MS = 500;
/** What figures are taken over: so many readings. */
const READINGS = 6;
/** The first picture comes by then, or real time is given up. */
const FIRST_FRAME_MS = 5000;
/** As above, where a connection is to be replaced: there is time for another attempt. */
const RENEWED_FRAME_MS = 3000;
/** Between attempts at a new session: doubling, from this to the longest. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2000;
/** A timer that comes this late was asleep, and the whole machine with it. */
const ASLEEP_MS = 3000;

/** What a link stands on in a browser; tests bring their own. */
export interface LinkMeans {
  readonly fetcher: Fetcher;
  readonly createPeer: PeerFactory;
  readonly openEvents: EventStreamFactory;
}

export const BROWSER_MEANS: LinkMeans = {
  fetcher: (url, init) => fetch(url, init),
  createPeer: (configuration) => new RTCPeerConnection(configuration),
  openEvents: (url) => new EventSource(url),
};

export interface LinkEvents {
  /** Another connection brings media now. The one before is closed when this returns. */
  readonly connected: (connection: WhepConnection) => void;
  /** Media comes no more, or again. */
  readonly flowing: (flows: boolean) => void;
  /** What the session says of itself changed. */
  readonly changed: () => void;
  /** The session says that the broadcast is over. */
  readonly ended: () => void;
  /** A reading was taken. @param freezes since the last one. */
  readonly sampled: (freezes: number, now: number) => void;
  /** The link is closed: real time is not to be had, or not any more. */
  readonly gaveUp: (refusal: RealtimeRefusal) => void;
}

export interface LinkOptions {
  /** Absolute URL of the channel's WHEP door. */
  readonly endpoint: string;
  readonly means: LinkMeans;
  readonly sourceState: SourceState;
  /** Resolves when the stream's first frame is there. Rejects with the signal's reason. */
  readonly prove: (stream: MediaStream, signal: AbortSignal) => Promise<void>;
  readonly events: LinkEvents;
}

/** Keeps a session at the WHEP door going: notices that media stays away, and does about it what `realtimeAction` says. */
export class RealtimeLink implements Disposable {
  readonly #options: LinkOptions;
  readonly #listeners = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #connection: WhepConnection | null = null;
  #opening: AbortController | null = null;
  #events: SessionEvents | null = null;
  #asking = false;
  #restarting = false;
  #restartedAt: number | null = null;
  #state: SessionState = UNKNOWN_STATE;
  #resource: ResourceState = "unknown";
  #resourceAt = 0;
  #renewAt = 0;
  #failures = 0;
  #sourceState: SourceState;
  #lastMediaAt = performance.now();
  #lastTickAt = performance.now();
  #flows = true;
  #suspended = false;
  #closed = false;
  #readings: Reception[] = [];
  #reconnects = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#sourceState = options.sourceState;
    this.#timer = setInterval(() => void this.#tick(), SAMPLE_MS);
    this.#listen();
    void this.#open(FIRST_FRAME_MS);
  }

  get connection(): WhepConnection | null {
    return this.#connection;
  }

  /** What the session last said of itself. */
  get state(): SessionState {
    return this.#state;
  }

  /** The last reading; null before the first. */
  get reception(): Reception | null {
    return this.#readings.at(-1) ?? null;
  }

  /** What went on in the last seconds; null where there is nothing to compare. */
  get change(): ReceptionChange | null {
    const [first] = this.#readings;
    const last = this.#readings.at(-1);
    return first && last && first !== last ? changeBetween(first, last) : null;
  }

  /** How often a session or its path had to be made anew. */
  get reconnects(): number {
    return this.#reconnects;
  }

  setSourceState(state: SourceState): void {
    if (state === "live" && this.#sourceState !== "live") {
      // A source that is back has its time from now; what was heard before says nothing of it.
      this.#lastMediaAt = performance.now() - SILENT_AFTER_MS;
      this.#renewAt = 0;
      this.#heard("unknown");
    }
    this.#sourceState = state;
  }

  /** Asks the session how it is doing. */
  async refresh(): Promise<void> {
    await this.#ask();
  }

  /** Nothing is wanted for a while, so nothing is missed. */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    this.#lastMediaAt = performance.now();
  }

  /** Asks something of the session's own doors; a failure costs only what was asked. */
  async request(path: string, body: object): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    try {
      const answer = await connection.resource.post(path, body, this.#listeners.signal);
      if (answer !== null && connection === this.#connection) this.#learn(readSessionState(answer));
    } catch (error) {
      if (this.#closed) return;
      console.info(`Klieg: ${path} in real time:`, error);
      if (error instanceof WhepError && error.problem === "gone") this.#heard("gone");
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#listeners.abort();
    this.#opening?.abort();
    this.#opening = null;
    this.#events?.close();
    this.#connection?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #listen(): void {
    const { signal } = this.#listeners;
    const scope: EventTarget = globalThis.window ?? new EventTarget();
    const page: EventTarget = globalThis.document ?? new EventTarget();
    // Another network: the old path is dead, however long that takes to show.
    scope.addEventListener("online", () => void this.#restartIce(), { signal });
    scope.addEventListener(
      "pagehide",
      () => {
        this.#opening?.abort();
        this.#connection?.close();
      },
      { signal },
    );
    scope.addEventListener(
      "pageshow",
      (event) => (event as PageTransitionEvent).persisted && this.#renew("page back"),
      {
        signal,
      },
    );
    page.addEventListener("visibilitychange", () => this.#followEvents(), { signal });
  }

  async #open(limitMs: number): Promise<void> {
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    const { endpoint, means, prove } = this.#options;
    const timer = setTimeout(() => opening.abort(), limitMs);
    let connection: WhepConnection | null = null;
    try {
      connection = await WhepConnection.open({ endpoint, signal: opening.signal, ...means });
      const { peer } = connection;
      const onState = () => peer.connectionState === "failed" && opening.abort();
      peer.addEventListener("connectionstatechange", onState, { signal: opening.signal });
      await prove(connection.stream, opening.signal);
    } catch (error) {
      const reached = connection?.peer.connectionState === "connected";
      connection?.close();
      // Closed, or another attempt began.
      if (this.#opening !== opening) return;
      this.#opening = null;
      this.#onFailed(error, connection === null ? "unavailable" : reached ? "unavailable" : "blocked");
      return;
    } finally {
      clearTimeout(timer);
    }
    if (this.#opening !== opening) {
      connection.close();
      return;
    }
    this.#opening = null;
    this.#adopt(connection);
  }

  #adopt(connection: WhepConnection): void {
    const before = this.#connection;
    this.#connection = connection;
    this.#readings = [];
    this.#failures = 0;
    this.#restartedAt = null;
    this.#lastMediaAt = performance.now();
    if (before) this.#reconnects++;
    this.#options.events.connected(connection);
    before?.close();
    this.#heard("sending");
    this.#setFlows(true);
    this.#followEvents();
    void this.#ask();
  }

  /** @param silent what it means where the error itself does not say. */
  #onFailed(error: unknown, silent: RealtimeRefusal): void {
    const problem = error instanceof WhepError ? error.problem : null;
    if (problem === null && !isAbort(error)) console.warn("Klieg: real time:", error);
    const refusal: RealtimeRefusal = problem === "unsupported" ? "unsupported" : problem ? "unavailable" : silent;
    if (this.#connection === null || problem === "unsupported" || problem === "forbidden") {
      this.#giveUp(refusal);
      return;
    }
    const now = performance.now();
    this.#renewAt = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures++;
    this.#heard(problem === "unreachable" ? "unreachable" : "gone");
  }

  #giveUp(refusal: RealtimeRefusal): void {
    if (this.#closed) return;
    this.close();
    this.#options.events.gaveUp(refusal);
  }

  #renew(reason: string): void {
    if (this.#closed) return;
    console.info(`Klieg: real time, another session: ${reason}`);
    void this.#open(RENEWED_FRAME_MS);
  }

  async #restartIce(): Promise<void> {
    const connection = this.#connection;
    if (!connection || connection.closed || this.#restarting || this.#opening) return;
    this.#restarting = true;
    this.#restartedAt = performance.now();
    this.#reconnects++;
    try {
      await connection.restartIce(this.#listeners.signal);
    } catch (error) {
      if (this.#closed || connection !== this.#connection) return;
      console.info("Klieg: real time, ICE restart:", error);
      const problem = error instanceof WhepError ? error.problem : null;
      this.#heard(problem === "unreachable" ? "unreachable" : "gone");
    } finally {
      this.#restarting = false;
    }
  }

  async #ask(): Promise<void> {
    const connection = this.#connection;
    if (!connection || this.#asking) return;
    this.#asking = true;
    try {
      const state = readSessionState(await connection.resource.state(this.#listeners.signal));
      if (this.#closed || connection !== this.#connection) return;
      this.#heard(state.sending ? "sending" : "waiting");
      this.#learn(state);
    } catch (error) {
      if (this.#closed || connection !== this.#connection) return;
      const gone = error instanceof WhepError && error.problem === "gone";
      if (gone) connection.resource.markOver();
      this.#heard(gone ? "gone" : "unreachable");
    } finally {
      this.#asking = false;
    }
  }

  #learn(state: SessionState): void {
    this.#state = state;
    this.#options.events.changed();
  }

  #heard(resource: ResourceState): void {
    this.#resource = resource;
    this.#resourceAt = performance.now();
  }

  /** Listens to the session while the page is in sight: browsers open few connections to one server, however many pages there are. */
  #followEvents(): void {
    this.#events?.close();
    this.#events = null;
    const connection = this.#connection;
    if (!connection || this.#closed || globalThis.document?.visibilityState === "hidden") return;
    const current = () => connection === this.#connection && !this.#closed;
    this.#events = new SessionEvents(`${connection.resource.url}/events`, this.#options.means.openEvents, {
      sending: (sending) => current() && this.#heard(sending ? "sending" : "waiting"),
      layers: (data) => current() && this.#learn(withMedium(this.#state, data)),
      reconnect: (reason) => {
        connection.resource.markOver();
        if (current()) this.#renew(reason);
      },
      ended: () => {
        connection.resource.markOver();
        if (!current()) return;
        // That may be this session alone.
        this.#heard("unknown");
        this.#options.events.ended();
      },
      lost: () => {
        if (!current()) return;
        this.#heard("unknown");
        void this.#ask();
      },
    });
  }

  async #tick(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastTickAt > ASLEEP_MS) this.#lastMediaAt = now - SILENT_AFTER_MS;
    this.#lastTickAt = now;
    const connection = this.#connection;
    if (!connection) return;
    await this.#sample(connection);
    if (this.#closed || this.#suspended || this.#opening?.signal.aborted) return;
    if (connection === this.#connection) this.#act(performance.now());
  }

  async #sample(connection: WhepConnection): Promise<void> {
    let reception: Reception;
    try {
      reception = readReception((await connection.peer.getStats()) as Map<string, unknown>, performance.now());
    } catch (error) {
      if (!connection.closed) console.info("Klieg: real time, statistics:", error);
      return;
    }
    if (this.#closed || connection !== this.#connection) return;
    const before = this.#readings.at(-1);
    this.#readings.push(reception);
    if (this.#readings.length > READINGS) this.#readings.shift();
    const change = before ? changeBetween(before, reception) : null;
    if (change === null || change.packets > 0) {
      this.#lastMediaAt = reception.at;
      this.#restartedAt = null;
      this.#setFlows(true);
    }
    this.#options.events.sampled(change?.freezes ?? 0, reception.at);
  }

  #act(now: number): void {
    const connection = this.#connection;
    if (!connection) return;
    const silentFor = now - this.#lastMediaAt;
    if (silentFor >= SILENT_AFTER_MS) this.#setFlows(false);
    const action = realtimeAction({
      silentFor,
      connection: connection.peer.connectionState,
      resource: this.#resource,
      resourceAge: now - this.#resourceAt,
      sourceLive: this.#sourceState === "live",
      busy: this.#opening !== null || this.#asking || this.#restarting,
      restartedFor: this.#restartedAt === null ? null : now - this.#restartedAt,
      mayRenew: now >= this.#renewAt,
    });
    switch (action) {
      case "none":
        return;
      case "ask":
        void this.#ask();
        return;
      case "restart-ice":
        void this.#restartIce();
        return;
      case "renew":
        this.#renew(`nothing for ${Math.round(silentFor)} ms`);
        return;
      case "give-up":
        this.#giveUp("lost");
        return;
    }
  }

  #setFlows(flows: boolean): void {
    if (flows === this.#flows) return;
    this.#flows = flows;
    this.#options.events.flowing(flows);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
