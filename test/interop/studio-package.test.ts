import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../harness/child.ts";
import { StandInApp } from "../harness/electron-stand-in/stand-in-app.ts";
import { requirePackages } from "../harness/required-packages.ts";

// The desktop app as electron-builder packages it for Linux, around a stub in place of Electron's own program, which cannot be
// had where this is tested. What the package holds is real; that it starts is shown on the stand-in for Electron alone.

const ROOT = path.resolve(import.meta.dirname, "../..");
const PACKAGED = path.join(ROOT, "dist/studio/packages/linux-unpacked");
const ASAR = path.join(PACKAGED, "resources/app.asar");

/** What electron-builder's own reader of archives exports. */
interface AsarReader {
  listPackage(archive: string): string[];
  extractFile(archive: string, file: string): Buffer;
  extractAll(archive: string, into: string): void;
}

/** Where Electron's program keeps its switches: a mark, a version, how many there are, and one character for each. */
const FUSE_MARK = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";
const FUSES = ["1", "0", "1", "1", "0", "0", "0", "1", "1"];

const STUB = Buffer.concat([
  Buffer.from("A stub.\n"),
  Buffer.from(FUSE_MARK),
  Buffer.from([1, FUSES.length]),
  Buffer.from(FUSES.join("")),
]);

let folder: string;
let asar: AsarReader;
let files: string[];

beforeAll(async () => {
  requirePackages("chromium");
  folder = await mkdtemp(path.join(tmpdir(), "klieg-package-"));
  const electron = path.join(folder, "electron");
  await mkdir(path.join(electron, "resources"), { recursive: true });
  await writeFile(path.join(electron, "electron"), STUB, { mode: 0o755 });

  await run(process.execPath, [path.join(ROOT, "scripts/page-builds.ts")]);
  await rm(PACKAGED, { recursive: true, force: true });
  await packageApp(electron, "--linux");
  const builder = createRequire(path.join(ROOT, "apps/studio/packaging/builder/package.json"));
  asar = createRequire(builder.resolve("app-builder-lib"))("@electron/asar") as AsarReader;
  // Folders end nowhere in the list; what has something below it is one.
  const listed = asar.listPackage(ASAR).map((file) => file.slice(1));
  files = listed.filter((file) => !listed.some((other) => other.startsWith(`${file}/`)));
});

/** Packages the app for `system`, around the Electron in that folder. */
async function packageApp(electron: string, system: "--linux" | "--mac"): Promise<void> {
  const ffmpeg = path.join(folder, "ffmpeg");
  await writeFile(ffmpeg, "#!/bin/sh\n", { mode: 0o755 });
  await run(
    "env",
    [
      `KLIEG_ELECTRON_DIST=${electron}`,
      `KLIEG_PACKAGE_FFMPEG=${ffmpeg}`,
      "KLIEG_UPDATE_URL=https://updates.klieg.example/studio",
      process.execPath,
      path.join(ROOT, "apps/studio/packaging/package-app.ts"),
      system,
      "dir",
      "--x64",
    ],
    110_000,
  );
}

afterAll(() => rm(folder, { recursive: true, force: true }));

const content = (file: string) => asar.extractFile(ASAR, file).toString("utf8");

