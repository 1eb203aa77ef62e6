import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { fontsFor } from "./font-faces.ts";
import { firstLoad, playerSizeStep } from "./player-size.ts";

const CSS = `
@font-face{font-family:Inter;src:url(/assets/greek.woff2)format("woff2");unicode-range:U+370-3FF}
@font-face{font-family:Inter;src:url(/assets/latin.woff2)format("woff2");unicode-range:U+??,U+2026}
@font-face{font-family:Inter;src:url(/assets/ui.woff2)format("woff2");unicode-range:U+20-7E}
@font-face{font-family:'Mono';src:url("/assets/mono.woff2")}`;

test("only the fonts that the text needs are loaded, the last rule first", () => {
  expect(fontsFor(CSS, "Live")).toEqual(["/assets/ui.woff2", "/assets/mono.woff2"]);
  expect(fontsFor(CSS, "é")).toEqual(["/assets/latin.woff2", "/assets/mono.woff2"]);
  expect(fontsFor(CSS, "Aβ…")).toEqual([
    "/assets/ui.woff2",
    "/assets/greek.woff2",
    "/assets/latin.woff2",
    "/assets/mono.woff2",
  ]);
});

test("text counts as it travels, what a first visit does not ask for not at all", async () => {
  const root = mkdtempSync(path.join(tmpdir(), "klieg-size-"));
  try {
    const dist = path.join(root, "apps/player/dist");
    mkdirSync(path.join(dist, "assets"), { recursive: true });
    const write = (name: string, content: string | Buffer) => writeFileSync(path.join(dist, name), content);
    write("index.html", "<p>".repeat(1000));
    write("card.png", Buffer.alloc(500_000));
    write("assets/a.js", "x".repeat(100_000));
    write("assets/a.js.br", "x".repeat(500_000));
    write("assets/a.js.map", "x".repeat(500_000));
    write("assets/a.css", CSS.replace("U+??,U+2026", "U+100-17F").replace("U+20-7E", "U+0-FFFF"));
    for (const name of ["greek", "latin", "mono"]) write(`assets/${name}.woff2`, Buffer.alloc(10_000));
    write("assets/ui.woff2", Buffer.alloc(200_000));
    expect(firstLoad(dist).map(({ name }) => name)).toEqual([
      "assets/ui.woff2",
      "assets/mono.woff2",
      "assets/a.css",
      "assets/a.js",
      "index.html",
    ]);
    expect(await playerSizeStep().run({ root, filters: [] })).toMatchObject({ passed: 1, failed: 0 });
    write("assets/ui.woff2", Buffer.alloc(260_000));
    expect(await playerSizeStep().run({ root, filters: [] })).toMatchObject({ passed: 0, failed: 1 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
