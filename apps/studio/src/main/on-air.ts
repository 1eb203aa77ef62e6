import { globalShortcut, Menu, nativeImage, powerSaveBlocker, Tray } from "electron";
import { desktopStrings } from "../renderer/strings/desktop.ts";
import { acceleratorOf, mayBeGlobal } from "./accelerator.ts";
import type { EngineState } from "./engine-host.ts";

/** Keeps machine and screen awake during a show: a captured screen that goes dark is a dark programme. */
export class Wakefulness implements Disposable {
  #blocker: number | undefined;

  update({ onAir, recording }: EngineState): void {
    if ((onAir || recording) === (this.#blocker !== undefined)) return;
    if (this.#blocker === undefined) this.#blocker = powerSaveBlocker.start("prevent-display-sleep");
    else this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#blocker !== undefined) powerSaveBlocker.stop(this.#blocker);
    this.#blocker = undefined;
  }
}

/** The keys that work while another program is in front. */
export class GlobalKeys implements Disposable {
  readonly #command: (name: string) => void;
  #registered = "{}";

  constructor(command: (name: string) => void) {
    this.#command = command;
  }

  update({ globalKeys }: EngineState): void {
    const wanted = JSON.stringify(globalKeys);
    if (wanted === this.#registered) return;
    this.#registered = wanted;
    globalShortcut.unregisterAll();
    for (const [command, key] of Object.entries(globalKeys)) {
      const accelerator = mayBeGlobal(key) ? acceleratorOf(key) : undefined;
      // Where another program has it already there is nobody to tell: the key does there what it did before.
      if (accelerator !== undefined) globalShortcut.register(accelerator, () => this.#command(command));
    }
  }

  [Symbol.dispose](): void {
    globalShortcut.unregisterAll();
  }
}

export interface StudioTrayOptions {
  /** Folder of `tray.png` and `tray-on-air.png`. */
  readonly icons: string;
  readonly open: () => void;
  readonly quit: () => void;
}

/** Says beside the clock whether a show is on. Some desktops have no such place; then there is none. */
export class StudioTray implements Disposable {
  readonly #options: StudioTrayOptions;
  #tray: Tray | undefined;

  constructor(options: StudioTrayOptions) {
    this.#options = options;
    this.update({ onAir: false, recording: false, globalKeys: {} });
  }

  update({ onAir, recording }: EngineState): void {
    const { icons, open, quit } = this.#options;
    const words = desktopStrings.tray;
    const icon = nativeImage.createFromPath(`${icons}/${onAir ? "tray-on-air" : "tray"}.png`);
    if (this.#tray === undefined) {
      this.#tray = new Tray(icon);
      this.#tray.on("click", open);
      this.#tray.setContextMenu(
        Menu.buildFromTemplate([
          { label: words.open, click: open },
          { type: "separator" },
          { label: words.quit, click: quit },
        ]),
      );
    } else this.#tray.setImage(icon);
    // Colour never says it alone.
    this.#tray.setToolTip(onAir ? words.onAir : recording ? words.recording : words.idle);
  }

  [Symbol.dispose](): void {
    this.#tray?.destroy();
    this.#tray = undefined;
  }
}
