import { type KeyboardEvent, useState } from "react";

/**
 * A number that is typed, or turned up and down with the arrow keys (ten times as far with Shift). It takes effect at once; what
 * is not a number, or out of bounds, is brought back when the field is left.
 */
export function NumberField(props: {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly unit?: string;
  readonly disabled?: boolean;
  readonly onChange: (value: number) => void;
  /** The field was left: the next change is another step. */
  readonly onDone?: () => void;
}) {
  const { label, value, min, max, step, unit, disabled, onChange, onDone } = props;
  const [typed, setTyped] = useState<string>();
  const bounded = (number: number) => Math.max(min, Math.min(max, number));
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (direction !== 0) {
      event.preventDefault();
      setTyped(undefined);
      onChange(bounded(Number((value + direction * step * (event.shiftKey ? 10 : 1)).toFixed(6))));
    } else if (event.key === "Enter" || event.key === "Escape") {
      setTyped(undefined);
      onDone?.();
    }
  };
  return (
    <span className="number-field">
      <input
        className="input num"
        inputMode="decimal"
        aria-label={label}
        disabled={disabled}
        value={typed ?? shown(value)}
        onChange={(event) => {
          setTyped(event.target.value);
          const number = numberIn(event.target.value);
          if (number !== undefined && number >= min && number <= max) onChange(number);
        }}
        onFocus={(event) => event.target.select()}
        onBlur={(event) => {
          const number = numberIn(event.target.value);
          if (typed !== undefined && number !== undefined) onChange(bounded(number));
          setTyped(undefined);
          onDone?.();
        }}
        onKeyDown={onKeyDown}
      />
      {unit === undefined ? null : (
        <span className="label unit" aria-hidden="true">
          {unit}
        </span>
      )}
    </span>
  );
}

/** What was typed as a number, with a comma or point; undefined where it is none. */
export function numberIn(text: string): number | undefined {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  return /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : undefined;
}

function shown(value: number): string {
  return String(Math.round(value * 100) / 100).replace("-", "−");
}
