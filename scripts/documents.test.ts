import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const documents = ["README.md", "CONTRIBUTING.md", ...globSync("{docs,bench,deploy}/**/*.md", { cwd: ROOT })];
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");

test("the README's table names every setting of the backend and no other", () => {
  const table = [...read("README.md").matchAll(/^\| `(KLIEG_[A-Z_]+)` \|/gm)].map(([, name]) => name);
  const settings = [...read("apps/backend/src/config.ts").matchAll(/^ {2}(KLIEG_[A-Z_]+):/gm)].map(([, name]) => name);
  expect(settings.length).toBeGreaterThan(10);
  expect(table.toSorted()).toEqual(settings.toSorted());
});

test("the README's table gives the defaults that the backend has", () => {
  const rows = [...read("README.md").matchAll(/^\| `(KLIEG_[A-Z_]+)` \| `([^`]*)` \|/gm)];
  const config = read("apps/backend/src/config.ts");
  for (const [, name, value] of rows) {
    const declaration = new RegExp(`^  ${name}: (?:.|\\n)*?[.]default\\((.*?)\\)[,;]?$`, "m").exec(config);
    const inCode = declaration?.[1]?.replaceAll(/["_]/g, "").replace("true", "1").replace("false", "0");
    expect(`${name} ${inCode}`).toBe(`${name} ${value}`);
  }
  expect(rows.length).toBeGreaterThan(10);
});

describe.each(documents)("%s", (file) => {
  test("links to files that are there", () => {
    const links = [...read(file).matchAll(/\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g)].map(([, target]) => target ?? "");
    const local = links.filter((target) => !/^[a-z]+:/.test(target));
    const missing = local.filter((target) => !existsSync(path.join(ROOT, path.dirname(file), target)));
    // Benches write this one.
    expect(missing.filter((target) => target !== "RESULTS.md")).toEqual([]);
  });
});

test("every npm command that a document names is one of package.json", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = documents.flatMap((file) =>
    [...read(file).matchAll(/npm run ([a-z]+(?::[a-z]+)*)/g)].map(([, name]) => name ?? ""),
  );
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});
