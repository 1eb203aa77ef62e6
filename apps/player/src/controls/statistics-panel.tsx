import { useEffect, useState } from "react";
import { milliseconds, percent, seconds } from "../figures.ts";
import type { LiveSession } from "../playback/live-session.ts";
import type { RealtimeStatistics, Statistics } from "../playback/playback-state.ts";
import { strings } from "../strings.ts";
import { CloseIcon } from "./icons.tsx";
import { PlaylistRows, RealtimeRows } from "./statistics-rows.tsx";

const SAMPLE_MS = 500;
/** A minute. */
const SAMPLES = 120;

/** Seconds. */
interface Sample {
  readonly mode: "playlist" | "realtime";
  readonly latency: number | null;
  /** Media ahead of the playhead, or in the jitter buffer. */
  readonly buffer: number | null;
}

function sampleOf(now: Statistics): Sample {
  if (now.protocol === "WebRTC") return { mode: "realtime", latency: now.latency, buffer: now.jitterBuffer };
  return { mode: "playlist", latency: now.latencyByClock ?? now.latencyFromEdge, buffer: now.bufferAhead };
}

/** The figures behind the picture. Words first, then the numbers that prove them. */
export function StatisticsPanel({ session, onClose }: { session: LiveSession; onClose: () => void }) {
  const [statistics, setStatistics] = useState(() => session.statistics());
  const [history, setHistory] = useState<readonly Sample[]>([]);
  useEffect(() => {
    const sample = () => {
      const now = session.statistics();
      setStatistics(now);
      setHistory((samples) => {
        const next = sampleOf(now);
        // What is measured differently has a scale of its own.
        const before = samples.at(-1)?.mode === next.mode ? samples.slice(1 - SAMPLES) : [];
        return [...before, next];
      });
    };
    const timer = setInterval(sample, SAMPLE_MS);
    return () => clearInterval(timer);
  }, [session]);

  const words = strings.statistics;
  const realtime = statistics.protocol === "WebRTC";
  const floor = realtime ? 0.1 : 1;
  return (
    <section className="statistics" aria-label={words.title}>
      <header>
        <h2>{words.title}</h2>
        <button type="button" className="control" aria-label={strings.controls.close} onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <p className="statistics-verdict">{verdict(statistics, session)}</p>
      <div className="statistics-graphs" aria-hidden="true">
        <Graph label={words.latency} floor={floor} values={history.map((sample) => sample.latency)} />
        <Graph
          label={realtime ? words.jitterBuffer : words.buffer}
          floor={floor}
          values={history.map((sample) => sample.buffer)}
        />
      </div>
      {realtime ? <RealtimeRows statistics={statistics} /> : <PlaylistRows statistics={statistics} />}
    </section>
  );
}

interface GraphProps {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** The scale goes up to this at least. */
  readonly floor: number;
}

/** A line over the last minute, from zero to the largest value. */
function Graph({ label, values, floor }: GraphProps) {
  const known = values.filter((value) => value !== null);
  const top = Math.max(floor, ...known) * 1.15;
  const points = values
    .map((value, index) =>
      value === null
        ? null
        : `${(((SAMPLES - values.length + index) / (SAMPLES - 1)) * 100).toFixed(1)},${(30 - (value / top) * 30).toFixed(1)}`,
    )
    .filter((point) => point !== null);
  return (
    <figure>
      <svg viewBox="0 0 100 30" preserveAspectRatio="none" focusable="false" aria-hidden="true">
        <polyline points={points.join(" ")} />
      </svg>
      <figcaption>
        {label} <span>{strings.statistics.lastMinute}</span>
      </figcaption>
    </figure>
  );
}

function verdict(statistics: Statistics, session: LiveSession): string {
  const words = strings.statistics;
  const { phase, following } = session.store.getState();
  if (phase === "paused") return words.halted;
  if (phase === "waiting") return words.waiting;
  if (statistics.protocol === "WebRTC") return realtimeVerdict(statistics);
  const rate = `${statistics.rate.toFixed(2)}×`;
  if (statistics.protocol === "HLS (native)") return words.native;
  if (!following) return words.past;
  if (statistics.rate === 0) return words.refilling;
  if (statistics.rate > 1) return words.catchingUp(rate);
  if (statistics.rate < 1) return words.easingBack(rate);
  const { target, holdBack } = statistics;
  if (target !== null && holdBack !== null && target - holdBack > 0.05) return words.widened(seconds(target, 1));
  return target === null ? words.waiting : words.holding(seconds(target, 1));
}

/** More lost than this share is worth a word. */
const LOSSY = 0.02;

function realtimeVerdict({ latency, loss, jitterBufferTarget }: RealtimeStatistics): string {
  const words = strings.statistics;
  if (loss !== null && loss > LOSSY) return words.losing(percent(loss));
  if (jitterBufferTarget > 0) return words.heldBack(milliseconds(jitterBufferTarget));
  return latency === null ? words.realtime : words.realtimeBehind(milliseconds(latency * 1000));
}
