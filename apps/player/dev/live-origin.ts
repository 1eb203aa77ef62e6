/**
 * A stand-in for the backend, to look at the player without one: the API's answers on demand, and plain live HLS (CMAF, 2 s segments,
 * three renditions with separate audio) made by ffmpeg. For development only.
 *
 *   node apps/player/dev/live-origin.ts [port] [footage.mp4]
 *
 * `POST /dev/channel {name, state}` sets a channel's state (`offline`, `starting`, `live`, `interrupted`, `ended`), `POST /dev/break
 * {status}` makes every playlist and segment answer with that status (0 ends it), `POST /dev/reset` forgets all channels.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

const port = Number(process.argv[2] ?? 8089);
const footage = process.argv[3];
const dist = join(import.meta.dirname, "..", "dist");

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".m4s": "video/iso.segment",
  ".mp4": "video/mp4",
};

interface Channel {
  name: string;
  title: string;
  state: "offline" | "starting" | "live" | "interrupted" | "ended";
  stream: number;
  liveSince: number;
}

const channels = new Map<string, Channel>();
let broken = 0;

function setChannel(name: string, state: Channel["state"], title?: string): void {
  const before = channels.get(name);
  const wasOn = before !== undefined && ["starting", "live", "interrupted"].includes(before.state);
  channels.set(name, {
    name,
    title: title ?? before?.title ?? name,
    state,
    stream: wasOn ? before.stream : (before?.stream ?? 0) + 1,
    liveSince: wasOn ? before.liveSince : Date.now() - 42 * 60_000,
  });
}

function toInfo(channel: Channel) {
  const on = ["starting", "live", "interrupted"].includes(channel.state);
  return {
    name: channel.name,
    title: channel.title,
    live_stream_id: on ? `${channel.name.replaceAll("-", "")}0000000${channel.stream}` : null,
    state: on ? channel.state : null,
    live_since: on && channel.state !== "starting" ? new Date(channel.liveSince).toISOString() : null,
    playback: {
      hls: on && channel.state !== "starting" ? `/v1/streams/s${channel.stream}/manifest.m3u8` : null,
      dash: null,
      whep: null,
    },
    default_playback: "hls",
  };
}

function startFfmpeg(directory: string): ChildProcess {
  const input = footage
    ? ["-re", "-stream_loop", "-1", "-i", footage]
    : ["-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25"];
  const ladder = [
    { size: "1280x720", rate: "2500k", name: "720" },
    { size: "854x480", rate: "1200k", name: "480" },
    { size: "426x240", rate: "400k", name: "240" },
  ];
  const outputs = ladder.flatMap(({ size, rate }, index) => [
    ...["-map", "0:v", `-s:v:${index}`, size, `-b:v:${index}`, rate, `-maxrate:v:${index}`, rate],
    ...[`-bufsize:v:${index}`, rate],
  ]);
  const video = "-r 25 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0".split(" ");
  const hls = "-f hls -hls_segment_type fmp4 -hls_time 2 -hls_list_size 20".split(" ");
  const flags = [
    "-hls_flags",
    "delete_segments+program_date_time+independent_segments",
    "-master_pl_name",
    "main.m3u8",
  ];
  const map = ladder.map(({ name }, index) => `v:${index},agroup:sound,name:${name}`).join(" ");
  const args = [
    ...["-v", "error", "-nostdin", ...input, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
    ...[...outputs, "-map", "1:a", ...video, "-c:a", "aac", "-b:a", "96k", ...hls, ...flags],
    ...["-var_stream_map", `a:0,agroup:sound,default:yes,name:sound ${map}`],
    ...["-hls_segment_filename", join(directory, "%v-%d.m4s"), join(directory, "%v.m3u8")],
  ];
  return spawn("ffmpeg", args, { stdio: ["ignore", "inherit", "inherit"] });
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text) as Record<string, unknown>;
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-cache" });
  response.end(JSON.stringify(body));
}

async function answerFile(response: ServerResponse, file: string, headers: Record<string, string> = {}): Promise<void> {
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  const zipped = existsSync(`${file}.gz`);
  try {
    const bytes = await readFile(zipped ? `${file}.gz` : file);
    response.writeHead(200, { "content-type": type, ...(zipped ? { "content-encoding": "gzip" } : {}), ...headers });
    response.end(bytes);
  } catch {
    // ffmpeg took the segment out of its window meanwhile.
    answerJson(response, 404, { error: { code: "not_found", message: "Gone.", retryable: false } });
  }
}

const directory = await mkdtemp(join(tmpdir(), "klieg-origin-"));
const ffmpeg = startFfmpeg(directory);

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const [, , first, second, third] = pathname.split("/");
  if (request.method === "POST") {
    const body = await readJson(request);
    if (pathname === "/dev/break") broken = Number(body.status);
    else if (pathname === "/dev/reset") channels.clear();
    else setChannel(String(body.name), body.state as Channel["state"], body.title as string | undefined);
    answerJson(response, 200, {});
  } else if (pathname === "/v1/channels") {
    answerJson(response, 200, { channels: [...channels.values()].map(toInfo) });
  } else if (pathname.startsWith("/v1/channels/")) {
    const channel = channels.get(decodeURIComponent(second ?? ""));
    if (channel) answerJson(response, 200, toInfo(channel));
    else
      answerJson(response, 404, { error: { code: "channel_unknown", message: "No such channel.", retryable: false } });
  } else if (first === "streams" && third) {
    const file = join(directory, third === "manifest.m3u8" ? "main.m3u8" : normalize(third));
    if (broken > 0) answerJson(response, broken, { error: { code: "internal", message: "Broken.", retryable: true } });
    else if (!existsSync(file))
      answerJson(response, 404, { error: { code: "not_found", message: "", retryable: false } });
    else if (extname(file) === ".m3u8") {
      await answerFile(response, file, { "cache-control": "no-cache" });
    } else await answerFile(response, file);
  } else {
    const file = join(dist, normalize(pathname));
    const headers = {
      "content-security-policy":
        "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'",
    };
    if (extname(file) !== "" && existsSync(file)) await answerFile(response, file, headers);
    else await answerFile(response, join(dist, "index.html"), headers);
  }
});

server.listen(port, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${port}\n`));

async function stop(): Promise<void> {
  ffmpeg.kill();
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
