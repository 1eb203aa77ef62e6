import type { RoomProblem } from "@klieg/room";
import type { ReactNode } from "react";
import { LampMark } from "../../controls/icons.tsx";
import { SiteHeader } from "../../pages/site-header.tsx";
import { roomStrings } from "../room-strings.ts";

export interface RoomMessageProps {
  readonly title: string;
  readonly detail: string;
  /** The one next thing to do. */
  readonly children?: ReactNode;
}

/** A page with nothing but what is the matter, and what to do about it. */
export function RoomMessage({ title, detail, children }: RoomMessageProps) {
  return (
    <div className="page room-message">
      <SiteHeader />
      <main className="page-words" role="alert">
        <span className="stage-lamp is-off">
          <LampMark />
        </span>
        <h1>{title}</h1>
        {detail ? <p>{detail}</p> : null}
        {children}
      </main>
    </div>
  );
}

/** The words for a problem: by its code, with the server's own where there are none of ours. */
export function problemWords({ code, message }: RoomProblem): { readonly title: string; readonly detail: string } {
  const { problems } = roomStrings;
  switch (code) {
    case "gone":
      return problems.not_found;
    case "timeout":
    case "malformed":
      return problems.network;
    case "unauthorized":
      return problems.invite_invalid;
    case "rate_limited":
    case "shutting_down":
      return problems.overloaded;
  }
  if (code in problems) return problems[code as keyof typeof problems];
  return message ? { title: problems.other.title, detail: message } : problems.other;
}

/** Whether trying again with the same link could help. */
export function isFinal(code: string): boolean {
  return [
    "invite_missing",
    "invite_invalid",
    "invite_expired",
    "not_found",
    "gone",
    "unauthorized",
    "unsupported",
  ].includes(code);
}
