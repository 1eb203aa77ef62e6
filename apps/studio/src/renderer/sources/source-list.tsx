import { useState } from "react";
import { changeItem, changeSource, reorderItem } from "../../document/edit.ts";
import type { SceneItem } from "../../document/scene.ts";
import type { Source } from "../../document/source.ts";
import type { Point } from "../../document/transform.ts";
import { useServices, useShow } from "../services.ts";
import { EyeIcon, EyeOffIcon, LockIcon, PlusIcon, UnlockIcon } from "../shell/icons.tsx";
import { Menu } from "../shell/menu.tsx";
import { NameField } from "../shell/name-field.tsx";
import { type RowDrag, releaseFocus, useReorder } from "../shell/use-reorder.ts";
import { useEntries } from "../stage/command-entries.ts";
import { ITEM_MENU } from "../stage/item-menu.ts";
import { workScene } from "../stage/layers.ts";
import { useStage } from "../stage/use-stage.ts";
import { strings } from "../strings.ts";
import { choiceOf } from "./source-choice.ts";
import { SourceIcon } from "./source-icon.tsx";
import { useCapture, useFrameRates } from "./use-capture.ts";

/** The sources of the scene that is worked on, front to back. */
export function SourceList() {
  const { show, stage, commands, toasts } = useServices();
  const document = useShow((state) => state.document);
  const [menu, setMenu] = useState<Point>();
  const rates = useFrameRates();
  const entries = useEntries(ITEM_MENU);
  const scene = workScene(document);
  const items = scene.items.toReversed();
  const sources = new Map(document.sources.map((source) => [source.id, source]));
  const rows = useReorder(items.length, (from, to) => {
    const item = items[from];
    const name = sources.get(item?.source ?? "")?.name ?? "";
    if (item === undefined) return;
    const index = items.length - 1 - to;
    show.change(strings.sources.steps.order(name), (before) => reorderItem(before, scene.id, item.id, index));
    toasts.say(strings.sources.moved(name, to + 1, items.length));
  });
  return (
    <section className="list-section sources" aria-label={strings.sources.title}>
      <div className="list-head">
        <h2 className="h grow">{strings.sources.title}</h2>
        <button type="button" className="btn ghost small" onClick={() => commands.run("source.add")}>
          <PlusIcon />
          {strings.sources.add}
        </button>
      </div>
      {items.length === 0 ? <p className="label list-empty">{strings.sources.empty}</p> : null}
      <ol className="list" aria-label={strings.sources.list}>
        {items.map((item, index) => {
          const source = sources.get(item.source);
          return source === undefined ? null : (
            <SourceRow
              key={item.id}
              item={item}
              source={source}
              rate={rates.get(source.id)}
              drag={rows(index)}
              onMenu={(at) => {
                stage.setState({ selected: item.id });
                setMenu(at);
              }}
              onChange={(label, change) =>
                show.change(label, (before) => changeItem(before, scene.id, item.id, change))
              }
            />
          );
        })}
      </ol>
      {menu === undefined ? null : (
        <Menu label={strings.sources.title} at={menu} entries={entries} onClose={() => setMenu(undefined)} />
      )}
    </section>
  );
}

function SourceRow(props: {
  readonly item: SceneItem;
  readonly source: Source;
  readonly rate: number | undefined;
  readonly drag: RowDrag;
  readonly onMenu: (at: Point) => void;
  readonly onChange: (label: string, change: (item: SceneItem) => SceneItem) => void;
}) {
  const { item, source, rate, drag, onMenu, onChange } = props;
  const { stage, show } = useServices();
  const selected = useStage((state) => state.selected === item.id);
  const renaming = useStage((state) => state.renaming === item.id);
  const capture = useCapture(source.id);
  const words = strings.sources;
  const { name } = source;
  const state = capture === undefined || capture.state === "live" ? "" : words.states[capture.state];
  const moving =
    source.kind === "camera" || source.kind === "screen" || source.kind === "guest" || source.kind === "media_file";
  const rename = (typed: string | undefined) => {
    stage.setState({ renaming: undefined });
    if (typed === undefined) return;
    show.change(words.steps.rename(name), (before) =>
      changeSource(before, source.id, (now) => ({ ...now, name: typed })),
    );
  };
  return (
    <li
      {...drag}
      draggable={renaming ? undefined : true}
      className={`source-row${selected ? " on" : ""}${item.visible ? "" : " off"}`}
      onContextMenu={(event) => {
        event.preventDefault();
        onMenu({ x: event.clientX, y: event.clientY });
      }}
    >
      <SourceIcon kind={choiceOf(source)} />
      {renaming ? (
        <NameField label={words.nameLabel} name={name} onDone={rename} />
      ) : (
        <button
          type="button"
          data-row=""
          className="row-button grow ell"
          aria-pressed={selected}
          title={capture?.problem === undefined ? name : `${name}: ${capture.problem.message}`}
          onClick={(event) => {
            releaseFocus(event);
            stage.setState({ selected: item.id });
          }}
          onDoubleClick={() => stage.setState({ renaming: item.id })}
        >
          {name}
        </button>
      )}
      {state !== "" ? (
        <span className={capture?.state === "failed" || capture?.state === "gone" ? "label bad" : "label"}>
          {state}
        </span>
      ) : moving && rate !== undefined && rate > 0 ? (
        <span className="label num">{rate}</span>
      ) : null}
      <button
        type="button"
        className={item.locked ? "icon-btn" : "icon-btn row-action"}
        aria-pressed={item.locked}
        aria-label={item.locked ? words.unlock(name) : words.lock(name)}
        onClick={() =>
          onChange(item.locked ? words.steps.unlock(name) : words.steps.lock(name), (now) => ({
            ...now,
            locked: !now.locked,
          }))
        }
      >
        {item.locked ? <LockIcon /> : <UnlockIcon />}
      </button>
      <button
        type="button"
        className={item.visible ? "icon-btn row-action" : "icon-btn"}
        aria-label={item.visible ? words.hide(name) : words.show(name)}
        onClick={() =>
          onChange(item.visible ? words.steps.hide(name) : words.steps.show(name), (now) => ({
            ...now,
            visible: !now.visible,
          }))
        }
      >
        {item.visible ? <EyeIcon /> : <EyeOffIcon />}
      </button>
    </li>
  );
}
