import { type Clock, systemClock } from "@klieg/base";
import { app, BrowserWindow, dialog, screen, type WebContents } from "electron";
import { desktopStrings } from "../renderer/strings/desktop.ts";
import { APP_ADDRESS } from "./app-address.ts";
import { RestartBudget } from "./restart-budget.ts";
import type { StateFile } from "./state-file.ts";
import { placeWindow, SMALLEST_CONTENT, type WindowPlacement } from "./window-placement.ts";

/** The stage's own colour, seen until the page has drawn itself. */
const BACKGROUND = "#0b0a09";
const KEEP_PLACE_MS = 1000;

export interface AppWindowOptions {
  /** Absolute path of the built preload script. */
  readonly preload: string;
  /** Where the window's place is kept. */
  readonly place: StateFile;
  readonly onAir: () => boolean;
  /** The user wants the window closed. @returns whether it may right now. */
  readonly mayClose: () => boolean;
  /** The page is gone, for good or to come back. */
  readonly onPageGone: () => void;
  readonly quit: () => void;
  readonly clock?: Clock;
}

/** The studio's one window. Its page may die: it is loaded again, and finds in the engine all that goes on. */
export class AppWindow implements Disposable {
  readonly #options: AppWindowOptions;
  readonly #window: BrowserWindow;
  readonly #clock: Clock;
  readonly #budget: RestartBudget;
  #keepPlace: Disposable | undefined;
  #question: AbortController | undefined;

  constructor(options: AppWindowOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#budget = new RestartBudget(this.#clock, { count: 3, withinMs: 60_000 });
    const main = screen.getPrimaryDisplay();
    const others = screen.getAllDisplays().filter(({ id }) => id !== main.id);
    const { maximized, ...place } = placeWindow(
      options.place.read(),
      [main, ...others].map(({ workArea }) => workArea),
    );
    this.#window = new BrowserWindow({
      ...place,
      show: false,
      title: desktopStrings.product,
      backgroundColor: BACKGROUND,
      autoHideMenuBar: true,
      webPreferences: {
        preload: options.preload,
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
        navigateOnDragDrop: false,
        // Its dictionaries would be fetched from somebody else.
        spellcheck: false,
        // The compositor draws the programme, whether or not anybody looks at the window.
        backgroundThrottling: false,
      },
    });
    this.#limitSize();
    if (maximized) this.#window.maximize();
    this.#listen();
  }

  get contents(): WebContents {
    return this.#window.webContents;
  }

  get window(): BrowserWindow {
    return this.#window;
  }

  async load(): Promise<void> {
    // Where it cannot be loaded the window shows it, and `did-fail-load` has a say.
    await this.#window.loadURL(APP_ADDRESS).catch(() => undefined);
  }

  reload(): void {
    if (!this.#window.isDestroyed()) this.#window.webContents.reload();
  }

  /** In front, whatever it was before. */
  show(): void {
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.show();
    this.#window.focus();
  }

  [Symbol.dispose](): void {
    this.#keepPlace?.[Symbol.dispose]();
    this.#question?.abort();
  }

  /** The layout's smallest size is the page's: the window's frame comes on top. */
  #limitSize(): void {
    const [width = 0, height = 0] = this.#window.getSize();
    const [contentWidth = width, contentHeight = height] = this.#window.getContentSize();
    this.#window.setMinimumSize(
      SMALLEST_CONTENT.width + width - contentWidth,
      SMALLEST_CONTENT.height + height - contentHeight,
    );
  }

  #listen(): void {
    const window = this.#window;
    const moved = () => {
      this.#keepPlace?.[Symbol.dispose]();
      this.#keepPlace = this.#clock.after(KEEP_PLACE_MS, () => this.#savePlace());
    };
    window.once("ready-to-show", () => window.show());
    window.on("resize", moved);
    window.on("move", moved);
    window.on("close", (event) => {
      if (!this.#options.mayClose()) event.preventDefault();
      this.#savePlace();
    });
    window.on("closed", () => this[Symbol.dispose]());
    window.webContents.on("render-process-gone", (_event, { reason }) => {
      this.#options.onPageGone();
      if (reason === "clean-exit" || window.isDestroyed()) return;
      this.#question?.abort();
      if (this.#budget.take()) this.reload();
      else void this.#askAboutCrashes();
    });
    window.on("unresponsive", () => void this.#askAboutSilence());
    window.on("responsive", () => this.#question?.abort());
  }

  #savePlace(): void {
    this.#keepPlace?.[Symbol.dispose]();
    this.#keepPlace = undefined;
    if (this.#window.isDestroyed()) return;
    const place: WindowPlacement = { ...this.#window.getNormalBounds(), maximized: this.#window.isMaximized() };
    this.#options.place.write(place);
  }

  async #askAboutCrashes(): Promise<void> {
    const words = desktopStrings.page;
    const answer = await this.#ask("error", words.crashed, [words.reload, words.quit]);
    if (answer === 1) this.#options.quit();
    else if (answer === 0) {
      this.#budget.reset();
      this.reload();
    }
  }

  async #askAboutSilence(): Promise<void> {
    const words = desktopStrings.page;
    const answer = await this.#ask("warning", words.unresponsive, [words.wait, words.reload]);
    // Its death brings it back.
    if (answer === 1 && !this.#window.isDestroyed()) this.#window.webContents.forcefullyCrashRenderer();
  }

  /** @returns which button; undefined where the question was taken back. */
  async #ask(type: "error" | "warning", message: string, buttons: string[]): Promise<number | undefined> {
    this.#question?.abort();
    const question = new AbortController();
    this.#question = question;
    const words = desktopStrings.page;
    const { response } = await dialog.showMessageBox(this.#window, {
      type,
      message,
      detail: this.#options.onAir() ? words.crashedOnAir : words.crashedIdle,
      buttons,
      defaultId: 0,
      cancelId: 0,
      noLink: true,
      signal: question.signal,
      title: app.name,
    });
    return question.signal.aborted ? undefined : response;
  }
}
