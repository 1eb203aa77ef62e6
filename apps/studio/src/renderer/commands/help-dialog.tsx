import { useState } from "react";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { strings } from "../strings.ts";
import type { CommandGroup } from "./command-registry.ts";
import { keyLabel } from "./key-combination.ts";

const GROUPS: readonly CommandGroup[] = ["broadcast", "show", "scenes", "stage", "item", "window"];

/** Every command with its keys, straight from the registry; a click does it. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  const { commands } = useServices();
  const [filter, setFilter] = useState("");
  const words = filter.trim().toLowerCase();
  const found = commands.list().filter((command) => command.label().toLowerCase().includes(words));
  return (
    <Dialog title={strings.commands.helpTitle} onClose={onClose} className="help">
      <input
        className="input"
        type="search"
        placeholder={strings.commands.helpFilter}
        aria-label={strings.commands.helpFilter}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      {found.length === 0 ? <p className="empty">{strings.commands.helpNothing}</p> : null}
      <div className="help-groups">
        {GROUPS.map((group) => {
          const list = found.filter((command) => command.group === group);
          if (list.length === 0) return null;
          return (
            <section key={group}>
              <h3 className="h">{strings.commands.groups[group]}</h3>
              <ul>
                {list.map((command) => (
                  <li key={command.id}>
                    <button
                      type="button"
                      disabled={!commands.isEnabled(command.id)}
                      onClick={() => {
                        onClose();
                        commands.run(command.id);
                      }}
                    >
                      <span className="grow ell">{command.label()}</span>
                      {commands.keysOf(command.id).map((key) => (
                        <kbd key={key}>{keyLabel(key, commands.mac)}</kbd>
                      ))}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </div>
    </Dialog>
  );
}
