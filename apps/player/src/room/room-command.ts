import type { FocusedElement, KeyPress } from "../controls/command.ts";

/** What a key asks for in a room. */
export type RoomCommand =
  | "toggle-microphone"
  | "toggle-camera"
  | "toggle-screen"
  | "toggle-hand"
  | "toggle-layout"
  | "toggle-people"
  | "toggle-texts"
  | "toggle-full-screen"
  | "open-invite"
  | "open-program"
  | "open-help"
  | "close-panel"
  | "previous-page"
  | "next-page";

/** Which keys do what; the tips and the help dialog show the same ones. */
export const ROOM_KEYS: Readonly<Record<string, RoomCommand>> = {
  m: "toggle-microphone",
  c: "toggle-camera",
  s: "toggle-screen",
  h: "toggle-hand",
  g: "toggle-layout",
  p: "toggle-people",
  t: "toggle-texts",
  i: "open-invite",
  a: "open-program",
  f: "toggle-full-screen",
  "?": "open-help",
  Escape: "close-panel",
  ArrowLeft: "previous-page",
  ArrowRight: "next-page",
};

/** Held, it opens a muted microphone. */
export const TALK_KEY = " ";

/** The command of a key press; null where it is none, or belongs to what has the focus, to the browser or the system. */
export function roomCommandFor(press: KeyPress, focused: FocusedElement | null): RoomCommand | null {
  if (press.defaultPrevented || press.isComposing || press.ctrlKey || press.metaKey || press.altKey) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const command = ROOM_KEYS[key] ?? null;
  if (command === "close-panel") return command;
  return command === null || isTypedInto(focused) ? null : command;
}

/** Whether the talk key is free: buttons and links are pressed by it. */
export function isTalkPress(press: KeyPress, focused: FocusedElement | null): boolean {
  if (press.key !== TALK_KEY || press.defaultPrevented || press.isComposing) return false;
  if (press.ctrlKey || press.metaKey || press.altKey) return false;
  if (isTypedInto(focused)) return false;
  return focused === null || !["button", "a", "summary", "option"].includes(focused.tag);
}

function isTypedInto(focused: FocusedElement | null): boolean {
  return focused !== null && (focused.editable || ["input", "textarea", "select"].includes(focused.tag));
}
