import { CommandRegistry } from "./commands/command-registry.ts";
import { createGuests } from "./guests/create-guests.ts";
import { guestNotices } from "./guests/guest-notices.ts";
import type { LinkState } from "./link/studio-link.ts";
import { Mixer } from "./media/mixer/mixer.ts";
import { programClock } from "./media/program-clock.ts";
import { StudioMedia } from "./media/studio-media.ts";
import type { OpenedLink } from "./open-link.ts";
import type { Services } from "./services.ts";
import { Toasts } from "./shell/toasts.ts";
import { selectedItem } from "./stage/layers.ts";
import { createStageStore } from "./stage/stage-store.ts";
import { studioCommands } from "./stage/studio-commands.ts";
import { createControl } from "./state/create-control.ts";
import { ShowStore } from "./state/show-store.ts";
import { strings } from "./strings.ts";
import type { Theme } from "./theme/theme.ts";

/** Makes what the page shares and joins it: documents to the media, the engine's settings and commands to the interface. */
export function createServices({ link, assetUrl }: OpenedLink, theme: Theme): Services {
  const clock = programClock();
  const mixer = new Mixer();
  const media = new StudioMedia({ link, mixer, clock, assetUrl });
  const show = new ShowStore(link);
  const stage = createStageStore(localStorage);
  const toasts = new Toasts();
  const commands = new CommandRegistry(/mac/i.test(navigator.platform));
  const control = createControl({ link, show, media, mixer, toasts });
  const { engine, health, dialogs } = control;
  const guests = createGuests({ link, engine, show, captures: media.captures, mixer });
  const services: Services = {
    ...{ link, assetUrl, show, stage, media, mixer, commands, toasts, theme },
    ...{ engine, health, guests, dialogs },
  };

  commands.register(...studioCommands(services), {
    id: "window.theme",
    group: "window",
    label: () => strings.commands.toggleTheme,
    run: () => {
      const chosen = theme.shown === "dark" ? "light" : "dark";
      theme.choose(chosen);
      engine.changeSettings({ theme: chosen }).catch((error: Error) => toasts.show(error.message, { tone: "bad" }));
    },
  });
  commands.register({
    id: "guests.talkback",
    group: "broadcast",
    label: () => strings.guests.toggleTalkback,
    keys: ["KeyT"],
    enabled: () => guests.store.getState().stage.name === "in",
    run: () => guests.latchTalkback(!guests.store.getState().talkback.latched),
  });
  guestNotices(guests, toasts);
  // What lasts is an alert of the health.
  media.compositor.onProblem(({ kind, error }) => {
    if (kind === "encoder_changed") toasts.show(error.message, { tone: "bad" });
  });
  link.onEvent((event) => {
    if (event.event === "command") commands.run(event.command);
  });
  engine.state.subscribe(({ settings }, before) => {
    if (settings === undefined || settings === before.settings) return;
    if (settings.theme !== before.settings?.theme) theme.choose(settings.theme);
    if (settings.keys !== before.settings?.keys) commands.chooseKeys(settings.keys);
  });
  // Every time that the engine is there: the show is opened, or what was changed meanwhile is saved.
  const linked = ({ state }: LinkState) => {
    if (state === "open") void show.reconnected();
  };
  link.onState(linked);
  linked(link.state);
  show.state.subscribe(({ phase, document }, before) => {
    if (phase !== "open") return;
    if (document !== before.document || before.phase !== "open") media.update(document);
    const { selected } = stage.getState();
    if (selected !== undefined && selectedItem(document, selected) === undefined) {
      stage.setState({ selected: undefined });
    }
  });
  // The mixer waits for a gesture by itself where the browser wants one.
  void mixer.start(clock);
  addEventListener("pagehide", () => show.saveNow());
  return services;
}
