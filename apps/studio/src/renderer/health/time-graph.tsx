import { HISTORY_MS } from "./health-history.ts";
import type { TimeSeries } from "./time-series.ts";

/** One line of a graph. */
export interface GraphLine {
  readonly series: TimeSeries;
  /** A custom property of the theme. */
  readonly colour: string;
}

interface TimeGraphProps {
  readonly lines: readonly GraphLine[];
  /** What a screen reader says. */
  readonly label: string;
  /** ms: the right edge. */
  readonly now: number;
  /** What the top is at least, so that a still figure is not a jagged one. */
  readonly atLeast: number;
}

const WIDTH = 400;
const HEIGHT = 40;
/** Room for half a line above and below. */
const MARGIN = 2;

/** The shortest time that a graph shows, ms: a show that has just begun has no empty graphs. */
const SHORTEST_MS = 60_000;

/** How far back a graph of a series goes, ms: to its beginning, within bounds. */
export function windowOf(series: Iterable<{ at: number }>, now: number): number {
  for (const { at } of series) return Math.min(HISTORY_MS, Math.max(SHORTEST_MS, now - at));
  return SHORTEST_MS;
}

/** The last minutes of one or two figures that share a scale which begins at nothing. */
export function TimeGraph({ lines, label, now, atLeast }: TimeGraphProps) {
  const top = Math.max(atLeast, ...lines.flatMap(({ series }) => [...series].map(({ value }) => value || 0)));
  const windowMs = Math.max(SHORTEST_MS, ...lines.map(({ series }) => windowOf(series, now)));
  return (
    <svg
      className="time-graph"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {lines.map(({ series, colour }) => (
        <path key={colour} d={pathOf(series, now, windowMs, top)} style={{ stroke: `var(${colour})` }} />
      ))}
    </svg>
  );
}

/** A line that is broken where there is a gap. */
export function pathOf(
  series: Iterable<{ at: number; value: number }>,
  now: number,
  windowMs: number,
  top: number,
): string {
  let path = "";
  let pen = "M";
  for (const { at, value } of series) {
    if (Number.isNaN(value)) {
      pen = "M";
      continue;
    }
    const x = WIDTH * (1 - (now - at) / windowMs);
    if (x < 0) continue;
    const y = HEIGHT - MARGIN - (Math.min(value, top) / top) * (HEIGHT - 2 * MARGIN);
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return path;
}
