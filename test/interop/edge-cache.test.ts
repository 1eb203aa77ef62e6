import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Child, run } from "../harness/child.ts";
import { encode } from "../harness/encoder.ts";
import { readMultivariant, readPlaylist } from "../harness/hls-follower.ts";
import { until } from "../harness/until.ts";

const SAMPLE = path.resolve(import.meta.dirname, "../../deploy/edge/nginx.conf");
const NGINX = "/usr/sbin/nginx";

/** The sample configuration as it stands, but for where it keeps things, listens and forwards to. */
async function writeEdgeConfiguration(folder: string, port: number, backendPort: number): Promise<string> {
  const sample = await readFile(SAMPLE, "utf8");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const replacements: readonly (readonly [string, string])[] = [
    ["/run/nginx.pid", `${folder}/nginx.pid`],
    ["/var/log/nginx/error.log", `${folder}/error.log`],
    ["/var/cache/nginx/klieg", `${folder}/cache`],
    ["server backend:8080;", `server 127.0.0.1:${backendPort};`],
    ["listen 8081;", `listen 127.0.0.1:${port};`],
    ["http {", `http {\n  ${temporary.join("\n  ")}`],
  ];
  let text = sample;
  for (const [from, to] of replacements) {
    expect(text, "the sample has changed: this test must follow").toContain(from);
    text = text.replace(from, to);
  }
  const file = path.join(folder, "nginx.conf");
  await writeFile(file, text);
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "klieg-edge-"));
  // nginx's workers are another user's where its master is root's.
  await chmod(folder, 0o755);
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

describe("the sample of an edge cache (DLV1)", () => {
  test("nginx accepts it", async () => {
    await using folder = await temporaryFolder();
    const file = await writeEdgeConfiguration(folder.path, await freePort(), 8080);
    expect(await run(NGINX, ["-t", "-c", file])).toContain("test is successful");
  });

  test("viewers at the live edge share one request to the backend, and get what it would have given", async () => {
    await using folder = await temporaryFolder();
    await using backend = await BackendProcess.start();
    const port = await freePort();
    const file = await writeEdgeConfiguration(folder.path, port, backend.ports.http);
    await using edge = new Child(NGINX, ["-c", file, "-g", "daemon off;"]);
    await using _encoder = encode({ url: backend.rtmpUrl(), format: "flv" });
    await backend.live();

    const base = `http://127.0.0.1:${port}`;
    const master = await until(
      async () => {
        const response = await fetch(`${base}/v1/channels/demo/live.m3u8`).catch(() => undefined);
        return response?.ok ? { url: response.url, text: await response.text() } : undefined;
      },
      { what: "the channel through the edge", timeoutMs: 20_000, diagnose: () => edge.output },
    );
    const [variant] = readMultivariant(master.text, master.url).variants;
    expect(variant?.url).toContain(base);
    const playlistUrl = variant!.url;

    // Twenty viewers ask for the part after the last one; one of them goes through to the backend.
    const now = readPlaylist(await (await fetch(playlistUrl)).text());
    const openMsn = now.mediaSequence + now.segments.length;
    const viewers = await Promise.all(
      Array.from({ length: 20 }, async (_, viewer) => {
        const response = await fetch(`${playlistUrl}?_HLS_msn=${openMsn + 1}&_HLS_part=0&viewer=${viewer}`);
        return { status: response.status, cache: response.headers.get("x-cache"), text: await response.text() };
      }),
    );
    expect(new Set(viewers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(viewers.map(({ text }) => text)).size).toBe(1);
    expect(viewers.filter(({ cache }) => cache === "MISS")).toHaveLength(1);
    expect(viewers.filter(({ cache }) => cache === "HIT")).toHaveLength(19);

    // Media keeps, and is the same through the edge.
    const playlist = readPlaylist(viewers[0]!.text);
    const media = new URL(playlist.segments.at(-1)!.uri, playlistUrl);
    const first = await fetch(media);
    const second = await fetch(media);
    const direct = await fetch(new URL(media.pathname, backend.http));
    expect(first.headers.get("x-cache")).toBe("MISS");
    expect(second.headers.get("x-cache")).toBe("HIT");
    const bytes = Buffer.from(await direct.arrayBuffer());
    expect(Buffer.from(await first.arrayBuffer()).equals(bytes)).toBe(true);
    expect(Buffer.from(await second.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await fetch(media, { headers: { range: "bytes=0-99" } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(0, 100))).toBe(true);

    // What is not for viewers does not get through.
    expect((await fetch(`${base}/metrics`)).status).toBe(404);
  });
});
