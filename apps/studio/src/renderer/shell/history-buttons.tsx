import { useKeyLabel } from "../commands/use-commands.ts";
import { useServices, useShow } from "../services.ts";
import { strings } from "../strings.ts";
import { HelpIcon, RedoIcon, UndoIcon } from "./icons.tsx";

/** Undo, redo and the help: what is always at hand. */
export function HistoryButtons() {
  const { commands } = useServices();
  const undo = useShow((state) => state.undoLabel);
  const redo = useShow((state) => state.redoLabel);
  const words = strings.commands;
  const undoKey = useKeyLabel("show.undo");
  const redoKey = useKeyLabel("show.redo");
  const helpKey = useKeyLabel("window.help");
  const hint = (name: string, key: string | undefined) => (key === undefined ? name : `${name} (${key})`);
  const undoName = undo === undefined ? words.undo : words.undoWhat(undo);
  const redoName = redo === undefined ? words.redo : words.redoWhat(redo);
  return (
    <span className="row history">
      <button
        type="button"
        className="icon-btn"
        aria-label={undoName}
        title={hint(undoName, undoKey)}
        disabled={undo === undefined}
        onClick={() => commands.run("show.undo")}
      >
        <UndoIcon />
      </button>
      <button
        type="button"
        className="icon-btn"
        aria-label={redoName}
        title={hint(redoName, redoKey)}
        disabled={redo === undefined}
        onClick={() => commands.run("show.redo")}
      >
        <RedoIcon />
      </button>
      <button
        type="button"
        className="icon-btn"
        aria-label={strings.shell.help}
        title={hint(strings.shell.help, helpKey)}
        onClick={() => commands.run("window.help")}
      >
        <HelpIcon />
      </button>
    </span>
  );
}
