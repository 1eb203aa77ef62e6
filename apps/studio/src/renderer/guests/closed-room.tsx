import { useState } from "react";
import type { Destination } from "../../document/destination.ts";
import { useRequest } from "../broadcast/use-request.ts";
import { useServices, useShow } from "../services.ts";
import { SelectField } from "../sources/field-row.tsx";
import { useEngine } from "../state/use-engine.ts";
import { guestStrings as words } from "../strings/guests.ts";

/** No room yet: what guests are, and the way to open one; or what is missing for that. */
export function ClosedRoom() {
  const { engine, dialogs } = useServices();
  const destinations = useShow((state) => state.document.destinations);
  const linked = useEngine((state) => state.linked);
  const secrets = useEngine((state) => state.secrets);
  const problem = useEngine(({ guestRoom }) => guestRoom.problem);
  const [chosen, setChosen] = useState<string>();
  const opening = useRequest();
  const servers = destinations.filter(({ kind }) => kind === "klieg");
  const withKey = servers.filter(({ id }) => secrets.some(({ holder, stream_key }) => holder === id && stream_key));
  const server = withKey.find(({ id }) => id === chosen) ?? preferred(withKey);
  // The engine tells it too: what was asked here just now is the newer.
  const said = opening.problem ?? problem?.message;
  return (
    <div className="guests-empty">
      <h3 className="h">{words.closedTitle}</h3>
      <p className="label">{words.closedDetail}</p>
      {said === undefined ? null : (
        <p className="problem" role="alert">
          {words.problem(said)}
        </p>
      )}
      {linked ? null : <p className="notice">{words.noEngine}</p>}
      {server === undefined ? (
        <>
          <p className="notice">{servers.length === 0 ? words.noServer : words.noKey}</p>
          <button
            type="button"
            className="btn"
            onClick={() => dialogs.setState({ open: { name: "settings", page: "destinations" } })}
          >
            {words.destinations}
          </button>
        </>
      ) : (
        <>
          {withKey.length > 1 ? (
            <SelectField
              label={words.server}
              value={server.id}
              choices={withKey.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={setChosen}
            />
          ) : null}
          <button
            type="button"
            className="btn arc"
            disabled={opening.busy || !linked}
            onClick={() =>
              void opening.ask(() => engine.link.request("open_guest_room", { destination_id: server.id }))
            }
          >
            {words.open}
          </button>
        </>
      )}
    </div>
  );
}

/** The one that the show goes to, if any. */
function preferred(servers: readonly Destination[]): Destination | undefined {
  return servers.find(({ enabled }) => enabled) ?? servers[0];
}
