import { type KeyboardEvent, useId, useState } from "react";
import type { PanelPart } from "../parts.ts";
import { strings } from "../strings.ts";

/** The tabs on the right. Arrows move between them, as in any list of tabs. */
export function PanelTabs({ panels }: { readonly panels: readonly PanelPart[] }) {
  const [chosen, setChosen] = useState(panels[0]?.id);
  const id = useId();
  const shown = panels.find((panel) => panel.id === chosen) ?? panels[0];
  if (shown === undefined) return null;
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const at = panels.indexOf(shown);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: panels.length - 1 }[event.key];
    if (to === undefined) return;
    const next = panels[(to + panels.length) % panels.length];
    if (next === undefined) return;
    event.preventDefault();
    setChosen(next.id);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <aside className="panel" aria-label={strings.shell.panels}>
      <div className="tabs" role="tablist" aria-label={strings.shell.panels} onKeyDown={onKeyDown}>
        {panels.map((panel) => (
          <button
            key={panel.id}
            type="button"
            role="tab"
            id={`${id}-${panel.id}`}
            data-tab={panel.id}
            aria-selected={panel === shown}
            aria-controls={`${id}-panel`}
            tabIndex={panel === shown ? 0 : -1}
            onClick={() => setChosen(panel.id)}
          >
            {panel.title}
          </button>
        ))}
      </div>
      <div className="panel-body" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${shown.id}`}>
        <shown.Panel key={shown.id} />
      </div>
    </aside>
  );
}
