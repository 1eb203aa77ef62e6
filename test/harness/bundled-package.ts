import { createRequire } from "node:module";
import { build } from "vite";

const bundled = new Map<string, Promise<string>>();

/** An npm package as a browser's script that defines `global` with the package's exports. */
export function bundledPackage(specifier: string, global: string): Promise<string> {
  const key = `${specifier} ${global}`;
  let script = bundled.get(key);
  if (script === undefined) {
    script = build({
      configFile: false,
      logLevel: "error",
      // What they import of Node's they have from npm packages of the same name.
      resolve: { alias: { events: createRequire(import.meta.url).resolve("events/") } },
      build: {
        write: false,
        minify: false,
        lib: {
          entry: createRequire(import.meta.url).resolve(specifier),
          formats: ["iife"],
          name: global,
          fileName: global,
        },
      },
    }).then((built) => {
      const [output] = [built].flat();
      if (output === undefined || !("output" in output)) throw new Error(`${specifier} was not bundled`);
      return output.output[0].code;
    });
    bundled.set(key, script);
  }
  return script;
}
