// Brings a checkout to the point where TypeScript can run: dependencies as the lock file names them, and the
// pinned Node.js that comes with them. Plain JavaScript for Node 20, with nothing but what Node itself brings.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const WINDOWS = process.platform === "win32";
/** The same signal again so soon is the same request by another way. */
const REPEATED_MS = 1000;
const PARENT_WATCH_MS = 500;
const BESIDE_GRACE_MS = 3000;

/** The scripts that each command of package.json runs, one after another, the last with the arguments given. */
export const COMMANDS = {
  start: ["scripts/page-builds.ts", "apps/backend/src/main.ts"],
  "studio:web": ["scripts/page-builds.ts", "apps/studio/src/web/main.ts"],
  "studio:package": ["scripts/page-builds.ts", "apps/studio/packaging/package-app.ts"],
  test: ["scripts/test.ts"],
  demo: ["scripts/demo.ts"],
  fuzz: ["packages/base/src/fuzz/command.ts"],
  bench: ["scripts/bench.ts"],
};

/** What runs beside the last script of a command, until it is done or that script ends. */
const BESIDE = {
  start: ["scripts/media-worker.ts", "--background"],
};

/** What went wrong and what to do, in words for whoever typed the command. */
export class BootstrapError extends Error {
  name = "BootstrapError";
}

/** Runs the scripts of `command`; the process ends with the exit code, or by the signal, of the one that ended it. */
export async function main(command, args) {
  const scripts = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (scripts === undefined) {
    throw new BootstrapError(`"${command}" is none of: ${Object.keys(COMMANDS).join(", ")}.`);
  }
  await installDependencies(ROOT);
  const node = pinnedNode(ROOT);
  const env = environmentFor(node, process.env, ROOT);
  for (const [index, script] of scripts.entries()) {
    const last = index === scripts.length - 1;
    const endBeside =
      last && BESIDE[command] !== undefined
        ? startBeside(node, BESIDE[command], { ...env, NODE_USE_ENV_PROXY: "1" })
        : undefined;
    const { code, signal } = await run(node, [path.join(ROOT, script), ...(last ? args : [])], env);
    await endBeside?.();
    if (signal !== null) await endBy(signal);
    if (code !== 0 || last) process.exit(code);
  }
}

// Dependencies -------------------------------------------------------------------------------------------------------

