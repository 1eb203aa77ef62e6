import { existsSync } from "node:fs";
import path from "node:path";
import type { MessagePortMain } from "electron";
import { app, dialog, type IpcMainEvent, type IpcMainInvokeEvent, ipcMain, MessageChannelMain, shell } from "electron";
import { CHANNEL } from "../preload/channels.ts";
import { desktopStrings } from "../renderer/strings/desktop.ts";
import { isAppAddress } from "./app-address.ts";
import type { AppWindow } from "./app-window.ts";
import type { ScreenPicker } from "./screen-picker.ts";
import type { Updates } from "./updates.ts";

const MAX_PATH_CHARACTERS = 4096;

export interface PageIpcOptions {
  /** Undefined while there is none. */
  readonly window: () => AppWindow | undefined;
  /** Gives a port to the engine. @returns false where there is no engine at the moment. */
  readonly connect: (port: MessagePortMain) => boolean;
  readonly picker: ScreenPicker;
  readonly updates: Updates;
}

/** Answers the page, and only the page: every message is checked for who sent it before it is looked at. */
export function answerPage({ window, connect, picker, updates }: PageIpcOptions): void {
  const fromPage = (event: IpcMainEvent | IpcMainInvokeEvent): boolean => {
    const frame = event.senderFrame;
    return frame !== null && frame.parent === null && isAppAddress(frame.url) && event.sender === window()?.contents;
  };
  const on = (channel: string, answer: (event: IpcMainEvent, argument: unknown) => void) =>
    ipcMain.on(channel, (event, argument: unknown) => {
      if (fromPage(event)) answer(event, argument);
    });
  const handle = (channel: string, answer: (argument: unknown) => unknown) =>
    ipcMain.handle(channel, (event, argument: unknown) => {
      if (!fromPage(event)) throw new Error("refused");
      return answer(argument);
    });

  on(CHANNEL.connect, (event) => {
    const { port1, port2 } = new MessageChannelMain();
    // The page's end closes at once where there is no engine: the page waits a moment and asks again.
    if (!connect(port1)) port1.close();
    event.senderFrame?.postMessage(CHANNEL.port, null, [port2]);
  });
  on(CHANNEL.screenChosen, (_event, choice) => picker.answer(choice));

  handle(CHANNEL.chooseFolder, async (start) => {
    const parent = window()?.window;
    if (parent === undefined) return null;
    const { canceled, filePaths } = await dialog.showOpenDialog(parent, {
      title: desktopStrings.chooseFolder,
      properties: ["openDirectory", "createDirectory"],
      ...(isAbsolutePath(start) ? { defaultPath: start } : {}),
    });
    return canceled ? null : (filePaths[0] ?? null);
  });
  handle(CHANNEL.showInFolder, (file) => {
    if (isAbsolutePath(file) && existsSync(file)) shell.showItemInFolder(file);
  });
  handle(CHANNEL.installUpdate, () => updates.install());
  handle(CHANNEL.opensAtLogin, () => (hasLoginItems() ? app.getLoginItemSettings().openAtLogin : null));
  handle(CHANNEL.setOpensAtLogin, (open) => {
    if (hasLoginItems()) app.setLoginItemSettings({ openAtLogin: open === true });
  });
}

function isAbsolutePath(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_PATH_CHARACTERS && path.isAbsolute(value);
}

function hasLoginItems(): boolean {
  return process.platform === "darwin" || process.platform === "win32";
}
