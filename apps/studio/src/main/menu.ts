import type { MenuItemConstructorOptions } from "electron";
import { desktopStrings } from "../renderer/strings/desktop.ts";

export interface MenuActions {
  /** A command of the page, by its name. */
  readonly command: (name: string) => void;
  readonly reload: () => void;
  readonly quit: () => void;
}

/**
 * The app's menu. Keys of the page's commands are the page's: the menu names commands and takes no key from it, but for those
 * that every app of a platform has.
 */
export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): MenuItemConstructorOptions[] {
  const words = desktopStrings.menu;
  const command = (label: string, name: string): MenuItemConstructorOptions => ({
    label,
    click: () => actions.command(name),
  });
  const settings = command(words.preferences, "settings");
  const quit: MenuItemConstructorOptions = {
    label: words.quit,
    accelerator: "CommandOrControl+Q",
    click: actions.quit,
  };
  const separator: MenuItemConstructorOptions = { type: "separator" };
  const mac = platform === "darwin";
  return [
    ...(mac
      ? [
          {
            label: desktopStrings.product,
            submenu: [
              { role: "about" as const },
              separator,
              settings,
              separator,
              { role: "services" as const },
              separator,
              { role: "hide" as const },
              { role: "hideOthers" as const },
              { role: "unhide" as const },
              separator,
              quit,
            ],
          },
        ]
      : []),
    ...(mac ? [] : [{ label: words.file, submenu: [settings, separator, quit] }]),
    {
      label: words.edit,
      submenu: [
        command(words.undo, "show.undo"),
        command(words.redo, "show.redo"),
        separator,
        { role: "cut" },
        { role: "copy" },
        { role: "paste" },
        { role: "selectAll" },
      ],
    },
    {
      label: words.broadcast,
      submenu: [
        command(words.goLive, "go_live"),
        separator,
        command(words.record, "record"),
        command(words.saveReplay, "save_replay"),
      ],
    },
    {
      label: words.view,
      submenu: [{ label: words.reload, click: actions.reload }, separator, { role: "togglefullscreen" }],
    },
    { label: words.window, role: "windowMenu" },
    { label: words.help, role: "help", submenu: [command(words.keys, "window.help")] },
  ];
}
