import { combinationOf, type KeyCombination, type KeyPress } from "./key-combination.ts";

export type CommandGroup = "show" | "scenes" | "stage" | "item" | "broadcast" | "window";

/** Something the studio can be told to do: by a key, a menu, the tray or a button. */
export interface Command {
  /** As settings and the engine's `command` event name it, e.g. `scene.1`. */
  readonly id: string;
  readonly group: CommandGroup;
  /** What the help dialog calls it now. */
  readonly label: () => string;
  /** What it has where the user chose nothing. */
  readonly keys?: readonly KeyCombination[];
  /** Whether it can be done now; always, where this is left out. */
  readonly enabled?: () => boolean;
  readonly run: () => void;
}

/** What the element with the focus does with keys itself. */
export interface FocusedElement {
  /** Whether text is typed into it. */
  readonly text: boolean;
  /** Whether it moves by arrows: a slider, a list, tabs, a choice. */
  readonly arrows: boolean;
  /** Whether it is pressed with Space and Enter. */
  readonly pressable: boolean;
}

const ARROWS = /^(Arrow(Left|Right|Up|Down)|Home|End|PageUp|PageDown)$/;
const FUNCTION_KEY = /^F\d+$/;

/** All commands and their keys, in one place: what is not here has no key and is not in the help. */
export class CommandRegistry {
  readonly mac: boolean;
  readonly #commands = new Map<string, Command>();
  readonly #listeners = new Set<() => void>();
  #chosen: Readonly<Record<string, KeyCombination>> = {};
  #byKey: Map<KeyCombination, Command[]> | undefined;
  #version = 0;

  /** @param mac whether Control means the command key. */
  constructor(mac: boolean) {
    this.mac = mac;
  }

  /** Adds commands until disposed. @throws where an id is taken. */
  register(...commands: readonly Command[]): Disposable {
    for (const { id } of commands) if (this.#commands.has(id)) throw new Error(`the command ${id} is there already`);
    for (const command of commands) this.#commands.set(command.id, command);
    this.#changed();
    return {
      [Symbol.dispose]: () => {
        for (const command of commands) {
          if (this.#commands.get(command.id) === command) this.#commands.delete(command.id);
        }
        this.#changed();
      },
    };
  }

  /** The user's own keys, by command; the others have their default. */
  chooseKeys(chosen: Readonly<Record<string, KeyCombination>>): void {
    this.#chosen = chosen;
    this.#changed();
  }

  list(): readonly Command[] {
    return [...this.#commands.values()];
  }

  /** The keys of a command, the first being the one to show. An empty choice takes its key away. */
  keysOf(id: string): readonly KeyCombination[] {
    const chosen = this.#chosen[id];
    if (chosen !== undefined) return chosen === "" ? [] : [chosen];
    return this.#commands.get(id)?.keys ?? [];
  }

  isEnabled(id: string): boolean {
    const command = this.#commands.get(id);
    return command !== undefined && (command.enabled?.() ?? true);
  }

  /** @returns whether there was such a command and it could be done. */
  run(id: string): boolean {
    const command = this.#commands.get(id);
    if (command === undefined || !(command.enabled?.() ?? true)) return false;
    command.run();
    return true;
  }

  /** Runs what a key press means. @returns whether it meant anything: then the browser is to do nothing with it. */
  press(press: KeyPress, focused: FocusedElement | undefined): boolean {
    const combination = combinationOf(press, this.mac);
    if (combination === undefined || belongsToElement(combination, focused)) return false;
    const commands = this.#keyTable().get(combination);
    if (commands === undefined) return false;
    const command = commands.find(({ enabled }) => enabled?.() ?? true);
    command?.run();
    // A key of the studio that can do nothing now is not the browser's either: F5 would reload the page in mid-show.
    return command !== undefined || FUNCTION_KEY.test(press.code);
  }

  /** Told when commands or keys change. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Grows with each change of commands or keys. */
  version = (): number => this.#version;

  #keyTable(): Map<KeyCombination, Command[]> {
    if (this.#byKey !== undefined) return this.#byKey;
    const table = new Map<KeyCombination, Command[]>();
    for (const command of this.#commands.values()) {
      for (const key of this.keysOf(command.id)) {
        const commands = table.get(key);
        if (commands === undefined) table.set(key, [command]);
        // Of two commands with one key, the one whose key was chosen by hand comes first.
        else if (this.#chosen[command.id] !== undefined) commands.unshift(command);
        else commands.push(command);
      }
    }
    this.#byKey = table;
    return table;
  }

  #changed(): void {
    this.#byKey = undefined;
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

function belongsToElement(combination: KeyCombination, focused: FocusedElement | undefined): boolean {
  if (focused === undefined) return false;
  const parts = combination.split("+");
  const key = parts.pop() ?? "";
  // Text fields have undo, copy and so on of their own; only function keys pass.
  if (focused.text) return !FUNCTION_KEY.test(key);
  if (parts.includes("Control") || parts.includes("Meta")) return false;
  if (focused.arrows && ARROWS.test(key)) return true;
  return focused.pressable && (key === "Space" || key === "Enter");
}
