import { useId } from "react";

interface ChoiceProps<Value extends string> {
  readonly legend: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly name: string; readonly detail: string }[];
  readonly onChange: (value: Value) => void;
  readonly disabled?: boolean;
}

/** One of a few, each with a line that says what it means. */
export function Choice<Value extends string>({ legend, value, options, onChange, disabled }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset disabled={disabled}>
      <legend>{legend}</legend>
      <div className="choices">
        {options.map((option) => (
          <label key={option.value} className="choice">
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <strong>{option.name}</strong>
            <span className="label">{option.detail}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
