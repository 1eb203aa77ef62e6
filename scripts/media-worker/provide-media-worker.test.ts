import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { release, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installedMediasoup } from "../../apps/backend/src/sfu/worker-program.ts";
import { MediaWorkerError, type MediaWorkerOptions, provideMediaWorker } from "./provide-media-worker.ts";
import { tryRouter } from "./router-trial.ts";
import { recipeHash } from "./worker-build.ts";

const RUNS = "#!/bin/sh\nexit 41\n";
const PREFIX = `${installedMediasoup()!.version}-${process.platform}-${process.arch}-`;

let folder: string;
let server: Server | undefined;
let written: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "klieg-media-worker-"));
  written = "";
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const inFolder = (...names: string[]) => path.join(folder, ...names);
const caches = () => [inFolder("checkout"), inFolder("user")];
const built = (cache: string) => inFolder(cache, `${PREFIX}${recipeHash()}`, "mediasoup-worker");
const prebuilt = (cache: string) => inFolder(cache, `${PREFIX}prebuilt`, "mediasoup-worker");

function program(file: string, text: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

/** A PATH with a shell's tools and those given, as scripts. */
function tools(scripts: Record<string, string>): NodeJS.ProcessEnv {
  for (const [name, script] of Object.entries(scripts)) program(inFolder("bin", name), `#!/bin/sh\n${script}\n`);
  for (const name of ["sh", "cat", "chmod", "mkdir", "sleep", "tar", "gzip", "printf", "kill"]) {
    const [found] = ["/bin", "/usr/bin"].map((bin) => path.join(bin, name)).filter(existsSync);
    if (found !== undefined && !existsSync(inFolder("bin", name))) {
      program(inFolder("bin", name), `#!/bin/sh\nexec ${found} "$@"\n`);
    }
  }
  program(inFolder("include", "flatbuffers", "flatbuffers.h"), "");
  return {
    PATH: inFolder("bin"),
    CPLUS_INCLUDE_PATH: inFolder("include"),
    // Nothing listens there: no prebuilt worker, at once.
    MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: "http://127.0.0.1:9",
  };
}

/** Fakes of everything that the build runs: meson makes a folder, ninja a program. */
const BUILD_TOOLS = {
  "c++": "exit 0",
  "pkg-config": "exit 0",
  flatc: "exit 0",
  meson: 'mkdir -p "$2" && printf x > "$2/build.ninja"; echo "$@" >> "$2/../meson.log"',
  ninja: `echo '[1/2] one'; echo '[2/2] two'; printf '#!/bin/sh\\nexit 41\\n' > "$2/mediasoup-worker"; chmod +x "$2/mediasoup-worker"`,
};

const provide = (environment: NodeJS.ProcessEnv, more: Partial<MediaWorkerOptions> = {}) =>
  provideMediaWorker({
    environment,
    signal: new AbortController().signal,
    write: (text) => {
      written += text;
    },
    terminal: true,
    caches: caches(),
    install: undefined,
    check: async () => undefined,
    ...more,
  });

async function releases(respond: Parameters<typeof createServer>[1]): Promise<NodeJS.ProcessEnv> {
  server = createServer(respond as never).listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ...tools({}), PATH: process.env.PATH, MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: base };
}

