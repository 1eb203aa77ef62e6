import { followLinks } from "../app-links/follow-links.ts";
import { followLoudness } from "../broadcast/broadcast-loudness.ts";
import { ProgramControl } from "../broadcast/program-control.ts";
import { HealthMonitor } from "../health/health-monitor.ts";
import type { AudioMixer } from "../media/mixer/mixer-contract.ts";
import type { StudioMedia } from "../media/studio-media.ts";
import { EngineNotices } from "../notices/engine-notices.ts";
import type { Toasts } from "../shell/toasts.ts";
import { createDialogStore, type DialogStore } from "./dialogs.ts";
import { type EngineLink, EngineStore } from "./engine-store.ts";
import type { ShowStore } from "./show-store.ts";

/** What the broadcast's interface stands on; the rest of the services has its fields. */
export interface Control {
  /** What the engine tells of itself. */
  readonly engine: EngineStore;
  readonly health: HealthMonitor;
  /** Which dialog of the broadcast's is open. */
  readonly dialogs: DialogStore;
}

/** Joins what the broadcast's interface needs, from the other parts of the page. Dispose the answer before these. */
export function createControl(parts: {
  readonly link: EngineLink;
  readonly show: ShowStore;
  readonly media: StudioMedia;
  readonly mixer: AudioMixer;
  readonly toasts: Toasts;
}): Control & Disposable {
  const { link, show, media, mixer, toasts } = parts;
  const held = new DisposableStack();
  const engine = held.use(new EngineStore(link));
  held.use(new ProgramControl({ engine, show, media }));
  held.use(new EngineNotices({ engine, toasts }));
  held.use(followLoudness(engine, mixer));
  held.defer(
    engine.state.subscribe(({ settings }, before) => {
      if (settings === undefined || settings.monitor_device === before.settings?.monitor_device) return;
      // One that is not there is told by the mixer itself.
      void mixer.setMonitorDevice(settings.monitor_device);
    }),
  );
  const health = held.use(
    new HealthMonitor({
      engine,
      mixer,
      captures: media.captures,
      statistics: () => media.statistics(),
      document: () => show.document,
      hidden: () => document.visibilityState === "hidden",
    }),
  );
  const dialogs = createDialogStore();
  held.use(followLinks({ link, dialogs, toasts }));
  return { engine, health, dialogs, [Symbol.dispose]: () => held.dispose() };
}
