import type { RoomNotice, RoomProblem, RoomStage } from "@klieg/room";
import type { Guest } from "./guest.ts";

/** Where the studio stands with its room. */
export type GuestRoomStage =
  | { readonly name: "outside"; readonly problem: RoomProblem | undefined }
  | Exclude<RoomStage, { readonly name: "lobby" }>;

/** The host's microphone to the guests, without the show's viewers. */
export interface TalkbackView {
  /** Id of the chosen microphone; "" for the show's first, or the browser's choice. */
  readonly device: string;
  readonly held: boolean;
  readonly latched: boolean;
  /** The guests hear it now. */
  readonly sending: boolean;
  /** Why they do not, in words. */
  readonly problem: string | undefined;
}

/** What there is to show of the room with the guests. */
export interface GuestRoomView {
  readonly stage: GuestRoomStage;
  /** Who came first first. */
  readonly guests: readonly Guest[];
  /** A way for media is broken, and being mended. */
  readonly mediaBroken: boolean;
  readonly talkback: TalkbackView;
  /** Whether the guests hear the program, without themselves. */
  readonly returnSound: boolean;
  /** Who came and went, and what failed: lines that go by themselves. */
  readonly notices: readonly RoomNotice[];
}
