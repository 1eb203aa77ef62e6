// Stands in for the module `electron`, in tests only; README.md says what for what. Only what the studio uses is here.

import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { openContext } from "./context.ts";
import { type ControlledApp, takeOrders } from "./control.ts";
import { note } from "./journal.ts";
import { announceInstance, listenForInstances } from "./single-instance.ts";
import { UtilityProcess } from "./utility-process.ts";
import { ipcMain, PreventableEvent, sessionSettings, WebContents } from "./web-contents.ts";

export { MessageChannelMain } from "./ports.ts";
export { ipcMain };

const DATA = process.env.KLIEG_STAND_IN_DATA ?? "";
if (!path.isAbsolute(DATA)) throw new Error("KLIEG_STAND_IN_DATA is to be the folder of the app's data");
const APP_FOLDER = path.dirname(process.argv[1] ?? "");
const manifest = JSON.parse(readFileSync(path.join(APP_FOLDER, "package.json"), "utf8")) as {
  readonly version: string;
  readonly productName: string;
};

// What Electron's process has beside Node's.
Object.assign(process, { resourcesPath: path.join(APP_FOLDER, "resources") });

const windows = new Set<BrowserWindow>();
const protocolHandlers = new Map<string, (request: Request) => Promise<Response>>();
type PermissionCheck = (
  contents: null,
  permission: string,
  origin: string,
  details: { readonly requestingUrl: string; readonly isMainFrame: boolean },
) => boolean;
let permissionCheck: PermissionCheck = () => true;

const context = openContext({
  windows: () => [...windows].map(({ webContents }) => webContents),
  protocol: (scheme) => protocolHandlers.get(scheme),
  permission: (permission, address) =>
    permissionCheck(null, permission, address, { requestingUrl: address, isMainFrame: true }),
});

class App extends EventEmitter {
  readonly name = manifest.productName;
  readonly isPackaged = false;
  #quitting = false;
  #openAtLogin = false;

  whenReady(): Promise<void> {
    return turn();
  }

  getVersion(): string {
    return manifest.version;
  }

  getPath(name: string): string {
    return name === "userData" ? DATA : path.join(DATA, name);
  }

  enableSandbox(): void {
    note("sandbox");
  }

  setAppUserModelId(id: string): void {
    note("user model id", id);
  }

  requestSingleInstanceLock(): boolean {
    const first = announceInstance(DATA, process.argv);
    if (first) listenForInstances(DATA, (args) => this.emit("second-instance", {}, args, process.cwd()));
    return first;
  }

  setAsDefaultProtocolClient(scheme: string): void {
    note("default protocol client", scheme);
  }

