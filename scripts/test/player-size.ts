import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Step } from "./step.ts";

/** PLY1: what a first visit may download before the first frame, bytes. */
const FIRST_LOAD_BUDGET = 250_000;

const TEXT = /[.](html|js|css|svg|webmanifest)$/;
const BINARY = /[.](woff2?|png|jpe?g|webp|avif|ico|wasm)$/;

/** One file of the built player with the bytes that travel for it. */
export interface SentFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Everything in the built player that a browser may ask for, as it travels: text with gzip, which is what browsers
 * take over plain HTTP. Chunks loaded late are counted too, so this is the most that a first visit can cost.
 */
export function sentFiles(dist: string): readonly SentFile[] {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => TEXT.test(file) || BINARY.test(file))
    .map((file) => {
      const bytes = readFileSync(file);
      return {
        name: path.relative(dist, file),
        bytes: TEXT.test(file) ? gzipSync(bytes, { level: 9 }).length : bytes.length,
      };
    })
    .sort((a, b) => b.bytes - a.bytes);
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
      const files = sentFiles(dist);
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { name, bytes } of files) process.stdout.write(`${String(bytes).padStart(9)}  ${name}\n`);
      const note = `${(total / 1000).toFixed(1)} kB of ${FIRST_LOAD_BUDGET / 1000} kB`;
      const fits = total <= FIRST_LOAD_BUDGET;
      return { passed: fits ? 1 : 0, failed: fits ? 0 : 1, skipped: 0, notes: [note] };
    },
  };
}
