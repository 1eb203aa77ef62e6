import type {
  RoomEvent,
  RoomJoined,
  RoomParticipant,
  RoomProducer,
  RoomRole,
  RoomSource,
  RoomState,
  RoomText,
} from "@klieg/protocol";
import type { RoomNotice } from "./notice.ts";
import type { OutReason } from "./rejoin.ts";

/** Where this tab stands with the room. */
export type RoomStage =
  | { readonly name: "lobby"; readonly problem: RoomProblem | null }
  | { readonly name: "joining" }
  | { readonly name: "in" }
  /** Cut off, and coming back. `nextAt`: ms since the epoch of the next attempt; null while one runs. */
  | { readonly name: "rejoining"; readonly nextAt: number | null }
  | { readonly name: "out"; readonly reason: OutReason; readonly problem: RoomProblem | null };

/** Why the room was not entered. `code` is of the backend's error table, `network`, `malformed`, or `unsupported` (this browser). */
export interface RoomProblem {
  readonly code: string;
  readonly message: string;
}

/** What arrives of one producer of somebody else. */
export interface Received {
  readonly track: MediaStreamTrack;
  /** 0 (bad) to 10: the way from the server to here, and the sender's way to the server, whichever is worse; null until told. */
  readonly score: number | null;
}

/** What there is to show of a room. */
export interface RoomSnapshot {
  readonly stage: RoomStage;
  readonly room: RoomState | null;
  readonly selfId: string | null;
  /** Everybody, oneself included, who came first first. */
  readonly participants: readonly RoomParticipant[];
  readonly producers: readonly RoomProducer[];
  readonly activeSpeaker: string | null;
  /** Who spoke, the latest first. */
  readonly spoke: readonly string[];
  readonly texts: readonly RoomText[];
  /** `seq` of the last text that was read. */
  readonly readSeq: number;
  /** By producer id. */
  readonly received: Readonly<Record<string, Received>>;
  readonly notices: readonly RoomNotice[];
  readonly maxParticipants: number;
  /** The browser waits for a click before it plays sound. */
  readonly soundBlocked: boolean;
  /** A way for media is broken, and being mended while the socket works. */
  readonly mediaBroken: boolean;
}

export const OUTSIDE: RoomSnapshot = {
  stage: { name: "lobby", problem: null },
  room: null,
  selfId: null,
  participants: [],
  producers: [],
  activeSpeaker: null,
  spoke: [],
  texts: [],
  readSeq: 0,
  received: {},
  notices: [],
  maxParticipants: 0,
  soundBlocked: false,
  mediaBroken: false,
};

/** So many texts stay on the page. */
const TEXTS_KEPT = 500;
const SPOKE_KEPT = 16;

/** The room as it is told on joining; what was read before stays read. */
export function afterJoin(before: RoomSnapshot, joined: RoomJoined): RoomSnapshot {
  const last = joined.texts.at(-1)?.seq ?? 0;
  const ids = new Set(joined.participants.map(({ id }) => id));
  return {
    ...before,
    stage: { name: "in" },
    room: joined.room,
    selfId: joined.self.id,
    participants: byArrival(joined.participants),
    producers: joined.producers,
    activeSpeaker: joined.active_speaker,
    spoke: before.spoke.filter((id) => ids.has(id)),
    texts: joined.texts,
    // What was written before one came is history, not news.
    readSeq: joined.resumed ? Math.min(before.readSeq, last) : last,
    maxParticipants: joined.max_participants,
    mediaBroken: false,
  };
}

