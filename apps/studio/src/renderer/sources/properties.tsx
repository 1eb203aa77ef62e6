import { changeSource } from "../../document/edit.ts";
import type { Source } from "../../document/source.ts";
import { useServices, useShow } from "../services.ts";
import { selectedItem } from "../stage/layers.ts";
import { useStage } from "../stage/use-stage.ts";
import { strings } from "../strings.ts";
import { FilterList } from "./filter-list.tsx";
import { choiceOf } from "./source-choice.ts";
import { SourceIcon } from "./source-icon.tsx";
import { SourceProblem } from "./source-problem.tsx";
import { SourceSettings } from "./source-settings.tsx";
import { TransformFields } from "./transform-fields.tsx";

/** Everything about the selected source: where it is, how it looks, what it is made of. */
export function Properties() {
  const { show } = useServices();
  const document = useShow((state) => state.document);
  const id = useStage((state) => state.selected);
  const words = strings.sources.properties;
  const selected = selectedItem(document, id);
  if (selected === undefined) {
    return (
      <div className="empty properties-empty">
        <p className="empty-title">{words.nothing}</p>
        <p>{words.nothingDetail}</p>
        <p>{words.nothingHint}</p>
      </div>
    );
  }
  const { scene, item, source } = selected;
  const changeThis = (change: (source: Source) => Source, what = "settings") =>
    show.change(
      strings.sources.steps.change(source.name),
      (before) => changeSource(before, source.id, change),
      `${what} ${source.id}`,
    );
  const done = () => show.endGesture();
  return (
    <div className="properties" key={item.id}>
      <div className="row properties-head">
        <SourceIcon kind={choiceOf(source)} />
        <h2 className="h ell grow">{source.name}</h2>
        <span className="label">{strings.sources.kinds[choiceOf(source)]}</span>
      </div>
      <SourceProblem sourceId={source.id} kind={source.kind} />
      <SourceSettings source={source} onChange={changeThis} onDone={done} />
      {"filters" in source ? (
        <>
          <TransformFields scene={scene} item={item} source={source} />
          <FilterList source={source} onDone={done} />
        </>
      ) : null}
      {"audio" in source ? <p className="label">{words.soundHint}</p> : null}
    </div>
  );
}
