import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useStore } from "zustand";
import { strings } from "../strings.ts";
import type { Stage } from "../viewer/stage.ts";
import type { Viewer } from "../viewer/viewer.ts";
import { qualityName } from "./quality-name.ts";

/** Tells screen readers what changed, in a polite live region; silent about what was so from the start. */
export function Announcer({ viewer, stage }: { viewer: Viewer; stage: Stage }) {
  const { session, watch } = viewer;
  const muted = useStore(session.store, (state) => state.muted);
  const percent = useStore(session.store, (state) => Math.round(state.volume * 100));
  const pinned = useStore(session.store, (state) => state.pinned);
  const mode = useStore(session.store, (state) => state.mode);
  const failure = useStore(session.store, (state) => state.failure?.reason ?? null);
  const [words, setWords] = useState("");
  const said = strings.announcements;
  const stageWords = wordsOf(stage, watch.name, failure);

  useChange(stageWords, () => setWords(stageWords), 400);
  useChange(muted, () => setWords(muted ? said.muted : said.unmuted));
  useChange(percent, () => setWords(said.volume(percent)), 300);
  useChange(pinned?.index ?? null, () => setWords(pinned ? said.quality(qualityName(pinned)) : said.qualityAutomatic));

  useChange(mode, () => setWords(mode === "realtime" ? said.realtime : said.lowLatency));

  return (
    <p className="unseen" role="status" aria-live="polite">
      {words}
    </p>
  );
}

function wordsOf(stage: Stage, channel: string, failure: keyof typeof strings.failures | null): string {
  const { announcements, stage: words } = strings;
  switch (stage) {
    case "playing":
      return announcements.playing;
    case "paused":
      return announcements.paused;
    case "buffering":
      return announcements.buffering;
    case "connecting":
      return words.connecting;
    case "starting":
      return words.starting.title;
    case "interrupted":
      return `${words.interrupted.title}. ${words.interrupted.detail}`;
    case "offline":
      return words.offline.title(channel);
    case "ended":
      return words.ended.title;
    case "missing":
      return words.missing.title(channel);
    case "unreachable":
      return words.unreachable.title;
    case "ready":
    case "blocked":
      return "";
    case "retrying":
    case "failed":
      return strings.failures[failure ?? "internal"].title;
  }
}

/** Calls `onChange` when `value` has changed and stayed so for `settleMs`. */
function useChange<T>(value: T, onChange: () => void, settleMs = 0): void {
  const last = useRef(value);
  const changed = useEffectEvent(onChange);
  useEffect(() => {
    if (last.current === value) return;
    const timer = setTimeout(() => {
      last.current = value;
      changed();
    }, settleMs);
    return () => clearTimeout(timer);
  }, [value, settleMs]);
}