  getLoginItemSettings(): { readonly openAtLogin: boolean } {
    return { openAtLogin: this.#openAtLogin };
  }

  setLoginItemSettings({ openAtLogin }: { readonly openAtLogin: boolean }): void {
    this.#openAtLogin = openAtLogin;
  }

  quit(): void {
    // Never within the call, as in Electron.
    setImmediate(() => void this.#quit());
  }

  exit(code = 0): void {
    note("exit", code);
    void context.close().finally(() => process.exit(code));
  }

  async #quit(): Promise<void> {
    if (this.#quitting) return;
    const before = new PreventableEvent();
    this.emit("before-quit", before);
    if (before.defaultPrevented) return;
    this.#quitting = true;
    for (const window of [...windows]) {
      if (!(await window.closeForQuit())) {
        this.#quitting = false;
        return;
      }
    }
    this.emit("will-quit", new PreventableEvent());
    this.exit();
  }
}
export const app = new App();

interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Some window managers' frame, pixels. */
const FRAME_HEIGHT = 28;

export class BrowserWindow extends EventEmitter {
  readonly webContents: WebContents;
  readonly options: object;
  #bounds: Bounds;
  #maximized = false;
  #destroyed = false;

  constructor(options: Bounds & { readonly webPreferences: { readonly preload: string } }) {
    super();
    this.options = options;
    const { x, y, width, height } = options;
    this.#bounds = { x, y, width, height };
    this.webContents = new WebContents(context.open, options.webPreferences.preload);
    this.webContents.once("did-finish-load", () => this.emit("ready-to-show"));
    windows.add(this);
    const { preload: _preload, ...preferences } = options.webPreferences;
    note("window", { x, y, width, height, preferences });
    app.emit("web-contents-created", {}, this.webContents);
  }

  async loadURL(address: string): Promise<void> {
    await this.webContents.loadURL(address);
  }

  getSize(): number[] {
    return [this.#bounds.width, this.#bounds.height];
  }

  getContentSize(): number[] {
    return [this.#bounds.width, this.#bounds.height - FRAME_HEIGHT];
  }

  setMinimumSize(width: number, height: number): void {
    note("minimum size", { width, height });
  }

  getNormalBounds(): Bounds {
    return this.#bounds;
  }

  /** The user's hand. */
  moveTo(bounds: Bounds): void {
    this.#bounds = bounds;
    this.emit("resize");
    this.emit("move");
  }

  isMaximized(): boolean {
    return this.#maximized;
  }

  maximize(): void {
    this.#maximized = true;
  }

  isMinimized(): boolean {
    return false;
  }

  restore(): void {
    note("restored");
  }

  show(): void {
    note("shown");
  }

  focus(): void {
    note("focused");
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  /** The user closes it. */
  close(): void {
    void this.closeForQuit().then((closed) => {
      if (closed && windows.size === 0) app.emit("window-all-closed");
    });
  }

  /** @returns whether it let itself be closed. */
  async closeForQuit(): Promise<boolean> {
    if (this.#destroyed) return true;
    const event = new PreventableEvent();
    this.emit("close", event);
    if (event.defaultPrevented) return false;
    this.#destroyed = true;
    windows.delete(this);
    this.emit("closed");
    await this.webContents.destroy();
    return true;
  }
}

export const protocol = {
  registerSchemesAsPrivileged: (schemes: unknown) => note("privileged", schemes),
};

export const session = {
  defaultSession: {
    protocol: {
      handle: (scheme: string, handler: (request: Request) => Promise<Response>) =>
        protocolHandlers.set(scheme, handler),
    },
    setPermissionCheckHandler: (handler: PermissionCheck) => {
      permissionCheck = handler;
    },
    setPermissionRequestHandler: () => undefined,
    setDevicePermissionHandler: () => undefined,
    setDisplayMediaRequestHandler: (handler: NonNullable<typeof sessionSettings.displayMedia>) => {
      sessionSettings.displayMedia = handler;
    },
  },
};

export const utilityProcess = {
  fork: (modulePath: string) => {
    const engine = new UtilityProcess(modulePath);
    controlled.engine = engine;
    note("utility process");
    return engine;
  },
};

const picture = { isEmpty: () => false, toDataURL: () => "data:image/png;base64,AA==" };
export const desktopCapturer = {
  getSources: async () => [
    { id: "screen:0:0", name: "Entire screen", thumbnail: picture, appIcon: null },
    { id: "window:7:0", name: "Slides", thumbnail: picture, appIcon: picture },
  ],
};

/** Fakes: what is sealed can be told from what is not, and no more. */
export const safeStorage = {
  isEncryptionAvailable: () => true,
  getSelectedStorageBackend: () => "stand_in",
  encryptString: (text: string) => Buffer.from(`sealed:${Buffer.from(text).toString("hex")}`),
  decryptString: (bytes: Buffer) => {
    const match = /^sealed:([0-9a-f]*)$/.exec(bytes.toString());
    if (match === null) throw new Error("was not sealed here");
    return Buffer.from(match[1] ?? "", "hex").toString();
  },
};

/** Questions wait until the test answers. */
export const dialog = {
  showMessageBox: (_window: unknown, options: { readonly message: string; readonly buttons: readonly string[] }) =>
    new Promise<{ response: number }>((resolve) => {
      controlled.question = (response) => resolve({ response });
      note("question", { message: options.message, buttons: options.buttons });
    }),
  showOpenDialog: async (_window: unknown, options: { readonly defaultPath?: string }) => {
    note("open dialog", options.defaultPath);
    return { canceled: false, filePaths: [path.join(DATA, "chosen")] };
  },
  showErrorBox: (title: string, text: string) => note("error box", { title, text }),
};

export const shell = {
  openExternal: async (url: string) => note("opened in browser", url),
  showItemInFolder: (file: string) => note("shown in folder", file),
};

interface MenuItem {
  readonly label?: string;
  readonly click?: () => void;
  readonly submenu?: readonly MenuItem[];
}

export const Menu = {
  buildFromTemplate: (template: readonly MenuItem[]) => template,
  setApplicationMenu: (template: readonly MenuItem[]) => {
    const items = (each: readonly MenuItem[]): readonly MenuItem[] =>
      each.flatMap((item) => [item, ...items(item.submenu ?? [])]);
    controlled.menu = (label) =>
      items(template)
        .find((item) => item.label === label)
        ?.click?.();
  },
};

export class Tray extends EventEmitter {
  setImage(image: { readonly file: string }): void {
    note("tray icon", path.basename(image.file));
  }

  setToolTip(text: string): void {
    note("tray", text);
  }

  setContextMenu(): void {
    note("tray menu");
  }

  destroy(): void {
    note("tray gone");
  }
}

export const nativeImage = { createFromPath: (file: string) => ({ file }) };

export const globalShortcut = {
  register: (accelerator: string, pressed: () => void) => {
    controlled.shortcuts.set(accelerator, pressed);
    note("shortcut", accelerator);
    return true;
  },
  unregisterAll: () => controlled.shortcuts.clear(),
};

export const powerSaveBlocker = {
  start: (type: string) => {
    note("awake", type);
    return 1;
  },
  stop: () => note("may sleep"),
};

export const powerMonitor = new EventEmitter();

const display = { id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1080 } };
export const screen = { getPrimaryDisplay: () => display, getAllDisplays: () => [display] };

export const systemPreferences = { askForMediaAccess: async () => true };

const controlled: ControlledApp = {
  app,
  window: () => [...windows][0],
  menu: () => undefined,
  shortcuts: new Map(),
  question: undefined,
  engine: undefined,
};
takeOrders(controlled);
