import type { RoomParticipant } from "@klieg/protocol";
import { maySend, producerOf, type RoomSnapshot } from "@klieg/room";

/** Something with a place of its own on the stage: a person, or the screen that they share. */
export interface Tile {
  /** The same for as long as it is on stage. */
  readonly key: string;
  readonly participant: RoomParticipant;
  readonly kind: "person" | "screen";
}

/** Everybody who can be seen or heard, then who came first; oneself last; screens before all. Pure. */
export function tilesOf(state: RoomSnapshot): readonly Tile[] {
  const onStage = state.participants.filter(({ role }) => maySend(role));
  const others = onStage.filter(({ id }) => id !== state.selfId);
  const self = onStage.filter(({ id }) => id === state.selfId);
  const screens = onStage.filter(({ id }) => producerOf(state, id, "screen") !== null);
  return [
    ...screens.map((participant): Tile => ({ key: `screen-${participant.id}`, participant, kind: "screen" })),
    ...[...others, ...self].map((participant): Tile => ({ key: participant.id, participant, kind: "person" })),
  ];
}

/**
 * The tiles in the order in which they are shown, such that whoever spoke lately is on the first page. Who is there keeps their place;
 * who comes forward changes places with whoever was silent longest. Pure.
 * @param before keys as they were shown until now. @param spoke participants, the latest speaker first.
 */
export function orderTiles(
  tiles: readonly Tile[],
  before: readonly string[],
  spoke: readonly string[],
  perPage: number,
): readonly Tile[] {
  const byKey = new Map(tiles.map((tile) => [tile.key, tile]));
  const kept = before.flatMap((key) => byKey.get(key) ?? []);
  const isKept = new Set(kept.map(({ key }) => key));
  const order = [...kept, ...tiles.filter(({ key }) => !isKept.has(key))];
  if (order.length <= perPage) return order;
  const silence = ({ participant }: Tile) => {
    const index = spoke.indexOf(participant.id);
    return index === -1 ? Number.POSITIVE_INFINITY : index;
  };
  for (const id of spoke.slice(0, perPage).reverse()) {
    const from = order.findIndex(({ participant, kind }) => participant.id === id && kind === "person");
    const speaker = order[from];
    if (!speaker || from < perPage) continue;
    const first = order.slice(0, perPage);
    const longest = first.reduce(
      (worst, tile, index) =>
        tile.kind === "person" && silence(tile) >= silence(first[worst] ?? tile) ? index : worst,
      first.findIndex(({ kind }) => kind === "person"),
    );
    const gives = order[longest];
    if (!gives) continue;
    order[longest] = speaker;
    order[from] = gives;
  }
  return order;
}

/**
 * What is shown large: what the person chose; else a screen, the latest one; else (where a speaker is wanted large) who speaks, or
 * spoke last, or could speak, of the others. Null: everybody alike. Pure.
 */
export function largeOf(
  tiles: readonly Tile[],
  state: Pick<RoomSnapshot, "selfId" | "activeSpeaker" | "spoke" | "producers">,
  layout: "grid" | "speaker",
  chosen: string | null,
): Tile | null {
  const picked = tiles.find(({ key }) => key === chosen);
  if (picked) return picked;
  const screen = tiles.findLast(({ kind }) => kind === "screen");
  if (screen) return screen;
  if (layout === "grid") return null;
  const others = tiles.filter(({ participant }) => participant.id !== state.selfId);
  for (const id of [state.activeSpeaker, ...state.spoke]) {
    const speaker = others.find(({ participant }) => participant.id === id);
    if (speaker) return speaker;
  }
  const mayBeHeard = ({ participant }: Tile) =>
    state.producers.some(
      (producer) => producer.participant_id === participant.id && producer.source === "microphone" && !producer.paused,
    );
  return others.find(mayBeHeard) ?? others[0] ?? tiles[0] ?? null;
}
