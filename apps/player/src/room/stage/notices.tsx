import type { RoomNotice, RoomSession } from "@klieg/room";
import { useStore } from "zustand";
import { problemWords } from "../lobby/room-message.tsx";
import { roomStrings } from "../room-strings.ts";

const words = roomStrings.notices;

/** What happened lately, for eyes and for screen readers. @param quietTexts the messages are open: they say it themselves. */
export function Notices({ session, quietTexts }: { session: RoomSession; quietTexts: boolean }) {
  const notices = useStore(session.store, (state) => state.notices);
  return (
    <div className="notices" role="log" aria-live="polite">
      {notices
        .filter(({ kind }) => !(quietTexts && kind === "text"))
        .map((notice) => (
          <p key={notice.key} className="notice" data-kind={notice.kind}>
            {noticeWords(notice)}
          </p>
        ))}
    </div>
  );
}

/** Pure. */
export function noticeWords(notice: RoomNotice): string {
  switch (notice.kind) {
    case "joined":
    case "left":
    case "lost":
    case "removed":
    case "hand_raised":
    case "screen_shared":
      return words[notice.kind](notice.name);
    case "muted":
      return words.muted(notice.name, notice.source);
    case "role":
      return words.role[notice.role];
    case "text":
      return words.text(notice.name, notice.text);
    case "on_air":
      return words.on_air(notice.channel);
    case "muted_all":
      return words.muted_all(notice.count);
    case "problem":
      return notice.message || (notice.code === "internal" ? words.problem : problemWords(notice).title);
    default:
      return words[notice.kind];
  }
}
