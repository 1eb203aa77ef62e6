import { useEffect } from "react";
import { useStore } from "zustand";
import type { LiveSession } from "../playback/live-session.ts";
import { strings } from "../strings.ts";
import { CloseIcon } from "./icons.tsx";

/** Time to read it, ms. */
const SHOWN_MS = 12_000;

/** Says, once, why low latency plays although real time was wanted. */
export function ModeNotice({ session }: { session: LiveSession }) {
  const notice = useStore(session.store, (state) => state.notice);
  useEffect(() => {
    if (notice === null) return;
    const timer = setTimeout(() => session.dismissNotice(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [session, notice]);
  const words = strings.modes;
  return (
    // There before its words are: only what changes in it is spoken.
    <div className="mode-notice" data-shown={notice !== null}>
      <p role="status">
        {notice === null ? null : (
          <>
            <strong>{words.refusals[notice]}</strong> {words.instead}
          </>
        )}
      </p>
      {notice === null || notice === "unsupported" ? null : (
        <button type="button" className="button" onClick={() => session.setMode("realtime")}>
          {words.tryAgain}
        </button>
      )}
      {notice === null ? null : (
        <button
          type="button"
          className="control"
          aria-label={strings.controls.close}
          onClick={() => session.dismissNotice()}
        >
          <CloseIcon />
        </button>
      )}
    </div>
  );
}
