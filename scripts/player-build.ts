import { spawnSync } from "node:child_process";
import { readdirSync, statSync, utimesSync } from "node:fs";
import path from "node:path";

// Builds the web player where its last build is missing or older than what it is built from.

const ROOT = path.resolve(import.meta.dirname, "..");
const PAGE = path.join(ROOT, "apps/player/dist/index.html");
const SOURCES = ["apps/player", "packages/protocol", "package-lock.json", "tsconfig.base.json", "turbo.json"];
const MADE = new Set(["dist", "node_modules", ".turbo", "coverage"]);

const built = statSync(PAGE, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (built < newestOf(SOURCES)) {
  process.stdout.write("Building the player …\n");
  const turbo = spawnSync("turbo", ["run", "build", "--filter=@klieg/player", "--output-logs=new-only"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (turbo.error !== undefined) throw turbo.error;
  if (turbo.status !== 0) {
    process.stderr.write("The player could not be built; the reason is above.\n");
    process.exit(turbo.status ?? 1);
  }
  // A build that turbo took from its cache keeps the time at which it was first made.
  const now = new Date();
  utimesSync(PAGE, now, now);
}

/** Time of the latest change below `places`, ms; folders count, for what was deleted from them. */
function newestOf(places: readonly string[]): number {
  let newest = 0;
  const visit = (place: string) => {
    const found = statSync(place);
    newest = Math.max(newest, found.mtimeMs);
    if (!found.isDirectory()) return;
    for (const name of readdirSync(place)) if (!MADE.has(name)) visit(path.join(place, name));
  };
  for (const place of places) visit(path.join(ROOT, place));
  return newest;
}
