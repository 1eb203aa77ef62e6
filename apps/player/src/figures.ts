/** How numbers are written on screen: the unit chosen so that two or three digits remain, and the width steady while they change. */

/** @param bitsPerSecond e.g. `3_012_000` → `3.0 Mb/s`, `804_000` → `800 kb/s`. */
export function bitrate(bitsPerSecond: number): string {
  if (!Number.isFinite(bitsPerSecond) || bitsPerSecond <= 0) return "–";
  if (bitsPerSecond >= 995_000) {
    const megabits = bitsPerSecond / 1e6;
    return `${megabits.toFixed(megabits >= 99.95 ? 0 : 1)} Mb/s`;
  }
  const kilobits = bitsPerSecond / 1000;
  return `${kilobits >= 100 ? Math.round(kilobits / 10) * 10 : Math.max(1, Math.round(kilobits))} kb/s`;
}

/** @param seconds e.g. `1.42` → `1.4 s`; a minute or more → `1:05`. @param digits after the point: 2 where it is a fraction of one. */
export function latency(seconds: number, digits = 1): string {
  if (!Number.isFinite(seconds)) return "–";
  const shown = Math.max(0, seconds);
  return shown < 59.95 ? `${shown.toFixed(digits)} s` : clock(shown);
}

/** @param seconds e.g. `75` → `1:15`, `3720` → `1:02:00`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Seconds with two decimals and a fixed width, for the statistics. */
export function seconds(value: number | null, digits = 2): string {
  return value === null || !Number.isFinite(value) ? "–" : `${value.toFixed(digits)} s`;
}

/** @param value ms; without decimals. */
export function milliseconds(value: number | null): string {
  return value === null || !Number.isFinite(value) ? "–" : `${Math.round(value)} ms`;
}

/** @param share 0 to 1, e.g. `0.0123` → `1.2 %`. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : "–";
}

/** A count with thin spaces between thousands, e.g. `12 840`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** A length of time in words. @param ms e.g. 42 min, 1 h 5 min; under a minute `null`, so that the page can say "just now". */
export function span(ms: number): { hours: number; minutes: number } | null {
  const minutes = Math.floor(ms / 60_000);
  if (!Number.isFinite(minutes) || minutes < 1) return null;
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}
