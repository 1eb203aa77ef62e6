import { z } from "zod";

/** Pixels of the screen, as the window system counts them. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is kept of the window from one start to the next. */
export const WindowPlacement = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(1).max(100_000),
  height: z.int().min(1).max(100_000),
  maximized: z.boolean(),
});
export type WindowPlacement = z.infer<typeof WindowPlacement>;

/** The smallest that the studio's layout is made for; of the page, without the window's frame. */
export const SMALLEST_CONTENT = { width: 1280, height: 800 } as const;
const FIRST_CONTENT = { width: 1600, height: 1000 } as const;
/** So much of the window's top must be seen, in pixels, that it can be taken hold of. */
const GRIP = { width: 120, height: 40 } as const;

/**
 * Where the window opens: where it was, unless that screen is gone or has changed.
 * @param kept what was saved, as it was read: possibly nothing, or nonsense.
 * @param screens the work area of each, the main one first.
 */
export function placeWindow(kept: unknown, screens: readonly Rectangle[]): WindowPlacement {
  const main = screens[0] ?? { x: 0, y: 0, ...FIRST_CONTENT };
  const parsed = WindowPlacement.safeParse(kept);
  if (!parsed.success) return { ...centred(FIRST_CONTENT, main), maximized: false };
  const placement = parsed.data;
  const screen = screens.find((area) => graspable(placement, area));
  if (screen === undefined) return { ...centred(placement, main), maximized: placement.maximized };
  return { ...placement, ...fitted(placement, screen) };
}

/** The system lets a window be larger than its screen; a person cannot use one that is. */
function fitted(size: { readonly width: number; readonly height: number }, area: Rectangle) {
  return {
    width: Math.max(SMALLEST_CONTENT.width, Math.min(size.width, area.width)),
    height: Math.max(SMALLEST_CONTENT.height, Math.min(size.height, area.height)),
  };
}

function centred(size: { readonly width: number; readonly height: number }, area: Rectangle): Rectangle {
  const { width, height } = fitted(size, area);
  return {
    x: Math.round(area.x + Math.max(0, area.width - width) / 2),
    y: Math.round(area.y + Math.max(0, area.height - height) / 2),
    width,
    height,
  };
}

function graspable(window: Rectangle, area: Rectangle): boolean {
  const seen = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x);
  return seen >= GRIP.width && window.y >= area.y && window.y + GRIP.height <= area.y + area.height;
}
