import { maySend, SoundOut } from "@klieg/room";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useStore } from "zustand";
import { SiteHeader } from "../../pages/site-header.tsx";
import { useTitle } from "../../pages/use-title.ts";
import type { Device } from "../media/capture.ts";
import type { RememberedRoom } from "../media/room-preferences.ts";
import { LockIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { DeviceSelect } from "./device-select.tsx";
import { Preview, usePreview } from "./preview.tsx";
import { problemWords } from "./room-message.tsx";

const words = roomStrings.lobby;
const NAME_LENGTH = 60;

/** Before one goes in: how one will look and sound, and under which name. */
export function Lobby({ visit }: { visit: RoomVisit }) {
  const stage = useStore(visit.session.store, (state) => state.stage);
  const info = useStore(visit.door.store, (state) => state.info);
  const [name, setName] = useState(visit.preferences.current.name);
  const role = visit.invite.role ?? "attendee";
  useTitle(info?.title ?? roomStrings.room);
  return (
    <div className="page">
      <SiteHeader />
      <main className="lobby" data-role={role}>
        {maySend(role) ? (
          <SendingLobby {...{ visit, name, setName }} />
        ) : (
          <Form visit={visit} name={name} setName={setName} ready />
        )}
      </main>
      <p className="unseen" role="status">
        {stage.name === "joining" ? words.joining : ""}
      </p>
    </div>
  );
}

interface NameProps {
  readonly visit: RoomVisit;
  readonly name: string;
  readonly setName: (name: string) => void;
}

function SendingLobby({ visit, name, setName }: NameProps) {
  const { asksFirst } = usePreview(visit);
  const ready = useStore(
    visit.capture.store,
    ({ camera, microphone }) => (!asksFirst && !camera.asking && !microphone.asking) || microphone.track !== null,
  );
  return (
    <>
      <Preview visit={visit} name={name} asksFirst={asksFirst} />
      <Form visit={visit} name={name} setName={setName} ready={ready} />
    </>
  );
}

/** @param props.ready whether joining is the next thing to do: else allowing the devices is. */
function Form({ visit, name, setName, ready }: NameProps & { readonly ready: boolean }) {
  const stage = useStore(visit.session.store, (state) => state.stage);
  const { info } = useStore(visit.door.store);
  const refused = useStore(
    visit.capture.store,
    ({ camera, microphone }) => camera.fault !== null && microphone.fault !== null,
  );
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const role = visit.invite.role ?? "attendee";
  const joining = stage.name === "joining";
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);
  const join = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = name.trim();
    if (trimmed === "" || joining) {
      field.current?.focus();
      return;
    }
    visit.preferences.update({ name: trimmed });
    void visit.session.join(trimmed);
  };
  return (
    <form className="lobby-form" onSubmit={join}>
      <h1>{info?.title ?? roomStrings.room}</h1>
      <p className="lobby-facts">
        {info ? (info.participants === 0 ? words.nobody : words.inside(info.participants)) : "\u00a0"}
        {info?.locked ? (
          <span className="chip">
            <LockIcon />
            {words.locked}
          </span>
        ) : null}
      </p>
      <label htmlFor={id}>{words.name}</label>
      <input
        id={id}
        ref={field}
        className="field"
        value={name}
        maxLength={NAME_LENGTH}
        autoComplete="name"
        placeholder={words.namePlaceholder}
        required
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {maySend(role) ? <Devices visit={visit} /> : <SpeakerChoice visit={visit} />}
      <p className="lobby-role">
        {words.as[role]} {role === "attendee" ? <span className="quiet">{words.attendeeDetail}</span> : null}
      </p>
      {stage.name === "lobby" && stage.problem ? (
        <div className="lobby-problem" role="alert">
          <strong>{problemWords(stage.problem).title}</strong>
          <span>{problemWords(stage.problem).detail}</span>
        </div>
      ) : null}
      <button type="submit" className={`button is-large ${ready ? "is-primary" : ""}`} aria-busy={joining}>
        {joining ? words.joining : ready && !(refused && maySend(role)) ? words.join : words.joinWithout}
      </button>
    </form>
  );
}

function Devices({ visit }: { visit: RoomVisit }) {
  const devices = useStore(visit.devices.store);
  const { microphone, muted } = useStore(visit.capture.store);
  const [chosen, remember] = useChosen(visit);
  const choose = (device: Device) => (id: string | null) => {
    remember({ [device]: id });
    void visit.capture.use(device, id);
  };
  return (
    <>
      {devices.camera.length > 0 ? (
        <DeviceSelect
          label={words.camera}
          devices={devices.camera}
          chosen={chosen.camera}
          onChoose={choose("camera")}
        />
      ) : null}
      {devices.microphone.length > 0 ? (
        <DeviceSelect
          label={words.microphone}
          devices={devices.microphone}
          chosen={chosen.microphone}
          onChoose={choose("microphone")}
        />
      ) : null}
      {microphone.fault ? (
        <MicrophoneFault visit={visit} />
      ) : microphone.track ? (
        <p className="quiet lobby-hint">{muted ? words.micMuted : words.sayWord}</p>
      ) : null}
      <SpeakerChoice visit={visit} />
    </>
  );
}

/** Where the camera's own fault is not about the microphone too. */
function MicrophoneFault({ visit }: { visit: RoomVisit }) {
  const { camera, microphone } = useStore(visit.capture.store);
  if (!microphone.fault || (microphone.fault === camera.fault && ["denied", "insecure"].includes(microphone.fault))) {
    return null;
  }
  const fault = roomStrings.faults.microphone[microphone.fault];
  return (
    <div className="lobby-problem" role="alert">
      <strong>{fault.title}</strong>
      <span>{fault.detail}</span>
      <button type="button" className="button" onClick={() => void visit.capture.open(["microphone"])}>
        {roomStrings.tryAgain}
      </button>
    </div>
  );
}

function SpeakerChoice({ visit }: { visit: RoomVisit }) {
  const speakers = useStore(visit.devices.store, (state) => state.speaker);
  const [chosen, remember] = useChosen(visit);
  if (!SoundOut.choosable || speakers.length === 0) return null;
  return (
    <div className="field-row">
      <DeviceSelect
        label={words.speaker}
        devices={speakers}
        chosen={chosen.speaker}
        onChoose={(id) => {
          remember({ speaker: id });
          visit.preferences.update({ speaker: id });
          void visit.sound.use(id);
        }}
      />
      <button type="button" className="button" onClick={() => void visit.sound.test()}>
        {words.testSpeaker}
      </button>
    </div>
  );
}

function useChosen(visit: RoomVisit) {
  const [chosen, setChosen] = useState<RememberedRoom>(visit.preferences.current);
  return [chosen, (change: Partial<RememberedRoom>) => setChosen({ ...chosen, ...change })] as const;
}
