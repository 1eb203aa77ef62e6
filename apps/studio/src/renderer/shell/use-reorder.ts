import { type DragEvent, type KeyboardEvent, type MouseEvent, useState } from "react";

export interface RowDrag {
  readonly draggable: true;
  /** Where a line shows that what is dragged would come. */
  readonly "data-drop": "before" | "after" | undefined;
  readonly onDragStart: (event: DragEvent) => void;
  readonly onDragOver: (event: DragEvent) => void;
  readonly onDrop: (event: DragEvent) => void;
  readonly onDragEnd: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/**
 * Rows that are put in another order: dragged, or with Alt and the arrow keys.
 * @param onMove indices as they are before the move, and after it.
 */
export function useReorder(count: number, onMove: (from: number, to: number) => void): (index: number) => RowDrag {
  const [from, setFrom] = useState<number>();
  const [over, setOver] = useState<{ readonly index: number; readonly side: "before" | "after" }>();
  const end = () => {
    setFrom(undefined);
    setOver(undefined);
  };
  return (index) => ({
    draggable: true,
    "data-drop": from !== undefined && over?.index === index ? over.side : undefined,
    onDragStart: (event) => {
      event.dataTransfer.effectAllowed = "move";
      // Without data, no drag begins in some browsers.
      event.dataTransfer.setData("text/plain", String(index));
      setFrom(index);
    },
    onDragOver: (event) => {
      if (from === undefined) return;
      event.preventDefault();
      const box = event.currentTarget.getBoundingClientRect();
      const side = event.clientY < box.top + box.height / 2 ? "before" : "after";
      if (over?.index !== index || over.side !== side) setOver({ index, side });
    },
    onDrop: (event) => {
      if (from === undefined || over === undefined) return;
      event.preventDefault();
      const to = dropIndex(from, over.index, over.side);
      end();
      if (to !== from) onMove(from, to);
    },
    onDragEnd: end,
    onKeyDown: (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (by === undefined) return;
      if (event.altKey) {
        event.preventDefault();
        const to = index + by;
        if (to >= 0 && to < count) onMove(index, to);
      } else if (event.target === event.currentTarget || (event.target as Element).matches("[data-row]")) {
        const rows = event.currentTarget.parentElement?.querySelectorAll<HTMLElement>("[data-row]") ?? [];
        // Also at the ends, where there is no further row: the key is the list's, and nudges nothing on the stage.
        event.preventDefault();
        rows[index + by]?.focus();
      }
    },
  });
}

/**
 * Lets go of the focus of a row that was pressed with the mouse: then the next key is the stage's, as people expect who did not
 * come by keyboard.
 */
export function releaseFocus(event: MouseEvent<HTMLElement>): void {
  if (event.detail > 0) event.currentTarget.blur();
}

/** The place that a row has after it is dropped before or after another one. */
export function dropIndex(from: number, over: number, side: "before" | "after"): number {
  const gap = side === "before" ? over : over + 1;
  return gap > from ? gap - 1 : gap;
}
