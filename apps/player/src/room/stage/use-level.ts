import type { LevelBoard } from "@klieg/room";
import { type RefObject, useEffect } from "react";

/** Writes how loud somebody is (0 to 1) into the element's `--level`, without rendering. */
export function useLevel(element: RefObject<HTMLElement | null>, levels: LevelBoard, id: string): void {
  useEffect(
    () =>
      levels.listen(id, (meter) => {
        element.current?.style.setProperty("--level", meter.toFixed(2));
      }),
    [element, levels, id],
  );
}
