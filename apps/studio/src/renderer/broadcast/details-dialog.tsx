import { useState } from "react";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { useEngine } from "../state/use-engine.ts";
import { broadcastStrings as words } from "../strings/broadcast.ts";
import { controlStrings } from "../strings/control.ts";
import { noticeStrings } from "../strings/notices.ts";
import { DetailsFields } from "./details-fields.tsx";
import { useRequest } from "./use-request.ts";

/** What a broadcast that runs is called and who may watch it, and the links to watch it by. */
export function DetailsDialog({ onClose }: { readonly onClose: () => void }) {
  const { engine, toasts, show } = useServices();
  const broadcast = useEngine((state) => state.broadcast);
  const [value, setValue] = useState({
    title: broadcast.title,
    category: broadcast.category,
    visibility: broadcast.visibility,
  });
  const { busy, problem, ask } = useRequest();
  const save = async () => {
    if (await ask(() => engine.link.request("change_broadcast", value))) onClose();
  };
  const links = broadcast.destinations.flatMap(({ id, watch_url: url }) => {
    const name = show.document.destinations.find((destination) => destination.id === id)?.name ?? id;
    return url === null ? [] : [{ id, name, url }];
  });
  const copy = (url: string) => {
    navigator.clipboard.writeText(url).then(
      () => toasts.show(noticeStrings.copied),
      () => toasts.show(url),
    );
  };
  return (
    <Dialog
      title={words.detailsTitle}
      onClose={onClose}
      footer={
        <>
          <button type="button" className="btn ghost" onClick={onClose}>
            {controlStrings.cancel}
          </button>
          <button type="submit" form="broadcast-details" className="btn arc" disabled={busy}>
            {words.saveDetails}
          </button>
        </>
      }
    >
      <form
        id="broadcast-details"
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <DetailsFields value={value} onChange={setValue} />
        {broadcast.public_at === null || broadcast.state !== "preview" ? null : (
          <p className="plain-line">
            <span className="grow">{words.startsAt(broadcast.public_at)}</span>
            <button
              type="button"
              className="btn small"
              disabled={busy}
              onClick={() => void ask(() => engine.link.request("change_broadcast", { public_at: null }))}
            >
              {words.cancelSchedule}
            </button>
          </p>
        )}
        {links.length === 0 ? null : (
          <div>
            <h3 className="label">{broadcast.state === "preview" ? words.watchPreview : words.watchLinks}</h3>
            <ul className="rows">
              {links.map(({ id, name, url }) => (
                <li key={id}>
                  <span className="two-lines">
                    <span>{name}</span>
                    <span className="label ell">{url}</span>
                  </span>
                  <button type="button" className="btn small" onClick={() => copy(url)}>
                    {words.copyLink}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        {problem === undefined ? null : (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
