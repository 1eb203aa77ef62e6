import type { RoomSource } from "@klieg/protocol";
import type { Publication, RoomOutgoing } from "@klieg/room";
import type { Capture, CaptureState } from "./capture.ts";

/** What is to be sent of what is captured. Pure. */
export function publicationsOf(capture: CaptureState): ReadonlyMap<RoomSource, Publication> {
  const wanted = new Map<RoomSource, Publication>();
  const { microphone, camera, screen, screenAudio, muted, talking } = capture;
  if (microphone.track) wanted.set("microphone", { track: microphone.track, paused: muted && !talking });
  if (camera.track) wanted.set("camera", { track: camera.track, paused: false });
  if (screen.track) wanted.set("screen", { track: screen.track, paused: false });
  if (screenAudio) wanted.set("screen_audio", { track: screenAudio, paused: false });
  return wanted;
}

/** Sends a room what this tab captures. */
export function outgoingOf(
  capture: Pick<Capture, "store" | "muteByHost" | "setCamera" | "stopScreen" | "stopAll">,
): RoomOutgoing {
  return {
    wanted: () => publicationsOf(capture.store.getState()),
    subscribe: (listener) => capture.store.subscribe(listener),
    silence: (source) => {
      if (source === "microphone") capture.muteByHost();
      else if (source === "camera") void capture.setCamera(false);
      else capture.stopScreen();
    },
    failed: (source) => {
      if (source === "screen" || source === "screen_audio") capture.stopScreen();
    },
    stopAll: () => capture.stopAll(),
  };
}
