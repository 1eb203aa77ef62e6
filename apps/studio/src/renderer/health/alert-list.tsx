import { useServices } from "../services.ts";

import { healthStrings as words } from "../strings/health.ts";
import type { Alert, AlertAction } from "./alert.ts";

/** What is wrong and what to do, the worst first; told to a screen reader as it comes. */
export function AlertList(props: {
  readonly alerts: readonly Alert[];
  /** What stands above the list already, and is not to be read twice. */
  readonly headline?: string;
}) {
  const { alerts, headline } = props;
  const { dialogs, engine, media, show, stage, toasts } = useServices();
  const selectSource = (source: string) => {
    const { scenes, program, preview } = show.document;
    for (const wanted of [preview, program]) {
      const item = scenes.find(({ id }) => id === wanted)?.items.find((candidate) => candidate.source === source);
      if (item === undefined) continue;
      if (wanted !== preview) show.preview(wanted);
      stage.setState({ selected: item.id });
      return;
    }
  };
  const act = (action: AlertAction) => {
    const failed = (error: unknown) =>
      toasts.show(error instanceof Error ? error.message : String(error), { tone: "bad" });
    if (action.do === "retry_destination") {
      // By WebRTC it is the page that tries again.
      media.retryWhip(action.id);
      engine.link.request("retry_destination", { destination_id: action.id }).catch(failed);
    } else if (action.do === "edit_destination") {
      dialogs.setState({ open: { name: "settings", page: "destinations", destination: action.id } });
    } else if (action.do === "start_recording") engine.link.request("start_recording", {}).catch(failed);
    else if (action.do === "open_settings") dialogs.setState({ open: { name: "settings", page: action.page } });
    else selectSource(action.id);
  };
  return (
    <ul className="alerts" aria-live="polite">
      {alerts.map(({ id, severity, title, advice, action }) => (
        <li key={id} className={`alert ${severity}`}>
          <div className="grow">
            {title === headline ? null : <strong>{title}</strong>} <span>{advice}</span>
          </div>
          {action === undefined ? null : (
            <button type="button" className="btn small" onClick={() => act(action)}>
              {wordsOf(action)}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function wordsOf(action: AlertAction): string {
  switch (action.do) {
    case "retry_destination":
      return words.actions.retry;
    case "edit_destination":
      return words.actions.enterKey;
    case "start_recording":
      return words.actions.record;
    case "open_settings":
      return action.page === "video" ? words.actions.videoSettings : words.actions.recordingSettings;
    case "open_source":
      return words.actions.showSource;
  }
}
