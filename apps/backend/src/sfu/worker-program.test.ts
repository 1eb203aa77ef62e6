import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findWorkerProgram, tryWorkerProgram, workerCaches } from "./worker-program.ts";

const NAME = process.platform === "win32" ? "mediasoup-worker.exe" : "mediasoup-worker";
const PREFIX = `${createRequire(import.meta.url)("mediasoup").version}-${process.platform}-${process.arch}-`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "klieg-worker-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(cache: string, build: string, script = "exit 41"): string {
  const file = path.join(folder, cache, build, NAME);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("the worker program", () => {
  const caches = () => [path.join(folder, "checkout"), path.join(folder, "user")];

  it("is the one that KLIEG_MEDIASOUP_WORKER names, before all others", () => {
    program("checkout", `${PREFIX}a`);
    expect(findWorkerProgram({ KLIEG_MEDIASOUP_WORKER: "/opt/worker" }, caches())).toBe("/opt/worker");
  });

  it("is the newest build for this mediasoup, of this checkout before the user's", () => {
    const users = program("user", `${PREFIX}a`);
    expect(findWorkerProgram({}, caches())).toBe(users);
    const older = program("checkout", `${PREFIX}a`);
    utimesSync(older, 1, 1);
    expect(findWorkerProgram({}, caches())).toBe(older);
    const newer = program("checkout", `${PREFIX}b`);
    program("checkout", `3.0.0-${process.platform}-${process.arch}-c`);
    mkdirSync(path.join(folder, "checkout", `${PREFIX}half`));
    expect(findWorkerProgram({}, caches())).toBe(newer);
  });

  it("is looked for where XDG_CACHE_HOME says", () => {
    expect(workerCaches({ XDG_CACHE_HOME: "/var/c" })[1]).toBe(path.join("/var/c", "klieg", "mediasoup-worker"));
  });
});

describe.skipIf(process.platform === "win32")("whether it runs", () => {
  it("is seen by its exit code", async () => {
    expect(await tryWorkerProgram(program("c", "good"))).toBeUndefined();
  });

  it("is told in the loader's words where a library has gone", async () => {
    const broken = program("c", "broken", "echo 'error while loading shared libraries: libuv.so.1' >&2; exit 127");
    expect(await tryWorkerProgram(broken)).toBe("error while loading shared libraries: libuv.so.1");
    expect(await tryWorkerProgram(program("c", "silent", "exit 1"))).toBe("it ended with 1");
    expect(await tryWorkerProgram(path.join(folder, "nowhere"))).toContain("ENOENT");
  });
});
