import { useEffect, useReducer } from "react";
import { useCommands } from "../commands/use-commands.ts";
import { PROGRAM } from "../media/mixer/mixer-contract.ts";
import { useServices, useShow } from "../services.ts";
import { mixerStrings as words } from "../strings/mixer.ts";
import { audibleSources, isHeard, toggleMicrophones } from "./edit-audio.ts";
import { MixerStrip } from "./mixer-strip.tsx";
import { useMeters } from "./use-meters.ts";
import "./mixer.css";

/** Every source's sound with its fader and meter, and the mix. */
export function MixerPanel() {
  const { mixer, show, stage } = useServices();
  const document = useShow((state) => state.document);
  const [, changed] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const subscription = mixer.onChanged(changed);
    return () => subscription[Symbol.dispose]();
  }, [mixer]);
  useCommands([
    {
      id: "mute_microphones",
      group: "broadcast",
      label: () => words.commands.muteMicrophones,
      keys: ["Control+KeyM"],
      enabled: () => audibleSources(show.document).some(({ kind }) => kind === "microphone"),
      run: () => show.change(words.commands.muteMicrophones, toggleMicrophones),
    },
  ]);
  const root = useMeters();
  const sources = audibleSources(document);
  const problem = mixer.problem;
  return (
    <section className="mixer" aria-labelledby="mixer-title" ref={root}>
      <div className="row">
        <h2 id="mixer-title" className="h grow">
          {words.title}
        </h2>
        <span className="label num" data-loudness="" title={words.loudnessHint} />
      </div>
      {mixer.state === "waiting" ? <p className="notice">{words.waiting}</p> : null}
      {problem === undefined ? null : (
        <p className="notice" title={problem.message}>
          {words.problems[problem.code]}
        </p>
      )}
      {sources.length === 0 ? (
        <div className="empty">
          <p>{words.empty}</p>
          <button type="button" className="btn small" onClick={() => stage.setState({ dialog: "add_source" })}>
            {words.addMicrophone}
          </button>
        </div>
      ) : (
        <ul className="strips">
          {sources.map((source) => (
            <MixerStrip key={source.id} source={source} heard={isHeard(document, source.id)} />
          ))}
          <li className="strip program">
            <span className="ell">{words.program}</span>
            <div className="meter" data-meter={PROGRAM} role="presentation" />
            <span className="num peak" data-peak={PROGRAM} aria-hidden="true" />
          </li>
        </ul>
      )}
    </section>
  );
}
