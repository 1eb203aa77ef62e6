import * as HLS from "hls-parser";
import { Parser } from "m3u8-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist, type PlaylistSnapshot, readMultivariant, readPlaylist } from "../harness/hls-follower.ts";

/** How long every rendition's playlist is followed, s of segments. */
const FOLLOWED_SEGMENTS = 30;

// What it would only print otherwise is an error.
HLS.setOptions({ strictMode: true });

/** What hls-parser makes of a playlist, in the terms of our own reading. */
function byHlsParser(text: string) {
  const playlist = HLS.parse(text);
  if (playlist.isMasterPlaylist) throw new Error("a multivariant playlist");
  return {
    targetDuration: playlist.targetDuration,
    mediaSequence: playlist.mediaSequenceBase,
    skipped: playlist.skip,
    ended: playlist.endlist,
    partTarget: playlist.partTargetDuration,
    segments: playlist.segments
      .filter((segment) => segment.uri !== "")
      .map(({ uri, duration, discontinuity }) => ({ uri, duration, discontinuity: discontinuity === true })),
    parts: playlist.segments.flatMap((segment) =>
      segment.parts
        .filter((part) => !part.hint)
        .map(({ uri, duration, independent }) => ({ uri, duration, independent: independent === true })),
    ),
    preloadHint: playlist.segments.flatMap((segment) => segment.parts.filter((part) => part.hint))[0]?.uri,
    reports: playlist.renditionReports.map(({ uri, lastMSN, lastPart }) => ({ uri, lastMsn: lastMSN, lastPart })),
  };
}

/** What m3u8-parser makes of it. */
function byM3u8Parser(text: string) {
  const parser = new Parser();
  const warnings: unknown[] = [];
  parser.on("warn", (warning: unknown) => warnings.push(warning));
  parser.push(text);
  parser.end();
  const { manifest } = parser;
  return {
    warnings,
    targetDuration: manifest.targetDuration,
    mediaSequence: manifest.mediaSequence,
    discontinuitySequence: manifest.discontinuitySequence,
    skipped: manifest.skip?.skippedSegments ?? 0,
    ended: manifest.endList === true,
    segments: manifest.segments.map(({ uri, duration }: { uri: string; duration: number }) => ({ uri, duration })),
  };
}

