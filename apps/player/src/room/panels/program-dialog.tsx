import type { RecordingInfo, RoomLayout } from "@klieg/protocol";
import { maySend } from "@klieg/room";
import { useEffect, useId, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { clock } from "../../figures.ts";
import { OnAirIcon, RecordIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { Modal } from "./modal.tsx";

const words = roomStrings.program;

/** What viewers and the recording see, and whether there are any. For hosts. */
export function ProgramDialog({ visit, onClose }: { visit: RoomVisit; onClose: () => void }) {
  const { session } = visit;
  const room = useStore(session.store, (state) => state.room);
  const running = room?.on_air?.layout ?? room?.recording?.layout ?? null;
  const [wanted, setWanted] = useState<RoomLayout>(running ?? { kind: "speaker" });
  const [busy, setBusy] = useState<"on_air" | "recording" | null>(null);
  const layout = running ?? wanted;
  const choose = (next: RoomLayout) => {
    setWanted(next);
    void session.setLayout(next);
  };
  const during = async (what: "on_air" | "recording", done: Promise<unknown>) => {
    setBusy(what);
    await done;
    setBusy(null);
  };
  if (!room) return null;
  const { on_air: onAir, recording, channel } = room;
  return (
    <Modal title={words.title} className="program" onClose={onClose}>
      <LayoutChoice visit={visit} layout={layout} onChoose={choose} />
      <section className="program-row">
        <div className="grow">
          <h3 className={onAir ? "is-live" : ""}>
            {words.onAir}
            {onAir ? <span className="quiet"> {words.onChannel(onAir.channel)}</span> : null}
          </h3>
          <p className="quiet">
            {channel === null ? (
              words.noChannel
            ) : onAir?.state === "starting" ? (
              words.startingUp
            ) : onAir ? (
              <a href={`/watch/${encodeURIComponent(onAir.channel)}`} target="_blank" rel="noopener">
                {words.watch}
              </a>
            ) : (
              words.offAirDetail(channel)
            )}
          </p>
        </div>
        {channel === null ? null : onAir ? (
          <button
            type="button"
            className="button"
            aria-busy={busy === "on_air"}
            onClick={() => void during("on_air", session.ask("go_off_air", {}))}
          >
            {words.goOffAir}
          </button>
        ) : (
          <button
            type="button"
            className="button is-primary"
            aria-busy={busy === "on_air"}
            onClick={() => void during("on_air", session.ask("go_on_air", { layout }))}
          >
            <OnAirIcon />
            {words.goOnAir}
          </button>
        )}
      </section>
      <section className="program-row">
        <div className="grow">
          <h3>{words.recording}</h3>
          <p className="quiet">{words.recordingDetail}</p>
        </div>
        {recording ? (
          <button
            type="button"
            className="button"
            aria-busy={busy === "recording"}
            onClick={() => void during("recording", session.ask("stop_recording", {}))}
          >
            {words.stopRecording}
          </button>
        ) : (
          <button
            type="button"
            className="button"
            aria-busy={busy === "recording"}
            onClick={() => void during("recording", session.ask("start_recording", { layout }))}
          >
            <RecordIcon />
            {words.startRecording}
          </button>
        )}
      </section>
      <Recordings visit={visit} running={recording?.id ?? null} />
    </Modal>
  );
}

interface LayoutChoiceProps {
  readonly visit: RoomVisit;
  readonly layout: RoomLayout;
  readonly onChoose: (layout: RoomLayout) => void;
}

function LayoutChoice({ visit, layout, onChoose }: LayoutChoiceProps) {
  const id = useId();
  const people = useStore(
    visit.session.store,
    useShallow((state) => state.participants.filter(({ role }) => maySend(role))),
  );
  const pinned = layout.kind === "speaker" ? (layout.participant_id ?? "") : "";
  return (
    <fieldset>
      <legend>{words.layout}</legend>
      <label className="choice">
        <input
          type="radio"
          name={`${id}-layout`}
          checked={layout.kind === "speaker"}
          onChange={() => onChoose({ kind: "speaker" })}
        />
        <LayoutSketch kind="speaker" />
        <strong>{words.speakerLayout}</strong>
      </label>
      {layout.kind === "speaker" ? (
        <select
          className="field"
          aria-label={words.show}
          value={people.some(({ id: one }) => one === pinned) ? pinned : ""}
          onChange={({ currentTarget: { value } }) =>
            onChoose({ kind: "speaker", ...(value === "" ? {} : { participant_id: value }) })
          }
        >
          <option value="">{words.activeSpeaker}</option>
          {people.map((person) => (
            <option key={person.id} value={person.id}>
              {person.name}
            </option>
          ))}
        </select>
      ) : null}
      <label className="choice">
        <input
          type="radio"
          name={`${id}-layout`}
          checked={layout.kind === "grid"}
          onChange={() => onChoose({ kind: "grid" })}
        />
        <LayoutSketch kind="grid" />
        <strong>{words.gridLayout}</strong>
      </label>
    </fieldset>
  );
}

/** What the layout looks like, as small as an icon. */
function LayoutSketch({ kind }: { kind: RoomLayout["kind"] }) {
  return (
    <svg className="layout-sketch" viewBox="0 0 32 18" aria-hidden="true" focusable="false">
      {kind === "speaker" ? (
        <rect x="1" y="1" width="30" height="16" rx="2" />
      ) : (
        [1, 16.5].flatMap((x) =>
          [1, 9.5].map((y) => <rect key={`${x} ${y}`} x={x} y={y} width="14.500" height="7.500" rx="1.500" />),
        )
      )}
    </svg>
  );
}

/** @param props.running id of the recording that runs; a change of it is worth another look. */
function Recordings({ visit, running }: { visit: RoomVisit; running: string | null }) {
  const [recordings, setRecordings] = useState<readonly RecordingInfo[] | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew when a recording begins or ends.
  useEffect(() => {
    const gone = new AbortController();
    visit.api.recordings(visit.invite.token, gone.signal).then(setRecordings, (error: unknown) => {
      if (!gone.signal.aborted) console.info("Klieg: the recordings are not listed:", error);
    });
    return () => gone.abort();
  }, [visit, running]);
  if (!recordings || recordings.length === 0) return null;
  return (
    <section>
      <h3>{words.recordings}</h3>
      <ul className="recordings">
        {recordings.map((recording) => (
          <li key={recording.id}>
            <span className="grow figure">
              {new Date(recording.started_at).toLocaleString([], {
                day: "numeric",
                month: "short",
                hour: "2-digit",
                minute: "2-digit",
              })}
            </span>
            <span className="quiet figure">
              {recording.state === "recording"
                ? words.running
                : `${recording.state === "interrupted" ? `${words.interrupted} · ` : ""}${clock(recording.duration_ms / 1000)} · ${megabytes(recording.bytes)}`}
            </span>
            {recording.state === "recording" ? null : (
              <a className="button" href={recording.download} download>
                {words.download}
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function megabytes(bytes: number): string {
  const size = bytes / 1e6;
  return size < 1000 ? `${size.toFixed(size < 10 ? 1 : 0)} MB` : `${(size / 1000).toFixed(1)} GB`;
}
