import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { playerSizeStep, sentFiles } from "./player-size.ts";

test("text counts as it travels, other files as they are, maps and precompressed copies not at all", async () => {
  const root = mkdtempSync(path.join(tmpdir(), "klieg-size-"));
  try {
    const dist = path.join(root, "apps/player/dist");
    mkdirSync(path.join(dist, "assets"), { recursive: true });
    writeFileSync(path.join(dist, "index.html"), "<p>".repeat(1000));
    writeFileSync(path.join(dist, "assets/a.js"), "x".repeat(100_000));
    writeFileSync(path.join(dist, "assets/a.js.br"), "x".repeat(500_000));
    writeFileSync(path.join(dist, "assets/a.js.map"), "x".repeat(500_000));
    writeFileSync(path.join(dist, "assets/f.woff2"), Buffer.alloc(200_000));
    const sizes = Object.fromEntries(sentFiles(dist).map(({ name, bytes }) => [name, bytes]));
    expect(Object.keys(sizes).sort()).toEqual(["assets/a.js", "assets/f.woff2", "index.html"]);
    expect(sizes["assets/f.woff2"]).toBe(200_000);
    expect(sizes["assets/a.js"]).toBeLessThan(1000);
    expect(await playerSizeStep().run({ root, filters: [] })).toMatchObject({ passed: 1, failed: 0 });
    writeFileSync(path.join(dist, "assets/g.woff2"), Buffer.alloc(60_000));
    expect(await playerSizeStep().run({ root, filters: [] })).toMatchObject({ passed: 0, failed: 1 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
