import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "vite";
import studioPackage from "../package.json" with { type: "json" };

const STUDIO = path.resolve(import.meta.dirname, "..");

/** What of the app is made from which source. Electron loads JavaScript: of TypeScript within its archive it knows nothing. */
const PROGRAMS = [
  // Electron gives a sandboxed preload script no modules, and finds itself through `require` at any time.
  { source: "src/preload/preload.ts", built: "preload.cjs", format: "cjs" },
  { source: "src/main/main.ts", built: "main.cjs", format: "cjs" },
  { source: "src/main/engine-process.ts", built: "engine.mjs", format: "es" },
] as const;

export interface BundleAppOptions {
  /** Folder that is to hold the app; what was there is deleted. */
  readonly into: string;
  /** The built page. */
  readonly page: string;
  /** To be built; all unless told otherwise. */
  readonly programs?: readonly (typeof PROGRAMS)[number]["built"][];
}

/** Makes the app as Electron runs it: main process, preload script and engine as one file of JavaScript each, the page, a manifest. */
export async function bundleApp({ into, page, programs }: BundleAppOptions): Promise<void> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  for (const { source, built, format } of PROGRAMS) {
    if (programs !== undefined && !programs.includes(built)) continue;
    await build({
      root: STUDIO,
      configFile: false,
      publicDir: false,
      logLevel: "warn",
      ssr: { noExternal: true, target: "node", external: ["electron"] },
      define: { "process.env.NODE_ENV": JSON.stringify("production") },
      build: {
        ssr: source,
        outDir: into,
        emptyOutDir: false,
        target: "node24",
        minify: false,
        rolldownOptions: {
          output: { format, entryFileNames: built, codeSplitting: false },
        },
      },
    });
  }
  await cp(page, path.join(into, "page"), { recursive: true });
  await cp(path.join(STUDIO, "icons"), path.join(into, "icons"), { recursive: true });
  const { version, description, license } = studioPackage;
  // Everything that is needed is in the files: there is nothing to install.
  const manifest = {
    name: "klieg",
    productName: "Klieg",
    version,
    description,
    license,
    // Debian's packages must name both; whoever hands packages out puts their own.
    author: process.env.KLIEG_PACKAGE_AUTHOR ?? "The Klieg authors <studio@klieg.example>",
    homepage: process.env.KLIEG_PACKAGE_HOMEPAGE ?? "https://klieg.example/",
    main: "main.cjs",
  };
  await writeFile(path.join(into, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
