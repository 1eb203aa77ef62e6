import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isOnPath } from "./program-path.ts";

/** Whether this machine runs Debian or what is made from it. */
export function isDebian(): boolean {
  if (!existsSync("/etc/os-release")) return false;
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

/** Whether this process may install Debian's packages by itself. */
export function mayInstallDebianPackages(): boolean {
  return isDebian() && process.getuid?.() === 0 && isOnPath("apt-get", process.env.PATH);
}

/** Which of `names` are installed; undefined where that cannot be told. */
export function installedDebianPackages(names: readonly string[]): Set<string> | undefined {
  if (!isDebian()) return undefined;
  // Exits with 1 where one of them is unknown; what it knows, it says all the same: "ii  NAME[:ARCHITECTURE]  …".
  const query = spawnSync("dpkg-query", ["--list", ...names], {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "200" },
  });
  if (query.error !== undefined) return undefined;
  const lines = query.stdout.split("\n").map((line) => line.split(/[\s:]+/));
  return new Set(lines.filter(([status]) => status === "ii").map(([, name]) => name ?? ""));
}

/**
 * Installs packages with apt-get.
 * @param output whether its output is shown as it comes, or only with the error.
 * @throws {Error} when apt-get fails.
 */
export async function installDebianPackages(names: readonly string[], output: "shown" | "kept"): Promise<void> {
  await apt(["update", "-q"], output);
  await apt(["install", "-q", "-y", "--no-install-recommends", ...names], output);
}

async function apt(args: readonly string[], output: "shown" | "kept"): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
    stdio: output === "shown" ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  let kept = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      kept = (kept + text).slice(-4000);
    });
  }
  child.once("error", reject);
  child.once("close", (code, signal) => {
    if (code === 0) return resolve();
    const said = kept === "" ? "" : `:\n${kept.trimEnd()}`;
    reject(new Error(`apt-get ${args[0]} failed with exit code ${code ?? signal}${said}`));
  });
  await promise;
}
