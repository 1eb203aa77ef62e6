import { Destination } from "../../document/destination.ts";
import { newId } from "../../document/identity.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import { destinationStrings as words } from "../strings/destinations.ts";

export type DestinationKind = Destination["kind"];

/** A destination of a kind that is not in the show yet. @param url where one is known already. */
export function newDestination(kind: DestinationKind, url = ""): Destination {
  const base = { id: newId(), name: words.newNames[kind], enabled: true, url };
  return kind === "klieg" ? { ...base, kind, channel: "", protocol: "srt" } : { ...base, kind };
}

/** As {@link newDestination}, for a page without an engine of its own: it sends by WebRTC alone. */
export function destinationInBrowser(url = window.location.origin): Destination {
  const made = newDestination("klieg", url);
  return made.kind === "klieg" ? { ...made, protocol: "whip" } : made;
}

/** Whether a page without an engine of its own can send to it. */
export function worksInBrowser(destination: Destination): boolean {
  return destination.kind === "klieg" && destination.protocol === "whip";
}

/** The show's destination at a Klieg server, by the server's address. */
export function destinationAt(document: StudioDocument, server: string): Destination | undefined {
  const bare = (url: string) => url.replace(/\/+$/, "");
  return document.destinations.find(({ kind, url }) => kind === "klieg" && bare(url) === bare(server));
}

/** Puts a destination in the place of the one with its id, or at the end. */
export function withDestination(document: StudioDocument, destination: Destination): StudioDocument {
  const at = document.destinations.findIndex(({ id }) => id === destination.id);
  const destinations =
    at === -1 ? [...document.destinations, destination] : document.destinations.with(at, destination);
  return { ...document, destinations };
}

export function withoutDestination(document: StudioDocument, id: string): StudioDocument {
  return { ...document, destinations: document.destinations.filter((destination) => destination.id !== id) };
}

/** A destination as it was typed: with the address as people paste it made whole. */
export function tidied(destination: Destination): Destination {
  const name = destination.name.trim();
  let url = destination.url.trim();
  if (url !== "" && !url.includes("://")) {
    const local = /^(localhost|127\.|10\.|192\.168\.|\[?::1)/.test(url);
    const scheme = { klieg: local ? "http" : "https", rtmp: "rtmp", srt: "srt" }[destination.kind];
    url = `${scheme}://${url}`;
  }
  return { ...destination, name: name === "" ? words.newNames[destination.kind] : name, url };
}

/** Whether a show may have it as it is; its address is what may be wrong. */
export function isWhole(destination: Destination): boolean {
  return Destination.safeParse(destination).success;
}
