import { useStore } from "zustand";
import type { LiveSession } from "../playback/live-session.ts";
import type { Modes } from "../playback/playback-state.ts";
import { strings } from "../strings.ts";
import { MenuItem } from "./menu-item.tsx";

/** Real time or low latency, where there is a choice. */
export function ModeMenu({ session, onClose }: { session: LiveSession; onClose: () => void }) {
  const modes = useStore(session.store, (state) => state.modes);
  if (!modes.offered) return null;
  const words = strings.modes;
  const choose = (mode: "realtime" | "hls") => {
    session.setMode(mode);
    onClose();
  };
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a menu */}
      <div role="group" aria-label={words.title}>
        <p className="menu-title" aria-hidden="true">
          {words.title}
        </p>
        <MenuItem
          role="menuitemradio"
          checked={modes.chosen === "realtime"}
          label={words.realtime}
          detail={realtimeDetail(modes)}
          onChoose={() => choose("realtime")}
        />
        <MenuItem
          role="menuitemradio"
          checked={modes.chosen === "hls"}
          label={words.lowLatency}
          detail={words.lowLatencyDetail}
          onChoose={() => choose("hls")}
        />
      </div>
      <hr />
    </>
  );
}

function realtimeDetail({ switching, refusal }: Modes): string {
  const words = strings.modes;
  if (switching) return words.connecting;
  return refusal === null ? words.realtimeDetail : words.refused[refusal];
}
