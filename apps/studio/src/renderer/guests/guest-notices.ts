import type { RoomNotice } from "@klieg/room";
import type { Toasts } from "../shell/toasts.ts";
import { guestStrings as words } from "../strings/guests.ts";
import type { GuestRoom } from "./guest-room.ts";

/** Says who comes and goes, wherever the interface is: whoever directs a show does not look at the list of guests all the time. */
export function guestNotices(guests: Pick<GuestRoom, "store" | "dismiss">, toasts: Pick<Toasts, "show">): Disposable {
  let last = 0;
  const unsubscribe = guests.store.subscribe(({ notices }) => {
    for (const notice of notices) {
      if (notice.key <= last) continue;
      last = notice.key;
      const text = wordsOf(notice);
      if (text !== undefined) toasts.show(text, notice.kind === "problem" ? { tone: "bad" } : {});
    }
  });
  return { [Symbol.dispose]: unsubscribe };
}

/** @returns undefined for what the panel itself says, or whoever did it knows. */
function wordsOf(notice: RoomNotice): string | undefined {
  switch (notice.kind) {
    case "joined":
      return words.happened.joined(notice.name);
    case "left":
      return words.happened.left(notice.name);
    case "lost":
      return words.happened.lost(notice.name);
    case "hand_raised":
      return words.handRaised(notice.name);
    case "screen_shared":
      return words.happened.screenShared(notice.name);
    case "text":
      return words.happened.text(notice.name, notice.text);
    case "problem":
      return notice.message === "" ? undefined : words.failed(notice.message);
    default:
      return undefined;
  }
}
