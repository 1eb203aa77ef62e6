import { useCallback, useSyncExternalStore } from "react";
import type { LinkEnd } from "../link/studio-link.ts";
import { useServices, useShow } from "../services.ts";
import { strings } from "../strings.ts";

/** What is the matter where the engine does not answer, and what to do. */
export function LinkNotice() {
  const { link } = useServices();
  const subscribe = useCallback(
    (listener: () => void) => {
      const subscription = link.onState(listener);
      return () => subscription[Symbol.dispose]();
    },
    [link],
  );
  const state = useSyncExternalStore(subscribe, () => link.state);
  const opening = useShow(({ phase }) => phase === "opening");
  const words = strings.shell;
  if (state.state === "open" || state.state === "connecting") return null;
  if (state.state === "lost") {
    return (
      <div className="link-notice" role="status">
        <strong>{words.lostTitle}</strong>
        <span>{opening ? words.lostOpening : words.lostDetail}</span>
      </div>
    );
  }
  if (state.end === "closed") return null;
  const { title, detail, action } = words.ended[state.end];
  const act: Record<Exclude<LinkEnd, "closed">, () => void> = {
    replaced: () => link.reopen(),
    refused: () => location.reload(),
    outdated: () => location.reload(),
  };
  return (
    <div className="link-ended" role="alertdialog" aria-label={title}>
      <div className="curtain">
        <h2 className="h">{title}</h2>
        <p>{detail}</p>
        <button type="button" className="btn arc" onClick={act[state.end]}>
          {action}
        </button>
      </div>
    </div>
  );
}
