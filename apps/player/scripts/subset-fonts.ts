/**
 * Cuts the two typefaces down to what nearly every page shows, so that the first load stays small. The rest of Inter
 * (accents, Greek, Cyrillic, Vietnamese) comes from `@fontsource-variable/inter` by `unicode-range`, only when a page has such
 * a letter. The result is committed; run `npm run fonts -w apps/player` after a new version of a typeface.
 */
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import subsetFont from "subset-font";

const require = createRequire(import.meta.url);

/** Printable ASCII. */
const ASCII = String.fromCodePoint(...Array.from({ length: 95 }, (_, index) => 0x20 + index));

const cuts = [
  {
    from: require.resolve("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"),
    to: "inter-ui.woff2",
    // Keep in step with the unicode-range of theme/fonts.css.
    text: `${ASCII}\u00a0·×–—‘’“”…\u2212`,
    axes: { wght: { min: 400, max: 700 } },
    features: ["kern", "calt", "ccmp", "mark", "mkmk", "tnum", "case", "cv11", "ss03"],
  },
  {
    from: require.resolve("@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2"),
    to: "jetbrains-mono-ui.woff2",
    text: `${ASCII}\u00a0·×–\u2212`,
    axes: { wght: { min: 400, max: 600 } },
    // No ligatures: "->" and "!=" stay what was typed.
    features: ["ccmp", "zero"],
  },
];

for (const cut of cuts) {
  const whole = await readFile(cut.from);
  const subset = await subsetFont(whole, cut.text, {
    targetFormat: "woff2",
    variationAxes: cut.axes,
    keepFeatures: cut.features,
    noHinting: true,
  });
  await writeFile(new URL(`../src/theme/fonts/${cut.to}`, import.meta.url), subset);
  process.stdout.write(`${cut.to}: ${whole.length} → ${subset.length} bytes\n`);
}
