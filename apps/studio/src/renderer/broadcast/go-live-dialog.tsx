import { useState } from "react";
import { DestinationList } from "../destinations/destination-list.tsx";
import { useServices, useShow } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { savedShow } from "../state/saved-show.ts";
import { useEngine } from "../state/use-engine.ts";
import { broadcastStrings as words } from "../strings/broadcast.ts";
import { controlStrings } from "../strings/control.ts";
import { Choice } from "./choice.tsx";
import { type BroadcastWords, DetailsFields } from "./details-fields.tsx";
import { encoderWords, useBrowserEncoders } from "./encoder-line.tsx";
import { checkStart, FURTHEST_START_MS, localTime, type StartKind, timeOfLocal } from "./start-check.ts";
import { useNow } from "./use-now.ts";
import { useRequest } from "./use-request.ts";

/** Everything that is decided before a show is seen, in one place, with the last choices filled in. */
export function GoLiveDialog({ onClose }: { readonly onClose: () => void }) {
  const { engine, show, dialogs } = useServices();
  const document = useShow((state) => state.document);
  const settings = useEngine((state) => state.settings);
  const secrets = useEngine((state) => state.secrets);
  const linked = useEngine((state) => state.linked);
  const alone = useEngine((state) => state.welcome?.host === "browser");
  const now = useNow(true);
  const [details, setDetails] = useState<BroadcastWords>(() => ({
    title: settings?.last_title ?? "",
    category: settings?.last_category ?? "",
    visibility: settings?.last_visibility ?? "public",
  }));
  const [start, setStart] = useState<StartKind>("preview");
  const [at, setAt] = useState(() => localTime(Date.now() + 15 * 60_000));
  const { busy, problem, ask } = useRequest();
  const encoders = useBrowserEncoders(document.canvas, document.encoding.video_bitrate);
  const startAt = start === "later" ? timeOfLocal(at) : undefined;
  const hasKey = (id: string) => secrets.some(({ holder, stream_key }) => holder === id && stream_key);
  const { obstacle, warning } = checkStart(document, hasKey, startAt, now, alone);

  const begin = () =>
    ask(async () => {
      await savedShow(show);
      await engine.changeSettings({
        last_title: details.title.trim(),
        last_category: details.category.trim(),
        last_visibility: details.visibility,
      });
      await engine.link.request("start_broadcast", {
        ...details,
        preview: start !== "now",
        public_at: startAt ?? null,
      });
      onClose();
    });

  const record = settings?.record_with_broadcast ?? false;
  return (
    <Dialog
      title={words.goLiveTitle}
      onClose={onClose}
      footer={
        <>
          <span className="grow label" role="status">
            {linked ? obstacle : controlStrings.unlinked}
          </span>
          <button type="button" className="btn ghost" onClick={onClose}>
            {controlStrings.cancel}
          </button>
          <button type="submit" form="go-live" className="btn arc" disabled={busy || !linked || obstacle !== undefined}>
            {busy
              ? words.starting
              : { preview: words.startPreview, now: words.startNow, later: words.startLater }[start]}
          </button>
        </>
      }
    >
      <form
        id="go-live"
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void begin();
        }}
      >
        <DetailsFields value={details} onChange={setDetails} />
        <Choice
          legend={words.start}
          value={start}
          options={(["preview", "now", "later"] as const).map((value) => ({ value, ...words.starts[value] }))}
          onChange={setStart}
        />
        {start === "later" ? (
          <label className="field">
            <span className="label">{words.startAt}</span>
            <input
              className="input num"
              type="datetime-local"
              value={at}
              min={localTime(now)}
              max={localTime(now + FURTHEST_START_MS)}
              // Minutes are shown, and seconds are no fault.
              step="any"
              onChange={(event) => setAt(event.target.value)}
            />
          </label>
        ) : null}
        <DestinationList
          onEdit={() => dialogs.setState({ open: { name: "settings", page: "destinations" } })}
          compact
        />
        <div>
          <p className="plain-line">
            <span className="grow">{encoderWords(document.canvas, document.encoding, encoders)}</span>
            <button
              type="button"
              className="btn small"
              onClick={() => dialogs.setState({ open: { name: "settings", page: "video" } })}
            >
              {words.changeEncoding}
            </button>
          </p>
          {alone ? null : (
            <label className="check">
              <input
                type="checkbox"
                checked={record}
                onChange={(event) =>
                  void ask(() => engine.changeSettings({ record_with_broadcast: event.target.checked }))
                }
              />
              {words.record}
            </label>
          )}
        </div>
        {warning === undefined ? null : <p className="notice">{warning}</p>}
        {problem === undefined ? null : (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
