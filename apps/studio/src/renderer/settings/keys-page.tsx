import { type KeyboardEvent, useState, useSyncExternalStore } from "react";
import { useRequest } from "../broadcast/use-request.ts";
import { combinationOf, keyLabel } from "../commands/key-combination.ts";
import { useServices } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";
import { rebind, unbind } from "./rebind.ts";

const words = settingsStrings.keys;

/** Commands that a key may reach while another program is in front, in the app. */
const GLOBAL = ["go_live", "end_stream", "record", "save_replay", "mute_microphones"];

/** Every command with its key: a press changes it. */
export function KeysPage() {
  const { commands, engine, toasts } = useServices();
  useSyncExternalStore(commands.subscribe, commands.version);
  const settings = useEngine((state) => state.settings);
  const desktop = useEngine((state) => state.welcome?.host === "electron");
  const { problem, ask } = useRequest();
  const [filter, setFilter] = useState("");
  if (settings === undefined) return null;
  const { keys, global_keys: globalKeys } = settings;
  const list = commands.list();
  const found = list.filter((command) => command.label().toLowerCase().includes(filter.trim().toLowerCase()));
  const labelOf = (id: string) => list.find((command) => command.id === id)?.label() ?? id;
  const shown = (key: string | undefined) =>
    key === undefined || key === "" ? words.none : keyLabel(key, commands.mac);
  const choose = (id: string, key: string) => {
    const rebound = rebind(keys, id, key, new Map(list.map((command) => [command.id, commands.keysOf(command.id)])));
    if (rebound.loser !== undefined) toasts.show(words.taken(shown(key), labelOf(rebound.loser)));
    void ask(() => engine.changeSettings({ keys: rebound.keys }));
  };
  return (
    <>
      <div className="row">
        <p className="hint grow">{words.intro}</p>
        <button
          type="button"
          className="btn ghost small"
          disabled={Object.keys(keys).length === 0}
          onClick={() => void ask(() => engine.changeSettings({ keys: {} }))}
        >
          {words.resetAll}
        </button>
      </div>
      <input
        className="input"
        type="search"
        placeholder={words.filter}
        aria-label={words.filter}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      <ul className="key-list">
        {found.map(({ id, label }) => (
          <li key={id}>
            <span className="grow ell">{label()}</span>
            {keys[id] === undefined ? null : (
              <button
                type="button"
                className="btn ghost small"
                aria-label={words.reset(label())}
                onClick={() => void ask(() => engine.changeSettings({ keys: unbind(keys, id) }))}
              >
                {words.resetShort}
              </button>
            )}
            <KeyButton
              command={label()}
              shown={shown(commands.keysOf(id)[0])}
              onKey={(key) => choose(id, key)}
              mac={commands.mac}
            />
          </li>
        ))}
      </ul>
      {desktop ? (
        <section>
          <p className="hint">{words.globalIntro}</p>
          <ul className="key-list">
            {GLOBAL.map((id) => (
              <li key={id}>
                <span className="grow ell">{labelOf(id)}</span>
                <KeyButton
                  command={words.globalOf(labelOf(id))}
                  shown={shown(globalKeys[id])}
                  mac={commands.mac}
                  onKey={(key) => {
                    const changed = key === "" ? unbind(globalKeys, id) : { ...globalKeys, [id]: key };
                    void ask(() => engine.changeSettings({ global_keys: changed }));
                  }}
                />
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function KeyButton(props: {
  readonly command: string;
  readonly shown: string;
  readonly mac: boolean;
  readonly onKey: (key: string) => void;
}) {
  const { command, shown, mac, onKey } = props;
  const [waiting, setWaiting] = useState(false);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!waiting || event.code === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.code === "Escape") {
      setWaiting(false);
      return;
    }
    const key = event.code === "Delete" || event.code === "Backspace" ? "" : combinationOf(event.nativeEvent, mac);
    if (key === undefined) return;
    setWaiting(false);
    onKey(key);
  };
  return (
    <button
      type="button"
      className="btn small key-button num"
      aria-label={words.change(command, shown)}
      aria-pressed={waiting}
      onClick={() => setWaiting(true)}
      onBlur={() => setWaiting(false)}
      onKeyDown={onKeyDown}
    >
      {waiting ? words.press : shown}
    </button>
  );
}
