import { type ReactNode, useEffect, useState } from "react";
import { useStore } from "zustand";
import type { FailureReason } from "../playback/recovery.ts";
import { strings } from "../strings.ts";
import type { Stage } from "../viewer/stage.ts";
import type { Viewer } from "../viewer/viewer.ts";
import { LampMark, PlayIcon } from "./icons.tsx";

export interface StageMessageProps {
  readonly viewer: Viewer;
  readonly stage: Stage;
  /** Link to the list of channels; null in an embed. */
  readonly homeLink: ReactNode;
}

/** What is said over the picture, or instead of it: the state in words, and the one thing to do next. */
export function StageMessage({ viewer, stage, homeLink }: StageMessageProps) {
  const { session, watch } = viewer;
  const ended = useStore(watch.store, (snapshot) => snapshot.ended);
  const failure = useStore(session.store, (state) => state.failure);
  const retryIn = useCountdown(failure?.retryAt ?? null);
  const words = strings.stage;
  switch (stage) {
    case "playing":
    case "paused":
      return null;
    case "buffering":
      return <Spinner />;
    case "connecting":
      return (
        <>
          <Spinner />
          <p className="stage-hint late">{words.connecting}</p>
        </>
      );
    case "starting":
      return <Words lamp="warming" {...words.starting} />;
    case "interrupted":
      return <Words lamp="warming" {...words.interrupted} />;
    case "offline":
      return (
        <Words lamp="off" title={words.offline.title(watch.name)} detail={words.offline.detail} action={homeLink} />
      );
    case "ended":
      return (
        <Words lamp="off" title={words.ended.title} detail={words.ended.detail(lengthOf(ended))} action={homeLink} />
      );
    case "missing":
      return (
        <Words lamp="off" title={words.missing.title(watch.name)} detail={words.missing.detail} action={homeLink} />
      );
    case "unreachable":
      return (
        <Words {...words.unreachable} action={<ActionButton label={words.tryNow} onPress={() => watch.refresh()} />} />
      );
    case "ready":
    case "blocked":
      return (
        <button type="button" className="big-play" aria-label={strings.controls.play} onClick={() => session.play()}>
          <PlayIcon />
        </button>
      );
    case "retrying":
      return (
        <Words
          {...strings.failures[failure?.reason ?? "unreachable"]}
          detail={words.retryingIn(retryIn)}
          action={<ActionButton label={words.tryNow} onPress={() => session.retry()} />}
        />
      );
    case "failed":
      return (
        <Words
          {...strings.failures[failure?.reason ?? "internal"]}
          action={nextStep(failure?.reason, viewer, homeLink)}
        />
      );
  }
}

function nextStep(reason: FailureReason | undefined, viewer: Viewer, homeLink: ReactNode): ReactNode {
  if (reason === "unsupported" || reason === "forbidden") return homeLink;
  if (reason === "internal") {
    return <ActionButton label={strings.stage.reloadPage} onPress={() => location.reload()} />;
  }
  return <ActionButton label={strings.stage.startAgain} onPress={() => viewer.session.retry()} />;
}

interface WordsProps {
  readonly title: string;
  readonly detail: string;
  readonly action?: ReactNode;
  readonly lamp?: "off" | "warming";
}

function Words({ title, detail, action, lamp }: WordsProps) {
  return (
    <div className="stage-words">
      {lamp ? (
        <span className={`stage-lamp is-${lamp}`}>
          <LampMark />
        </span>
      ) : null}
      <h2>{title}</h2>
      <p>{detail}</p>
      {action}
    </div>
  );
}

function ActionButton({ label, onPress }: { label: string; onPress: () => void }) {
  return (
    <button type="button" className="button is-primary" onClick={onPress}>
      {label}
    </button>
  );
}

function Spinner() {
  return <span className="spinner late" aria-hidden="true" />;
}

function lengthOf(ended: { liveSince: string | null; endedAt: number } | null): number | null {
  return ended?.liveSince ? ended.endedAt - Date.parse(ended.liveSince) : null;
}

/** Whole seconds until `at` (monotonic ms), counting down; 0 when past or null. */
function useCountdown(at: number | null): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (at === null) return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, [at]);
  return at === null ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}
