import { CheckIcon } from "./icons.tsx";

export interface MenuItemProps {
  readonly role: "menuitem" | "menuitemradio" | "menuitemcheckbox";
  readonly label: string;
  readonly checked?: boolean;
  readonly detail?: string;
  readonly shortcut?: string;
  readonly onChoose: () => void;
}

/** One line of a menu: what it does, whether it is so now, and its key. */
export function MenuItem({ role, label, checked, detail, shortcut, onChoose }: MenuItemProps) {
  const semantics = checked === undefined ? { role } : { role, "aria-checked": checked };
  return (
    <button type="button" {...semantics} tabIndex={-1} className="menu-item" onClick={onChoose}>
      <span className="menu-check">{checked ? <CheckIcon /> : null}</span>
      <span className="menu-label">{label}</span>
      {detail ? <span className={/\d/.test(detail) ? "figure quiet" : "menu-detail"}>{detail}</span> : null}
      {shortcut ? (
        <span className="for-mouse" aria-hidden="true">
          <kbd>{shortcut}</kbd>
        </span>
      ) : null}
    </button>
  );
}
