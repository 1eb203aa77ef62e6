import type { BackendCheck } from "@klieg/protocol";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import type { Destination } from "../../document/destination.ts";
import { focusedFirst } from "../broadcast/focused-first.ts";
import { useRequest } from "../broadcast/use-request.ts";
import { isWhole, newDestination, tidied, withDestination } from "../destinations/edit-destination.ts";
import { useServices, useShow } from "../services.ts";
import { savedShow } from "../state/saved-show.ts";
import { useEngine } from "../state/use-engine.ts";
import { controlStrings } from "../strings/control.ts";
import { destinationStrings } from "../strings/destinations.ts";
import { welcomeStrings } from "../strings/welcome.ts";

const words = welcomeStrings.server;

/** Where a server is most likely, as long as nobody said. */
const LIKELY = "http://localhost:8080";

/** The server's address and key, and in words whether they are good. */
export function ServerStep({ onNext }: { readonly onNext: () => void }) {
  const { engine, show, dialogs } = useServices();
  const known = useShow((state) => state.document.destinations.find(({ kind }) => kind === "klieg"));
  const host = useEngine((state) => state.welcome?.host);
  const hasKey = useEngine((state) =>
    state.secrets.some(({ holder, stream_key }) => holder === known?.id && stream_key),
  );
  const session = useEngine((state) => state.welcome?.secrets === "session");
  const [url, setUrl] = useState(known?.url ?? (host === "browser" ? window.location.origin : LIKELY));
  const [key, setKey] = useState("");
  const [found, setFound] = useState<{ readonly backend: BackendCheck; readonly channel: string | null }>();
  const { busy, problem, ask } = useRequest();
  const server = useStore(dialogs, (state) => state.server);
  useEffect(() => {
    if (server === undefined) return;
    dialogs.setState({ open: undefined, server: undefined });
    setUrl(server);
    setFound(undefined);
  }, [server, dialogs]);
  const connect = () =>
    ask(async () => {
      setFound(undefined);
      const before: Destination = known ?? newDestination("klieg");
      const typed = tidied({ ...before, url });
      if (typed.kind !== "klieg" || !isWhole(typed)) throw new Error(destinationStrings.urlWrong.klieg);
      const { backend } = await engine.link.request("check_backend", { url: typed.url });
      const named: Destination = {
        ...typed,
        url: backend.url,
        name: known?.name ?? destinationStrings.newNames.klieg,
        // A page that is its own engine has WebRTC alone.
        protocol: host === "browser" ? "whip" : typed.protocol,
      };
      setUrl(backend.url);
      show.change(destinationStrings.added(named.name), (document) => withDestination(document, named));
      await savedShow(show);
      if (key.trim() !== "") await engine.setSecret(named.id, "stream_key", key.trim());
      const { channel } = await engine.link.request("check_destination", { destination_id: named.id });
      if (channel !== null && channel !== named.channel) {
        show.change(destinationStrings.changed(named.name), (document) =>
          withDestination(document, { ...named, channel }),
        );
      }
      setFound({ backend, channel });
    });
  const keyHint = session ? words.keyHintTab : words.keyHint;
  const hint = hasKey && key === "" ? destinationStrings.keyKept : keyHint;
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (found === undefined) void connect();
        else onNext();
      }}
    >
      <div>
        <h1>{words.title}</h1>
        <p className="lead">{words.lead}</p>
      </div>
      <label className="field">
        <span className="label">{words.url}</span>
        <input
          className="input"
          value={url}
          spellCheck={false}
          inputMode="url"
          autoComplete="off"
          onChange={(event) => {
            setUrl(event.target.value);
            setFound(undefined);
          }}
        />
      </label>
      <label className="field">
        <span className="label">{words.key}</span>
        <input
          className="input num"
          type="password"
          value={key}
          placeholder={hasKey ? "••••••••" : destinationStrings.keyPlaceholder}
          autoComplete="off"
          spellCheck={false}
          maxLength={512}
          // biome-ignore lint/a11y/noAutofocus: the one thing that has to be typed here.
          autoFocus
          ref={focusedFirst}
          onChange={(event) => {
            setKey(event.target.value);
            setFound(undefined);
          }}
        />
        <span className="hint">{hint}</span>
      </label>
      <p role="status" className={problem === undefined ? "success" : "problem"}>
        {problem ??
          (found === undefined ? null : `${words.found(found.backend.version)} ${words.opens(found.channel)}`)}
      </p>
      <div className="row welcome-foot">
        <button
          type="submit"
          className="btn arc"
          disabled={busy || url.trim() === "" || (key.trim() === "" && !hasKey)}
        >
          {busy ? words.connecting : found === undefined ? words.connect : controlStrings.next}
        </button>
        <button type="button" className="btn ghost" onClick={onNext}>
          {welcomeStrings.skipStep}
        </button>
      </div>
      <p className="hint">{words.none}</p>
    </form>
  );
}
