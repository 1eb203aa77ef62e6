import type { Transition } from "../../document/scene.ts";
import { NumberField } from "../shell/number-field.tsx";
import { strings } from "../strings.ts";

type Slide = Extract<Transition, { kind: "slide" }>;

const KINDS = ["cut", "fade", "slide"] as const;
const DIRECTIONS = ["left", "right", "top", "bottom"] as const;
const DEFAULT_DURATION = 300;

/** A transition of another kind, that lasts as long as the one before where both have a duration. */
export function transitionTo(kind: Transition["kind"], before: Transition): Transition {
  const duration = before.kind === "cut" ? DEFAULT_DURATION : before.duration;
  if (kind === "cut") return { kind };
  return kind === "fade" ? { kind, duration } : { kind, duration, from: "right" };
}

/** In words, as "fade 300 ms". */
export function transitionWords(transition: Transition): string {
  const name = strings.stage.transitions[transition.kind];
  return transition.kind === "cut" ? name.toLowerCase() : strings.stage.withDuration(name, transition.duration);
}

export function TransitionChoice(props: {
  readonly value: Transition;
  readonly onChange: (transition: Transition) => void;
}) {
  const { value, onChange } = props;
  return (
    <span className="row transition-choice">
      <select
        className="select"
        aria-label={strings.stage.transition}
        value={value.kind}
        onChange={(event) => onChange(transitionTo(event.target.value as Transition["kind"], value))}
      >
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {strings.stage.transitions[kind]}
          </option>
        ))}
      </select>
      {value.kind === "slide" ? (
        <select
          className="select"
          aria-label={strings.stage.direction}
          value={value.from}
          onChange={(event) => onChange({ ...value, from: event.target.value as Slide["from"] })}
        >
          {DIRECTIONS.map((from) => (
            <option key={from} value={from}>
              {strings.stage.directions[from]}
            </option>
          ))}
        </select>
      ) : null}
      {value.kind === "cut" ? null : (
        <NumberField
          label={strings.stage.duration}
          value={value.duration}
          min={50}
          max={5000}
          step={50}
          unit="ms"
          onChange={(duration) => onChange({ ...value, duration: Math.round(duration) })}
        />
      )}
    </span>
  );
}
