import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { fontsFor } from "./font-faces.ts";
import type { Step } from "./step.ts";

/** PLY1: what a first visit may download before the first frame, bytes. */
const FIRST_LOAD_BUDGET = 250_000;

/** Text that a page of the player is made of; other characters of a channel's title may load another font. */
const PAGE_TEXT = `${String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))}·×–—’“”…`;

/** One file of the built player with the bytes that travel for it. */
export interface SentFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * What a browser asks for on its first visit, as it travels: page, scripts, styles and icon with gzip, which is what
 * browsers take over plain HTTP, and the fonts that the page's text needs. Scripts loaded late are counted too, so
 * this is the most that a first visit can cost.
 */
export function firstLoad(dist: string): readonly SentFile[] {
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" });
  const texts = names.filter((name) => /[.](html|js|css)$/.test(name) || path.basename(name) === "favicon.svg");
  const styles = names
    .filter((name) => name.endsWith(".css"))
    .map((name) => readFileSync(path.join(dist, name), "utf8"));
  const fonts = fontsFor(styles.join("\n"), PAGE_TEXT).map((url) => path.basename(url));
  const files = [
    ...texts.map((name) => ({ name, bytes: gzipSync(readFileSync(path.join(dist, name)), { level: 9 }).length })),
    ...names
      .filter((name) => fonts.includes(path.basename(name)))
      .map((name) => ({ name, bytes: readFileSync(path.join(dist, name)).length })),
  ];
  return files.sort((a, b) => b.bytes - a.bytes);
}

/** A step that holds the built player to its size budget. */
export function playerSizeStep(): Step {
  return {
    name: "size",
    title: "the player's first load within its budget",
    needsSystemPackages: false,
    async run({ root }) {
      const dist = path.join(root, "apps/player/dist");
      if (!existsSync(path.join(dist, "index.html"))) {
        return { passed: 0, failed: 1, skipped: 0, notes: ["the player is not built: npm test -- player size"] };
      }
      const files = firstLoad(dist);
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { name, bytes } of files) process.stdout.write(`${String(bytes).padStart(9)}  ${name}\n`);
      const note = `${(total / 1000).toFixed(1)} kB of ${FIRST_LOAD_BUDGET / 1000} kB`;
      const fits = total <= FIRST_LOAD_BUDGET;
      return { passed: fits ? 1 : 0, failed: fits ? 0 : 1, skipped: 0, notes: [note] };
    },
  };
}
