import { useState } from "react";
import { useStore } from "zustand";
import type { Destination } from "../../document/destination.ts";
import { useNow } from "../broadcast/use-now.ts";
import { wordsOf } from "../broadcast/use-request.ts";
import { useServices, useShow } from "../services.ts";
import { savedShow } from "../state/saved-show.ts";
import { useEngine } from "../state/use-engine.ts";
import { broadcastStrings } from "../strings/broadcast.ts";
import { destinationStrings as words } from "../strings/destinations.ts";
import { addressWords, destinationWords } from "./destination-words.ts";
import { withDestination } from "./edit-destination.ts";
import "./destinations.css";

interface DestinationListProps {
  /** @param id undefined: to add one. */
  readonly onEdit: (id: string | undefined) => void;
  /** In the go live dialog: without a line for each to be edited. */
  readonly compact?: boolean;
}

/** Where the show goes: switched on and off, checked, edited. */
export function DestinationList({ onEdit, compact = false }: DestinationListProps) {
  const destinations = useShow((state) => state.document.destinations);
  const alone = useEngine((state) => state.welcome?.host === "browser");
  return (
    <fieldset>
      <legend className="row legend-row">
        <span className="grow">{words.title}</span>
        {compact ? (
          <button type="button" className="btn ghost small" onClick={() => onEdit(undefined)}>
            {broadcastStrings.addDestination}
          </button>
        ) : null}
      </legend>
      {destinations.length === 0 ? (
        <div className="empty">
          <p>{alone ? words.emptyInBrowser : words.empty}</p>
          {compact ? (
            <button type="button" className="btn" onClick={() => onEdit(undefined)}>
              {broadcastStrings.noDestinationsAction}
            </button>
          ) : null}
        </div>
      ) : (
        <ul className="rows">
          {destinations.map((destination) => (
            <DestinationRow key={destination.id} destination={destination} onEdit={() => onEdit(destination.id)} />
          ))}
        </ul>
      )}
    </fieldset>
  );
}

type Checked = { readonly state: "busy" } | { readonly state: "good" | "bad"; readonly text: string };

function DestinationRow({ destination, onEdit }: { readonly destination: Destination; readonly onEdit: () => void }) {
  const { engine, health, show } = useServices();
  const { id, name, enabled } = destination;
  const sending = useEngine((state) => state.broadcast.state !== "idle");
  const hasKey = useEngine((state) => state.secrets.some(({ holder, stream_key }) => holder === id && stream_key));
  const connection = useStore(health.state, ({ sample }) => sample?.connections.find((one) => one.id === id));
  const alone = useEngine((state) => state.welcome?.host === "browser");
  const now = useNow(connection?.nextAttemptAt !== undefined);
  const [checked, setChecked] = useState<Checked>();
  const state = destinationWords(destination, hasKey, sending ? connection : undefined, now, alone);
  const check = async () => {
    setChecked({ state: "busy" });
    try {
      await savedShow(show);
      const { channel } = await engine.link.request("check_destination", { destination_id: id });
      setChecked({ state: "good", text: words.checked(channel) });
    } catch (error) {
      setChecked({ state: "bad", text: wordsOf(error) });
    }
  };
  const toggle = (on: boolean) =>
    show.change(words.switched(name, on), (document) => withDestination(document, { ...destination, enabled: on }));
  const told = checked === undefined || checked.state === "busy" ? undefined : checked;
  return (
    <li>
      <input
        type="checkbox"
        className="switch"
        aria-label={words.enabled(name)}
        checked={enabled}
        disabled={sending}
        onChange={(event) => toggle(event.target.checked)}
      />
      <span className="two-lines">
        <span className="row">
          <span className="ell">{name}</span>
          <span className="label ell">{addressWords(destination)}</span>
        </span>
        <span
          className={`label ${told === undefined ? `tone-${state.tone}` : told.state === "good" ? "success" : "problem"}`}
          role="status"
        >
          {told === undefined ? state.text : told.text}
        </span>
      </span>
      <button
        type="button"
        className="btn ghost small"
        disabled={checked?.state === "busy" || sending}
        onClick={() => void check()}
      >
        {checked?.state === "busy" ? words.checking : words.check}
      </button>
      <button type="button" className="btn small" aria-label={words.edit(name)} onClick={onEdit}>
        {words.editShort}
      </button>
    </li>
  );
}
