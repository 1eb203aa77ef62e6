import { strings } from "../strings.ts";

/**
 * A key with its modifiers, as settings keep it: `Control+Shift+KeyL`, the key as `KeyboardEvent.code`, modifiers in the order
 * Control, Alt, Shift, Meta. On a Mac `Control` stands for the command key and `Meta` for the control key, so that one table of
 * defaults serves all.
 */
export type KeyCombination = string;

/** The part of a `KeyboardEvent` that is looked at. */
export interface KeyPress {
  readonly code: string;
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const MODIFIER_CODES = /^(Control|Shift|Alt|Meta|OS)(Left|Right)?$/;

/** @returns undefined while only modifiers are held. */
export function combinationOf(press: KeyPress, mac: boolean): KeyCombination | undefined {
  // The question mark is on another key of nearly every layout: what it says counts, and not where it is.
  if (press.key === "?") return "Shift+Slash";
  if (press.code === "" || MODIFIER_CODES.test(press.code)) return undefined;
  const control = mac ? press.metaKey : press.ctrlKey;
  const meta = mac ? press.ctrlKey : press.metaKey;
  const code = press.code.replace(/^Numpad(Enter|\d)$/, (_, key: string) => (key === "Enter" ? key : `Digit${key}`));
  return [control && "Control", press.altKey && "Alt", press.shiftKey && "Shift", meta && "Meta", code]
    .filter((part) => part !== false)
    .join("+");
}

/** How a person reads it: "Ctrl+Shift+L", on a Mac "⌘⇧L". */
export function keyLabel(combination: KeyCombination, mac: boolean): string {
  const { keyNames, modifierNames, macModifierNames } = strings.commands;
  const parts = combination.split("+");
  const key = parts.pop() ?? "";
  const names: Readonly<Record<string, string>> = mac ? macModifierNames : modifierNames;
  if (combination === "Shift+Slash") return "?";
  const shown = keyNames[key] ?? key.replace(/^(Key|Digit)/, "");
  return [...parts.map((part) => names[part] ?? part), shown].join(mac ? "" : "+");
}
