import { type ClientHttp2Session, connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { Edge } from "../harness/edge.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist, readPlaylist } from "../harness/hls-follower.ts";
import { requirePackages } from "../harness/required-packages.ts";

requirePackages("ffmpeg", "nginx");

/** Requests that the origin has answered, by what they were for. */
async function originRequests(backend: BackendProcess): Promise<Record<string, number>> {
  const text = await (await fetch(`${backend.http}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const [, kind = "", count] of text.matchAll(
    /^klieg_media_requests_total\{kind="(\w+)",status="\d+"\} (\d+)$/gm,
  )) {
    counts[kind] = (counts[kind] ?? 0) + Number(count);
  }
  return counts;
}

describe("DLV1: in front of the origin", () => {
  let backend: BackendProcess;
  let encoder: Child;
  let path: string;
  beforeAll(async () => {
    backend = await BackendProcess.start();
    encoder = encode({ url: backend.rtmpUrl(), format: "flv", size: "320x180", bitrate: "300k" });
    const { playback } = await backend.live();
    path = playback.hls.replace("manifest.m3u8", "source/index.m3u8");
    // Until there is a whole segment to load.
    const first = AbortSignal.timeout(20_000);
    await followPlaylist(backend.http + path, (_snapshot, playlist) => playlist.segments.length > 0, first);
  });
  afterAll(async () => {
    await encoder[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  it("nginx lets one of many requests for the part that is hinted through, and all get it when it is made", async () => {
    await using edge = await Edge.start(backend.ports.http);
    const url = edge.base + path;
    const playlist = readPlaylist(await (await fetch(url)).text());
    const hint = new URL(playlist.preloadHint ?? "", url);
    const before = await originRequests(backend);
    const viewers = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const response = await fetch(hint);
        const cache = response.headers.get("x-cache");
        return { status: response.status, cache, bytes: Buffer.from(await response.arrayBuffer()) };
      }),
    );
    const after = await originRequests(backend);
    expect(new Set(viewers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(viewers.filter(({ cache }) => cache === "MISS")).toHaveLength(1);
    expect(viewers.filter(({ cache }) => cache === "HIT")).toHaveLength(29);
    expect((after.part ?? 0) - (before.part ?? 0)).toBe(1);
    const direct = Buffer.from(await (await fetch(new URL(hint.pathname, backend.http))).arrayBuffer());
    expect(direct.length).toBeGreaterThan(1000);
    for (const { bytes } of viewers) expect(bytes.equals(direct)).toBe(true);
  });

  it("twenty viewers who follow the live edge through nginx cost the origin hardly more than one", async () => {
    await using edge = await Edge.start(backend.ports.http);
    const url = edge.base + path;
    const before = await originRequests(backend);
    const outcomes: Record<string, number> = {};
    const count = (response: { headers: Headers }) => {
      const outcome = response.headers.get("x-cache") ?? "none";
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    };
    const ends = Date.now() + 6000;
    const follow = async () => {
      const loading = new Map<string, Promise<void>>();
      const load = (part: string | undefined) => {
        if (part === undefined || loading.has(part)) return;
        const loaded = fetch(new URL(part, url)).then(async (response) => {
          count(response);
          expect(response.status).toBe(200);
          await response.arrayBuffer();
        });
        loading.set(part, loaded);
      };
      const snapshots = await followPlaylist(
        url,
        ({ at }, playlist) => {
          // As a low-latency player does: what is new, and what is about to be.
          load(playlist.parts.at(-1)?.uri);
          load(playlist.preloadHint);
          return at > ends;
        },
        AbortSignal.timeout(20_000),
      );
      for (const snapshot of snapshots) count(snapshot);
      await Promise.all(loading.values());
      return { versions: snapshots.length, parts: loading.size };
    };
    const viewers = await Promise.all(Array.from({ length: 20 }, follow));
    const after = await originRequests(backend);
    // Parts of 333 ms for 6 s: a viewer that nginx keeps waiting for up to 500 ms a time sees fewer versions of them.
    for (const { versions, parts } of viewers) {
      expect(versions).toBeGreaterThan(8);
      expect(parts).toBeGreaterThan(8);
    }
    const reached = (kind: string) => (after[kind] ?? 0) - (before[kind] ?? 0);
    expect(reached("part")).toBeLessThanOrEqual(24);
    expect(reached("playlist")).toBeLessThanOrEqual(40);
    const all = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
    expect(outcomes.none).toBeUndefined();
    expect((outcomes.HIT ?? 0) / all, JSON.stringify(outcomes)).toBeGreaterThan(0.9);
  });

  it("the origin speaks HTTP/2 without TLS, as a proxy does: blocked requests share one connection", async () => {
    const session = connect(backend.http);
    try {
      const url = backend.http + path;
      const playlist = readPlaylist((await requestOver(session, path)).body.toString());
      const openMsn = playlist.mediaSequence + playlist.segments.length;
      const hint = new URL(playlist.preloadHint ?? "", url).pathname;
      const began = performance.now();
      const [parts, reloads] = await Promise.all([
        Promise.all(Array.from({ length: 20 }, () => requestOver(session, hint))),
        Promise.all(
          Array.from({ length: 20 }, () => requestOver(session, `${path}?_HLS_msn=${openMsn + 1}&_HLS_part=0`)),
        ),
      ]);
      expect(performance.now() - began, "they were blocked").toBeGreaterThan(100);
      const overHttp1 = Buffer.from(await (await fetch(new URL(hint, url))).arrayBuffer());
      for (const { status, body, headers } of parts) {
        expect({ status, cache: headers["cache-control"] }).toEqual({
          status: 200,
          cache: "public, max-age=31536000, immutable",
        });
        expect(body.equals(overHttp1)).toBe(true);
      }
      expect(new Set(reloads.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
      const reloaded = readPlaylist(reloads[0]?.body.toString() ?? "");
      expect(reloaded.parts.at(-1)).toMatchObject({ msn: openMsn + 1, index: 0 });
      const segment = await requestOver(session, new URL(reloaded.segments.at(-1)?.uri ?? "", url).pathname, {
        range: "bytes=0-99",
      });
      expect(segment).toMatchObject({ status: 206, body: { length: 100 } });
      expect(session.closed).toBe(false);
    } finally {
      session.close();
    }
  });
});

async function requestOver(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
  const stream = session.request({ ":path": path, ...headers });
  const answered = Promise.withResolvers<Record<string, unknown>>();
  stream.once("response", (answer) => answered.resolve(answer));
  stream.once("error", (error) => answered.reject(error));
  const answer = await answered.promise;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { status: answer[":status"], headers: answer, body: Buffer.concat(chunks) };
}
