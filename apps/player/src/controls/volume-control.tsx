import { useStore } from "zustand";
import type { LiveSession } from "../playback/live-session.ts";
import { strings } from "../strings.ts";
import { ControlButton } from "./control-button.tsx";
import { SpeakerIcon } from "./icons.tsx";

/** Mute, and a slider that unfolds beside it. */
export function VolumeControl({ session }: { session: LiveSession }) {
  const muted = useStore(session.store, (state) => state.muted);
  const volume = useStore(session.store, (state) => state.volume);
  const heard = muted ? 0 : volume;
  const percent = Math.round(heard * 100);
  const words = strings.controls;
  return (
    <div className="volume">
      <ControlButton
        label={muted ? words.unmute : words.mute}
        shortcut="m"
        onPress={() => session.loudness.mute(!muted)}
      >
        <SpeakerIcon level={heard === 0 ? 0 : heard < 0.5 ? 1 : 2} />
      </ControlButton>
      <input
        className="slider volume-slider"
        type="range"
        min={0}
        max={100}
        step={5}
        value={percent}
        aria-label={words.volume}
        aria-valuetext={words.volumeValue(percent)}
        style={{ "--fill": `${percent}%` }}
        onChange={(event) => session.loudness.set(event.currentTarget.valueAsNumber / 100)}
      />
    </div>
  );
}
