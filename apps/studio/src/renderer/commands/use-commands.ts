import { useEffect, useRef, useSyncExternalStore } from "react";
import { useServices } from "../services.ts";
import type { Command } from "./command-registry.ts";
import { keyLabel } from "./key-combination.ts";

/** Offers commands while the component is there. The list may be a new one at each rendering; ids and keys may not change. */
export function useCommands(list: readonly Command[]): void {
  const { commands } = useServices();
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const now = (id: string) => latest.current.find((command) => command.id === id);
    const registration = commands.register(
      ...latest.current.map((command) => ({
        ...command,
        label: () => (now(command.id) ?? command).label(),
        enabled: () => now(command.id)?.enabled?.() ?? true,
        run: () => now(command.id)?.run(),
      })),
    );
    return () => registration[Symbol.dispose]();
  }, [commands]);
}

/** The key to show beside a control, e.g. "Ctrl+Z"; undefined where the command has none. */
export function useKeyLabel(id: string): string | undefined {
  const { commands } = useServices();
  useSyncExternalStore(commands.subscribe, commands.version);
  const key = commands.keysOf(id)[0];
  return key === undefined ? undefined : keyLabel(key, commands.mac);
}