/** Installs what package-lock.json names, unless it is all there already. */
export async function installDependencies(root) {
  const missing = firstDifference(root);
  if (missing === undefined) return;
  const unlock = await takeInstallLock(root);
  try {
    // Another command may have installed everything while this one waited for it.
    if (firstDifference(root) === undefined) return;
    say(`Installing dependencies (${missing}). This takes a minute or two the first time.`);
    const started = performance.now();
    const ticker = setInterval(() => showElapsed(started), 1000);
    try {
      await npmCi(root);
    } finally {
      clearInterval(ticker);
    }
    const still = firstDifference(root);
    if (still !== undefined) {
      throw new BootstrapError(
        `npm reported success, yet ${still}.\nDelete node_modules and run the same command again.`,
      );
    }
    say(`Dependencies installed in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  } finally {
    unlock();
  }
}

/**
 * Where the installed packages differ from package-lock.json, in words; undefined where they do not. npm writes the
 * hidden lock file last, so an installation that was cut short has none.
 */
export function firstDifference(root) {
  let wanted;
  try {
    wanted = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  } catch (error) {
    throw new BootstrapError(`package-lock.json cannot be read: ${error.message}. Is the checkout complete?`);
  }
  let installed;
  try {
    installed = JSON.parse(readFileSync(path.join(root, "node_modules", ".package-lock.json"), "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return "none are installed yet";
    return "what is installed cannot be told";
  }
  for (const [location, entry] of Object.entries(wanted)) {
    const name = location.split("node_modules/").at(-1);
    const there = installed[location];
    if (location.includes("node_modules/") === false) {
      continue; // A workspace itself: what it needs is listed by the other entries.
    }
    if (entry.link) {
      if (!existsSync(path.join(root, location))) return `${name} is not linked`;
    } else if (there === undefined) {
      // Optional ones are left out where they are for another platform or would not build.
      if (!entry.optional && !entry.devOptional && !entry.peer) return `${name} is missing`;
    } else if (there.version !== entry.version || (entry.integrity && there.integrity !== entry.integrity)) {
      return `${name} is another version`;
    }
  }
  return undefined;
}

/** One installation at a time: `npm start` and `npm run demo` are often typed into two terminals at once. */
async function takeInstallLock(root) {
  try {
    return await takeLock(path.join(root, ".cache", "install.lock"), () =>
      say("Another command is installing the dependencies; waiting for it …"),
    );
  } catch (error) {
    throw explain(error, "");
  }
}

/**
 * Makes `file` with this process's id in it, as soon as no other process that lives has it.
 * @param {string} file
 * @param {() => void} onWait called once, where another has it.
 * @param {AbortSignal} [signal] ends the waiting.
 * @returns {Promise<() => void>} what gives the lock back.
 */
export async function takeLock(file, onWait, signal) {
  mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; ; ) {
    signal?.throwIfAborted();
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = Number(readFileSync(file, { encoding: "utf8", flag: "a+" }));
    const fresh = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (holder > 0 ? !isAlive(holder) : Date.now() - fresh > 5000) rmSync(file, { force: true });
    else {
      if (!told) onWait();
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function npmCi(root) {
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  // npm tells which npm started us; that one matches the user's installation best.
  const viaNode = process.env.npm_execpath !== undefined && /npm-cli\.[cm]?js$/.test(process.env.npm_execpath);
  const [command, commandArgs] = viaNode ? [process.execPath, [process.env.npm_execpath, ...args]] : ["npm", args];
  const child = spawn(command, commandArgs, {
    cwd: root,
    stdio: ["ignore", "inherit", "pipe"],
    // npm is a batch file on Windows, which only the shell can start; the arguments above are constants.
    shell: WINDOWS && !viaNode,
    // A package for tests brings its own FFmpeg from elsewhere unless told not to; nothing here runs that one. And
    // mediasoup fetches its worker, or builds it for minutes, unless it believes that there is one: scripts/media-worker
    // sees to that, where it is wanted.
    env: { ...process.env, SKIP_FFMPEG: "true", MEDIASOUP_WORKER_BIN: process.env.MEDIASOUP_WORKER_BIN || "later" },
  });
  let tail = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text) => {
    process.stderr.write(text);
    tail = (tail + text).slice(-20_000);
  });
  const { code, signal, error } = await new Promise((resolve) => {
    child.once("error", (failure) => resolve({ error: failure }));
    child.once("close", (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
  });
  if (error?.code === "ENOENT") {
    throw new BootstrapError(
      "npm was not found. It comes with Node.js; on Debian it is a package of its own: apt install npm",
    );
  }
  if (error !== undefined) throw explain(error, tail);
  if (signal !== null) await endBy(signal);
  if (code !== 0) throw explain(undefined, tail);
}

/** Turns a failed installation into words. */
export function explain(error, output) {
  const text = `${error?.code ?? ""} ${error?.message ?? ""} ${output}`;
  const has = (pattern) => pattern.test(text);
  let words = "The dependencies could not be installed; npm's own words are above.";
  if (has(/\bENOSPC\b/)) {
    words = "The disk is full: the dependencies need about 1.2 GB. Make room, then run the same command again.";
  } else if (has(/\b(ENOTFOUND|EAI_AGAIN|ENETUNREACH|ENETDOWN|EHOSTUNREACH|ENOTCACHED)\b/)) {
    words =
      "The package registry cannot be reached: is this machine online, or does npm need a proxy (npm config set proxy URL)?";
  } else if (has(/\b(ETIMEDOUT|ECONNREFUSED|ECONNRESET|ERR_SOCKET_TIMEOUT|ENOAUDIT|FETCH_ERROR)\b/)) {
    words =
      "The connection to the package registry failed. Run the same command again; behind a proxy, set it with npm config set proxy URL.";
  } else if (has(/\bE(401|403)\b/)) {
    words = "The package registry refused access. Look at your registry and token with: npm config list";
  } else if (has(/\bE(404|5\d\d|429)\b/)) {
    words = "The package registry failed to deliver a package. Run the same command again in a minute.";
  } else if (has(/\b(EINTEGRITY)\b/)) {
    words =
      "A package arrived damaged. Clear npm's cache with npm cache clean --force, then run the same command again.";
  } else if (has(/\b(EACCES|EPERM|EROFS)\b/)) {
    words =
      "A file or folder of this checkout may not be written by this user. Make its owner the one who runs this command.";
  } else if (has(/\bEUSAGE\b/)) {
    words = "package.json and package-lock.json do not agree. In a checkout that you changed, run: npm install";
  } else if (error !== undefined) {
    words = `The dependencies could not be installed: ${error.message}`;
  }
  return new BootstrapError(words);
}

// The pinned Node.js -------------------------------------------------------------------------------------------------

/** Path of the Node.js that package.json pins; the machine's own where that is as new and the pinned one cannot run here. */
export function pinnedNode(root) {
  const folder = path.join(root, "node_modules", "node");
  const binary = path.join(folder, "bin", WINDOWS ? "node.exe" : "node");
  const pinned = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")).version;
  // Its script fetches the build for this platform; npm leaves scripts out where it is set to.
  if (!existsSync(binary)) {
    say(`Fetching Node.js ${pinned} …`);
    spawnSync(process.execPath, ["installArchSpecificPackage.js"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  if (existsSync(binary)) {
    const stamp = path.join(root, "node_modules", ".klieg-node-runs");
    const { mtimeMs, size } = statSync(binary);
    const identity = createHash("sha256")
      .update(`${pinned} ${mtimeMs} ${size} ${process.platform} ${process.arch}`)
      .digest("hex");
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === identity) return binary;
    if (spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout?.trim() === `v${pinned}`) {
      writeFileSync(stamp, identity);
      return binary;
    }
  }
  const here = Number(process.versions.node.split(".")[0]);
  if (here >= Number(pinned.split(".")[0])) {
    say(`Node.js ${pinned} does not run on this machine; using its own ${process.versions.node}.`);
    return process.execPath;
  }
  throw new BootstrapError(
    `Node.js ${pinned}, which Klieg brings along, does not run on this machine (${process.platform} ${process.arch}).\n` +
      `Install Node.js ${pinned.split(".")[0]} or newer yourself, then run the same command again.`,
  );
}

/**
 * `base` with the pinned Node and the tools of node_modules found first. What Node.js makes of TypeScript is kept from
 * one start to the next: the backend starts in half the time and holds 20 MB less without what would make it anew.
 */
export function environmentFor(node, base, root) {
  const env = { ...base };
  const key = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  const first = [path.dirname(node), path.join(root, "node_modules", ".bin")];
  const rest = (env[key] ?? "").split(path.delimiter).filter((folder) => folder !== "" && !first.includes(folder));
  env[key] = [...first, ...rest].join(path.delimiter);
  env.NODE_COMPILE_CACHE ??= path.join(root, ".cache", "node-compile");
  return { ...env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" };
}

// Processes ----------------------------------------------------------------------------------------------------------

/** Runs `node` with `args` in the caller's folder until it ends, passing signals on. */
export async function run(node, args, env) {
  const child = spawn(node, args, { stdio: "inherit", env });
  const signals = ["SIGTERM", "SIGHUP", "SIGINT"];
  const passedOn = new Map();
  const passOn = (signal) => {
    // A terminal sends Ctrl-C to the child as well, and npm repeats what it was sent itself; to the child a second
    // signal would mean "at once".
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    const last = passedOn.get(signal) ?? Number.NEGATIVE_INFINITY;
    passedOn.set(signal, performance.now());
    if (performance.now() - last > REPEATED_MS) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, passOn);
  // npm's shell dies of the signal that npm was sent and does not hand it on: its end has to do.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
    clearInterval(watch);
    passOn("SIGTERM");
  }, PARENT_WATCH_MS);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
  } finally {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, passOn);
  }
}

/**
 * Starts a script that goes on beside another. It ends by itself, or when its standard input does: also when this
 * process is killed.
 * @returns what ends it before.
 */
export function startBeside(node, [script, ...args], env) {
  const child = spawn(node, [path.join(ROOT, script), ...args], { stdio: ["pipe", "inherit", "inherit"], env });
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
    child.once("error", (error) => {
      say(`${script} could not be started: ${error.message}`);
      resolve(undefined);
    });
  });
  child.stdin.on("error", () => undefined);
  return async () => {
    child.stdin.end();
    const insist = setTimeout(() => child.kill("SIGKILL"), BESIDE_GRACE_MS);
    await ended;
    clearTimeout(insist);
  };
}

/** Ends this process the way its child ended. */
function endBy(signal) {
  process.kill(process.pid, signal);
  // Only a signal that this process ignores leaves it alive for that long.
  return new Promise(() => setTimeout(() => process.exit(1), 1000));
}

/** npm says nothing while it works; a terminal shows at least that time passes. */
function showElapsed(started) {
  if (process.stderr.isTTY) process.stderr.write(`  ${Math.round((performance.now() - started) / 1000)} s\r`);
}

function say(words) {
  process.stderr.write(`${words}\n`);
}