describe("the packaged desktop app (STU9)", () => {
  test("holds the bundles, the page and the icons, and nothing else: no sources, tests or modules", () => {
    const outside = files.filter((file) => !file.startsWith("page/"));
    expect(outside.sort()).toEqual([
      "engine.mjs",
      "icons/tray-on-air.png",
      "icons/tray-on-air@2x.png",
      "icons/tray.png",
      "icons/tray@2x.png",
      "main.cjs",
      "package.json",
      "preload.cjs",
    ]);
    const page = files.filter((file) => file.startsWith("page/"));
    expect(page).toContain("page/index.html");
    expect(page.filter((file) => !/\.(html|js|css|woff2|wasm|tflite|svg|png|md)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /node_modules|\.tsx?$|\.map$|[.-]test\./.test(file))).toEqual([]);
    expect(JSON.parse(content("package.json"))).toMatchObject({ name: "klieg", main: "main.cjs" });
  });

  test("needs nothing that is not in it: modules, files of the page", () => {
    for (const bundle of ["main.cjs", "preload.cjs", "engine.mjs"]) {
      const code = content(bundle);
      const needed = [
        ...code.matchAll(/\brequire\("([^"]+)"\)/g),
        ...code.matchAll(/^(?:import|export)\b[^"'\n]*["']([^"']+)["'];$/gm),
        ...code.matchAll(/\bimport\("([^"]+)"\)/g),
      ].map(([, name = ""]) => name);
      expect(needed.length).toBeGreaterThan(0);
      expect(
        needed.filter((name) => !isBuiltin(name) && name !== "electron"),
        bundle,
      ).toEqual([]);
    }
    const referenced = [...content("page/index.html").matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => file);
    expect(referenced.length).toBeGreaterThan(1);
    for (const file of referenced) expect(files).toContain(`page/${file}`);
  });

  test("has its program's switches set, an FFmpeg beside it, and knows where newer ones are (SEC5)", async () => {
    const program = await readFile(path.join(PACKAGED, "klieg"));
    const at = program.indexOf(FUSE_MARK) + FUSE_MARK.length + 2;
    // runAsNode, cookie encryption, NODE_OPTIONS, --inspect, archive's integrity, only from the archive, …, file://.
    expect([...program.subarray(at, at + FUSES.length).toString()].toSpliced(6, 1).slice(0, 7)).toEqual([
      "0",
      "1",
      "0",
      "0",
      "1",
      "1",
      "0",
    ]);
    expect((await stat(path.join(PACKAGED, "resources/ffmpeg/ffmpeg"))).mode & 0o111).toBe(0o111);
    const update = await readFile(path.join(PACKAGED, "resources/app-update.yml"), "utf8");
    expect(update).toContain("provider: generic\nurl: https://updates.klieg.example/studio\n");
  });

  test("starts from what the archive holds, on the stand-in for Electron", async () => {
    const extracted = path.join(folder, "extracted");
    asar.extractAll(ASAR, extracted);
    await using app = await StandInApp.start(extracted);
    await app.note("shown");
    expect(await app.evaluate("document.title")).toContain("Klieg");
    app.child.signal("SIGTERM");
    expect(await app.child.exited).toMatchObject({ code: 0 });
  });

  test("tells macOS what it is for: its links, and why it wants camera and microphone", async () => {
    const contents = path.join(folder, "mac/Electron.app/Contents");
    const program = async (app: string, name: string) => {
      await mkdir(path.join(contents, app, "MacOS"), { recursive: true });
      await writeFile(path.join(contents, app, "MacOS", name), STUB, { mode: 0o755 });
      const keys = `<key>CFBundleExecutable</key><string>${name}</string>`;
      await writeFile(
        path.join(contents, app, "Info.plist"),
        `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>${keys}</dict></plist>`,
      );
    };
    await program("", "Electron");
    for (const helper of ["", " (GPU)", " (Renderer)", " (Plugin)"]) {
      await program(`Frameworks/Electron Helper${helper}.app/Contents`, `Electron Helper${helper}`);
    }
    const framework = path.join(contents, "Frameworks/Electron Framework.framework");
    await mkdir(framework, { recursive: true });
    await writeFile(path.join(framework, "Electron Framework"), STUB, { mode: 0o755 });
    await mkdir(path.join(contents, "Resources"), { recursive: true });

    await packageApp(path.join(folder, "mac"), "--mac");
    const packaged = path.join(ROOT, "dist/studio/packages/mac/Klieg.app/Contents");
    const told = await readFile(path.join(packaged, "Info.plist"), "utf8");
    expect(told).toMatch(/<key>CFBundleURLSchemes<\/key>\s*<array>\s*<string>klieg<\/string>/);
    for (const use of ["Camera", "Microphone", "LocalNetwork"]) expect(told).toContain(`NS${use}UsageDescription`);
    // The archive's integrity is the program's to check, by what is written here.
    expect(told).toMatch(/ElectronAsarIntegrity[\s\S]*<string>[0-9a-f]{64}<\/string>/);
    expect((await stat(path.join(packaged, "Resources/icon.icns"))).size).toBeGreaterThan(10_000);
  });
});
