import { type Clock, Emitter } from "@klieg/base";

/** What the studio needs of electron-updater's `autoUpdater`, which fetches what it finds and installs it when the app quits. */
export interface UpdateSource {
  on(event: "update-available" | "update-downloaded", listener: (info: { readonly version: string }) => void): unknown;
  on(event: "update-not-available", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  checkForUpdates(): Promise<unknown>;
  quitAndInstall(): void;
}

export interface UpdateState {
  readonly state: "none" | "downloading" | "ready" | "failed";
  readonly version: string | null;
}

const EVERY_MS = 6 * 60 * 60_000;
const SOON_MS = 30_000;

export interface UpdatesOptions {
  /** Undefined where this app is not updated from anywhere: not packaged, or packaged without an address. */
  readonly source: UpdateSource | undefined;
  readonly clock: Clock;
  /** Whether a show is on: then nothing is fetched beside it, and nothing restarted. */
  readonly busy: () => boolean;
}

/** Looks for a newer app now and then, fetches it, and has it installed when the user quits or says so. Never beside a show. */
export class Updates implements Disposable {
  readonly events = new Emitter<{ changed: UpdateState }>();
  readonly #options: UpdatesOptions;
  readonly #timers: Disposable[] = [];
  #state: UpdateState = { state: "none", version: null };

  constructor(options: UpdatesOptions) {
    this.#options = options;
    const { source, clock } = options;
    if (source === undefined) return;
    source.on("update-available", ({ version }) => this.#become({ state: "downloading", version }));
    source.on("update-downloaded", ({ version }) => this.#become({ state: "ready", version }));
    source.on("update-not-available", () => this.#become({ state: "none", version: null }));
    source.on("error", () => {
      // One that is ready stays so; one that could not be looked for is no news to anybody.
      if (this.#state.state === "downloading") this.#become({ state: "failed", version: this.#state.version });
    });
    this.#timers.push(
      clock.after(SOON_MS, () => this.#check()),
      clock.every(EVERY_MS, () => this.#check()),
    );
  }

  get state(): UpdateState {
    return this.#state;
  }

  /** Restarts into the update. @returns false where none is ready, or a show is on. */
  install(): boolean {
    const { source, busy } = this.#options;
    if (source === undefined || this.#state.state !== "ready" || busy()) return false;
    source.quitAndInstall();
    return true;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]();
    this.events.clear();
  }

  #check(): void {
    if (this.#state.state === "ready" || this.#state.state === "downloading" || this.#options.busy()) return;
    // Its `error` event says the same; without a network there is nothing to say.
    this.#options.source?.checkForUpdates().catch(() => undefined);
  }

  #become(state: UpdateState): void {
    this.#state = state;
    this.events.emit("changed", state);
  }
}
