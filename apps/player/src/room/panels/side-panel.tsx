import { type ReactNode, useEffect, useRef } from "react";
import { CloseIcon } from "../../controls/icons.tsx";
import { roomStrings } from "../room-strings.ts";

export interface SidePanelProps {
  readonly title: string;
  readonly note?: string;
  readonly className: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A region beside the stage; over it where the window is narrow. */
export function SidePanel({ title, note, className, onClose, children }: SidePanelProps) {
  const panel = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // What is inside may want the focus itself, and had its turn before.
    if (!panel.current?.contains(document.activeElement)) heading.current?.focus();
  }, []);
  return (
    <aside ref={panel} className={`side-panel ${className}`} aria-label={title}>
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        {note ? <span className="figure quiet">{note}</span> : null}
        <span className="grow" />
        <button type="button" className="control" aria-label={roomStrings.close} onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      {children}
    </aside>
  );
}
