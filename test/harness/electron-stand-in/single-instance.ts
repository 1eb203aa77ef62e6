import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import path from "node:path";

/** @returns whether this is the first app with that data; else the first is told of this one's arguments. */
export function announceInstance(data: string, args: readonly string[]): boolean {
  const folder = path.join(data, "instances");
  mkdirSync(folder, { recursive: true });
  const lock = path.join(data, "instance.lock");
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    process.once("exit", () => rmSync(lock, { force: true }));
    return true;
  } catch {
    const file = path.join(folder, `${process.pid}.json`);
    writeFileSync(`${file}.new`, JSON.stringify(args));
    renameSync(`${file}.new`, file);
    return false;
  }
}

/** Calls back with the arguments of every other instance that is started. */
export function listenForInstances(data: string, onInstance: (args: string[]) => void): void {
  const folder = path.join(data, "instances");
  const look = () => {
    for (const name of readdirSync(folder).filter((each) => each.endsWith(".json"))) {
      const file = path.join(folder, name);
      const args = JSON.parse(readFileSync(file, "utf8")) as string[];
      rmSync(file);
      onInstance(args);
    }
  };
  watch(folder, { persistent: false }, look);
}
