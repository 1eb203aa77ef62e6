import { PlaylistError } from "./playlist-error.ts";

/** Printed durations count in hundred-thousandths of a second: five decimals (SPEC.md rule 12). */
export const UNITS_PER_SECOND = 100_000;

/** 90 kHz ticks as the nearest whole number of printed units. */
export function ticksToUnits(ticks: number): number {
  return Math.round((ticks * 10) / 9);
}

/** `units` as seconds with five decimals. */
export function formatUnits(units: number): string {
  const whole = Math.floor(units / UNITS_PER_SECOND);
  return `${whole}.${String(units - whole * UNITS_PER_SECOND).padStart(5, "0")}`;
}

/** Seconds with as few decimals as they need, at least one, at most five. */
export function formatSeconds(seconds: number): string {
  const text = seconds.toFixed(5).replace(/0+$/, "");
  return text.endsWith(".") ? `${text}0` : text;
}

/** A quoted-string attribute value (RFC 8216bis §4.2). @throws PlaylistError `bad_text` */
export function quoted(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the grammar forbids
  if (/["\u0000-\u001f\u007f-\u009f]/.test(value)) {
    throw new PlaylistError("bad_text", "a quoted string with a quote, a line break or a control character");
  }
  return `"${value}"`;
}

/** A URI on a line of its own. @throws PlaylistError `bad_text` */
export function uriLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the grammar forbids
  if (value === "" || value.startsWith("#") || /[\u0000-\u0020\u007f-\u009f]/.test(value)) {
    throw new PlaylistError("bad_text", "a URI that cannot stand on a playlist line");
  }
  return value;
}
