import type { KeyCombination } from "../commands/key-combination.ts";

/** The chosen keys after one was given to a command, and who lost it. */
export interface Rebound {
  readonly keys: Readonly<Record<string, KeyCombination>>;
  /** The command that had the key before; undefined where nobody had. */
  readonly loser: string | undefined;
}

/**
 * Gives a command a key of its own: whoever had it has none from then on.
 * @param chosen the keys that were chosen so far.
 * @param key empty: it is to have none.
 * @param keysOf the keys of every command, as they are.
 */
export function rebind(
  chosen: Readonly<Record<string, KeyCombination>>,
  command: string,
  key: KeyCombination,
  keysOf: ReadonlyMap<string, readonly KeyCombination[]>,
): Rebound {
  const loser = key === "" ? undefined : [...keysOf].find(([id, keys]) => id !== command && keys.includes(key))?.[0];
  const keys = { ...chosen, [command]: key };
  return { keys: loser === undefined ? keys : { ...keys, [loser]: "" }, loser };
}

/** The chosen keys without those of a command: it has its own again. */
export function unbind(
  chosen: Readonly<Record<string, KeyCombination>>,
  command: string,
): Readonly<Record<string, KeyCombination>> {
  return Object.fromEntries(Object.entries(chosen).filter(([id]) => id !== command));
}