/** The room after an event. Pure; events that change nothing to show return `state` itself. */
export function afterEvent(state: RoomSnapshot, event: RoomEvent): RoomSnapshot {
  switch (event.event) {
    case "participant_joined":
    case "participant_changed":
      return { ...state, participants: byArrival(replaced(state.participants, event.participant)) };
    case "participant_left":
      return {
        ...state,
        participants: state.participants.filter(({ id }) => id !== event.participant_id),
        producers: state.producers.filter(({ participant_id: id }) => id !== event.participant_id),
        spoke: state.spoke.filter((id) => id !== event.participant_id),
        activeSpeaker: state.activeSpeaker === event.participant_id ? null : state.activeSpeaker,
      };
    case "producer_added":
    case "producer_changed":
      return withProducer(state, event.producer);
    case "producer_removed":
      return withoutProducer(state, event.producer_id);
    case "active_speaker": {
      const id = event.participant_id;
      const spoke = id === null ? state.spoke : [id, ...state.spoke.filter((other) => other !== id)];
      return { ...state, activeSpeaker: id, spoke: spoke.slice(0, SPOKE_KEPT) };
    }
    case "consumer_score":
      // By consumer: the reception, which knows its producer, writes it down.
      return state;
    case "text":
      return withText(state, event.text);
    case "role_changed":
      return {
        ...state,
        participants: state.participants.map((one) => (one.id === state.selfId ? { ...one, role: event.role } : one)),
      };
    case "room_changed":
      return { ...state, room: event.room };
    case "on_air":
      return state.room ? { ...state, room: { ...state.room, on_air: event.on_air } } : state;
    case "recording":
      return state.room ? { ...state, room: { ...state.room, recording: event.recording } } : state;
    default:
      return state;
  }
}

/** With a producer that is new, or changed. */
export function withProducer(state: RoomSnapshot, producer: RoomProducer): RoomSnapshot {
  return { ...state, producers: replaced(state.producers, producer) };
}

export function withoutProducer(state: RoomSnapshot, producerId: string): RoomSnapshot {
  return { ...state, producers: state.producers.filter(({ id }) => id !== producerId) };
}

/** With a text at its place; one that is there already (one's own, answered and told) is not doubled. */
export function withText(state: RoomSnapshot, text: RoomText): RoomSnapshot {
  const last = state.texts.at(-1);
  const texts =
    last === undefined || text.seq > last.seq
      ? [...state.texts, text]
      : [...state.texts.filter(({ seq }) => seq !== text.seq), text].sort((a, b) => a.seq - b.seq);
  return { ...state, texts: texts.slice(-TEXTS_KEPT) };
}

function replaced<T extends { readonly id: string }>(list: readonly T[], item: T): readonly T[] {
  return list.some(({ id }) => id === item.id)
    ? list.map((other) => (other.id === item.id ? item : other))
    : [...list, item];
}

function byArrival(participants: readonly RoomParticipant[]): readonly RoomParticipant[] {
  return [...participants].sort((a, b) => (a.joined_at === b.joined_at ? 0 : a.joined_at < b.joined_at ? -1 : 1));
}

export function selfOf(state: RoomSnapshot): RoomParticipant | null {
  return state.participants.find(({ id }) => id === state.selfId) ?? null;
}

export function participantOf(state: RoomSnapshot, id: string | null): RoomParticipant | null {
  return state.participants.find((one) => one.id === id) ?? null;
}

/** What `participantId` sends of this kind; null where it does not. */
export function producerOf(state: RoomSnapshot, participantId: string, source: RoomSource): RoomProducer | null {
  return state.producers.find((one) => one.participant_id === participantId && one.source === source) ?? null;
}

/** Whether the role may send sound and picture. */
export function maySend(role: RoomRole): boolean {
  return role !== "attendee";
}

/** Texts of others that were not read. */
export function unreadCount(state: RoomSnapshot): number {
  return state.texts.filter(({ seq, participant_id: by }) => seq > state.readSeq && by !== state.selfId).length;
}

/** How well one is connected, 0 (bad) to 10, by the worst of what arrives of them; null where nothing does. */
export function qualityOf(state: RoomSnapshot, participantId: string): number | null {
  const scores = state.producers
    .filter((producer) => producer.participant_id === participantId && !producer.paused)
    .flatMap(({ id }) => state.received[id]?.score ?? []);
  return scores.length === 0 ? null : Math.min(...scores);
}
