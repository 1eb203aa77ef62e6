import { parts } from "./parts.ts";
import { type Services, ServicesContext } from "./services.ts";
import { Brand } from "./shell/brand.tsx";
import { PanelTabs } from "./shell/panel-tabs.tsx";
import { ToastList } from "./shell/toast-list.tsx";
import { strings } from "./strings.ts";

/** The window: top bar, scenes and sources, stage, dock and panels. @param services undefined while the engine is awaited. */
export function App({ services }: { readonly services: Services | undefined }) {
  if (services === undefined) {
    return (
      <div className="curtain">
        <Brand />
        <p role="status">{strings.shell.connecting}</p>
      </div>
    );
  }
  return (
    <ServicesContext value={services}>
      <div className="app">
        <header className="bar">
          <Brand />
          {parts.title.map((Part, at) => (
            <Part key={at} />
          ))}
          <span className="grow" />
          {parts.top.map((Part, at) => (
            <Part key={at} />
          ))}
        </header>
        <aside className="side" />
        <main className="stage" aria-label={strings.stage.label} />
        <section className="dock">
          {parts.dock.map((Part, at) => (
            <div key={at}>
              <Part />
            </div>
          ))}
        </section>
        <PanelTabs panels={parts.panels} />
      </div>
      {parts.overlays.map((Part, at) => (
        <Part key={at} />
      ))}
      <ToastList />
    </ServicesContext>
  );
}
