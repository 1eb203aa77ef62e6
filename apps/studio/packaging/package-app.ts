import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, cp, mkdir, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { bundleApp } from "./bundle-app.ts";

// `npm run studio:package -- [ARGUMENTS OF ELECTRON-BUILDER]`: makes the desktop app's packages for this system, or what the
// arguments ask for; the page is built before. Settings, all of them optional:
//   KLIEG_UPDATE_URL     where installed apps look for newer ones: an https address with the packages and latest*.yml
//   KLIEG_ELECTRON_DIST  a folder with an unpacked Electron, instead of fetching it
//   KLIEG_PACKAGE_AUTHOR, KLIEG_PACKAGE_HOMEPAGE  who hands the packages out: "Name <address>", and where to ask them
//   KLIEG_PACKAGE_FFMPEG the FFmpeg that goes along, instead of the one in node_modules

const ROOT = path.resolve(import.meta.dirname, "../../..");
const OUT = path.join(ROOT, "dist/studio");
const BUILDER = path.join(import.meta.dirname, "builder");
const require = createRequire(import.meta.url);

await installBuilder();
await bundleApp({ into: path.join(OUT, "app"), page: path.join(ROOT, "apps/studio/dist") });
await provideFfmpeg(path.join(OUT, "ffmpeg"));

const { KLIEG_UPDATE_URL: updateUrl, KLIEG_ELECTRON_DIST: electronDist } = process.env;
const { version: electronVersion } = require("electron/package.json") as { version: string };
await run(process.execPath, [
  path.join(BUILDER, "node_modules/electron-builder/cli.js"),
  "--projectDir",
  ROOT,
  "--config",
  path.join(ROOT, "electron-builder.yml"),
  "--publish",
  "never",
  `-c.electronVersion=${electronVersion}`,
  ...(electronDist === undefined ? [] : [`-c.electronDist=${path.resolve(electronDist)}`]),
  ...(updateUrl === undefined ? [] : ["-c.publish.provider=generic", `-c.publish.url=${updateUrl}`]),
  ...process.argv.slice(2),
]);

/**
 * electron-builder brings two hundred packages, which nobody needs who only starts or tests Klieg: it has a lock file of its own.
 * None of its packages' scripts is needed, and one would fetch a program.
 */
async function installBuilder(): Promise<void> {
  const wanted = await readVersion("package-lock.json");
  const there = await readVersion("node_modules/.package-lock.json");
  if (wanted === there) return;
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], BUILDER);
}

async function readVersion(lockFile: string): Promise<string | undefined> {
  const text = await readFile(path.join(BUILDER, lockFile), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { packages } = JSON.parse(text) as { packages: Record<string, { integrity?: string }> };
  return packages["node_modules/electron-builder"]?.integrity;
}

async function provideFfmpeg(into: string): Promise<void> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  const program = process.platform === "win32" ? "ffmpeg.exe" : "ffmpeg";
  const given = process.env.KLIEG_PACKAGE_FFMPEG;
  const source = given ?? installedFfmpeg();
  await copyFile(source, path.join(into, program));
  await chmod(path.join(into, program), 0o755);
  // Its licence asks that its text goes along.
  const folder = path.dirname(source);
  for (const text of ["README.md", "LICENSE", "COPYING"]) {
    if ((await stat(path.join(folder, text)).catch(() => undefined))?.isFile()) {
      await cp(path.join(folder, text), path.join(into, text));
    }
  }
}

/** The one that comes with `packages/ffmpeg`. @throws where there is none for this system. */
function installedFfmpeg(): string {
  const of = createRequire(path.join(ROOT, "packages/ffmpeg/package.json"));
  return (of("@ffmpeg-installer/ffmpeg") as { path: string }).path;
}

/** @throws where it fails. */
async function run(command: string, args: readonly string[], cwd = ROOT): Promise<void> {
  const shell = process.platform === "win32" && command === "npm";
  const child = spawn(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"], shell });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}`);
}
