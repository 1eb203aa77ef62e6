import { SELF_LEVEL } from "@klieg/room";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { hueOf } from "../../pages/channel-avatar.tsx";
import type { CaptureState, Device } from "../media/capture.ts";
import { type Permission, watchPermission } from "../media/permission-watch.ts";
import { CameraIcon, MicrophoneIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { useLevel } from "../stage/use-level.ts";
import { VideoView } from "../stage/video-view.tsx";

const words = roomStrings.lobby;

/** Whether one is asked first, and whether anything is captured yet. */
export interface PreviewState {
  readonly asksFirst: boolean;
}

/**
 * Opens camera and microphone at once where the person allowed them before; else waits to be asked for it. Tries again by itself when
 * the person changes their mind in the browser's settings.
 */
export function usePreview(visit: RoomVisit): PreviewState {
  const [permissions, setPermissions] = useState<Readonly<Record<Device, Permission | null>>>({
    camera: null,
    microphone: null,
  });
  useEffect(() => {
    const follow = (device: Device) =>
      watchPermission(device, (permission) => setPermissions((before) => ({ ...before, [device]: permission })));
    const ends = [follow("camera"), follow("microphone")];
    return () => {
      for (const end of ends) end();
    };
  }, []);
  const { camera, microphone } = permissions;
  const known = camera !== null && microphone !== null;
  const asksFirst =
    known && [camera, microphone].some((permission) => permission === "prompt" || permission === "unknown");
  useEffect(() => {
    if (!known || asksFirst) return;
    void visit.capture.open(wantedDevices(visit, camera));
  }, [visit, known, asksFirst, camera]);
  return { asksFirst };
}

/** What to open: what was on the last time. What is denied is asked for too, so that it says why it is off. */
function wantedDevices(visit: RoomVisit, camera: Permission | null): Device[] {
  const state = visit.capture.store.getState();
  const isOpen = (device: Device) => state[device].track !== null || state[device].asking;
  const offByChoice = camera === "granted" && !visit.preferences.current.cameraOn;
  return [
    ...(isOpen("camera") || offByChoice ? [] : ["camera" as const]),
    ...(isOpen("microphone") ? [] : ["microphone" as const]),
  ];
}

export interface PreviewProps {
  readonly visit: RoomVisit;
  readonly name: string;
  readonly asksFirst: boolean;
}

/** What others will see, with the level of what they will hear. */
export function Preview({ visit, name, asksFirst }: PreviewProps) {
  const state = useStore(visit.capture.store);
  const { camera, microphone, muted } = state;
  const quiet = muted || !microphone.track;
  return (
    <section className="preview on-video" aria-label={words.preview}>
      {camera.track ? (
        <VideoView track={camera.track} mirrored />
      ) : (
        <NoPicture {...{ visit, name, state, asksFirst }} />
      )}
      <div className="preview-bar">
        <button
          type="button"
          className="toggle"
          data-off={quiet}
          aria-label={quiet ? roomStrings.controls.unmute : roomStrings.controls.mute}
          aria-keyshortcuts="m"
          onClick={() => void visit.capture.setMuted(!quiet)}
        >
          <MicrophoneIcon off={quiet} />
        </button>
        <LevelBar visit={visit} quiet={quiet} />
        <button
          type="button"
          className="toggle"
          data-off={!camera.track}
          aria-label={camera.track ? words.turnCameraOff : words.turnCameraOn}
          aria-keyshortcuts="c"
          onClick={() => void visit.capture.setCamera(!camera.track)}
        >
          <CameraIcon off={!camera.track} />
        </button>
      </div>
    </section>
  );
}

function LevelBar({ visit, quiet }: { visit: RoomVisit; quiet: boolean }) {
  const bar = useRef<HTMLDivElement>(null);
  useLevel(bar, visit.levels, SELF_LEVEL);
  return (
    <div ref={bar} className="level-bar" data-quiet={quiet} role="img" aria-label={words.level}>
      <span />
    </div>
  );
}

interface NoPictureProps extends PreviewProps {
  readonly state: CaptureState;
}

/** Why there is no picture, and the one thing to do about it. */
function NoPicture({ visit, name, state, asksFirst }: NoPictureProps) {
  const { camera, microphone } = state;
  const open = () => void visit.capture.open(["camera", "microphone"]);
  if (camera.asking || microphone.asking) {
    return (
      <div className="preview-words late" role="status">
        <p>{words.asking}</p>
      </div>
    );
  }
  if (asksFirst && !camera.fault && !microphone.fault && !microphone.track) {
    return (
      <div className="preview-words">
        <h2>{words.allowTitle}</h2>
        <p>{words.allowDetail}</p>
        <button type="button" className="button is-primary" onClick={open}>
          {words.allow}
        </button>
      </div>
    );
  }
  if (camera.fault) {
    const both = camera.fault === "denied" && microphone.fault === "denied";
    const fault = both ? roomStrings.faults.both : roomStrings.faults.camera[camera.fault];
    return (
      <div className="preview-words" role="alert">
        <h2>{fault.title}</h2>
        <p>{fault.detail}</p>
        {camera.fault === "insecure" ? null : (
          <button type="button" className="button" onClick={() => (both ? open() : void visit.capture.setCamera(true))}>
            {roomStrings.tryAgain}
          </button>
        )}
      </div>
    );
  }
  return (
    <div className="preview-words">
      <span className="avatar" aria-hidden="true" style={{ "--hue": hueOf(name) }}>
        {name.trim().slice(0, 1).toUpperCase() || "?"}
      </span>
      <p>{words.cameraOff}</p>
    </div>
  );
}
