import { useServices } from "../services.ts";
import { SourceIcon } from "../sources/source-icon.tsx";
import { strings } from "../strings.ts";

/** What to do first, where a scene has nothing in it. */
export function EmptyStage() {
  const { stage } = useServices();
  const add = (kind: "camera" | "screen" | undefined) => () => stage.setState({ dialog: "add_source", adding: kind });
  return (
    <div className="empty-stage">
      <p className="empty-title">{strings.stage.emptyTitle}</p>
      <p>{strings.stage.emptyDetail}</p>
      <div className="row">
        <button type="button" className="btn arc" onClick={add("camera")}>
          <SourceIcon kind="camera" />
          {strings.stage.addCamera}
        </button>
        <button type="button" className="btn" onClick={add("screen")}>
          <SourceIcon kind="screen" />
          {strings.stage.addScreen}
        </button>
        <button type="button" className="btn ghost" onClick={add(undefined)}>
          {strings.stage.addOther}
        </button>
      </div>
    </div>
  );
}
