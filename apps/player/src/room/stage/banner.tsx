import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { SpeakerIcon } from "../../controls/icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";

const words = roomStrings.stage;

/** What stands between one and the others right now, with what to do about it. */
export function Banner({ visit }: { visit: RoomVisit }) {
  const stage = useStore(visit.session.store, (state) => state.stage);
  const mediaBroken = useStore(visit.session.store, (state) => state.mediaBroken);
  const soundBlocked = useStore(visit.session.store, (state) => state.soundBlocked);
  const seconds = useSecondsTo(stage.name === "rejoining" ? stage.nextAt : null);
  if (stage.name === "rejoining") {
    return (
      <div className="banner" role="alert">
        <strong>{words.rejoiningTitle}</strong>
        {/* Counting aloud would drown everything else. */}
        <span aria-hidden="true">{words.rejoiningIn(seconds)}</span>
        {seconds > 1 ? (
          <button type="button" className="button is-primary" onClick={() => visit.session.rejoinNow()}>
            {words.now}
          </button>
        ) : null}
      </div>
    );
  }
  if (mediaBroken) {
    return (
      <div className="banner" role="alert">
        <span>{words.mediaBroken}</span>
      </div>
    );
  }
  if (!soundBlocked) return null;
  return (
    <div className="banner is-bare">
      <button type="button" className="button is-primary" onClick={() => void visit.sound.unlock()}>
        <SpeakerIcon level={2} />
        {matchMedia("(hover: hover)").matches ? roomStrings.controls.clickForSound : roomStrings.controls.tapForSound}
      </button>
    </div>
  );
}

/** Whole seconds until `at`, ms since the epoch; 0 when it is there or null. */
function useSecondsTo(at: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [at]);
  return at === null ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}
