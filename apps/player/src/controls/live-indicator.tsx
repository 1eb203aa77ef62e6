import { useStore } from "zustand";
import { clock, latency as latencyInWords } from "../figures.ts";
import type { LiveSession } from "../playback/live-session.ts";
import type { PlaybackState } from "../playback/playback-state.ts";
import { strings } from "../strings.ts";

/** Seconds behind the live position; 0 while the live edge is followed. */
export function behindLive(state: PlaybackState): number {
  if (state.following || !state.window) return 0;
  return Math.max(0, state.window.end - state.window.position);
}

/** A red dot and how far behind the camera the picture is; or the way back to live. */
export function LiveIndicator({ session, onAir }: { session: LiveSession; onAir: boolean }) {
  const behind = useStore(session.store, (state) => (state.following ? null : Math.floor(behindLive(state))));
  const realtime = useStore(session.store, (state) => state.mode === "realtime");
  const latency = useStore(session.store, (state) =>
    state.latency === null ? null : latencyInWords(state.latency, realtime ? 2 : 1),
  );
  if (behind !== null) {
    return (
      <button
        type="button"
        className="control live-indicator is-behind"
        aria-label={`${strings.controls.goLive}, ${strings.controls.behindLive(clock(behind))}`}
        aria-keyshortcuts="l"
        onClick={() => session.goLive()}
      >
        <i className="live-dot" />
        <span className="live-word">{strings.controls.goLive}</span>
        <span className="figure quiet">−{clock(behind)}</span>
        <span className="tip" aria-hidden="true">
          {strings.controls.goLive}
          <kbd>l</kbd>
        </span>
      </button>
    );
  }
  if (!onAir) {
    return (
      <span className="live-indicator">
        <i className="live-dot" />
        <span className="live-word">{strings.watch.paused}</span>
      </span>
    );
  }
  return (
    <span
      className={`live-indicator ${realtime ? "is-realtime" : ""}`}
      role="img"
      aria-label={strings.controls.latency(realtime ? strings.modes.realtime : strings.controls.atLive, latency ?? "–")}
    >
      <i className="live-dot is-on" />
      <span className="live-word">{realtime ? strings.modes.realtime : strings.controls.atLive}</span>
      {latency ? <span className="figure quiet">{latency}</span> : null}
    </span>
  );
}
