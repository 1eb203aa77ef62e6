import { selfOf } from "@klieg/room";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { useFullScreen } from "../../controls/full-screen.ts";
import { useTitle } from "../../pages/use-title.ts";
import { isHeard } from "../media/capture.ts";
import { InviteDialog } from "../panels/invite-dialog.tsx";
import type { MenuEntry } from "../panels/menu.tsx";
import { Confirm } from "../panels/modal.tsx";
import { PeoplePanel } from "../panels/people-panel.tsx";
import { ProgramDialog } from "../panels/program-dialog.tsx";
import { RoomHelp } from "../panels/room-help.tsx";
import { TextsPanel } from "../panels/texts-panel.tsx";
import type { RoomCommand } from "../room-command.ts";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { Banner } from "./banner.tsx";
import { Dock, type Panel } from "./dock.tsx";
import { Notices } from "./notices.tsx";
import { roomActions } from "./room-actions.ts";
import { RoomStage } from "./room-stage.tsx";
import { TopBar } from "./top-bar.tsx";
import { useMedia } from "./use-media.ts";
import { useRoomKeys } from "./use-room-keys.ts";
import { useWakeLock } from "./use-wake-lock.ts";

const words = roomStrings.controls;

/** Keep in step with theme/room.css. */
const PANEL_COVERS = "(max-width: 860px)";

type Dialog = "invite" | "program" | "help" | "leave" | "end";

