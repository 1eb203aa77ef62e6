import { maySend, selfOf } from "@klieg/room";
import type { RoomVisit } from "../room-visit.ts";

/** What both a button and a key of the room do. */
export interface RoomActions {
  readonly toggleMicrophone: () => void;
  readonly toggleCamera: () => void;
  readonly toggleScreen: () => void;
  readonly toggleHand: () => void;
  /** A muted microphone is open for as long as it is held. */
  readonly talk: (on: boolean) => void;
}

export function roomActions(visit: RoomVisit): RoomActions {
  const { capture, session } = visit;
  const self = () => selfOf(session.store.getState());
  /** Who may not send has no buttons for it, and no keys. */
  const ifSender = (act: () => void) => () => {
    const me = self();
    if (me && maySend(me.role)) act();
  };
  return {
    toggleMicrophone: ifSender(() => {
      const { microphone, muted } = capture.store.getState();
      void capture.setMuted(microphone.track !== null && !muted);
    }),
    toggleCamera: ifSender(() => void capture.setCamera(capture.store.getState().camera.track === null)),
    toggleScreen: ifSender(() => {
      if (capture.store.getState().screen.track) capture.stopScreen();
      else void capture.shareScreen();
    }),
    toggleHand: () => void session.raiseHand(self()?.hand_raised_at === null),
    talk: (on) => {
      const { muted, talking, microphone } = capture.store.getState();
      if (on ? muted && microphone.track !== null && !talking : talking) ifSender(() => capture.setTalking(on))();
    },
  };
}
