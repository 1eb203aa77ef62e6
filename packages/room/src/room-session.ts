import type {
  RoomAnswerOf,
  RoomEvent,
  RoomJoined,
  RoomLayout,
  RoomRequestInput,
  RoomRequestType,
  RoomSource,
} from "@klieg/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import { ApiError } from "./api-error.ts";
import { happeningsOf } from "./happenings.ts";
import type { LevelBoard } from "./level-board.ts";
import { meterOf } from "./level-meter.ts";
import { type Happening, NOTICES_SHOWN, type RoomNotice } from "./notice.ts";
import type { RoomOutgoing } from "./outgoing.ts";
import { Publications } from "./publications.ts";
import { Reception } from "./reception.ts";
import { finalReason, type OutReason, rejoinDelay } from "./rejoin.ts";
import type { OpenRoomMedia, RoomMedia } from "./room-media.ts";
import {
  afterEvent,
  afterJoin,
  maySend,
  OUTSIDE,
  type RoomProblem,
  type RoomSnapshot,
  type RoomStage,
  selfOf,
  withoutProducer,
  withProducer,
  withText,
} from "./room-snapshot.ts";
import { CLOSE, RoomWire } from "./room-wire.ts";
import type { RoomWireTransport } from "./room-wire-transport.ts";
import type { SoundOut } from "./sound-out.ts";

/** How long a line about what happened stays, ms. */
const NOTICE_MS = 6000;
/** In for so long, the next loss is a new one, ms: a room that is lost again at once is not hurried back to. */
const SETTLED_MS = 20_000;
/** WebSocket: closed without a close frame. */
const ABNORMAL = 1006;

export interface RoomSessionOptions {
  readonly token: string;
  readonly openWire: () => RoomWireTransport;
  readonly openMedia: () => Promise<OpenRoomMedia>;
  /** Lent: whoever made it closes it. */
  readonly outgoing: RoomOutgoing;
  /** Plays the others; left out where somebody else does, by the store's tracks. */
  readonly sound?: Pick<SoundOut, "play" | "stop">;
  /** Told of each event before the store shows it. */
  readonly onEvent?: (event: RoomEvent) => void;
  readonly levels: LevelBoard;
}

/**
 * One tab's part in one room: joins, applies what it is told to its store, sends what is captured, receives what is shown, and comes
 * back by itself with the same place and the same devices when the connection is lost. Knows nothing of React or of the document.
 */
export class RoomSession implements Disposable {
  readonly store: StoreApi<RoomSnapshot> = createStore(() => OUTSIDE);
  readonly reception: Reception;
  readonly #options: RoomSessionOptions;
  readonly #unsubscribe: () => void;
  readonly #noticeTimers = new Set<ReturnType<typeof setTimeout>>();
  #name = "";
  #resumeToken: string | null = null;
  #wire: RoomWire | null = null;
  #media: RoomMedia | null = null;
  #publications: Publications | null = null;
  /** The media that the reception works over. */
  #attached: RoomMedia | null = null;
  /** Counts connections, so that what belongs to an older one is recognised. */
  #generation = 0;
  #attempt = 0;
  #joinedAt = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #noticeKey = 0;
  #closed = false;

  constructor(options: RoomSessionOptions) {
    this.#options = options;
    this.reception = new Reception({
      onReceived: (producer, track) => {
        this.#patch({ received: { ...this.#now.received, [producer.id]: { track, score: null } } });
        if (producer.kind === "audio") options.sound?.play(producer.id, track);
      },
      onForgotten: (producer) => {
        const { [producer.id]: _gone, ...received } = this.#now.received;
        this.#patch({ received });
        if (producer.kind === "audio") options.sound?.stop(producer.id);
      },
    });
    this.#unsubscribe = options.outgoing.subscribe(() => this.#publish());
  }

