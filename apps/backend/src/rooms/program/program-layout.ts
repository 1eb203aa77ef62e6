import type { RoomLayout } from "@klieg/protocol";

/** Pixels, even: chroma has half of them. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture that somebody in the room sends, and that is not paused. */
export interface PictureSource {
  readonly producerId: string;
  readonly participantId: string;
  readonly source: "camera" | "screen";
}

/** Where a picture stands on the canvas; pixels from the top left, even. */
export interface Tile extends Size {
  readonly producerId: string;
  readonly x: number;
  readonly y: number;
}

/** More pictures at once would be stamps, and each is decoded. */
const MAX_TILES = 9;
/** The speaker's camera over a shared screen has this part of the canvas's width. */
const INSET_PART = 0.22;
const INSET_MARGIN_PART = 0.02;

/**
 * What the program shows, from the bottom to the top.
 * @param sources in the order in which their senders joined.
 * @param speaker who speaks, or spoke last.
 * @param shown who was shown last as the one speaker: stays while nobody speaks who can be seen.
 */
export function arrange(
  layout: RoomLayout,
  sources: readonly PictureSource[],
  canvas: Size,
  speaker: string | undefined,
  shown: string | undefined,
): Tile[] {
  if (layout.kind === "grid") return grid(sources, canvas, speaker);
  const screens = sources.filter(({ source }) => source === "screen");
  const cameras = sources.filter(({ source }) => source === "camera");
  const of = (list: readonly PictureSource[], participantId: string | undefined) =>
    list.find((one) => one.participantId === participantId);
  const pinned = layout.participant_id;
  // One who is pinned and sends nothing leaves the place to whoever speaks.
  const isPinned = pinned !== undefined && sources.some(({ participantId }) => participantId === pinned);
  const screen = isPinned ? of(screens, pinned) : (of(screens, speaker) ?? screens.at(-1));
  const camera = isPinned ? of(cameras, pinned) : (of(cameras, speaker) ?? of(cameras, shown) ?? cameras[0]);
  const whole = { x: 0, y: 0, ...canvas };
  if (screen === undefined) return camera === undefined ? [] : [{ producerId: camera.producerId, ...whole }];
  const tiles: Tile[] = [{ producerId: screen.producerId, ...whole }];
  if (camera !== undefined) {
    const width = even(canvas.width * INSET_PART);
    const height = even((width * canvas.height) / canvas.width);
    const margin = even(canvas.width * INSET_MARGIN_PART);
    tiles.push({
      producerId: camera.producerId,
      x: canvas.width - width - margin,
      y: canvas.height - height - margin,
      width,
      height,
    });
  }
  return tiles;
}

/** Equal tiles in rows; the last row stands in the middle. */
function grid(sources: readonly PictureSource[], canvas: Size, speaker: string | undefined): Tile[] {
  const rank = ({ source, participantId }: PictureSource) =>
    source === "screen" ? 0 : participantId === speaker ? 1 : 2;
  // Who is left out is decided by rank, where they stand by who came first: nobody moves because another speaks.
  const chosen = new Set([...sources].sort((a, b) => rank(a) - rank(b)).slice(0, MAX_TILES));
  const shown = sources.filter((one) => chosen.has(one));
  const columns = Math.ceil(Math.sqrt(shown.length));
  const rows = Math.ceil(shown.length / columns);
  const width = even(canvas.width / columns);
  const height = even(Math.min(canvas.height / rows, (width * canvas.height) / canvas.width));
  const top = even((canvas.height - rows * height) / 2);
  return shown.map(({ producerId }, i) => {
    const row = Math.floor(i / columns);
    const inRow = Math.min(columns, shown.length - row * columns);
    const left = even((canvas.width - inRow * width) / 2);
    return { producerId, x: left + (i % columns) * width, y: top + row * height, width, height };
  });
}

/** The participant whose camera the one-speaker layout shows now. */
export function shownSpeaker(tiles: readonly Tile[], sources: readonly PictureSource[]): string | undefined {
  for (const { producerId } of tiles) {
    const found = sources.find((one) => one.producerId === producerId);
    if (found?.source === "camera") return found.participantId;
  }
  return undefined;
}

/** The largest even number not above `value`. */
function even(value: number): number {
  return 2 * Math.floor(value / 2);
}
