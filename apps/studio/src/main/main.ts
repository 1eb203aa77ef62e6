import { existsSync } from "node:fs";
import path from "node:path";
import { systemClock } from "@klieg/base";
import { app, dialog, Menu, type MessagePortMain, powerMonitor, protocol, session, utilityProcess } from "electron";
import electronUpdater from "electron-updater";
import { CHANNEL } from "../preload/channels.ts";
import { desktopStrings } from "../renderer/strings/desktop.ts";
import { APP_SCHEME, isLink, linkAmong } from "./app-address.ts";
import { AppFiles } from "./app-files.ts";
import { confine, equipSession } from "./app-session.ts";
import { AppWindow } from "./app-window.ts";
import { EngineHost } from "./engine-host.ts";
import { systemKeychain } from "./keychain.ts";
import { menuTemplate } from "./menu.ts";
import { GlobalKeys, StudioTray, Wakefulness } from "./on-air.ts";
import { answerPage } from "./page-ipc.ts";
import { type Activity, QuitGuard } from "./quit-guard.ts";
import { ScreenPicker } from "./screen-picker.ts";
import { StateFile } from "./state-file.ts";
import { type UpdateSource, Updates } from "./updates.ts";

// The desktop app's first file: it only joins the parts. Built, it lies beside preload.cjs, engine.mjs, page/ and icons/.

const BUILT = import.meta.dirname;

// Before the app is ready, or it counts for nothing.
protocol.registerSchemesAsPrivileged([
  {
    scheme: APP_SCHEME,
    privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
  },
]);
app.enableSandbox();
app.setAppUserModelId("dev.klieg.studio");
app.on("web-contents-created", (_event, contents) => confine(contents));

/** Links that came before there was anybody to follow them. */
const early: string[] = [];
let follow = (link: string): void => void early.push(link);
// On macOS the system tells of links by an event, from the start on; elsewhere it starts the app once more.
app.on("open-url", (event, link) => {
  event.preventDefault();
  if (isLink(link)) follow(link);
});

if (app.requestSingleInstanceLock()) {
  const link = linkAmong(process.argv);
  if (link !== undefined) follow(link);
  app.whenReady().then(studio, fail);
} else app.quit();

function studio(): void {
  let finish = (): void => app.quit();
  const host = new EngineHost<MessagePortMain>({
    clock: systemClock,
    fork: () =>
      utilityProcess.fork(path.join(BUILT, "engine.mjs"), [], {
        serviceName: "klieg-engine",
        env: engineEnvironment(),
      }),
    start: {
      data_folder: path.join(app.getPath("userData"), "studio"),
      recording_folder: path.join(app.getPath("videos"), desktopStrings.product),
      version: app.getVersion(),
    },
    keychain: systemKeychain(),
  });
  const guard = new QuitGuard({
    activity: () => host.state,
    ask: (activity) => askToQuit(window, activity),
    stop: () => host.stop(),
    quit: () => finish(),
  });
  const picker = new ScreenPicker({
    send: (offer) => {
      if (window.window.isDestroyed()) return false;
      window.contents.send(CHANNEL.screens, offer);
      return true;
    },
  });
  const updates = new Updates({
    clock: systemClock,
    busy: () => host.state.onAir || host.state.recording,
    source: updateSource(() => {
      finish = () => electronUpdater.autoUpdater.quitAndInstall();
      guard.request(true);
    }),
  });
  equipSession(
    session.defaultSession,
    new AppFiles({ page: path.join(BUILT, "page"), asset: (id) => host.asset(id) }),
    picker,
  );
  answerPage({ window: () => window, connect: (port) => host.connect(port), picker, updates });

  const window = new AppWindow({
    preload: path.join(BUILT, "preload.cjs"),
    place: new StateFile(path.join(app.getPath("userData"), "window.json")),
    onAir: () => host.state.onAir,
    mayClose: () => guard.request(),
    onPageGone: () => picker.cancel(),
    quit: () => app.quit(),
  });
  const command = (name: string) => {
    window.show();
    host.tell({ event: "command", command: name });
  };
  const quit = () => app.quit();
  const icons = path.join(BUILT, "icons");
  const tray = new StudioTray({ icons, open: () => window.show(), quit });
  const wakefulness = new Wakefulness();
  // A key that is pressed while another program is in front leaves that program there.
  const keys = new GlobalKeys((name) => host.tell({ event: "command", command: name }));
  host.events.on("state", (state) => {
    for (const follower of [tray, wakefulness, keys]) follower.update(state);
  });
  host.events.on("failed", ({ message }) => void askAboutEngine(window, host, message));
  updates.events.on("changed", (update) => host.tell({ event: "update", ...update }));
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate(process.platform, { command, reload: () => window.reload(), quit })),
  );

  follow = (link) => {
    window.show();
    host.tell({ event: "link", url: link });
  };
  app.on("second-instance", (_event, args) => {
    window.show();
    const link = linkAmong(args);
    if (link !== undefined) follow(link);
  });
  app.on("activate", () => window.show());
  app.on("before-quit", (event) => {
    if (!guard.request()) event.preventDefault();
  });
  app.on("window-all-closed", quit);
  app.on("will-quit", () => {
    for (const held of [updates, tray, wakefulness, keys]) held[Symbol.dispose]();
  });
  // The system is about to end everything: no time for questions.
  powerMonitor.on("shutdown", (event?: { preventDefault(): void }) => {
    if (!guard.request(true)) event?.preventDefault();
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void guard.request(true));

  host.start();
  for (const link of early.splice(0)) host.tell({ event: "link", url: link });
  if (app.isPackaged) app.setAsDefaultProtocolClient(APP_SCHEME);
  void window.load();
}

/** The machine's own FFmpeg comes first: it is newer, and knows its hardware. Where there is none the app has one with it. */
function engineEnvironment(): NodeJS.ProcessEnv {
  const own = path.join(process.resourcesPath, "ffmpeg");
  return { ...process.env, PATH: [process.env.PATH, own].filter(Boolean).join(path.delimiter) };
}

/** @returns undefined where this app was not packaged with an address to look for newer ones. */
function updateSource(quitAndInstall: () => void): UpdateSource | undefined {
  if (!app.isPackaged || !existsSync(path.join(process.resourcesPath, "app-update.yml"))) return undefined;
  const { autoUpdater } = electronUpdater;
  return {
    on: autoUpdater.on.bind(autoUpdater) as UpdateSource["on"],
    checkForUpdates: () => autoUpdater.checkForUpdates(),
    quitAndInstall,
  };
}

async function askToQuit({ window }: AppWindow, { onAir }: Activity): Promise<boolean> {
  const words = desktopStrings.quit;
  const { response } = await dialog.showMessageBox(window, {
    type: "warning",
    message: onAir ? words.onAir : words.recording,
    detail: onAir ? words.onAirDetail : words.recordingDetail,
    buttons: [words.stay, words.quit],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  return response === 1;
}

async function askAboutEngine({ window }: AppWindow, host: EngineHost<MessagePortMain>, detail: string): Promise<void> {
  const words = desktopStrings.engine;
  const { response } = await dialog.showMessageBox(window, {
    type: "error",
    message: words.failed,
    detail,
    buttons: [words.retry, words.quit],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  if (response === 0) host.start();
  else app.quit();
}

function fail(error: unknown): void {
  dialog.showErrorBox(desktopStrings.engine.failed, String(error));
  app.exit(1);
}
