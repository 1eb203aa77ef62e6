import type { KeyboardEvent } from "react";
import type { AudioSettings } from "../../document/source.ts";
import { useServices } from "../services.ts";
import { Icon, MoreIcon } from "../shell/icons.tsx";
import { mixerStrings as words } from "../strings/mixer.ts";
import { type AudibleSource, changeAudio } from "./edit-audio.ts";
import { faderGain, faderPosition } from "./fader.ts";

const HeadphonesIcon = () => (
  <Icon>
    <path d="M2.500 11V8.500a5.500 5.500 0 0 1 11 0V11m-11-.500h1.500a1 1 0 0 1 1 1v1.500a1 1 0 0 1-1 1H3.500a1 1 0 0 1-1-1zm11 0H12a1 1 0 0 0-1 1v1.500a1 1 0 0 0 1 1h.500a1 1 0 0 0 1-1z" />
  </Icon>
);

/** dB that an arrow key moves a fader by, and with Shift. */
const STEP_DB = 0.5;
const LARGE_STEP_DB = 3;

interface MixerStripProps {
  readonly source: AudibleSource;
  /** Whether the scene on air has it. */
  readonly heard: boolean;
}

/** One source's fader. On the whole strip the keys M, S and H mute, solo and monitor. */
export function MixerStrip({ source, heard }: MixerStripProps) {
  const { show, dialogs } = useServices();
  const { id, name, audio } = source;
  const change = (label: string, changes: Partial<AudioSettings>, gesture?: string) =>
    show.change(label, (document) => changeAudio(document, id, (before) => ({ ...before, ...changes })), gesture);
  const setGain = (gain: number) => {
    const bounded = Math.max(-60, Math.min(20, Math.round(gain * 10) / 10));
    change(words.changeGain(name), { gain: bounded }, `gain:${id}`);
  };
  const { muted, solo, monitored } = audio;
  const toggle = (key: string, label: string, on: boolean, changes: Partial<AudioSettings>) => ({
    key,
    label,
    on,
    run: () => change(label, changes),
  });
  const toggles = [
    { ...toggle("M", words.mute(name), muted, { muted: !muted }), className: "letter mute", face: words.muteShort },
    { ...toggle("S", words.solo(name), solo, { solo: !solo }), className: "letter", face: words.soloShort },
    {
      ...toggle("H", words.monitor(name), monitored, { monitored: !monitored }),
      className: "icon-btn",
      face: <HeadphonesIcon />,
    },
  ];
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = toggles.find(({ key }) => event.code === `Key${key}`)?.run;
    if (wanted === undefined) return;
    event.preventDefault();
    wanted();
  };
  const onFaderKey = (event: KeyboardEvent) => {
    const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    if (way !== undefined) setGain(audio.gain + way * (event.shiftKey ? LARGE_STEP_DB : STEP_DB));
    else if (event.key === "0") setGain(0);
    else return;
    event.preventDefault();
  };
  return (
    <li className={`strip${audio.muted ? " muted" : ""}${heard ? "" : " unheard"}`} onKeyDown={onKeyDown}>
      <span className="ell" title={heard ? name : `${name}: ${words.notInScene}`}>
        {name}
      </span>
      <div className="track">
        <div className="meter" data-meter={id} role="presentation" />
        <input
          type="range"
          className="fader"
          min={0}
          max={1}
          step={0.001}
          value={faderPosition(audio.gain)}
          aria-label={words.fader(name)}
          aria-valuetext={words.gain(audio.gain)}
          title={words.gain(audio.gain)}
          onChange={(event) => setGain(faderGain(event.target.valueAsNumber))}
          onPointerUp={() => show.endGesture()}
          onBlur={() => show.endGesture()}
          onDoubleClick={() => setGain(0)}
          onKeyDown={onFaderKey}
        />
      </div>
      <span className="num peak" data-peak={id} aria-hidden="true" />
      <span className="strip-buttons">
        {toggles.map(({ key, label, on, className, face, run }) => (
          <button
            key={key}
            type="button"
            className={className}
            aria-pressed={on}
            aria-label={label}
            title={`${label} (${key})`}
            onClick={run}
          >
            {face}
          </button>
        ))}
        <button
          type="button"
          className="icon-btn"
          aria-label={words.filters(name)}
          title={words.filters(name)}
          onClick={() => dialogs.setState({ open: { name: "audio_filters", source: id } })}
        >
          <MoreIcon />
        </button>
      </span>
    </li>
  );
}
