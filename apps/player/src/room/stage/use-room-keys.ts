import { useEffect, useEffectEvent } from "react";
import type { FocusedElement } from "../../controls/command.ts";
import { isTalkPress, type RoomCommand, roomCommandFor, TALK_KEY } from "../room-command.ts";

export interface RoomKeys {
  readonly onCommand: (command: RoomCommand) => void;
  /** The talk key went down or up. */
  readonly onTalk: (on: boolean) => void;
}

/** Listens for the room's keys, wherever the focus is; dialogs and menus have theirs to themselves. */
export function useRoomKeys({ onCommand, onTalk }: RoomKeys): void {
  const command = useEffectEvent(onCommand);
  const talk = useEffectEvent(onTalk);
  useEffect(() => {
    const gone = new AbortController();
    const { signal } = gone;
    addEventListener(
      "keydown",
      (event) => {
        if (document.querySelector("dialog[open], [popover]:popover-open")) return;
        const focused = focusedElement();
        if (isTalkPress(event, focused)) {
          // Held down it repeats, and would scroll.
          event.preventDefault();
          if (!event.repeat) talk(true);
          return;
        }
        if (event.repeat && !event.key.startsWith("Arrow")) return;
        const asked = roomCommandFor(event, focused);
        if (asked === null) return;
        if (asked !== "close-panel") event.preventDefault();
        command(asked);
      },
      { signal },
    );
    addEventListener(
      "keyup",
      (event) => {
        if (event.key !== TALK_KEY) return;
        // Firefox presses a button when the key comes up.
        if (!event.defaultPrevented && isTalkPress(event, focusedElement())) event.preventDefault();
        talk(false);
      },
      { signal },
    );
    // The key may come up in another window.
    addEventListener("blur", () => talk(false), { signal });
    return () => gone.abort();
  }, []);
}

function focusedElement(): FocusedElement | null {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return null;
  // A button that was clicked keeps the focus, but nobody aims keys at it.
  if (element.tagName === "BUTTON" && !element.matches(":focus-visible")) return null;
  return {
    tag: element.tagName.toLowerCase(),
    type: element.getAttribute("type"),
    editable: element.isContentEditable,
  };
}
