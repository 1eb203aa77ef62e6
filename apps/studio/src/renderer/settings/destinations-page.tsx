import { useEffect, useState } from "react";
import { useStore } from "zustand";
import type { Destination } from "../../document/destination.ts";
import { DestinationEditor } from "../destinations/destination-editor.tsx";
import { DestinationList } from "../destinations/destination-list.tsx";
import {
  type DestinationKind,
  destinationAt,
  destinationInBrowser,
  newDestination,
} from "../destinations/edit-destination.ts";
import { useServices, useShow } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { destinationStrings as words } from "../strings/destinations.ts";

const KINDS: readonly DestinationKind[] = ["klieg", "rtmp", "srt"];
/** A browser alone sends by WebRTC, and to nobody else. */
const KINDS_IN_BROWSER: readonly DestinationKind[] = ["klieg"];

/** Where shows go: the list, and one of them opened. */
export function DestinationsPage() {
  const { show, dialogs } = useServices();
  const none = useShow((state) => state.document.destinations.length === 0);
  const onAir = useEngine((state) => state.broadcast.state !== "idle");
  const alone = useEngine((state) => state.welcome?.host === "browser");
  const wanted = useStore(dialogs, ({ open }) => (open?.name === "settings" ? open.destination : undefined));
  const [editing, setEditing] = useState<{ readonly destination: Destination; readonly isNew: boolean } | undefined>(
    () => {
      const destination = show.document.destinations.find(({ id }) => id === wanted);
      return destination === undefined ? undefined : { destination, isNew: false };
    },
  );
  const server = useStore(dialogs, (state) => state.server);
  useEffect(() => {
    if (server === undefined) return;
    dialogs.setState({ server: undefined });
    const known = destinationAt(show.document, server);
    const made = alone ? destinationInBrowser(server) : newDestination("klieg", server);
    setEditing({ destination: known ?? made, isNew: known === undefined });
  }, [server, dialogs, show, alone]);
  if (editing !== undefined) {
    const { destination, isNew } = editing;
    return (
      <DestinationEditor
        key={destination.id}
        destination={destination}
        isNew={isNew}
        onDone={() => setEditing(undefined)}
      />
    );
  }
  const edit = (id: string | undefined) => {
    const destination = show.document.destinations.find((one) => one.id === id);
    if (destination !== undefined) setEditing({ destination, isNew: false });
  };
  return (
    <>
      <p className="hint">{onAir ? words.onAirNow : alone ? words.introInBrowser : words.intro}</p>
      <DestinationList onEdit={edit} />
      <div className="row wrap">
        <span className="label">{words.add}</span>
        {(alone ? KINDS_IN_BROWSER : KINDS).map((kind) => (
          <button
            key={kind}
            type="button"
            className={none && kind === "klieg" ? "btn arc" : "btn"}
            onClick={() =>
              setEditing({ destination: alone ? destinationInBrowser() : newDestination(kind), isNew: true })
            }
          >
            {words.addKind[kind]}
          </button>
        ))}
      </div>
    </>
  );
}
