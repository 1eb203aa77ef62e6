/** What would end with the app. */
export interface Activity {
  readonly onAir: boolean;
  readonly recording: boolean;
}

export interface QuitGuardOptions {
  readonly activity: () => Activity;
  /** Asks the user. @returns whether to quit all the same. */
  readonly ask: (activity: Activity) => Promise<boolean>;
  /** Ends broadcast and recording in order. Its failure keeps nobody from quitting. */
  readonly stop: () => Promise<void>;
  /** Quits for good; {@link QuitGuard.request} lets it pass. */
  readonly quit: () => void;
}

/** Nobody ends a show by closing a window: asked while on air or recording, and everything is ended in order. */
export class QuitGuard {
  readonly #options: QuitGuardOptions;
  #phase: "running" | "asking" | "stopping" | "stopped" = "running";

  constructor(options: QuitGuardOptions) {
    this.#options = options;
  }

  /**
   * Somebody wants the app to quit.
   * @param force ask nobody: the system shuts down, or the question was asked elsewhere.
   * @returns whether it may right now; else it is asked or stopped first, and quits by itself.
   */
  request(force = false): boolean {
    if (this.#phase === "stopped") return true;
    if (this.#phase === "stopping") return false;
    if (this.#phase === "asking" && !force) return false;
    const activity = this.#options.activity();
    if (force || !(activity.onAir || activity.recording)) void this.#stop();
    else void this.#ask(activity);
    return false;
  }

  async #ask(activity: Activity): Promise<void> {
    this.#phase = "asking";
    const quit = await this.#options.ask(activity).catch(() => false);
    // Meanwhile somebody may have forced it.
    if (this.#phase !== "asking") return;
    if (quit) await this.#stop();
    else this.#phase = "running";
  }

  async #stop(): Promise<void> {
    this.#phase = "stopping";
    await this.#options.stop().catch(() => undefined);
    this.#phase = "stopped";
    this.#options.quit();
  }
}
