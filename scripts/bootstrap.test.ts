import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { environmentFor, explain, firstDifference, installDependencies, pinnedNode } from "./bootstrap.mjs";

const RUN = path.join(import.meta.dirname, "run.mjs");

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "klieg-bootstrap-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (file: string, content: unknown) => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), typeof content === "string" ? content : JSON.stringify(content));
};
const locks = (wanted: object, installed: object | undefined) => {
  write("package-lock.json", { packages: { "": {}, ...wanted } });
  if (installed !== undefined) write("node_modules/.package-lock.json", { packages: installed });
};

describe("what is installed against what the lock file names", () => {
  const zod = { version: "4.0.0", integrity: "sha512-a" };

  test("the same", () => {
    locks({ "packages/base": {}, "node_modules/zod": zod }, { "node_modules/zod": zod });
    expect(firstDifference(root)).toBeUndefined();
  });

  test("nothing installed, or an installation that was cut short", () => {
    locks({ "node_modules/zod": zod }, undefined);
    expect(firstDifference(root)).toBe("none are installed yet");
  });

  test("a package added, and one at another version", () => {
    locks({ "node_modules/zod": zod, "node_modules/a/node_modules/b": zod }, { "node_modules/zod": zod });
    expect(firstDifference(root)).toBe("b is missing");
    locks({ "node_modules/zod": zod }, { "node_modules/zod": { ...zod, version: "4.0.1" } });
    expect(firstDifference(root)).toBe("zod is another version");
    locks({ "node_modules/zod": zod }, { "node_modules/zod": { ...zod, integrity: "sha512-b" } });
    expect(firstDifference(root)).toBe("zod is another version");
  });

  test("a package for another platform may be missing", () => {
    locks(
      { "node_modules/zod": zod, "node_modules/only-mac": { ...zod, optional: true } },
      { "node_modules/zod": zod },
    );
    expect(firstDifference(root)).toBeUndefined();
  });

  test("a workspace that is not linked", () => {
    locks({ "node_modules/@klieg/base": { link: true } }, {});
    expect(firstDifference(root)).toBe("@klieg/base is not linked");
  });

  test("this checkout has everything", async () => {
    await installDependencies(path.resolve(import.meta.dirname, ".."));
  });
});

describe("what is said when the installation fails", () => {
  test.each([
    ["npm error code ENOTFOUND", "is this machine online"],
    ["npm error code EAI_AGAIN", "is this machine online"],
    ["npm error code ECONNREFUSED", "connection to the package registry failed"],
    ["npm error code E503", "registry failed to deliver"],
    ["npm error code E404", "registry failed to deliver"],
    ["npm error code E401", "registry refused access"],
    ["npm error code ENOSPC\nnpm error nospc", "disk is full"],
    ["npm error code EACCES", "may not be written"],
    ["npm error code EINTEGRITY", "arrived damaged"],
    ["npm error code EUSAGE", "do not agree"],
    ["npm error something new", "npm's own words are above"],
  ])("%s", (output, words) => {
    expect(explain(undefined, output).message).toContain(words);
  });

  test("npm's failure against a registry that is not there reaches the person in words", () => {
    const manifest = { name: "x", version: "1.0.0", dependencies: { zod: "4.0.0" } };
    write("package.json", manifest);
    write("package-lock.json", {
      name: "x",
      version: "1.0.0",
      lockfileVersion: 3,
      packages: {
        "": manifest,
        "node_modules/zod": { version: "4.0.0", resolved: "http://127.0.0.1:9/zod.tgz", integrity: "sha512-AAAA" },
      },
    });
    const script = `import { installDependencies } from ${JSON.stringify(path.join(import.meta.dirname, "bootstrap.mjs"))};
      await installDependencies(${JSON.stringify(root)}).catch((error) => { console.log(error.message); process.exit(7); });`;
    const npm = { npm_config_registry: "http://127.0.0.1:9/", npm_config_fetch_retries: "0", npm_config_cache: root };
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      env: { ...process.env, ...npm },
    });
    expect(run.stdout).toContain("connection to the package registry failed");
    expect(run.status).toBe(7);
  });
});

