import { Fragment, type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef, useState } from "react";
import { CheckIcon } from "../../controls/icons.tsx";

export type MenuEntry =
  | {
      readonly label: string;
      readonly onPick: () => void;
      /** A choice among others; undefined for what is done. */
      readonly checked?: boolean;
      readonly shortcut?: string;
    }
  | { readonly heading: string };

export interface MenuButtonProps {
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
  readonly entries: readonly MenuEntry[];
  /** Told when the menu opens, e.g. to look which devices there are. */
  readonly onOpen?: () => void;
}

/** Distance between the button and its menu, and between the menu and the edge of the window, CSS pixels. */
const GAP = 8;

/** A button that opens a menu in the browser's top layer: over panels, dialogs and whatever scrolls. */
export function MenuButton({ label, className, children, entries, onOpen }: MenuButtonProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  // Once the entries are there: only then is it known how large they are.
  useLayoutEffect(() => {
    if (!open) return;
    const around = button.current?.getBoundingClientRect();
    const box = menu.current;
    if (!around || !box) return;
    const { offsetWidth: width, offsetHeight: height } = box;
    const above = around.top - GAP - height;
    const below = around.bottom + GAP;
    const top = below + height <= innerHeight - GAP || above < GAP ? below : above;
    const left = Math.min(Math.max(GAP, around.left + around.width / 2 - width / 2), innerWidth - GAP - width);
    box.style.top = `${Math.max(GAP, Math.min(top, innerHeight - GAP - height))}px`;
    box.style.left = `${left}px`;
    const first = box.querySelector<HTMLElement>('[aria-checked="true"]') ?? box.querySelector<HTMLElement>("button");
    first?.focus();
  }, [open]);

  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (event.key === "Tab") menu.current?.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    items[to]?.focus();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        popoverTarget={id}
        onClick={() => onOpen?.()}
      >
        {children}
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        className="room-menu"
        onKeyDown={move}
        onToggle={(event) => {
          setOpen(event.newState === "open");
        }}
      >
        {open
          ? entries.map((entry, index) =>
              "heading" in entry ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: entries have no other name, and no state.
                <Fragment key={index}>
                  {index > 0 ? <hr /> : null}
                  <p className="room-menu-heading">{entry.heading}</p>
                </Fragment>
              ) : (
                <button
                  // biome-ignore lint/suspicious/noArrayIndexKey: as above; two devices may have one label.
                  key={index}
                  type="button"
                  {...(entry.checked === undefined
                    ? { role: "menuitem" }
                    : { role: "menuitemradio", "aria-checked": entry.checked })}
                  className="menu-item"
                  tabIndex={-1}
                  onClick={() => {
                    menu.current?.hidePopover();
                    entry.onPick();
                  }}
                >
                  {entries.some((other) => "checked" in other && other.checked !== undefined) ? (
                    <span className="menu-check">{entry.checked ? <CheckIcon /> : null}</span>
                  ) : null}
                  <span className="menu-label">{entry.label}</span>
                  {entry.shortcut ? <kbd>{entry.shortcut}</kbd> : null}
                </button>
              ),
            )
          : null}
      </div>
    </>
  );
}
