import { type ComponentType, createElement, Fragment, useEffect } from "react";
import { HelpDialog } from "./commands/help-dialog.tsx";
import { useKeyboard } from "./commands/use-keyboard.ts";
import { parts } from "./parts.ts";
import { SceneList } from "./scenes/scene-list.tsx";
import { type Services, ServicesContext, useServices, useShow } from "./services.ts";
import { Brand } from "./shell/brand.tsx";
import { BrokenWindow } from "./shell/broken-window.tsx";
import { HistoryButtons } from "./shell/history-buttons.tsx";
import { LinkNotice } from "./shell/link-notice.tsx";
import { PanelTabs } from "./shell/panel-tabs.tsx";
import { SavedState } from "./shell/saved-state.tsx";
import { ShowFailed, ShowProblem } from "./shell/show-problem.tsx";
import { ToastList } from "./shell/toast-list.tsx";
import { useRegions } from "./shell/use-regions.ts";
import { AddSourceDialog } from "./sources/add-source-dialog.tsx";
import { Properties } from "./sources/properties.tsx";
import { ScreenPicker } from "./sources/screen-picker.tsx";
import { SourceList } from "./sources/source-list.tsx";
import { Stage } from "./stage/stage.tsx";
import { useStage } from "./stage/use-stage.ts";
import { strings } from "./strings.ts";

const PANELS = [{ id: "properties", title: strings.shell.properties, Panel: Properties }, ...parts.panels];

/** The page. @param services undefined while the engine is awaited. */
export function App({ services }: { readonly services: Services | undefined }) {
  if (services === undefined) return <Curtain words={strings.shell.connecting} />;
  return (
    <ServicesContext value={services}>
      <BrokenWindow>
        <Show />
      </BrokenWindow>
      <LinkNotice />
      <ToastList />
    </ServicesContext>
  );
}

function Show() {
  const { commands } = useServices();
  const phase = useShow((state) => state.phase);
  useKeyboard(commands);
  if (phase === "opening") return <Curtain words={strings.show.opening} />;
  if (phase === "failed") return <ShowFailed />;
  return (
    <>
      <Window />
      <StageDialogs />
      <ScreenPicker />
      <Parts of={parts.overlays} />
    </>
  );
}

/** Top bar, scenes and sources, stage, dock and panels. */
function Window() {
  useRegions();
  return (
    <div className="app">
      <header className="bar">
        <Brand />
        <Parts of={parts.title} />
        <SavedState />
        <span className="grow" />
        <HistoryButtons />
        <Parts of={parts.top} />
      </header>
      <aside className="side">
        <SceneList />
        <SourceList />
      </aside>
      <main className="stage" aria-label={strings.stage.label}>
        <ShowProblem />
        <Stage />
      </main>
      <section className="dock" data-empty={parts.dock.length === 0 ? "" : undefined}>
        <Parts of={parts.dock} />
      </section>
      <PanelTabs panels={PANELS} />
    </div>
  );
}

function StageDialogs() {
  const { stage } = useServices();
  const dialog = useStage((state) => state.dialog);
  const close = () => stage.setState({ dialog: undefined });
  useEffect(() => {
    if (dialog !== undefined) stage.setState({ renaming: undefined });
  }, [dialog, stage]);
  if (dialog === "add_source") return <AddSourceDialog onClose={close} />;
  if (dialog === "help") return <HelpDialog onClose={close} />;
  return null;
}

function Curtain({ words }: { readonly words: string }) {
  return (
    <div className="curtain">
      <Brand />
      <p role="status">{words}</p>
    </div>
  );
}

/** Components of other areas, one after the other. */
function Parts({ of }: { readonly of: readonly ComponentType[] }) {
  return createElement(Fragment, null, ...of.map(rendered));
}

/** Without a key: the list never changes. */
function rendered(part: ComponentType) {
  return createElement(part);
}
