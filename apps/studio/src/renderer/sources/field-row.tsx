import { type ReactNode, useId } from "react";

/** A label with its control below each other, or the control at the right of the label where it is small. */
export function Field(props: {
  readonly label: string;
  readonly hint?: string;
  readonly children: (id: string) => ReactNode;
}) {
  const { label, hint, children } = props;
  const id = useId();
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {children(id)}
      {hint === undefined ? null : <p className="label">{hint}</p>}
    </div>
  );
}

export interface Choice<Value extends string | number> {
  readonly value: Value;
  readonly label: string;
}

export function SelectField<Value extends string | number>(props: {
  readonly label: string;
  readonly value: Value;
  readonly choices: readonly Choice<Value>[];
  readonly onChange: (value: Value) => void;
  readonly hint?: string;
}) {
  const { label, value, choices, onChange, hint } = props;
  return (
    <Field label={label} {...(hint === undefined ? {} : { hint })}>
      {(id) => (
        <select
          id={id}
          className="select"
          value={value}
          onChange={(event) => {
            const chosen = choices.find((choice) => String(choice.value) === event.target.value);
            if (chosen !== undefined) onChange(chosen.value);
          }}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField(props: {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const { label, checked, onChange } = props;
  return (
    <label className="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}

/** A number within bounds that is pulled, with what it is now beside it. */
export function SliderField(props: {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly words: (value: number) => string;
  readonly onChange: (value: number) => void;
  /** It was let go: the next change is another step. */
  readonly onDone: () => void;
}) {
  const { label, value, min, max, step, words, onChange, onDone } = props;
  return (
    <Field label={label}>
      {(id) => (
        <span className="slider-field">
          <input
            id={id}
            type="range"
            min={min}
            max={max}
            step={step}
            value={value}
            aria-valuetext={words(value)}
            onChange={(event) => onChange(Number(event.target.value))}
            onPointerUp={onDone}
            onBlur={onDone}
          />
          <span className="num">{words(value)}</span>
        </span>
      )}
    </Field>
  );
}

/** A colour, with how much of it where it may be seen through. */
export function ColourField(props: {
  readonly label: string;
  readonly value: string;
  readonly opacity: string | undefined;
  readonly onChange: (value: string) => void;
  readonly onDone: () => void;
}) {
  const { label, value, opacity, onChange, onDone } = props;
  const rgb = value.slice(0, 7);
  const alpha = value.length === 9 ? Number.parseInt(value.slice(7), 16) / 255 : 1;
  const withAlpha = (colour: string, share: number) => {
    const hex = Math.round(share * 255);
    return hex === 255 ? colour : `${colour}${hex.toString(16).padStart(2, "0")}`;
  };
  return (
    <div className="colour-field">
      <Field label={label}>
        {(id) => (
          <input
            id={id}
            className="input"
            type="color"
            value={rgb}
            onChange={(event) => onChange(withAlpha(event.target.value, alpha))}
            onBlur={onDone}
          />
        )}
      </Field>
      {opacity === undefined ? null : (
        <SliderField
          label={opacity}
          value={alpha}
          min={0}
          max={1}
          step={0.01}
          words={percent}
          onChange={(share) => onChange(withAlpha(rgb, share))}
          onDone={onDone}
        />
      )}
    </div>
  );
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
