import { changeItem } from "../../document/edit.ts";
import type { Scene } from "../../document/scene.ts";
import type { Source } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { Services } from "../services.ts";
import { addExisting, addNewSource } from "../sources/add-source.ts";
import { freeName, newSource } from "../sources/new-source.ts";
import { workScene } from "../stage/layers.ts";
import { strings } from "../strings.ts";
import type { Guest } from "./guest.ts";
import { SEATS } from "./seats.ts";

/** Where a guest is as viewers see it. */
export type GuestPlacing =
  /** In no seat: only the host sees and hears them. */
  | "backstage"
  /** In a seat that no scene which is worked on or on air shows. */
  | "not_in_scene"
  /** Shown by the scene that is worked on. */
  | "on_stage"
  /** Shown by the scene that is on air. */
  | "in_program";

/** The first source that shows a seat. */
export function sourceOfSeat(document: StudioDocument, seat: number): Source | undefined {
  return document.sources.find((source) => source.kind === "guest" && source.seat === seat);
}

function shows(document: StudioDocument, scene: Scene | undefined, seat: number): boolean {
  const sources = new Set(
    document.sources.flatMap((source) => (source.kind === "guest" && source.seat === seat ? [source.id] : [])),
  );
  return scene?.items.some(({ source, visible }) => visible && sources.has(source)) === true;
}

export function placingOf(document: StudioDocument, seat: number | undefined): GuestPlacing {
  if (seat === undefined) return "backstage";
  const program = document.scenes.find(({ id }) => id === document.program);
  if (shows(document, program, seat)) return "in_program";
  return shows(document, workScene(document), seat) ? "on_stage" : "not_in_scene";
}

/**
 * The seat for a guest who is put on stage: an empty one that the scene shows already, or another that the show has, or the lowest
 * that is free.
 * @param taken seats of others, of those who are cut off too.
 * @returns undefined where all are taken.
 */
export function seatFor(document: StudioDocument, taken: ReadonlySet<number>): number | undefined {
  const scene = workScene(document);
  const seats = Array.from({ length: SEATS }, (_, at) => at + 1).filter((seat) => !taken.has(seat));
  return (
    seats.find((seat) => shows(document, scene, seat)) ??
    seats.find((seat) => sourceOfSeat(document, seat) !== undefined) ??
    seats[0]
  );
}

/** Gives a guest a seat and has the scene that is worked on show it. @returns whether there was a seat. */
export function putOnStage(services: Pick<Services, "show" | "stage" | "media" | "guests">, guest: Guest): boolean {
  const { show, guests } = services;
  const { document } = show;
  const others = guests.store.getState().guests.filter(({ id }) => id !== guest.id);
  const taken = new Set(others.flatMap(({ seat }) => (seat === undefined ? [] : [seat])));
  const seat = guest.seat ?? seatFor(document, taken);
  if (seat === undefined) return false;
  if (guest.seat === undefined) guests.seat(guest.id, seat);
  const source = sourceOfSeat(document, seat);
  if (source === undefined) {
    const made = newSource(document, "guest");
    if (made.kind === "guest") {
      addNewSource(services, { ...made, seat, name: freeName(document, strings.sources.seatName(seat)) });
    }
    return true;
  }
  const scene = workScene(document);
  const item = scene.items.find((candidate) => candidate.source === source.id);
  if (item === undefined) addExisting(services, source);
  else if (!item.visible) {
    show.change(strings.guests.steps.putOnStage(guest.name), (before) =>
      changeItem(before, scene.id, item.id, (now) => ({ ...now, visible: true })),
    );
  }
  return true;
}
