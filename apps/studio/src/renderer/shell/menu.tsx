import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import type { Point } from "../../document/transform.ts";

export interface MenuEntry {
  readonly label: string;
  readonly key?: string | undefined;
  readonly disabled?: boolean;
  /** Whether it is the one that holds, of a choice. */
  readonly checked?: boolean;
  readonly run: () => void;
}

/** A list of things to do at a point of the window, `undefined` being a line between them. Arrows move, Escape closes. */
export function Menu(props: {
  readonly label: string;
  readonly at: Point;
  readonly entries: readonly (MenuEntry | undefined)[];
  readonly onClose: () => void;
}) {
  const { label, at, entries, onClose } = props;
  const menu = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: at.x, top: at.y });
  const close = useRef(onClose);
  close.current = onClose;

  useLayoutEffect(() => {
    const box = menu.current?.getBoundingClientRect();
    if (box === undefined) return;
    const left = Math.max(8, Math.min(at.x, innerWidth - box.width - 8));
    const top = Math.max(8, Math.min(at.y, innerHeight - box.height - 8));
    setPlace({ left, top });
  }, [at]);

  useEffect(() => {
    const before = document.activeElement;
    buttonsOf(menu.current)[0]?.focus();
    const onPointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && menu.current?.contains(event.target) === true) return;
      close.current();
    };
    const onBlur = () => close.current();
    addEventListener("pointerdown", onPointerDown, true);
    addEventListener("blur", onBlur);
    return () => {
      removeEventListener("pointerdown", onPointerDown, true);
      removeEventListener("blur", onBlur);
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
      return;
    }
    const buttons = buttonsOf(menu.current);
    const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[(to + buttons.length) % buttons.length]?.focus();
  };

  return createPortal(
    <div ref={menu} className="menu" role="menu" aria-label={label} tabIndex={-1} style={place} onKeyDown={onKeyDown}>
      {entries.map((entry, index) =>
        entry === undefined ? (
          <hr key={`line-${entries[index - 1]?.label}`} />
        ) : (
          <button
            key={entry.label}
            type="button"
            {...(entry.checked === undefined
              ? { role: "menuitem" }
              : { role: "menuitemradio", "aria-checked": entry.checked })}
            disabled={entry.disabled}
            onClick={() => {
              onClose();
              entry.run();
            }}
          >
            <span className="grow">{entry.label}</span>
            {entry.checked === true ? <span aria-hidden="true">✓</span> : null}
            {entry.key === undefined ? null : <kbd>{entry.key}</kbd>}
          </button>
        ),
      )}
    </div>,
    document.body,
  );
}

function buttonsOf(menu: HTMLElement | null): HTMLButtonElement[] {
  return [...(menu?.querySelectorAll<HTMLButtonElement>("button:not(:disabled)") ?? [])];
}

/** Where a menu that a button opens begins: below its left edge. */
export function below(element: Element): Point {
  const { left, bottom } = element.getBoundingClientRect();
  return { x: left, y: bottom + 4 };
}
