import type { RoomRole, RoomSource } from "@klieg/protocol";

/** Something that happened and is worth a line: shown for a while, and spoken by screen readers. */
export type Happening =
  | { readonly kind: "joined" | "left" | "lost" | "removed" | "hand_raised"; readonly name: string }
  | { readonly kind: "muted"; readonly name: string; readonly source: RoomSource }
  | { readonly kind: "role"; readonly role: RoomRole }
  | { readonly kind: "hand_lowered" | "back" | "locked" | "unlocked" | "recording_stopped" | "recording_started" }
  | { readonly kind: "on_air"; readonly channel: string }
  | { readonly kind: "off_air" }
  | { readonly kind: "screen_shared"; readonly name: string }
  | { readonly kind: "text"; readonly name: string; readonly text: string }
  | { readonly kind: "muted_all"; readonly count: number }
  /** Something that was asked for, or ran, failed; `message` are the server's words. */
  | { readonly kind: "problem"; readonly code: string; readonly message: string };

export type RoomNotice = Happening & { readonly key: number };

/** So many are shown at once; older ones give way. */
export const NOTICES_SHOWN = 4;
