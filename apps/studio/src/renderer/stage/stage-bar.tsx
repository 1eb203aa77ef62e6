import { useState } from "react";
import type { Point } from "../../document/transform.ts";
import { useKeyLabel } from "../commands/use-commands.ts";
import { useServices, useShow } from "../services.ts";
import { DownIcon } from "../shell/icons.tsx";
import { below, Menu, type MenuEntry } from "../shell/menu.tsx";
import { strings } from "../strings.ts";
import { setStudioMode, takePreview } from "./stage-actions.ts";
import { TransitionChoice } from "./transition-choice.tsx";
import { useStage } from "./use-stage.ts";

const ZOOMS = [0.5, 1, 2];

/** Below the picture: how scenes come on air, and how large the picture is seen. @param scale CSS pixels for each of its own. */
export function StageBar({ scale }: { readonly scale: number }) {
  const services = useServices();
  const { stage, show } = services;
  const studioMode = useStage((state) => state.studioMode);
  const zoom = useStage((state) => state.zoom);
  const transition = useShow((state) => state.document.transition);
  const differs = useShow((state) => state.document.program !== state.document.preview);
  const [menu, setMenu] = useState<Point>();
  const takeKey = useKeyLabel("stage.take");
  const cutKey = useKeyLabel("stage.cut");
  const percent = Math.round(scale * devicePixelRatio * 100);
  const choose = (value: "fit" | number): MenuEntry => ({
    label: value === "fit" ? strings.stage.zoomFit : strings.stage.zoomPercent(value * 100),
    checked: zoom === value,
    run: () => stage.setState({ zoom: value }),
  });

  return (
    <div className="stage-bar">
      <label className="check" title={strings.stage.studioModeHint}>
        <input
          type="checkbox"
          checked={studioMode}
          onChange={(event) => setStudioMode(services, event.target.checked)}
        />
        {strings.stage.studioMode}
      </label>
      <span className="grow" />
      <span className="label">{strings.stage.transition}</span>
      <TransitionChoice
        value={transition}
        onChange={(next) =>
          show.change(strings.stage.steps.transition, (before) => ({ ...before, transition: next }), "transition")
        }
      />
      {studioMode ? (
        <>
          <button
            type="button"
            className="btn"
            disabled={!differs}
            onClick={() => takePreview(services, { kind: "cut" })}
          >
            {strings.stage.cut}
            {cutKey === undefined ? null : <kbd>{cutKey}</kbd>}
          </button>
          <button type="button" className="btn arc" disabled={!differs} onClick={() => takePreview(services)}>
            {strings.stage.take}
            {takeKey === undefined ? null : <kbd>{takeKey}</kbd>}
          </button>
        </>
      ) : null}
      <button
        type="button"
        className="btn ghost small num zoom-button"
        aria-haspopup="menu"
        aria-label={`${strings.stage.zoom}: ${strings.stage.zoomPercent(percent)}`}
        onClick={(event) => setMenu(below(event.currentTarget))}
      >
        {strings.stage.zoomPercent(percent)}
        <DownIcon />
      </button>
      {menu === undefined ? null : (
        <Menu
          label={strings.stage.zoom}
          at={menu}
          entries={[choose("fit"), undefined, ...ZOOMS.map(choose)]}
          onClose={() => setMenu(undefined)}
        />
      )}
    </div>
  );
}
