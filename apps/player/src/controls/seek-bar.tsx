import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { useStore } from "zustand";
import { clock } from "../figures.ts";
import type { LiveSession } from "../playback/live-session.ts";
import type { LiveWindow } from "../playback/playback-state.ts";
import { strings } from "../strings.ts";
import { behindLive } from "./live-indicator.tsx";

/** A window shorter than this, seconds, is not worth a bar. */
const SHORTEST_WINDOW = 6;
const STEP = 5;
const PAGE = 30;

/** The position in the live window: the right end is live. */
export function SeekBar({ session }: { session: LiveSession }) {
  const window = useStore(session.store, (state) => state.window);
  const behind = useStore(session.store, behindLive);
  const following = useStore(session.store, (state) => state.following);
  /** Where the thumb is held; null while it follows playback. */
  const [held, setHeld] = useState<number | null>(null);
  /** Share of the bar under the pointer. */
  const [hover, setHover] = useState<number | null>(null);
  const length = window ? window.end - window.start : 0;
  if (!window || length < SHORTEST_WINDOW) return null;

  const position = held ?? (following ? window.end : Math.min(window.end, Math.max(window.start, window.position)));
  const fill = ((position - window.start) / length) * 100;
  const release = () => {
    if (held !== null) session.seekTo(held);
    setHeld(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = keyTarget(event.key, window);
    if (to === null) return;
    event.preventDefault();
    session.seekTo(to);
  };
  const onPointerMove = (event: PointerEvent<HTMLInputElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setHover(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  };
  const shownBehind = held !== null ? window.end - held : hover === null ? null : length * (1 - hover);
  const tipAt = held !== null ? fill : (hover ?? 0) * 100;
  return (
    <div className="seek">
      <input
        className="slider seek-slider"
        type="range"
        min={window.start}
        max={window.end}
        step="any"
        value={position}
        aria-label={strings.controls.seek}
        aria-valuetext={following ? strings.controls.atLive : strings.controls.behindLive(clock(behind))}
        style={{ "--fill": `${fill}%` }}
        onChange={(event) => setHeld(event.currentTarget.valueAsNumber)}
        onPointerUp={release}
        onPointerCancel={() => setHeld(null)}
        onBlur={release}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setHover(null)}
      />
      {shownBehind === null ? null : (
        <span className="seek-tip figure" style={{ left: `${tipAt}%` }} aria-hidden="true">
          {shownBehind < 1 ? strings.controls.atLive : `−${clock(shownBehind)}`}
        </span>
      )}
    </div>
  );
}

/** Where a key takes the thumb, seconds on the element's timeline; null for every other key. */
function keyTarget(key: string, { start, end, position }: LiveWindow): number | null {
  switch (key) {
    case "ArrowLeft":
      return position - STEP;
    case "ArrowRight":
      return position + STEP;
    case "PageDown":
      return position - PAGE;
    case "PageUp":
      return position + PAGE;
    case "Home":
      return start;
    case "End":
      return end;
    default:
      return null;
  }
}
