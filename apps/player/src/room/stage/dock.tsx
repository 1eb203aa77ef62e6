import { maySend, SELF_LEVEL, SoundOut, selfOf, unreadCount } from "@klieg/room";
import { type ReactNode, type Ref, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { isHeard } from "../media/capture.ts";
import type { DeviceListState, NamedDevice } from "../media/device-list.ts";
import { MenuButton, type MenuEntry } from "../panels/menu.tsx";
import {
  CameraIcon,
  ChevronIcon,
  GridIcon,
  HandIcon,
  LeaveIcon,
  MicrophoneIcon,
  PeopleIcon,
  ScreenIcon,
  SpotlightIcon,
  TextsIcon,
} from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import type { RoomActions } from "./room-actions.ts";
import { useLevel } from "./use-level.ts";

const words = roomStrings.controls;
/** Louder than this for so long, while muted: one talks to nobody. */
const TALK_LEVEL = 0.5;
const TALK_MS = 500;
const HINT_MS = 4000;

export type Panel = "people" | "texts";

export interface DockProps {
  readonly visit: RoomVisit;
  readonly actions: RoomActions;
  readonly layout: "grid" | "speaker";
  readonly panel: Panel | null;
  readonly onLayout: () => void;
  readonly onPanel: (panel: Panel) => void;
  readonly onLeave: () => void;
  /** Lie where nothing else is. */
  readonly notices: ReactNode;
  readonly panelButtons: Readonly<Record<Panel, Ref<HTMLButtonElement>>>;
}

/** What one does oneself: speak, be seen, show, ask to speak, look, leave. */
export function Dock({ visit, actions, layout, panel, onLayout, onPanel, onLeave, notices, panelButtons }: DockProps) {
  const { sends, handUp, unread, screening } = useStore(
    visit.session.store,
    useShallow((state) => {
      const self = selfOf(state);
      return {
        sends: self !== null && maySend(self.role),
        handUp: self?.hand_raised_at != null,
        unread: unreadCount(state),
        screening: state.producers.some(({ source }) => source === "screen"),
      };
    }),
  );
  return (
    <div className="dock" role="toolbar" aria-label={words.toolbar}>
      <div className="dock-side">
        <DockButton
          label={layout === "grid" ? words.speakerLayout : words.gridLayout}
          shortcut="g"
          className="is-layout is-first"
          disabled={screening}
          onPress={onLayout}
        >
          {layout === "grid" ? <SpotlightIcon /> : <GridIcon />}
        </DockButton>
        {notices}
      </div>
      <div className="dock-main">
        {sends ? <Senders visit={visit} actions={actions} /> : null}
        <DockButton
          label={handUp ? words.lowerHand : words.raiseHand}
          shortcut="h"
          pressed={handUp}
          onPress={actions.toggleHand}
        >
          <HandIcon up={handUp} />
        </DockButton>
      </div>
      <div className="dock-side is-end">
        <DockButton
          ref={panelButtons.people}
          label={words.people}
          shortcut="p"
          expanded={panel === "people"}
          onPress={() => onPanel("people")}
        >
          <PeopleIcon />
        </DockButton>
        <DockButton
          ref={panelButtons.texts}
          label={unread > 0 ? `${words.texts}, ${words.unread(unread)}` : words.texts}
          tip={words.texts}
          shortcut="t"
          expanded={panel === "texts"}
          onPress={() => onPanel("texts")}
        >
          <TextsIcon />
          {unread > 0 ? <span className="badge figure">{unread > 99 ? "99+" : unread}</span> : null}
        </DockButton>
        <button type="button" className="button leave-button" aria-label={words.leave} onClick={onLeave}>
          <LeaveIcon />
          <span className="chip-word">{words.leave}</span>
        </button>
      </div>
    </div>
  );
}

function Senders({ visit, actions }: { visit: RoomVisit; actions: RoomActions }) {
  const state = useStore(visit.capture.store);
  const devices = useStore(visit.devices.store);
  const { camera, microphone, screen, muted, talking } = state;
  const heard = isHeard(state);
  const fault = microphone.fault ? roomStrings.faults.microphone[microphone.fault] : null;
  const cameraFault = camera.fault ? roomStrings.faults.camera[camera.fault] : null;
  const canShare = typeof navigator.mediaDevices?.getDisplayMedia === "function";
  return (
    <>
      <div className="split">
        <DockButton
          label={heard ? words.mute : microphone.track ? words.unmute : words.microphoneOff}
          detail={talking ? words.talking : fault && !microphone.track ? fault.title : undefined}
          shortcut="m"
          off={!heard}
          onPress={actions.toggleMicrophone}
        >
          <MicrophoneIcon off={!heard} />
          {microphone.track ? <LevelDot visit={visit} /> : null}
          {muted && !talking && microphone.track ? <MutedHint visit={visit} /> : null}
        </DockButton>
        <MenuButton
          label={words.devices(`${roomStrings.lobby.microphone}, ${roomStrings.lobby.speaker}`)}
          className="control split-more"
          entries={soundEntries(visit, devices)}
          onOpen={() => void visit.devices.refresh()}
        >
          <ChevronIcon />
        </MenuButton>
      </div>
      <div className="split">
        <DockButton
          label={camera.track ? words.cameraOff : words.cameraOn}
          detail={cameraFault && !camera.track ? cameraFault.title : undefined}
          shortcut="c"
          off={!camera.track}
          busy={camera.asking}
          onPress={actions.toggleCamera}
        >
          <CameraIcon off={!camera.track} />
        </DockButton>
        <MenuButton
          label={words.devices(roomStrings.lobby.camera)}
          className="control split-more"
          entries={deviceEntries(roomStrings.lobby.camera, devices.camera, visit.preferences.current.camera, (id) => {
            void visit.capture.use("camera", id);
          })}
          onOpen={() => void visit.devices.refresh()}
        >
          <ChevronIcon />
        </MenuButton>
      </div>
      {canShare ? (
        <DockButton
          label={screen.track ? words.stopShare : words.share}
          shortcut="s"
          pressed={screen.track !== null}
          busy={screen.asking}
          onPress={actions.toggleScreen}
        >
          <ScreenIcon />
        </DockButton>
      ) : null}
    </>
  );
}

function soundEntries(visit: RoomVisit, devices: DeviceListState): MenuEntry[] {
  const { microphone, speaker } = visit.preferences.current;
  return [
    ...deviceEntries(roomStrings.lobby.microphone, devices.microphone, microphone, (id) => {
      void visit.capture.use("microphone", id);
    }),
    ...(SoundOut.choosable && devices.speaker.length > 0
      ? deviceEntries(roomStrings.lobby.speaker, devices.speaker, speaker, (id) => {
          visit.preferences.update({ speaker: id });
          void visit.sound.use(id);
        })
      : []),
  ];
}

function deviceEntries(
  kind: string,
  devices: readonly NamedDevice[],
  chosen: string | null,
  choose: (id: string | null) => void,
): MenuEntry[] {
  const real = devices.filter(({ id }) => id !== "default" && id !== "communications");
  const isThere = real.some(({ id }) => id === chosen);
  return [
    { heading: kind },
    { label: roomStrings.lobby.systemDefault, checked: !isThere, onPick: () => choose(null) },
    ...real.map(({ id, label }, index) => ({
      label: label || roomStrings.lobby.unnamed(kind, index + 1),
      checked: id === chosen,
      onPick: () => choose(id),
    })),
  ];
}

function LevelDot({ visit }: { visit: RoomVisit }) {
  const dot = useRef<HTMLElement>(null);
  useLevel(dot, visit.levels, SELF_LEVEL);
  return <i ref={dot} className="level-dot" />;
}

/** "You are muted", when one talks all the same. */
function MutedHint({ visit }: { visit: RoomVisit }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    let since = 0;
    let hide: ReturnType<typeof setTimeout> | null = null;
    const end = visit.levels.listen(SELF_LEVEL, (level) => {
      if (level < TALK_LEVEL) since = 0;
      else if (since === 0) since = performance.now();
      else if (performance.now() - since > TALK_MS) {
        setShown(true);
        if (hide) clearTimeout(hide);
        hide = setTimeout(() => setShown(false), HINT_MS);
      }
    });
    return () => {
      end();
      if (hide) clearTimeout(hide);
    };
  }, [visit]);
  return (
    <span className="hint" role="status">
      {shown ? (
        <span>
          {words.mutedTalking} <kbd>m</kbd>
        </span>
      ) : null}
    </span>
  );
}

interface DockButtonProps {
  readonly label: string;
  readonly tip?: string;
  /** More words for the tip, e.g. why it does not work. */
  readonly detail?: string | undefined;
  readonly shortcut: string;
  readonly onPress: () => void;
  readonly children: ReactNode;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  /** What it stands for is off. */
  readonly off?: boolean;
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly className?: string;
  readonly ref?: Ref<HTMLButtonElement>;
}

function DockButton(props: DockButtonProps) {
  const { label, tip, detail, shortcut, onPress, children, pressed, expanded, off, busy, disabled, className, ref } =
    props;
  return (
    <button
      ref={ref}
      type="button"
      className={`control dock-button ${className ?? ""}`}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-busy={busy}
      aria-description={detail}
      data-off={off}
      disabled={disabled}
      onClick={onPress}
    >
      {children}
      <span className="tip" aria-hidden="true">
        <span>
          {tip ?? label}
          {detail ? <small>{detail}</small> : null}
        </span>
        <kbd>{shortcut}</kbd>
      </span>
    </button>
  );
}