describe("PKG1: playlists over a minute", () => {
  let backend: BackendProcess;
  let encoder: Child;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_LADDER: "180p:150k" } });
    encoder = encode({ url: backend.rtmpUrl(), format: "flv", size: "640x360", bFrames: 2 });
  });
  afterAll(async () => {
    await encoder[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  it("hls-parser and m3u8-parser read every version of every playlist as it is meant", {
    timeout: 120_000,
  }, async () => {
    const stream = await backend.live();
    const manifest = `${backend.http}${stream.playback.hls}`;
    const multivariantText = await (await fetch(manifest)).text();
    const master = HLS.parse(multivariantText);
    expect(master.isMasterPlaylist).toBe(true);
    const { variants, audio } = readMultivariant(multivariantText, manifest);
    expect(variants.map((variant) => variant.resolution).sort()).toEqual(["320x180", "640x360"]);
    expect(audio).toHaveLength(1);

    const urls = [...variants, ...audio].map(({ url }) => url);
    const followed = await Promise.all(
      urls.map((url) =>
        followPlaylist(
          url,
          (_snapshot, playlist) => playlist.segments.length >= FOLLOWED_SEGMENTS,
          AbortSignal.timeout(100_000),
        ),
      ),
    );
    for (const [at, snapshots] of followed.entries()) checkVersions(urls[at] ?? "", snapshots);

    // What was announced holds: no segment's bit rate passes BANDWIDTH, of the multivariant playlist as it is now.
    const now = readMultivariant(await (await fetch(manifest)).text(), manifest);
    for (const variant of now.variants) {
      expect(variant.averageBandwidth).toBeLessThanOrEqual(variant.bandwidth);
      const playlist = readPlaylist(await (await fetch(variant.url)).text());
      for (const segment of playlist.segments.slice(0, 10)) {
        const size = Number(
          (await fetch(new URL(segment.uri, variant.url), { method: "HEAD" })).headers.get("content-length"),
        );
        expect((size * 8) / segment.duration).toBeLessThanOrEqual(variant.bandwidth);
      }
    }

    // A delta update, put together with what was there before, is the whole playlist.
    const source = variants[0]?.url ?? "";
    const whole = readPlaylist(await (await fetch(source)).text());
    const delta = readPlaylist(await (await fetch(`${source}?_HLS_skip=YES`)).text());
    expect(delta.skipped).toBeGreaterThan(0);
    expect(whole.segments.map(({ uri }) => uri).slice(delta.skipped, delta.skipped + 10)).toEqual(
      delta.segments.map(({ uri }) => uri).slice(0, 10),
    );
  });

  it("keyframes of all renditions carry equal timestamps (TRN1)", { timeout: 60_000 }, async () => {
    const { loadStream, probe } = await import("../harness/playback.ts");
    const stream = await backend.live();
    const { video } = await loadStream(`${backend.http}${stream.playback.hls}`);
    const keyframes = await Promise.all(
      video.map(async ({ runs }) =>
        (await Promise.all(runs.map(probe))).flatMap((result) => {
          expect(result.complaints).toBe("");
          return result.packets.filter((packet) => packet.keyframe).map((packet) => packet.pts);
        }),
      ),
    );
    expect(keyframes.length).toBe(2);
    const common = keyframes.map((list) => new Set(list.map((pts) => pts.toFixed(4))));
    const [first = new Set<string>(), second = new Set<string>()] = common;
    expect([...first].filter((pts) => second.has(pts)).length).toBeGreaterThanOrEqual(
      Math.min(first.size, second.size) - 1,
    );
  });
});

function checkVersions(url: string, snapshots: readonly PlaylistSnapshot[]): void {
  // A part each 334 ms at the most: a minute of blocking reloads sees some two hundred versions.
  expect(snapshots.length).toBeGreaterThan((FOLLOWED_SEGMENTS * 2) / 0.334 / 2);
  let lastMsn = -1;
  for (const { text } of snapshots) {
    const ours = readPlaylist(text);
    const one = byHlsParser(text);
    const two = byM3u8Parser(text);
    expect(one, url).toMatchObject({
      targetDuration: ours.targetDuration,
      mediaSequence: ours.mediaSequence,
      skipped: ours.skipped,
      ended: ours.ended,
      partTarget: ours.partTarget,
      preloadHint: ours.preloadHint,
    });
    expect(one.segments).toEqual(
      ours.segments.map(({ uri, duration, discontinuity }) => ({ uri, duration, discontinuity })),
    );
    expect(one.parts).toEqual(ours.parts.map(({ uri, duration, independent }) => ({ uri, duration, independent })));
    expect(one.reports).toEqual(ours.reports);
    expect(two.warnings).toEqual([]);
    expect(two.targetDuration).toBe(ours.targetDuration);
    expect(two.mediaSequence).toBe(ours.mediaSequence);
    expect(two.segments.slice(0, ours.segments.length)).toEqual(
      ours.segments.map(({ uri, duration }) => ({ uri, duration })),
    );

    for (const part of ours.parts) {
      expect(part.duration).toBeLessThanOrEqual(ours.partTarget);
      const next = ours.parts.find((other) => other.msn === part.msn && other.index === part.index + 1);
      if (next !== undefined) expect(part.duration).toBeGreaterThanOrEqual(ours.partTarget * 0.85);
    }
    for (const segment of ours.segments) {
      expect(Math.round(segment.duration)).toBeLessThanOrEqual(ours.targetDuration);
      expect(segment.programDateTime).not.toBeUndefined();
      const parts = ours.parts.filter((part) => part.msn === segment.msn);
      if (parts.length > 0) {
        expect(parts.reduce((sum, part) => sum + part.duration, 0)).toBeCloseTo(segment.duration, 4);
      }
    }
    expect(ours.reports.length).toBe(2);
    const edge = ours.mediaSequence + ours.segments.length;
    expect(edge).toBeGreaterThanOrEqual(lastMsn);
    lastMsn = edge;
  }
}
