/**
 * The first load of the watch page against its budget: everything that a browser fetches before the first frame, as it travels (PLY1:
 * under 250 kB compressed). Counts what the built page names, and what its style sheet needs for plain text; a check that fails.
 *
 *   npm run size -w apps/player
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const BUDGET = 250_000;
const dist = join(import.meta.dirname, "..", "dist");
if (!existsSync(join(dist, "index.html"))) {
  process.stderr.write("There is no build. Run `npm run build -w apps/player` first.\n");
  process.exit(1);
}

const page = readFileSync(join(dist, "index.html"), "utf8");
const named = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+|favicon\.svg)"/g)].map((match) => match[1] ?? "");
const style = named.filter((name) => name.endsWith(".css")).map((name) => readFileSync(join(dist, name), "utf8"));
// The faces for plain Latin text; the others are fetched only by pages that show other letters.
const faces = [...style.join("").matchAll(/url\(["']?\/(assets\/[^"')]*-ui-[^"')]*\.woff2)/g)].map(
  (match) => match[1] ?? "",
);
const files = ["index.html", ...new Set([...named, ...faces])];

const scripts = files.filter((name) => name.endsWith(".js"));
if (scripts.length < 2 || faces.length < 2 || style.length === 0) {
  process.stderr.write(`The build does not look as expected, so nothing was measured: ${files.join(", ")}\n`);
  process.exit(1);
}

/** Packed already; compressing again would gain nothing. */
const travelsAsIs = (name: string) => name.endsWith(".woff2");
let gzip = 0;
let brotli = 0;
for (const name of files) {
  const bytes = readFileSync(join(dist, name));
  const asGzip = travelsAsIs(name) ? bytes.length : gzipSync(bytes, { level: 9 }).length;
  const asBrotli = travelsAsIs(name) ? bytes.length : brotliCompressSync(bytes).length;
  gzip += asGzip;
  brotli += asBrotli;
  process.stdout.write(`${String(asGzip).padStart(8)} gzip ${String(asBrotli).padStart(8)} brotli  ${name}\n`);
}
process.stdout.write(`${String(gzip).padStart(8)} gzip ${String(brotli).padStart(8)} brotli  together, of ${BUDGET}\n`);
if (gzip > BUDGET) {
  process.stderr.write(`The first load is ${gzip - BUDGET} bytes over its budget.\n`);
  process.exit(1);
}
