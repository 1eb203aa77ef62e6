/**
 * Makes an element the one that a dialog puts the focus on as it opens: `ref={focusedFirst}`. The browser looks for the
 * attribute then, which React leaves out.
 */
export function focusedFirst(element: HTMLElement | null): void {
  element?.setAttribute("autofocus", "");
}
