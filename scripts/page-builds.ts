import { spawnSync } from "node:child_process";
import { readdirSync, statSync, utimesSync } from "node:fs";
import path from "node:path";

// Builds the pages that the backend serves, the player and the studio, where their last builds are missing or older than what
// they are built from. What is stale is built side by side.

const ROOT = path.resolve(import.meta.dirname, "..");
const SHARED = ["packages/protocol", "packages/room", "package-lock.json", "tsconfig.base.json", "turbo.json"];
const APPS = [
  { name: "player", sources: ["apps/player", ...SHARED] },
  {
    name: "studio",
    sources: ["apps/studio", "packages/base", "packages/media", ...SHARED],
  },
];
const MADE = new Set(["dist", "node_modules", ".turbo", "coverage"]);

const stale = APPS.filter(({ name, sources }) => {
  const built = statSync(pageOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return built < newestOf(sources);
});
if (stale.length > 0) {
  const names = stale.map(({ name }) => name);
  process.stdout.write(`Building the ${names.join(" and the ")} …\n`);
  const filters = names.map((name) => `--filter=@klieg/${name}`);
  const turbo = spawnSync("turbo", ["run", "build", ...filters, "--output-logs=new-only"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (turbo.error !== undefined) throw turbo.error;
  if (turbo.status !== 0) {
    process.stderr.write(`The ${names.join(" or the ")} could not be built; the reason is above.\n`);
    process.exit(turbo.status ?? 1);
  }
  // A build that turbo took from its cache keeps the time at which it was first made.
  const now = new Date();
  for (const name of names) utimesSync(pageOf(name), now, now);
}

function pageOf(app: string): string {
  return path.join(ROOT, "apps", app, "dist/index.html");
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
