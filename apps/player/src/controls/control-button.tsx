import type { ReactNode, Ref } from "react";

export interface ControlButtonProps {
  /** Name for screen readers, and first half of the tip. */
  readonly label: string;
  /** The key that does the same, shown in the tip. */
  readonly shortcut?: string;
  readonly onPress: () => void;
  readonly children: ReactNode;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly hasMenu?: boolean;
  readonly className?: string;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A button of the control bar, with a tip that names it and its key. */
export function ControlButton(props: ControlButtonProps) {
  const { label, shortcut, onPress, children, pressed, expanded, hasMenu, className, ref } = props;
  return (
    <button
      ref={ref}
      type="button"
      className={`control ${className ?? ""}`}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-haspopup={hasMenu ? "menu" : undefined}
      onClick={onPress}
    >
      {children}
      <span className="tip" aria-hidden="true">
        {label}
        {shortcut ? <kbd>{shortcut}</kbd> : null}
      </span>
    </button>
  );
}
