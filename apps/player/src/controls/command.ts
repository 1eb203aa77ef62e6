/** What a key press asks the player to do. */
export type Command =
  | "toggle-play"
  | "toggle-mute"
  | "toggle-full-screen"
  | "toggle-picture-in-picture"
  | "seek-back"
  | "seek-on"
  | "louder"
  | "quieter"
  | "go-live"
  | "open-quality"
  | "toggle-mode"
  | "toggle-statistics"
  | "open-help";

/** Which keys do what; the help dialog shows the same table. */
export const KEYS: Readonly<Record<string, Command>> = {
  " ": "toggle-play",
  k: "toggle-play",
  m: "toggle-mute",
  f: "toggle-full-screen",
  p: "toggle-picture-in-picture",
  ArrowLeft: "seek-back",
  ArrowRight: "seek-on",
  ArrowUp: "louder",
  ArrowDown: "quieter",
  l: "go-live",
  q: "open-quality",
  r: "toggle-mode",
  i: "toggle-statistics",
  "?": "open-help",
};

/** The part of a `KeyboardEvent` that is looked at. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly defaultPrevented: boolean;
  readonly isComposing: boolean;
}

/** What the element with the focus does with keys itself. */
export interface FocusedElement {
  /** Lower-case tag name. */
  readonly tag: string;
  /** `type` of an input. */
  readonly type: string | null;
  readonly editable: boolean;
}

/** The command of a key press, or null when the key is none or belongs to the focused element, the browser or the system. */
export function commandFor(press: KeyPress, focused: FocusedElement | null): Command | null {
  if (press.defaultPrevented || press.isComposing || press.ctrlKey || press.metaKey || press.altKey) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const command = KEYS[key] ?? null;
  if (command === null || focused === null) return command;
  if (focused.editable || focused.tag === "textarea" || focused.tag === "select") return null;
  if (focused.tag === "input" && focused.type !== "range") return null;
  // A slider moves by arrows; a button or link is pressed by space.
  if (focused.tag === "input" && key.startsWith("Arrow")) return null;
  if ((focused.tag === "button" || focused.tag === "a" || focused.tag === "summary") && key === " ") return null;
  return command;
}
