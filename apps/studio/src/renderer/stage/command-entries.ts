import { useSyncExternalStore } from "react";
import { keyLabel } from "../commands/key-combination.ts";
import { useServices } from "../services.ts";
import type { MenuEntry } from "../shell/menu.tsx";

/** Commands as entries of a menu, with their keys; undefined is a line. Commands that are not there are left out. */
export function useEntries(ids: readonly (string | undefined)[]): (MenuEntry | undefined)[] {
  const { commands } = useServices();
  useSyncExternalStore(commands.subscribe, commands.version);
  const list = new Map(commands.list().map((command) => [command.id, command]));
  return ids.flatMap((id) => {
    if (id === undefined) return [undefined];
    const command = list.get(id);
    if (command === undefined) return [];
    const key = commands.keysOf(id)[0];
    return [
      {
        label: command.label(),
        key: key === undefined ? undefined : keyLabel(key, commands.mac),
        disabled: !commands.isEnabled(id),
        run: () => void commands.run(id),
      },
    ];
  });
}
