import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { followPlaylist, readPlaylist } from "../test/harness/hls-follower.ts";
import { until } from "../test/harness/until.ts";
import { contributionFile } from "./measure/contribution-file.ts";
import type { Section } from "./section.ts";

const SECONDS = 8;
const CONNECTIONS = 64;
const BUDGET = 0.5;

export const name = "Live-edge requests";

/** wrk's requests a second. Server and load are each bound to a core of their own. */
async function load(url: string): Promise<number> {
  await using wrk = new Child("taskset", [
    ...["-c", "1", "wrk", "-t", "1", "-c", String(CONNECTIONS), "-d", `${SECONDS}s`, "--latency", url],
  ]);
  const { code } = await wrk.exited;
  const figure = /Requests\/sec:\s+([\d.]+)/.exec(wrk.output)?.[1];
  if (code !== 0 || figure === undefined || /Non-2xx/.test(wrk.output)) throw new Error(wrk.output);
  return Number(figure);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export async function run(): Promise<Section> {
  await using file = await contributionFile({ size: "640x360", bitrate: "800k", seconds: 20, format: "flv" });
  const folder = await mkdtemp(join(tmpdir(), "klieg-bench-nginx-"));
  try {
    await using backend = await BackendProcess.start();
    await using pin = new Child("taskset", ["-a", "-cp", "0", String(backend.child.pid)]);
    await pin.exited;
    await using _encoder = new Child("ffmpeg", [
      ...["-v", "error", "-re", "-stream_loop", "-1", "-i", file.path, "-c", "copy", "-f", "flv", backend.rtmpUrl()],
    ]);
    const { id } = await backend.live();
    const base = `${backend.http}/v1/streams/${id}/source/`;
    const seen = await followPlaylist(
      `${base}index.m3u8`,
      (_s, playlist) => playlist.segments.length >= 6,
      AbortSignal.timeout(60_000),
    );
    const playlist = readPlaylist(seen.at(-1)?.text ?? "");
    const part = playlist.parts.find(({ independent }) => !independent)?.uri ?? "";
    const targets = [
      ["playlist", "index.m3u8"],
      ["part", part],
      ["segment", playlist.segments.at(-1)?.uri ?? ""],
    ] as const;

    const port = await freePort();
    await writeFile(
      join(folder, "nginx.conf"),
      `user root; daemon off; worker_processes 1; worker_cpu_affinity 01; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; open_file_cache max=100;
  server { listen 127.0.0.1:${port}; root ${folder}; add_header cache-control "public, max-age=31536000, immutable"; } }`,
    );
    const sizes = new Map<string, number>();
    for (const [what, uri] of targets) {
      const bytes = Buffer.from(await (await fetch(base + uri)).arrayBuffer());
      sizes.set(what, bytes.byteLength);
      await writeFile(join(folder, what), bytes);
    }
    await using nginx = new Child("nginx", ["-c", join(folder, "nginx.conf"), "-p", folder, "-e", "stderr"]);
    await until(() => fetch(`http://127.0.0.1:${port}/part`).then((response) => response.ok), { what: "nginx" });
    if (!nginx.running) throw new Error(nginx.output);

    const rows: (string | number)[][] = [];
    const verdicts = [];
    for (const [what, uri] of targets) {
      // Alternately and twice, so that neither has the quieter machine; a part leaves memory, so its address is asked anew.
      const fresh = async () => {
        const now = readPlaylist(await (await fetch(`${base}index.m3u8`)).text());
        if (what === "part") return now.parts.findLast(({ independent }) => !independent)?.uri ?? uri;
        return what === "segment" ? (now.segments.at(-1)?.uri ?? uri) : uri;
      };
      const klieg = [await load(base + (await fresh()))];
      const peer = [await load(`http://127.0.0.1:${port}/${what}`)];
      klieg.push(await load(base + (await fresh())));
      peer.push(await load(`http://127.0.0.1:${port}/${what}`));
      const ratio = Math.max(...klieg) / Math.max(...peer);
      rows.push([
        what,
        sizes.get(what) ?? 0,
        Math.round(Math.max(...klieg)),
        Math.round(Math.max(...peer)),
        `${ratio.toFixed(2)} ×`,
      ]);
      verdicts.push({
        what: `${what} requests a second against nginx serving a file`,
        measured: `${ratio.toFixed(2)} ×`,
        budget: `≥ ${BUDGET} ×`,
        holds: ratio >= BUDGET,
      });
    }
    return {
      summary: `A live stream at 0.8 Mb/s goes on meanwhile. ${CONNECTIONS} keep-alive connections of wrk on one core, the server on the other, ${SECONDS} s each, the better of two.`,
      table: { columns: ["what", "bytes", "Klieg, requests/s", "nginx, requests/s", "ratio"], rows },
      verdicts,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
