import type { RoomParticipant } from "@klieg/protocol";
import { maySend, producerOf, qualityOf, type RoomSession, type RoomSnapshot, SELF_LEVEL, selfOf } from "@klieg/room";
import { type FormEvent, useRef, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { hueOf } from "../../pages/channel-avatar.tsx";
import {
  CameraIcon,
  HandIcon,
  InviteIcon,
  LockIcon,
  MicrophoneIcon,
  MoreIcon,
  ScreenIcon,
  SignalIcon,
} from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { useLevel } from "../stage/use-level.ts";
import { MenuButton, type MenuEntry } from "./menu.tsx";
import { Confirm } from "./modal.tsx";
import { SidePanel } from "./side-panel.tsx";

const words = roomStrings.people;

export interface PeoplePanelProps {
  readonly visit: RoomVisit;
  readonly onInvite: () => void;
  readonly onClose: () => void;
}

/** Everybody in the room, and what a host may do about them. */
export function PeoplePanel({ visit, onInvite, onClose }: PeoplePanelProps) {
  const { session } = visit;
  const [removing, setRemoving] = useState<RoomParticipant | null>(null);
  const { participants, most, isHost, locked } = useStore(
    session.store,
    useShallow((state) => ({
      participants: state.participants,
      most: state.maxParticipants,
      isHost: selfOf(state)?.role === "host",
      locked: state.room?.locked === true,
    })),
  );
  const hands = participants
    .filter(({ hand_raised_at: at }) => at !== null)
    .toSorted((a, b) => ((a.hand_raised_at ?? "") < (b.hand_raised_at ?? "") ? -1 : 1));
  const onStage = participants.filter(({ role }) => maySend(role));
  const attendees = participants.filter(({ role }) => !maySend(role));
  const list = (title: string, people: readonly RoomParticipant[]) =>
    people.length === 0 ? null : (
      <section>
        <h3>
          {title} <span className="figure quiet">{people.length}</span>
        </h3>
        <ul>
          {people.map((person) => (
            <PersonRow key={person.id} visit={visit} person={person} isHost={isHost} onRemove={setRemoving} />
          ))}
        </ul>
      </section>
    );
  return (
    <SidePanel
      title={words.title}
      note={words.of(participants.length, most)}
      className="people-panel"
      onClose={onClose}
    >
      <div className="panel-scroll">
        {list(words.hands, hands)}
        {list(words.stage, onStage)}
        {list(words.attendees, attendees)}
        <Rename session={session} />
      </div>
      {isHost ? (
        <footer>
          <button type="button" className="button" onClick={() => void session.muteAll()}>
            <MicrophoneIcon off />
            {words.muteAll}
          </button>
          <button
            type="button"
            className="button"
            aria-pressed={locked}
            onClick={() => void session.ask(locked ? "unlock" : "lock", {})}
          >
            <LockIcon />
            {locked ? words.unlock : words.lock}
          </button>
          <button type="button" className="button" aria-haspopup="dialog" onClick={onInvite}>
            <InviteIcon />
            {words.invite}
          </button>
        </footer>
      ) : null}
      {removing ? (
        <Confirm
          title={words.removeTitle(removing.name)}
          detail={words.removeDetail}
          action={words.removeConfirm}
          onConfirm={() => void session.ask("remove", { participant_id: removing.id })}
          onClose={() => setRemoving(null)}
        />
      ) : null}
    </SidePanel>
  );
}

interface PersonRowProps {
  readonly visit: RoomVisit;
  readonly person: RoomParticipant;
  readonly isHost: boolean;
  readonly onRemove: (person: RoomParticipant) => void;
}

function PersonRow({ visit, person, isHost, onRemove }: PersonRowProps) {
  const { session } = visit;
  const row = useRef<HTMLLIElement>(null);
  const { isSelf, microphone, camera, screen, quality } = useStore(
    session.store,
    useShallow((state) => ({
      isSelf: state.selfId === person.id,
      ...sendingOf(state, person.id),
      quality: qualityOf(state, person.id),
    })),
  );
  useLevel(row, visit.levels, isSelf ? SELF_LEVEL : person.id);
  const { stage } = roomStrings;
  return (
    <li ref={row} className="person" data-participant={person.id} data-heard={microphone}>
      <span className="avatar" style={{ "--hue": hueOf(person.name) }} aria-hidden="true">
        {person.name.slice(0, 1).toUpperCase()}
      </span>
      <span className="person-name">
        <span>{isSelf ? roomStrings.you(person.name) : person.name}</span>
        {person.role === "host" ? <span className="tile-role">{roomStrings.roles.host}</span> : null}
      </span>
      {person.hand_raised_at ? (
        <span className="is-hand" role="img" aria-label={stage.handUp}>
          <HandIcon up />
        </span>
      ) : null}
      {quality !== null && !isSelf ? (
        <span
          className="person-quality"
          role="img"
          aria-label={quality < 4 ? stage.weak : quality < 7 ? stage.fair : stage.good}
        >
          <SignalIcon level={quality < 4 ? 1 : quality < 7 ? 2 : 3} />
        </span>
      ) : null}
      {screen ? <ScreenIcon /> : null}
      {maySend(person.role) ? (
        <>
          {camera ? <CameraIcon /> : null}
          <span className="person-sound" role="img" aria-label={microphone ? "" : stage.muted}>
            <MicrophoneIcon off={!microphone} />
          </span>
        </>
      ) : null}
      {isHost && !isSelf ? (
        <MenuButton
          label={words.actions(person.name)}
          className="control"
          entries={hostEntries(session, person, { microphone, camera, screen }, onRemove)}
        >
          <MoreIcon />
        </MenuButton>
      ) : null}
    </li>
  );
}

function sendingOf(state: RoomSnapshot, id: string) {
  const sends = (source: "microphone" | "camera" | "screen") => {
    const producer = producerOf(state, id, source);
    return producer !== null && !producer.paused;
  };
  return { microphone: sends("microphone"), camera: sends("camera"), screen: sends("screen") };
}

function hostEntries(
  session: RoomSession,
  person: RoomParticipant,
  sends: ReturnType<typeof sendingOf>,
  onRemove: (person: RoomParticipant) => void,
): MenuEntry[] {
  const id = { participant_id: person.id };
  const entry = (when: boolean, label: string, act: () => void): MenuEntry[] => (when ? [{ label, onPick: act }] : []);
  const { role } = person;
  return [
    ...entry(sends.microphone, words.mute, () => void session.ask("mute", { ...id, source: "microphone" })),
    ...entry(sends.camera, words.stopCamera, () => void session.ask("mute", { ...id, source: "camera" })),
    ...entry(sends.screen, words.stopScreen, () => void session.ask("mute", { ...id, source: "screen" })),
    ...entry(role === "attendee", words.makeSpeaker, () => void session.ask("set_role", { ...id, role: "speaker" })),
    ...entry(role === "speaker", words.makeAttendee, () => void session.ask("set_role", { ...id, role: "attendee" })),
    ...entry(role !== "host", words.makeHost, () => void session.ask("set_role", { ...id, role: "host" })),
    ...entry(role === "host", words.demoteHost, () => void session.ask("set_role", { ...id, role: "speaker" })),
    ...entry(person.hand_raised_at !== null, words.lowerHand, () => void session.ask("lower_hand", id)),
    { label: words.remove, onPick: () => onRemove(person) },
  ];
}

/** One's own name, changed for everybody. */
function Rename({ session }: { session: RoomSession }) {
  const name = useStore(session.store, (state) => selfOf(state)?.name ?? "");
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <button type="button" className="rename-link" onClick={() => setDraft(name)}>
        {words.rename}
      </button>
    );
  }
  const save = (event: FormEvent) => {
    event.preventDefault();
    const wanted = draft.trim();
    if (wanted !== "" && wanted !== name) void session.rename(wanted);
    setDraft(null);
  };
  return (
    <form className="rename" onSubmit={save}>
      <input
        className="field"
        aria-label={roomStrings.lobby.name}
        value={draft}
        maxLength={60}
        // biome-ignore lint/a11y/noAutofocus: it took the place of the button that was just pressed.
        autoFocus
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          setDraft(null);
        }}
      />
      <button type="submit" className="button">
        {words.save}
      </button>
    </form>
  );
}