/** The room, from within. */
export function RoomView({ visit }: { visit: RoomVisit }) {
  const { session } = visit;
  const { title, isHost, stage, onAir } = useStore(
    session.store,
    useShallow((state) => ({
      title: state.room?.title ?? roomStrings.room,
      isHost: selfOf(state)?.role === "host",
      stage: state.stage.name,
      onAir: state.room?.on_air?.state === "live",
    })),
  );
  useTitle(title);
  useWakeLock();
  const [layout, setLayout] = useState(visit.preferences.current.layout);
  const [panel, setPanel] = useState<Panel | null>(null);
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [page, setPage] = useState(0);
  const peopleButton = useRef<HTMLButtonElement>(null);
  const textsButton = useRef<HTMLButtonElement>(null);
  const fullScreen = useFullScreen();
  const narrow = useMedia(PANEL_COVERS);
  const actions = useMemo(() => roomActions(visit), [visit]);

  const togglePanel = useCallback(
    (wanted: Panel) => {
      if (panel === wanted) {
        (wanted === "people" ? peopleButton : textsButton).current?.focus();
        setPanel(null);
      } else setPanel(wanted);
    },
    [panel],
  );
  const toggleLayout = () => {
    const next = layout === "grid" ? "speaker" : "grid";
    visit.preferences.update({ layout: next });
    setLayout(next);
  };
  const openForHost = (wanted: Dialog) => isHost && setDialog(wanted);
  const closeDialog = () => setDialog(null);
  // A host who leaves says what becomes of the room.
  const leave = () => (isHost ? setDialog("leave") : session.leave());

  const onCommand = (command: RoomCommand) => {
    switch (command) {
      case "toggle-microphone":
        return actions.toggleMicrophone();
      case "toggle-camera":
        return actions.toggleCamera();
      case "toggle-screen":
        return actions.toggleScreen();
      case "toggle-hand":
        return actions.toggleHand();
      case "toggle-layout":
        return toggleLayout();
      case "toggle-people":
        return togglePanel("people");
      case "toggle-texts":
        return togglePanel("texts");
      case "toggle-full-screen":
        return void toggleFullScreen();
      case "open-invite":
        return openForHost("invite");
      case "open-program":
        return openForHost("program");
      case "open-help":
        return setDialog("help");
      case "close-panel":
        return panel ? togglePanel(panel) : undefined;
      case "previous-page":
        return setPage(Math.max(0, page - 1));
      case "next-page":
        return setPage(page + 1);
    }
  };
  useRoomKeys({ onCommand, onTalk: actions.talk });

  const more: MenuEntry[] = [
    ...(isHost ? [{ label: words.invite, shortcut: "i", onPick: () => setDialog("invite") }] : []),
    { label: layout === "grid" ? words.speakerLayout : words.gridLayout, shortcut: "g", onPick: toggleLayout },
    {
      label: fullScreen ? words.leaveFullScreen : words.fullScreen,
      shortcut: "f",
      onPick: () => void toggleFullScreen(),
    },
    { label: words.help, shortcut: "?", onPick: () => setDialog("help") },
    ...(isHost ? [{ label: words.endForAll, onPick: () => setDialog("end") }] : []),
  ];

  return (
    <div className="room" data-stage={stage} data-on-air={onAir} data-panel={panel ?? "none"}>
      <TopBar
        visit={visit}
        more={more}
        onProgram={() => openForHost("program")}
        onInvite={() => openForHost("invite")}
        onPeople={() => togglePanel("people")}
      />
      <main>
        <Banner visit={visit} />
        <RoomStage
          visit={visit}
          layout={layout}
          page={page}
          covered={narrow && panel !== null}
          onPage={setPage}
          onInvite={() => openForHost("invite")}
        />
      </main>
      {panel === "people" ? (
        <PeoplePanel visit={visit} onInvite={() => openForHost("invite")} onClose={() => togglePanel("people")} />
      ) : null}
      {panel === "texts" ? <TextsPanel session={session} onClose={() => togglePanel("texts")} /> : null}
      <Dock
        visit={visit}
        actions={actions}
        layout={layout}
        panel={panel}
        onLayout={toggleLayout}
        onPanel={togglePanel}
        onLeave={leave}
        notices={<Notices session={session} quietTexts={panel === "texts"} />}
        panelButtons={{ people: peopleButton, texts: textsButton }}
      />
      {dialog === "invite" ? <InviteDialog session={session} onClose={closeDialog} /> : null}
      {dialog === "program" ? <ProgramDialog visit={visit} onClose={closeDialog} /> : null}
      {dialog === "help" ? <RoomHelp isHost={isHost} onClose={closeDialog} /> : null}
      {dialog === "leave" ? (
        <Confirm
          title={words.leaveTitle}
          detail={words.leaveHost}
          action={words.leave}
          onConfirm={() => session.leave()}
          onClose={closeDialog}
        />
      ) : null}
      {dialog === "end" ? (
        <Confirm
          title={words.endTitle}
          detail={words.endDetail}
          action={words.endForAll}
          onConfirm={() => void session.ask("end_room", {})}
          onClose={closeDialog}
        />
      ) : null}
      <SelfAnnouncer visit={visit} />
    </div>
  );
}

async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen();
  else if (document.fullscreenEnabled) await document.documentElement.requestFullscreen({ navigationUI: "hide" });
}

/** Says what became of one's own microphone, camera and screen: a key press shows nothing to those who do not see. */
function SelfAnnouncer({ visit }: { visit: RoomVisit }) {
  const { heard, seen, shared, muted } = useStore(
    visit.capture.store,
    useShallow((state) => ({
      heard: isHeard(state) && !state.talking,
      muted: state.muted,
      seen: state.camera.track !== null,
      shared: state.screen.track !== null,
    })),
  );
  const [said, setSaid] = useState("");
  const before = useRef({ heard, seen, shared, muted });
  useEffect(() => {
    const was = before.current;
    before.current = { heard, seen, shared, muted };
    const { announcements } = roomStrings;
    if (was.heard !== heard) setSaid(heard ? announcements.unmuted : announcements.muted);
    else if (was.seen !== seen) setSaid(seen ? announcements.cameraOn : announcements.cameraOff);
    else if (was.shared !== shared) setSaid(shared ? announcements.sharing : announcements.notSharing);
  }, [heard, seen, shared, muted]);
  return (
    <p className="unseen" role="status">
      {said}
    </p>
  );
}