describe.skipIf(process.platform !== "linux")("the media worker (RTC1)", { timeout: 60_000 }, () => {
  test("that KLIEG_MEDIASOUP_WORKER names is taken, or its failure told", async () => {
    const own = program(inFolder("own"), RUNS);
    expect(await provide({ KLIEG_MEDIASOUP_WORKER: own })).toBe(own);
    await expect(provide({ KLIEG_MEDIASOUP_WORKER: inFolder("none") })).rejects.toThrow("does not run");
  });

  test("that is kept is taken without a word, this checkout's before the user's", async () => {
    program(built("user"), RUNS);
    expect(await provide(tools({}))).toBe(built("user"));
    program(prebuilt("checkout"), RUNS);
    expect(await provide(tools({}))).toBe(prebuilt("checkout"));
    expect(written).toBe("");
  });

  test("is mediasoup's own build where that can be had; a second checkout takes it from the user's cache", async () => {
    const worker = `${RUNS}# ${randomBytes(3_000_000).toString("hex")}\n`;
    program(inFolder("release", "mediasoup-worker"), worker);
    spawnSync("tar", ["-czf", inFolder("worker.tgz"), "-C", inFolder("release"), "mediasoup-worker"]);
    const asked: string[] = [];
    const environment = await releases((request, response) => {
      asked.push(request.url ?? "");
      if (request.url?.startsWith("/elsewhere") !== true) {
        response.writeHead(302, { location: "/elsewhere" }).end();
        return;
      }
      // As an old server sends it: it ends with the connection.
      response.writeHead(200, { connection: "close" });
      response.shouldKeepAlive = false;
      response.end(readFileSync(inFolder("worker.tgz")));
    });
    expect(await provide(environment)).toBe(prebuilt("checkout"));
    const { version } = installedMediasoup()!;
    const kernel = release().split(".")[0];
    expect(asked).toEqual([
      `/${version}/mediasoup-worker-${version}-${process.platform}-${process.arch}-kernel${kernel}.tgz`,
      "/elsewhere",
    ]);
    expect(readFileSync(prebuilt("user"), "utf8")).toBe(worker);
    expect(readdirSync(inFolder("checkout"))).toEqual([`${PREFIX}prebuilt`]);

    rmSync(inFolder("checkout"), { recursive: true });
    expect(await provide(environment)).toBe(prebuilt("user"));
    expect(asked).toHaveLength(2);
  });

  test.each([
    [
      "none for this machine",
      (response: { writeHead(code: number): { end(): void } }) => response.writeHead(404).end(),
    ],
    ["that cannot be unpacked", (response: { end(text: string): void }) => response.end("<html>")],
    ["cannot be reached", (response: { destroy(): void }) => response.destroy()],
    [
      "breaks off",
      (response: { write(text: string, then: () => void): void; destroy(): void }) => {
        response.write("half", () => response.destroy());
      },
    ],
    [
      "leads in a circle",
      (response: { writeHead(code: number, headers: object): { end(): void } }) =>
        response.writeHead(302, { location: "/again" }).end(),
    ],
  ])("is built here where its own build %s", async (_, respond) => {
    const environment = await releases((_request, response) => respond(response as never));
    const { PATH } = tools(BUILD_TOOLS);
    expect(await provide({ ...environment, PATH })).toBe(built("checkout"));
    expect(existsSync(built("user"))).toBe(true);
    expect(written).toContain("media worker: 2 of 2 built");
    expect(readdirSync(inFolder("checkout"))).toEqual([`${PREFIX}${recipeHash()}`]);
  });

  test("is built anew where the one that is kept does not run any more, or is of another recipe", async () => {
    program(built("checkout"), "#!/bin/sh\nexit 127\n");
    program(built("user"), "#!/bin/sh\nexit 127\n");
    program(inFolder("checkout", `${PREFIX}before`, "mediasoup-worker"), RUNS);
    program(inFolder("checkout", `3.0.0-${process.platform}-x`, "mediasoup-worker"), RUNS);
    expect(await provide(tools(BUILD_TOOLS))).toBe(built("checkout"));
    expect(readFileSync(built("user"), "utf8")).toBe(RUNS);
    expect(readdirSync(inFolder("checkout")).sort()).toEqual(
      [`3.0.0-${process.platform}-x`, `${PREFIX}${recipeHash()}`].sort(),
    );
  });

  test("without a compiler and libraries names exactly what is missing", async () => {
    const { flatc: _, ...rest } = BUILD_TOOLS;
    const environment = tools({ ...rest, "pkg-config": 'case "$2" in libuv) exit 1;; esac; exit 0' });
    const failed = provide(environment);
    await expect(failed).rejects.toThrow(MediaWorkerError);
    await expect(failed).rejects.toThrow(/sudo apt install flatbuffers-compiler libuv1-dev$/m);
  });

  test("installs what is missing where it may, and says so", async () => {
    const { flatc, ...rest } = BUILD_TOOLS;
    const asked: string[][] = [];
    const install = async (names: readonly string[]) => {
      asked.push([...names]);
      program(inFolder("bin", "flatc"), `#!/bin/sh\n${flatc}\n`);
    };
    expect(await provide(tools(rest), { install })).toBe(built("checkout"));
    expect(asked).toEqual([["flatbuffers-compiler"]]);
    expect(written).toContain("Installing what the media worker is built with: flatbuffers-compiler");
  });

  test("a build that fails is told in the tools' words, and nothing is kept", async () => {
    const failed = provide(tools({ ...BUILD_TOOLS, ninja: "echo 'srtp.h: no such file'; exit 1" }));
    await expect(failed).rejects.toThrow("srtp.h: no such file");
    expect(existsSync(built("checkout"))).toBe(false);
    expect(existsSync(built("user"))).toBe(false);
  });

  test("what was built and does nothing is not kept", async () => {
    const failed = provide(tools(BUILD_TOOLS), { check: tryRouter });
    await expect(failed).rejects.toThrow("what was built does not run");
    expect(existsSync(built("checkout"))).toBe(false);
  });

  test("a build that was stopped goes on where it was; one whose remains are broken begins again", async () => {
    const stop = new AbortController();
    const stopped = provide(tools({ ...BUILD_TOOLS, ninja: "echo '[1/2] one'; sleep 60" }), {
      signal: stop.signal,
      write: (text) => {
        if (text.includes("1 of 2")) stop.abort(new Error("stopped"));
      },
    });
    await expect(stopped).rejects.toThrow("stopped");
    const log = inFolder("checkout", `.building-${recipeHash()}`, "meson.log");
    expect(readFileSync(log, "utf8").split("\n")).toHaveLength(2);

    // The first time it fails, and the second it has been set up anew.
    const ninja = `if [ -e "$2/../again" ]; then ${BUILD_TOOLS.ninja}; else exit 1; fi`;
    const meson = `${BUILD_TOOLS.meson}; printf x > "$2/../again"`;
    expect(await provide(tools({ ...BUILD_TOOLS, ninja, meson }))).toBe(built("checkout"));
  });

  test("is installed by one command at a time; another waits and takes what it made", async () => {
    const once = `if [ -e "${inFolder("made")}" ]; then exit 1; fi; printf x > "${inFolder("made")}"; sleep 0.3; ${BUILD_TOOLS.ninja}`;
    const environment = tools({ ...BUILD_TOOLS, ninja: once });
    const programs = await Promise.all([provide(environment), provide(environment)]);
    expect(programs).toEqual([built("checkout"), built("checkout")]);
    expect(written).toContain("Another command is installing the media worker");
    expect(existsSync(inFolder("user", "install.lock"))).toBe(false);
  });

  test("a lock of one that was killed holds nobody up", async () => {
    const killed = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    mkdirSync(inFolder("user"), { recursive: true });
    writeFileSync(inFolder("user", "install.lock"), `${killed.pid}`);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(await provide(tools(BUILD_TOOLS))).toBe(built("checkout"));
  });

  test("works without a home to share it in", async () => {
    writeFileSync(inFolder("file"), "");
    const environment = tools(BUILD_TOOLS);
    const options = { caches: [inFolder("checkout"), inFolder("file", "klieg")] };
    expect(await provide(environment, options)).toBe(built("checkout"));
    expect(await provide(environment, options)).toBe(built("checkout"));
  });
});
