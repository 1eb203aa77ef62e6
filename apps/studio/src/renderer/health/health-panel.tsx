import { useStore } from "zustand";
import { useServices } from "../services.ts";

import { count, megabits, percent } from "../strings/figures.ts";
import { healthStrings as words } from "../strings/health.ts";
import { AlertList } from "./alert-list.tsx";
import { isOnAir } from "./assess.ts";
import { HISTORY_MS } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";
import { TimeGraph, windowOf } from "./time-graph.tsx";
import "./health.css";

/** The words first, then the four figures that prove them. */
export function HealthPanel() {
  const { health: monitor, dialogs } = useServices();
  const { health, sample } = useStore(monitor.state);
  const onAir = sample !== undefined && isOnAir(sample);
  const { history } = monitor;
  const now = sample?.now ?? 0;
  return (
    <section className="health" aria-labelledby="health-headline">
      <div className="row">
        <i className={`dot light-${health.light}`} />
        <h2 id="health-headline" className="h grow">
          {health.headline}
        </h2>
        <button
          type="button"
          className="btn ghost small"
          onClick={() => dialogs.setState({ open: { name: "health" } })}
        >
          {words.more}
        </button>
      </div>
      {onAir ? (
        <>
          <dl className="health-figures">{figuresOf(sample, monitor.history.droppedSince(now - HISTORY_MS))}</dl>
          <div className="graph-box">
            <span className="label">{words.last(windowOf(history.sentBitrate, now))}</span>
            <TimeGraph
              label={words.graphs.bitrate}
              now={now}
              atLeast={sample.encoding.video_bitrate}
              lines={[
                { series: history.askedBitrate, colour: "--ink-2" },
                { series: history.sentBitrate, colour: "--arc-line" },
              ]}
            />
          </div>
        </>
      ) : null}
      <AlertList alerts={health.alerts} headline={health.headline} />
      {health.alerts.length === 0 ? (
        <p className={onAir ? "notice calm" : "label"}>{onAir ? sentenceOf(sample) : words.idleDetail}</p>
      ) : null}
    </section>
  );
}

function figuresOf(sample: HealthSample, dropped: number) {
  const live = sample.connections.filter(({ state }) => state === "live");
  const highest = (values: readonly (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const bits = highest(live.map(({ bitrate }) => bitrate));
  const rtt = highest(live.map(({ rttMs }) => rttMs));
  const loss = highest(live.map((connection) => connection.loss));
  const { figures } = words;
  const asked = sample.encoding.video_bitrate + sample.encoding.audio_bitrate;
  const resent = dropped === 0 && loss !== undefined && loss > 0;
  return [
    { label: figures.bitrateOf(asked), value: bits === undefined ? figures.none : megabits(bits) },
    { label: figures.rtt, value: rtt === undefined ? figures.none : count(rtt) },
    { label: resent ? figures.lossResent : figures.loss, value: loss === undefined ? figures.none : percent(loss) },
    { label: figures.dropped, value: count(dropped) },
  ].map(({ label, value }) => (
    <div key={label}>
      <dd className="num">{value}</dd>
      <dt className="label">{label}</dt>
    </div>
  ));
}

/** What there is to say while nothing is wrong. */
function sentenceOf({ media, server }: HealthSample): string {
  const parts: string[] = [];
  const first = server[0];
  if (media?.encoder !== undefined) {
    const { encoder, encodedFrameRate: rate, encodeMs } = media;
    // How long the engine's takes is not known here.
    parts.push(
      encodeMs > 0 ? words.encoding(encoder.label, rate, encodeMs) : words.encodingElsewhere(encoder.label, rate),
    );
  }
  if (first !== undefined && first.bitrate > 0) parts.push(words.serverReceives(first.bitrate, first.frame_rate));
  const live = first?.renditions.filter(({ state }) => state === "live").map(({ name }) => name) ?? [];
  if (live.length > 0) parts.push(words.renditions(live));
  return parts.length === 0 ? words.good : parts.join(" ");
}

/** The light alone, for the bar at the top. */
export function HealthLight() {
  const { health: monitor, dialogs } = useServices();
  const { health } = useStore(monitor.state);
  const spoken = words.lights[health.light];
  return (
    <button
      type="button"
      className="chip health-chip"
      aria-label={words.lightLabel(spoken, health.headline)}
      title={health.headline}
      onClick={() => dialogs.setState({ open: { name: "health" } })}
    >
      <i className={`dot light-${health.light}`} />
      {spoken}
    </button>
  );
}
