import { useState } from "react";
import { encoderWords, useBrowserEncoders } from "../broadcast/encoder-line.tsx";
import { focusedFirst } from "../broadcast/focused-first.ts";
import { checkStart } from "../broadcast/start-check.ts";
import { useRequest } from "../broadcast/use-request.ts";
import { DestinationList } from "../destinations/destination-list.tsx";
import { useServices, useShow } from "../services.ts";
import { savedShow } from "../state/saved-show.ts";
import { useEngine } from "../state/use-engine.ts";
import { broadcastStrings } from "../strings/broadcast.ts";
import { welcomeStrings } from "../strings/welcome.ts";

const words = welcomeStrings.live;

/** A title, and on air. */
export function LiveStep({ onDone }: { readonly onDone: () => void }) {
  const { engine, show, dialogs } = useServices();
  const document = useShow((state) => state.document);
  const secrets = useEngine((state) => state.secrets);
  const settings = useEngine((state) => state.settings);
  const [title, setTitle] = useState(settings?.last_title ?? "");
  const { busy, problem, ask } = useRequest();
  const encoders = useBrowserEncoders(document.canvas, document.encoding.video_bitrate);
  const hasKey = (id: string) => secrets.some(({ holder, stream_key }) => holder === id && stream_key);
  const alone = useEngine((state) => state.welcome?.host === "browser");
  const { obstacle } = checkStart(document, hasKey, undefined, Date.now(), alone);
  const begin = async (preview: boolean) => {
    const begun = await ask(async () => {
      await savedShow(show);
      const wanted = title.trim();
      await engine.changeSettings({ last_title: wanted });
      await engine.link.request("start_broadcast", {
        title: wanted,
        category: settings?.last_category ?? "",
        visibility: settings?.last_visibility ?? "public",
        preview,
        public_at: null,
      });
    });
    if (begun) onDone();
  };
  const settingsOfDestinations = () => {
    onDone();
    dialogs.setState({ open: { name: "settings", page: "destinations" } });
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (obstacle === undefined) void begin(true);
      }}
    >
      <div>
        <h1>{words.title}</h1>
        <p className="lead">{obstacle === undefined ? words.leadPreview : words.leadNoServer}</p>
      </div>
      <label className="field">
        <span className="label">{words.name}</span>
        <input
          className="input"
          value={title}
          maxLength={120}
          placeholder={words.placeholder}
          // biome-ignore lint/a11y/noAutofocus: the one thing that has to be typed here.
          autoFocus
          ref={focusedFirst}
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <DestinationList onEdit={settingsOfDestinations} compact />
      <p className="label">{encoderWords(document.canvas, document.encoding, encoders)}</p>
      <p role="status" className={problem === undefined ? "label" : "problem"}>
        {problem ?? obstacle ?? null}
      </p>
      <div className="row welcome-foot">
        <button type="submit" className="btn arc" disabled={busy || obstacle !== undefined}>
          {busy ? broadcastStrings.starting : words.preview}
        </button>
        <button
          type="button"
          className="btn"
          disabled={busy || obstacle !== undefined}
          onClick={() => void begin(false)}
        >
          {words.now}
        </button>
        <button type="button" className="btn ghost" onClick={onDone}>
          {words.explore}
        </button>
      </div>
    </form>
  );
}
