import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

// npm leaves out what a registry could not tell it about when the lock file was written, and `npm ci` then refuses the
// whole file; on those other platforms the missing packages are the ones that matter.
const LOCK_FILES = ["package-lock.json", "apps/studio/packaging/builder/package-lock.json"];

test.each(LOCK_FILES)("%s has the packages of every platform", (name) => {
  const file = path.resolve(import.meta.dirname, "..", name);
  const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockedPackage> };
  const missing = Object.entries(packages).flatMap(([location, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !isLocked(packages, location, name))
      .map((name) => `${name}, for ${location}`),
  );
  expect(missing).toEqual([]);
});

/** Whether Node would find `name` from `location`: there, or in a folder above. */
function isLocked(packages: Readonly<Record<string, unknown>>, location: string, name: string): boolean {
  const steps = location.split("/");
  const folders = ["", ...steps.map((_, index) => `${steps.slice(0, index + 1).join("/")}/`)];
  return folders.some((folder) => `${folder}node_modules/${name}` in packages);
}
