import { readFileSync } from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

/** Where Vite lists the licences of the modules that it bundled. */
const LIST = ".vite/license.md";
const ROOT = path.resolve(import.meta.dirname, "../../..");

/** What is in the page as a file, or in a worker of a worker: of that Vite's list knows nothing. */
const FILES = [
  {
    name: "RNNoise, compiled to WebAssembly",
    license: "BSD-3-Clause",
    text: path.join(import.meta.dirname, "licenses/rnnoise.txt"),
  },
  {
    name: "@litertjs/core, @litertjs/wasm-utils, and the model of @mediapipe/selfie_segmentation",
    license: "Apache-2.0",
    text: path.join(ROOT, "LICENSE"),
  },
] as const;

/** Adds to the list of licences what the page carries as files. */
export function pageLicenses(): Plugin {
  return {
    name: "page-licenses",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const list = bundle[LIST];
        if (list?.type !== "asset") throw new Error(`the build has no ${LIST} to add licences to`);
        const others = FILES.map(
          ({ name, license, text }) => `\n## ${name} (${license})\n\n${readFileSync(text, "utf8").trim()}\n`,
        );
        list.source = `${list.source}${others.join("")}`;
      },
    },
  };
}
