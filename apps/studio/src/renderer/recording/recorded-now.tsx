import type { IsolatedState } from "@klieg/protocol";
import { useEffect, useState } from "react";
import type { IsolatedSourceStatistics } from "../media/isolated/isolated-message.ts";
import { useServices, useShow } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { recordingStrings } from "../strings/recording.ts";

const words = recordingStrings.isolated;

/** How the films do that are being made; nothing while none is. */
export function RecordedNow() {
  const recording = useEngine((state) => state.recording);
  const statistics = useIsolatedStatistics();
  if (recording.state !== "recording" && recording.state !== "starting") return null;
  return (
    <section className="recorded-now" aria-label={recordingStrings.films.now}>
      <h3 className="label">{recordingStrings.films.now}</h3>
      <ul>
        <li className="row">
          <span className="grow ell">{recordingStrings.films.program}</span>
          <span className="num">{words.about(recording.duration_ms, recording.bytes)}</span>
        </li>
        {(recording.isolated ?? []).map((isolated) => (
          <IsolatedLine
            key={isolated.number}
            isolated={isolated}
            statistics={statistics.find(({ source }) => source === isolated.source)}
          />
        ))}
      </ul>
    </section>
  );
}

function IsolatedLine(props: {
  readonly isolated: IsolatedState;
  readonly statistics: IsolatedSourceStatistics | undefined;
}) {
  const { isolated, statistics } = props;
  const name = useShow(({ document }) => document.sources.find(({ id }) => id === isolated.source)?.name);
  const wrong = isolated.problem !== null || statistics?.problem !== undefined;
  return (
    <li className="row">
      <span className="grow ell">{name ?? isolated.source}</span>
      <span className={wrong ? "bad" : "label num"}>{howItDoes(isolated, statistics)}</span>
      <span className="num">{words.about(isolated.duration_ms, isolated.bytes)}</span>
    </li>
  );
}

function howItDoes(isolated: IsolatedState, statistics: IsolatedSourceStatistics | undefined): string {
  if (isolated.problem !== null) return isolated.problem.message;
  if (statistics?.problem !== undefined) return words.notEncoded(statistics.problem);
  if (isolated.state === "waiting") return isolated.picture ? words.states.waiting : words.states.waitingSound;
  if (!isolated.picture) return words.states.sound;
  if (statistics?.encoder === undefined) return words.states.waiting;
  return words.runs(statistics.encoder, statistics.frameRate, statistics.dropped);
}

/** As of the last second. */
function useIsolatedStatistics(): readonly IsolatedSourceStatistics[] {
  const { media } = useServices();
  const [statistics, setStatistics] = useState(() => media.statistics().isolated);
  useEffect(() => {
    const told = media.onStatistics(({ isolated }) => setStatistics(isolated));
    return () => told[Symbol.dispose]();
  }, [media]);
  return statistics;
}
