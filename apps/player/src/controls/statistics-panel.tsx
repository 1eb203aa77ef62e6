import { type ReactNode, useEffect, useState } from "react";
import { bitrate, count, seconds } from "../figures.ts";
import type { LiveSession } from "../playback/live-session.ts";
import type { Statistics } from "../playback/playback-state.ts";
import { renditionName } from "../playback/rendition.ts";
import { strings } from "../strings.ts";
import { CloseIcon } from "./icons.tsx";

const SAMPLE_MS = 500;
/** A minute. */
const SAMPLES = 120;

interface Sample {
  readonly latency: number | null;
  readonly buffer: number;
}

/** The figures behind the picture. Words first, then the numbers that prove them. */
export function StatisticsPanel({ session, onClose }: { session: LiveSession; onClose: () => void }) {
  const [statistics, setStatistics] = useState(() => session.statistics());
  const [history, setHistory] = useState<readonly Sample[]>([]);
  useEffect(() => {
    const sample = () => {
      const now = session.statistics();
      setStatistics(now);
      setHistory((samples) => [
        ...samples.slice(1 - SAMPLES),
        { latency: now.latencyByClock ?? now.latencyFromEdge, buffer: now.bufferAhead },
      ]);
    };
    const timer = setInterval(sample, SAMPLE_MS);
    return () => clearInterval(timer);
  }, [session]);

  const words = strings.statistics;
  const { rendition, frameSize } = statistics;
  const size = frameSize ? `${frameSize.width} × ${frameSize.height}` : "–";
  const frameRate = rendition?.frameRate ? ` · ${Math.round(rendition.frameRate * 100) / 100}` : "";
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
        <Graph label={words.latency} values={history.map((sample) => sample.latency)} />
        <Graph label={words.buffer} values={history.map((sample) => sample.buffer)} />
      </div>
      <dl>
        <Row name={words.latency}>{seconds(statistics.latencyByClock)}</Row>
        <Row name={words.fromEdge}>{seconds(statistics.latencyFromEdge)}</Row>
        <Row name={words.target}>{seconds(statistics.target)}</Row>
        <Row name={words.buffer}>{seconds(statistics.bufferAhead)}</Row>
        <Row name={words.partTarget}>{seconds(statistics.partTarget, 3)}</Row>
        <Row name={words.rendition}>{rendition ? `${renditionName(rendition)} · ${size}${frameRate}` : size}</Row>
        <Row name={words.bitrate}>{rendition ? bitrate(rendition.bitrate) : "–"}</Row>
        <Row name={words.bandwidth}>{statistics.bandwidth === null ? "–" : bitrate(statistics.bandwidth)}</Row>
        <Row name={words.codecs}>{rendition?.codecs ?? "–"}</Row>
        <Row name={words.frames}>{words.ofFrames(count(statistics.droppedFrames), count(statistics.totalFrames))}</Row>
        <Row name={words.stalls}>
          {count(statistics.stalls)} · {seconds(statistics.stalledMs / 1000, 1)}
        </Row>
        <Row name={words.startUp}>{statistics.startUpMs === null ? "–" : `${Math.round(statistics.startUpMs)} ms`}</Row>
        <Row name={words.protocol}>{statistics.protocol}</Row>
        {statistics.clockOffsetMs === 0 ? null : (
          <Row name={words.clock}>{seconds(statistics.clockOffsetMs / 1000)}</Row>
        )}
      </dl>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="figure">{children}</dd>
    </>
  );
}

/** A line over the last minute, from zero to the largest value. */
function Graph({ label, values }: { label: string; values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  const top = Math.max(1, ...known) * 1.15;
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
  const rate = `${statistics.rate.toFixed(2)}×`;
  if (phase === "paused") return words.halted;
  if (phase === "waiting") return words.waiting;
  if (statistics.protocol === "HLS (native)") return words.native;
  if (!following) return words.past;
  if (statistics.rate === 0) return words.refilling;
  if (statistics.rate > 1) return words.catchingUp(rate);
  if (statistics.rate < 1) return words.easingBack(rate);
  const { target, holdBack } = statistics;
  if (target !== null && holdBack !== null && target - holdBack > 0.05) return words.widened(seconds(target, 1));
  return target === null ? words.waiting : words.holding(seconds(target, 1));
}
