import { newId } from "../../document/identity.ts";
import { DEFAULT_AUDIO, type Source, type SourceKind } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import { contains, filling, type Transform } from "../../document/transform.ts";
import { strings } from "../strings.ts";

export type SourceOf<Kind extends SourceKind> = Extract<Source, { kind: Kind }>;

/** A name that no other source of the show has: "Camera", "Camera 2" … */
export function freeName(document: StudioDocument, wanted: string): string {
  const taken = new Set(document.sources.map(({ name }) => name));
  const name = wanted.trim().slice(0, 80) || strings.sources.kinds.camera;
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    const numbered = `${name.slice(0, 75)} ${number}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** A source of a kind as it is before anything is chosen for it. */
export function newSource(document: StudioDocument, kind: SourceKind): Source {
  const id = newId();
  const base = { id, name: freeName(document, strings.sources.kinds[kind]) };
  const device = { id: "", label: "" };
  switch (kind) {
    case "camera":
      return { ...base, kind, filters: [], device, width: null, height: null, frame_rate: null };
    case "microphone":
      return { ...base, kind, audio: DEFAULT_AUDIO, device, echo_cancellation: false };
    case "screen":
      return {
        ...base,
        kind,
        filters: [],
        audio: DEFAULT_AUDIO,
        surface: "screen",
        surface_id: "",
        with_audio: true,
        with_pointer: true,
      };
    case "image":
      return { ...base, kind, filters: [], path: "-" };
    case "media_file":
      return { ...base, kind, filters: [], audio: DEFAULT_AUDIO, path: "-", loop: true, on_air: "restart" };
    case "text":
      return {
        ...base,
        kind,
        filters: [],
        text: strings.sources.textExample,
        font: "Inter Variable",
        font_size: Math.round(document.canvas.height / 15),
        weight: 700,
        colour: "#f7f4ef",
        background: null,
        align: "left",
      };
    case "stream":
      return { ...base, kind, filters: [], audio: DEFAULT_AUDIO, url: "rtsp://", ...STREAM_DEFAULTS };
    case "guest": {
      const seats = new Set(document.sources.map((source) => (source.kind === "guest" ? source.seat : 0)));
      const seat = Array.from({ length: 16 }, (_, at) => at + 1).find((free) => !seats.has(free)) ?? 16;
      const name = freeName(document, strings.sources.seatName(seat));
      // Whoever is on stage with a guest hears them.
      return { ...base, name, kind, filters: [], audio: { ...DEFAULT_AUDIO, monitored: true }, seat };
    }
    case "colour":
      return { ...base, kind, filters: [], colour: "#1d4ed8" };
  }
}

const STREAM_DEFAULTS = { transport: "auto", low_latency: true, hardware_decode: true } as const;

/** Corners of the canvas in the order in which new sources take them; titles are at the lower left. */
const CORNERS = [
  { dx: 1, dy: 1 },
  { dx: 1, dy: -1 },
  { dx: -1, dy: -1 },
  { dx: -1, dy: 1 },
] as const;

/**
 * Where a new source is put: what fills a picture fills the canvas if it is the first, and else sits in a corner.
 * @param others boxes that are there already: a corner where none of them is comes first.
 */
export function firstPlace(
  document: StudioDocument,
  kind: SourceKind,
  first: boolean,
  others: readonly Transform[] = [],
): Transform {
  const { canvas } = document;
  const full = filling(canvas);
  const margin = Math.round(canvas.width * 0.03);
  if (kind === "text") {
    const width = Math.round(canvas.width * 0.4);
    const height = Math.round(canvas.height * 0.1);
    return { ...full, width, height, x: margin + width / 2, y: canvas.height - margin - height / 2 };
  }
  if (first || kind === "screen" || kind === "colour" || kind === "media_file" || kind === "stream") return full;
  const width = Math.round(canvas.width * 0.3);
  const height = Math.round((width * 9) / 16);
  const places = CORNERS.map(({ dx, dy }) => ({
    ...full,
    width,
    height,
    x: dx > 0 ? canvas.width - margin - width / 2 : margin + width / 2,
    y: dy > 0 ? canvas.height - margin - height / 2 : margin + height / 2,
    fit: kind === "camera" || kind === "guest" ? ("cover" as const) : ("contain" as const),
  }));
  const small = others.filter((other) => other.width < canvas.width / 2);
  return places.find((place) => !small.some((other) => contains(other, place))) ?? (places[0] as Transform);
}