  get #now(): RoomSnapshot {
    return this.store.getState();
  }

  /** Enters the room. What went wrong is the store's stage. */
  async join(name: string): Promise<void> {
    if (this.#closed || this.#now.stage.name !== "lobby") return;
    this.#name = name;
    this.#attempt = 0;
    this.#patch({ ...OUTSIDE, stage: { name: "joining" } });
    await this.#connect();
  }

  /** Says goodbye. One may join again. */
  leave(): void {
    this.#out("left");
  }

  /** After the end: before the door again. */
  returnToLobby(): void {
    if (this.#now.stage.name === "out") this.#patch(OUTSIDE);
  }

  /** Cut off: comes back at once instead of after the pause. */
  rejoinNow(): void {
    if (this.#now.stage.name !== "rejoining" || this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    void this.#connect();
  }

  /** Asks something of the server. @throws {ApiError} the server's error; `timeout`; `network` while one is cut off. */
  async request<T extends RoomRequestType>(type: T, input: RoomRequestInput<T>): Promise<RoomAnswerOf<T>> {
    if (!this.#wire) throw new ApiError("network", "There is no connection to the room.", true);
    return await this.#wire.ask(type, input);
  }

  /**
   * As {@link request}, but what fails becomes a notice.
   * @returns null where it failed.
   */
  async ask<T extends RoomRequestType>(type: T, input: RoomRequestInput<T>): Promise<RoomAnswerOf<T> | null> {
    try {
      return await this.request(type, input);
    } catch (error) {
      this.#problem(error);
      return null;
    }
  }

  /** Resolves to whether it was sent. */
  async sendText(text: string): Promise<boolean> {
    const answer = await this.ask("send_text", { text });
    if (answer) this.#patch(withText(this.#now, answer.text));
    return answer !== null;
  }

  /** The texts were seen. */
  readTexts(): void {
    const last = this.#now.texts.at(-1)?.seq ?? 0;
    if (last > this.#now.readSeq) this.#patch({ readSeq: last });
  }

  async raiseHand(raised: boolean): Promise<void> {
    await this.ask("raise_hand", { raised });
  }

  /** Also the name under which one comes back. */
  async rename(name: string): Promise<void> {
    if (await this.ask("rename", { name })) this.#name = name;
  }

  async muteAll(): Promise<void> {
    const answer = await this.ask("mute_all", { source: "microphone" });
    if (answer) this.#tell([{ kind: "muted_all", count: answer.muted }]);
  }

  /** For on air and the recording alike. */
  async setLayout(layout: RoomLayout): Promise<void> {
    const { room } = this.#now;
    if (room?.on_air) await this.ask("go_on_air", { layout });
    else if (room?.recording) await this.ask("start_recording", { layout });
  }

  /** Shows and speaks a line that has no event of the server behind it. */
  notify(happening: Happening): void {
    this.#tell([happening]);
  }

  dismiss(key: number): void {
    this.#patch({ notices: this.#now.notices.filter((notice) => notice.key !== key) });
  }

  /** What the browser's autoplay policy says. */
  setSoundBlocked(soundBlocked: boolean): void {
    if (this.#now.soundBlocked !== soundBlocked) this.#patch({ soundBlocked });
  }

  /** Leaves, and ends everything that the session holds. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#disconnect();
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#unsubscribe();
    this.reception.close();
    for (const timer of this.#noticeTimers) clearTimeout(timer);
    this.#noticeTimers.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const current = () => generation === this.#generation && !this.#closed;
    if (this.#now.stage.name === "rejoining") this.#setStage({ name: "rejoining", nextAt: null });
    const wire = new RoomWire({
      transport: this.#options.openWire(),
      onEvent: (event) => {
        if (current()) this.#handle(event);
      },
      onLost: (code) => {
        if (current()) this.#lost(code);
      },
    });
    this.#wire = wire;
    // Fetched meanwhile; whether it failed is looked at below.
    const opening = this.#options.openMedia();
    opening.catch(() => undefined);
    try {
      const joined = await wire.ask("join", {
        token: this.#options.token,
        name: this.#name,
        ...(this.#resumeToken ? { resume_token: this.#resumeToken } : {}),
      });
      if (!current()) return;
      this.#resumeToken = joined.resume_token;
      // Before anything else is waited for: the next event is about the room as it is in this answer.
      this.#enter(joined);
      const openMedia = await opening;
      const media = await openMedia({
        joined,
        ask: wire.ask,
        onSent: (producer) => {
          if (current()) this.#patch(withProducer(this.#now, producer));
        },
        onUnsent: (producerId) => {
          if (current()) this.#patch(withoutProducer(this.#now, producerId));
        },
        onScore: (producerId, score) => this.#score(producerId, score),
        onTrack: (producerId, track) => this.#swapTrack(producerId, track),
        onHealth: (healthy) => {
          if (current() && this.#now.mediaBroken === healthy) this.#patch({ mediaBroken: !healthy });
        },
        onBroken: () => {
          if (current()) this.#lost(ABNORMAL);
        },
      });
      if (!current()) {
        media.close();
        return;
      }
      this.#media = media;
      this.#publications = new Publications(media, (source, error) => this.#publishFailed(source, error));
      this.#receive();
      this.#publish();
    } catch (error) {
      if (current()) this.#refused(problemOf(error));
    }
  }

  #enter(joined: RoomJoined): void {
    const back = this.#now.stage.name === "rejoining";
    this.#joinedAt = Date.now();
    this.#patch(afterJoin(this.#now, joined));
    if (back) this.#tell([{ kind: "back" }]);
    this.#obeyRole();
  }

  #handle(event: RoomEvent): void {
    const before = this.#now;
    this.#options.onEvent?.(event);
    // Media that arrives before its transport is open is told again when asked for.
    this.#media?.handle(event);
    const after = afterEvent(before, event);
    if (after !== before) this.store.setState(after, true);
    if (after.producers !== before.producers) this.#receive();
    this.#tell(happeningsOf(before, event));
    switch (event.event) {
      case "levels":
        this.#options.levels.setOthers(
          new Map(
            event.levels
              .filter(({ participant_id: id }) => id !== after.selfId)
              .map(({ participant_id: id, level }) => [id, meterOf(level)]),
          ),
        );
        return;
      case "muted_by_host":
        // A host's word counts at once, whatever the server does to the producer.
        this.#options.outgoing.silence(event.source);
        return;
      case "producer_removed":
        if (event.participant_id === after.selfId) this.#publications?.lost(event.source);
        return;
      case "role_changed":
        this.#obeyRole();
        return;
      case "reconnect":
        this.#lost(CLOSE.reconnect);
        return;
      case "removed":
        this.#out(event.reason === "room_ended" ? "ended" : event.reason);
        return;
      default:
        return;
    }
  }

  /** Nothing is captured of those who may not send it. */
  #obeyRole(): void {
    const self = selfOf(this.#now);
    if (self && !maySend(self.role)) this.#options.outgoing.stopAll();
  }

  #receive(): void {
    const { producers, selfId } = this.#now;
    const others = producers.filter(({ participant_id: id }) => id !== selfId);
    if (!this.#media) return;
    if (this.#attached === this.#media) this.reception.setProducers(others);
    else {
      this.#attached = this.#media;
      this.reception.attach(this.#media, others);
    }
  }

  #publish(): void {
    const self = selfOf(this.#now);
    if (!self) return;
    void this.#publications?.sync(maySend(self.role) ? this.#options.outgoing.wanted() : new Map());
  }

  #publishFailed(source: RoomSource, error: unknown): void {
    this.#problem(error);
    this.#options.outgoing.failed(source);
  }

  #score(producerId: string, score: number | null): void {
    const received = this.#now.received[producerId];
    if (received) this.#patch({ received: { ...this.#now.received, [producerId]: { ...received, score } } });
  }

  #swapTrack(producerId: string, track: MediaStreamTrack): void {
    const received = this.#now.received[producerId];
    if (!received) return;
    this.#patch({ received: { ...this.#now.received, [producerId]: { ...received, track } } });
    if (track.kind === "audio") this.#options.sound?.play(producerId, track);
  }

  /** The socket is gone, or what it stood for. */
  #lost(code: number): void {
    const reason = finalReason(code);
    const { stage } = this.#now;
    if (reason) {
      // Refused before one was in: the lobby says so, by the answer where there is one.
      if (stage.name === "joining") this.#refused({ code: codeOfReason(reason), message: "" });
      else this.#out(reason);
      return;
    }
    if (stage.name === "joining") {
      this.#refused({ code: "network", message: "" });
      return;
    }
    if (stage.name === "in" && Date.now() - this.#joinedAt > SETTLED_MS) this.#attempt = 0;
    this.#disconnect();
    this.#comeBackLater(code);
  }

  #comeBackLater(code: number): void {
    const delay = rejoinDelay(this.#attempt++, code, Math.random());
    this.#setStage({ name: "rejoining", nextAt: Date.now() + delay });
    this.#retry = setTimeout(() => {
      this.#retry = null;
      void this.#connect();
    }, delay);
  }

  /** Joining failed. */
  #refused(problem: RoomProblem): void {
    const { stage } = this.#now;
    this.#disconnect();
    if (stage.name === "rejoining") {
      if (PASSING.has(problem.code)) this.#comeBackLater(ABNORMAL);
      else if (problem.code === "not_found" || problem.code === "gone") this.#out("ended");
      else this.#out("refused", problem);
    } else if (stage.name === "in") {
      // In, but media could not even begin.
      this.#out("refused", problem);
    } else this.#patch({ ...OUTSIDE, stage: { name: "lobby", problem } });
  }

  #out(reason: OutReason, problem: RoomProblem | null = null): void {
    if (this.#now.stage.name === "out") return;
    this.#disconnect();
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    // The place is given up: another time one is somebody new.
    this.#resumeToken = null;
    this.#options.outgoing.stopAll();
    this.#patch({ stage: { name: "out", reason, problem }, notices: [], received: {} });
  }

  #disconnect(): void {
    this.#generation += 1;
    for (const [id, { track }] of Object.entries(this.#now.received)) {
      if (track.kind === "audio") this.#options.sound?.stop(id);
    }
    this.#publications?.close();
    this.#publications = null;
    this.reception.detach();
    this.#attached = null;
    this.#media?.close();
    this.#media = null;
    this.#wire?.close();
    this.#wire = null;
  }

  #tell(happenings: readonly Happening[]): void {
    if (happenings.length === 0) return;
    const fresh: RoomNotice[] = happenings.map((happening) => ({ ...happening, key: ++this.#noticeKey }));
    this.#patch({ notices: [...this.#now.notices, ...fresh].slice(-NOTICES_SHOWN) });
    for (const { key } of fresh) {
      const timer = setTimeout(() => {
        this.#noticeTimers.delete(timer);
        this.dismiss(key);
      }, NOTICE_MS);
      this.#noticeTimers.add(timer);
    }
  }

  #problem(error: unknown): void {
    if (this.#closed) return;
    const { code, message } = problemOf(error);
    // The banner about the lost connection says it already.
    if (code === "network") return;
    this.#tell([{ kind: "problem", code, message }]);
  }

  #setStage(stage: RoomStage): void {
    this.#patch({ stage });
  }

  #patch(change: Partial<RoomSnapshot>): void {
    if (!this.#closed) this.store.setState(change);
  }
}

/** What may be otherwise in a moment. */
const PASSING: ReadonlySet<string> = new Set([
  "network",
  "timeout",
  "internal",
  "overloaded",
  "shutting_down",
  "rate_limited",
  "webrtc_unavailable",
  "room_full",
]);

function codeOfReason(reason: OutReason): string {
  if (reason === "refused") return "invite_invalid";
  return reason === "ended" ? "not_found" : "forbidden";
}

function problemOf(error: unknown): RoomProblem {
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  console.error("Klieg:", error);
  return { code: "internal", message: "" };
}