describe("the pinned Node.js", () => {
  const broken = path.join("node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

  test("is the one of this checkout, and its folder comes first on the PATH", () => {
    const node = pinnedNode(path.resolve(import.meta.dirname, ".."));
    expect(spawnSync(node, ["--version"], { encoding: "utf8" }).stdout).toMatch(/^v24\./);
    const env = environmentFor(node, { Path: `/a${path.delimiter}/b` }, "/checkout");
    expect(env.Path).toBe(
      [path.dirname(node), path.join("/checkout", "node_modules", ".bin"), "/a", "/b"].join(path.delimiter),
    );
    expect(environmentFor(node, env, "/checkout").Path).toBe(env.Path);
    expect(env.NODE_COMPILE_CACHE).toBe(path.join("/checkout", ".cache", "node-compile"));
    expect(environmentFor(node, { NODE_COMPILE_CACHE: "/mine" }, "/checkout").NODE_COMPILE_CACHE).toBe("/mine");
  });

  test("one that does not run here gives way to the machine's own, if that is as new", () => {
    write("node_modules/node/package.json", { version: "24.0.0" });
    write(broken, "#!/bin/false\n");
    chmodSync(path.join(root, broken), 0o755);
    expect(pinnedNode(root)).toBe(process.execPath);
  });

  test("without one as new, says what to install", () => {
    write("node_modules/node/package.json", { version: "99.1.0" });
    write(broken, "#!/bin/false\n");
    chmodSync(path.join(root, broken), 0o755);
    expect(() => pinnedNode(root)).toThrow("Install Node.js 99 or newer yourself");
  });
});

describe("run.mjs", () => {
  test("an unknown command names the known ones", () => {
    const run = spawnSync(process.execPath, [RUN, "strat"], { encoding: "utf8" });
    expect(run.stderr).toMatch(/"strat" is none of: start, .*test/);
    expect(run.status).toBe(1);
  });

  test("the exit code of the script is kept", () => {
    const run = spawnSync(process.execPath, [RUN, "fuzz", "no-such-target"], { encoding: "utf8" });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("no such target");
  });
});

describe.skipIf(process.platform === "win32")("a running script", () => {
  /** Ends with 42 when it is told to end, and says so. */
  const WAITS = `process.on("SIGTERM", () => { console.log("told"); process.exit(42); });
    setInterval(() => {}, 1000); console.log("up");`;
  const runsIt = () => `import { run } from ${JSON.stringify(path.join(import.meta.dirname, "bootstrap.mjs"))};
    const { code } = await run(process.execPath, [${JSON.stringify(path.join(root, "waits.mjs"))}], process.env);
    process.exit(code);`;

  test("gets the signals, and its way of ending is kept", async () => {
    write("waits.mjs", WAITS);
    const child = spawn(process.execPath, ["--input-type=module", "-e", runsIt()], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(42);
  });

  test("is told to end when npm's shell is gone", async () => {
    write("waits.mjs", WAITS);
    write("runs.mjs", runsIt());
    // The second command keeps the shell from making way for the first.
    const shell = spawn("sh", ["-c", `"${process.execPath}" "${path.join(root, "runs.mjs")}"; true`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, npm_lifecycle_event: "start" },
    });
    const output = shell.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
    expect((await output.next()).value).toBe("up\n");
    shell.kill("SIGTERM");
    expect((await output.next()).value).toBe("told\n");
    expect((await output.next()).done).toBe(true);
  });
});

describe.skipIf(process.platform === "win32")("a script beside another", () => {
  /** Writes a file when its standard input has ended, which is how it is told to end. */
  const beside = (ignoring: boolean) => {
    write(
      "beside.mjs",
      `import { writeFileSync } from "node:fs";
      process.stdin.once("end", () => { writeFileSync(${JSON.stringify(path.join(root, "ended"))}, ""); ${ignoring ? "" : "process.exit();"} }).resume();
      setInterval(() => {}, 1000); console.log(process.pid);`,
    );
    return path.relative(path.resolve(import.meta.dirname, ".."), path.join(root, "beside.mjs"));
  };
  const starts = (script: string, then: string) =>
    `import { startBeside } from ${JSON.stringify(path.join(import.meta.dirname, "bootstrap.mjs"))};
    const end = startBeside(process.execPath, [${JSON.stringify(script)}], process.env);
    ${then}`;
  const node = (code: string) =>
    spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = async (pid: number) => {
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 5000 });
  };

  test.each([
    ["ends when that one has", false],
    ["is killed where it does not end", true],
  ])("%s", async (_, ignoring) => {
    const parent = node(starts(beside(ignoring), "process.stdin.resume(); setTimeout(end, 500);"));
    const [pid] = await once(parent.stdout, "data");
    const [code] = await once(parent, "exit");
    expect(code).toBe(0);
    await gone(Number(pid));
    expect(existsSync(path.join(root, "ended"))).toBe(true);
  });

  test("ends when everything above it is killed", async () => {
    const parent = node(starts(beside(false), "setInterval(() => {}, 1000);"));
    const [pid] = await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    await gone(Number(pid));
  });
});
