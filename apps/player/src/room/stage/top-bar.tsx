import { maySend, selfOf } from "@klieg/room";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { LampMark } from "../../controls/icons.tsx";
import { clock } from "../../figures.ts";
import { MenuButton, type MenuEntry } from "../panels/menu.tsx";
import { InviteIcon, LockIcon, MoreIcon, OnAirIcon, RecordIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";

export interface TopBarProps {
  readonly visit: RoomVisit;
  readonly more: readonly MenuEntry[];
  readonly onProgram: () => void;
  readonly onInvite: () => void;
  readonly onPeople: () => void;
}

/** What the room is and what becomes of it: on air, recorded, locked. Everybody sees that; hosts change it. */
export function TopBar({ visit, more, onProgram, onInvite, onPeople }: TopBarProps) {
  const { room, isHost, attendees } = useStore(
    visit.session.store,
    useShallow((state) => ({
      room: state.room,
      isHost: selfOf(state)?.role === "host",
      attendees: state.participants.filter(({ role }) => !maySend(role)).length,
    })),
  );
  const words = roomStrings.state;
  const isOn = room?.on_air ?? room?.recording;
  const states = (
    <>
      {room?.on_air ? (
        <span className="state-chip is-live" data-starting={room.on_air.state === "starting"}>
          <i />
          {room.on_air.state === "live" ? words.onAir : words.starting}
          {room.on_air.state === "live" ? <Elapsed since={room.on_air.since} /> : null}
        </span>
      ) : null}
      {room?.recording ? (
        <span className="state-chip">
          <RecordIcon />
          <span className="chip-word">{words.recording}</span>
          <Elapsed since={room.recording.since} />
        </span>
      ) : null}
    </>
  );
  return (
    <header className="top-bar">
      <span className="brand" aria-hidden="true">
        <LampMark />
      </span>
      <h1>{room?.title}</h1>
      {room?.locked ? (
        <span className="state-chip">
          <LockIcon />
          <span className="chip-word">{words.locked}</span>
        </span>
      ) : null}
      {attendees > 0 ? (
        <button type="button" className="state-chip is-button" onClick={onPeople}>
          {roomStrings.stage.watching(attendees)}
        </button>
      ) : null}
      <span className="grow" />
      {isHost ? (
        <>
          <button
            type="button"
            className={isOn ? "program-button" : "button program-button"}
            aria-haspopup="dialog"
            aria-keyshortcuts="a"
            aria-label={roomStrings.controls.program}
            title={`${roomStrings.controls.program} (A)`}
            onClick={onProgram}
          >
            {isOn ? (
              states
            ) : (
              <>
                <OnAirIcon />
                <span className="chip-word">
                  {room?.channel ? roomStrings.program.goOnAir : roomStrings.program.startRecording}
                </span>
              </>
            )}
          </button>
          <button
            type="button"
            className="button invite-button"
            aria-haspopup="dialog"
            aria-keyshortcuts="i"
            title={`${roomStrings.controls.invite} (I)`}
            onClick={onInvite}
          >
            <InviteIcon />
            <span className="chip-word">{roomStrings.controls.invite}</span>
          </button>
        </>
      ) : (
        states
      )}
      <MenuButton label={roomStrings.controls.more} className="control" entries={more}>
        <MoreIcon />
      </MenuButton>
    </header>
  );
}

/** How long it has been, counted here. */
function Elapsed({ since }: { since: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span className="figure">{clock((now - Date.parse(since)) / 1000)}</span>;
}
