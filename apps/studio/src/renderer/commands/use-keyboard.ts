import { useEffect } from "react";
import type { CommandRegistry, FocusedElement } from "./command-registry.ts";

/** Hands key presses of the whole page to the commands. */
export function useKeyboard(commands: CommandRegistry): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const target = event.target instanceof Element ? event.target : undefined;
      // A dialog that is open is all there is.
      if (target?.closest("dialog[open], .menu") || document.querySelector("dialog[open]") !== null) return;
      if (commands.press(event, focusedBy(target))) event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [commands]);
}

const PRESSED_INPUTS = new Set(["button", "checkbox", "radio", "color", "file", "submit", "reset", "range"]);
const ARROW_ROLES =
  "[role=tab], [role=option], [role=slider], [role=radio], [role=menuitem], [role=listbox], [role=separator]";

function focusedBy(element: Element | undefined): FocusedElement | undefined {
  if (element === undefined || element === document.body) return undefined;
  const input = element instanceof HTMLInputElement ? element.type : undefined;
  return {
    text:
      (input !== undefined && !PRESSED_INPUTS.has(input)) ||
      element instanceof HTMLTextAreaElement ||
      (element instanceof HTMLElement && element.isContentEditable),
    arrows:
      input === "range" || input === "radio" || element instanceof HTMLSelectElement || element.matches(ARROW_ROLES),
    pressable: element.matches("button, a[href], summary, select, input, [role=button], [role=option]"),
  };
}
