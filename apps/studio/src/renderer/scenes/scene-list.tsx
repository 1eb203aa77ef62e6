import { useState } from "react";
import { changeSceneSettings, duplicateScene, reorderScene } from "../../document/edit.ts";
import type { Scene } from "../../document/scene.ts";
import type { Point } from "../../document/transform.ts";
import { useKeyLabel } from "../commands/use-commands.ts";
import { useServices, useShow } from "../services.ts";
import { MoreIcon, PlusIcon } from "../shell/icons.tsx";
import { below, Menu, type MenuEntry } from "../shell/menu.tsx";
import { NameField } from "../shell/name-field.tsx";
import { type RowDrag, releaseFocus, useReorder } from "../shell/use-reorder.ts";
import { Picture } from "../stage/monitor.tsx";
import { deleteScene, showScene, transitionOf } from "../stage/stage-actions.ts";
import { transitionTo, transitionWords } from "../stage/transition-choice.tsx";
import { useOnAir } from "../stage/use-on-air.ts";
import { useStage } from "../stage/use-stage.ts";
import { strings } from "../strings.ts";

/** The scenes of the show with what they look like now. */
export function SceneList() {
  const services = useServices();
  const { show, commands } = services;
  const scenes = useShow((state) => state.document.scenes);
  const [menu, setMenu] = useState<{ readonly scene: Scene; readonly at: Point }>();
  const rows = useReorder(scenes.length, (from, to) => {
    const scene = scenes[from];
    if (scene !== undefined) {
      show.change(strings.scenes.steps.move, (document) => reorderScene(document, scene.id, to));
    }
  });
  const first = useKeyLabel("scene.1");
  const last = useKeyLabel(`scene.${Math.min(8, scenes.length)}`);
  return (
    <section className="list-section scenes" aria-label={strings.scenes.title}>
      <div className="list-head">
        <h2 className="h grow">{strings.scenes.title}</h2>
        {first === undefined ? null : <kbd>{scenes.length > 1 ? `${first}–${last}` : first}</kbd>}
        <button
          type="button"
          className="icon-btn"
          aria-label={strings.scenes.add}
          title={strings.scenes.add}
          onClick={() => commands.run("scene.add")}
        >
          <PlusIcon />
        </button>
      </div>
      <ol className="list" aria-label={strings.scenes.list}>
        {scenes.map((scene, index) => (
          <SceneRow
            key={scene.id}
            scene={scene}
            drag={rows(index)}
            onMenu={(at) => setMenu({ scene, at })}
            onRename={(name) => {
              services.stage.setState({ renaming: undefined });
              if (name === undefined) return;
              show.change(strings.scenes.steps.rename, (document) => changeSceneSettings(document, scene.id, { name }));
            }}
          />
        ))}
      </ol>
      {menu === undefined ? null : <SceneMenu scene={menu.scene} at={menu.at} onClose={() => setMenu(undefined)} />}
    </section>
  );
}

function SceneRow(props: {
  readonly scene: Scene;
  readonly drag: RowDrag;
  readonly onMenu: (at: Point) => void;
  readonly onRename: (name: string | undefined) => void;
}) {
  const { scene, drag, onMenu, onRename } = props;
  const services = useServices();
  const program = useShow((state) => state.document.program === scene.id);
  const preview = useShow((state) => state.document.preview === scene.id);
  const document = useShow((state) => state.document);
  const studioMode = useStage((state) => state.studioMode);
  const renaming = useStage((state) => state.renaming === scene.id);
  const onAir = useOnAir();
  const next = studioMode && preview && !program;
  const hint = program
    ? onAir
      ? strings.scenes.onAir
      : strings.scenes.program
    : next
      ? strings.scenes.next(transitionWords(transitionOf(document, scene.id)))
      : "";
  return (
    <li
      {...drag}
      draggable={renaming ? undefined : true}
      className={`scene-row${program ? " program" : ""}${program && onAir ? " air" : ""}${preview ? " on" : ""}`}
      onContextMenu={(event) => {
        event.preventDefault();
        onMenu({ x: event.clientX, y: event.clientY });
      }}
    >
      <span className="scene-thumbnail">
        <Picture shows={scene.id} className="thumbnail" />
      </span>
      <span className="scene-words">
        {renaming ? (
          <NameField label={strings.scenes.nameLabel} name={scene.name} onDone={onRename} />
        ) : (
          <button
            type="button"
            data-row=""
            className="row-button ell"
            aria-current={program ? "true" : undefined}
            title={scene.name}
            onClick={(event) => {
              releaseFocus(event);
              showScene(services, scene.id);
            }}
            onDoubleClick={() => services.stage.setState({ renaming: scene.id })}
          >
            {scene.name}
          </button>
        )}
        {hint === "" ? null : <span className="label ell">{hint}</span>}
      </span>
      <button
        type="button"
        className="icon-btn row-action"
        aria-haspopup="menu"
        aria-label={strings.scenes.more(scene.name)}
        onClick={(event) => onMenu(below(event.currentTarget))}
      >
        <MoreIcon />
      </button>
    </li>
  );
}

function SceneMenu(props: { readonly scene: Scene; readonly at: Point; readonly onClose: () => void }) {
  const { scene, at, onClose } = props;
  const services = useServices();
  const { show, stage } = services;
  const scenes = useShow((state) => state.document.scenes);
  const transition = useShow((state) => state.document.transition);
  const index = scenes.findIndex(({ id }) => id === scene.id);
  const words = strings.scenes;
  const move = (by: number) => () =>
    show.change(words.steps.move, (document) => reorderScene(document, scene.id, index + by));
  const comesWith = (label: string, checked: boolean, value: Scene["transition"]): MenuEntry => ({
    label: `${words.transitionTitle}: ${label}`,
    checked,
    run: () =>
      show.change(words.steps.transition, (document) => changeSceneSettings(document, scene.id, { transition: value })),
  });
  return (
    <Menu
      label={words.more(scene.name)}
      at={at}
      onClose={onClose}
      entries={[
        { label: words.rename, run: () => stage.setState({ renaming: scene.id }) },
        {
          label: words.duplicate,
          disabled: scenes.length >= 100,
          run: () =>
            show.change(words.steps.duplicate, (document) =>
              duplicateScene(document, scene.id, words.copyName(scene.name).slice(0, 80)),
            ),
        },
        { label: words.moveUp, key: "Alt ↑", disabled: index <= 0, run: move(-1) },
        { label: words.moveDown, key: "Alt ↓", disabled: index >= scenes.length - 1, run: move(1) },
        undefined,
        comesWith(words.transitionDefault, scene.transition === null, null),
        ...(["cut", "fade", "slide"] as const).map((kind) =>
          comesWith(
            strings.stage.transitions[kind],
            scene.transition?.kind === kind,
            transitionTo(kind, scene.transition ?? transition),
          ),
        ),
        undefined,
        { label: words.delete, run: () => deleteScene(services, scene.id) },
      ]}
    />
  );
}
