import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { broadcastClock } from "../harness/clock-broadcast.ts";
import { PageServer } from "../harness/page-server.ts";
import { takeShownFrames } from "../harness/picture-clock.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";

const WATCHED_S = 20;
const TARGET_DURATION_S = 4;

const VIDEO = `<video muted playsinline autoplay width="640"></video>`;
const SHAKA = `${VIDEO}<script src="/shaka.js"></script><script>
  errors = [];
  shaka.polyfill.installAll();
  const { mode, url } = Object.fromEntries(new URLSearchParams(location.search));
  const player = new shaka.Player();
  player.addEventListener("error", ({ detail }) => errors.push("shaka " + detail.code + " " + detail.data));
  player.configure("streaming.lowLatencyMode", mode === "low-latency");
  // Without it Shaka 5.2 aborts the SourceBuffer before every part of a broadcast that it joins in the middle (it recalculates
  // a negative timestamp offset), and loses the parts that do not begin with a keyframe: its issue 10589.
  if (mode === "low-latency") player.configure("manifest.hls.sequenceMode", true);
  player.attach(document.querySelector("video"))
    .then(() => player.load(url))
    .catch((error) => errors.push("shaka " + error.code + " " + error.data));
  describe = () => ({
    live: player.isLive(),
    variants: player.getVariantTracks().map(({ height, audioCodec, videoCodec }) => [height, videoCodec, audioCodec].join(" ")),
  });
</script>`;
const HLS_JS = `${VIDEO}<script src="/hls.js"></script><script>
  errors = [];
  const { url } = Object.fromEntries(new URLSearchParams(location.search));
  const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.1 });
  hls.on(Hls.Events.ERROR, (_name, { type, details, fatal }) => errors.push([type, details, fatal].join(" ")));
  hls.loadSource(url);
  hls.attachMedia(document.querySelector("video"));
  describe = () => ({
    live: hls.latestLevelDetails?.live ?? false,
    variants: hls.levels.map(({ height, videoCodec, audioCodec }) => [height, videoCodec, audioCodec].join(" ")),
  });
</script>`;

interface PlayerPage {
  readonly errors: string[];
  describe(): { live: boolean; variants: string[] };
}

/** Seconds of whole segments that a broadcast's playlists have. */
async function pastOf(manifest: string): Promise<number> {
  const text = async (url: string | URL) => (await fetch(url)).text();
  const variant = (await text(manifest)).split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "";
  const segments = (await text(new URL(variant, manifest))).matchAll(/^#EXTINF:([\d.]+)/gm);
  return segments.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}

describe("PKG1 DLV1: other people's players, on pages of another origin", () => {
  let backend: BackendProcess;
  let encoder: Child;
  let browser: Browser;
  let site: PageServer;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_LADDER: "180p:200k", KLIEG_ENCODER: "software" } });
    encoder = broadcastClock({ url: backend.rtmpUrl() });
    browser = await openChromium();
    site = await PageServer.start({
      "/shaka.js": "shaka-player/dist/shaka-player.compiled.js",
      "/hls.js": "hls.js/dist/hls.min.js",
    });
    await backend.live();
  });
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    await browser?.close();
    await encoder?.stop();
    await backend?.[Symbol.asyncDispose]();
  });

  it.concurrent.each([
    { player: "Shaka Player, low latency", page: SHAKA, mode: "low-latency", within: 4, past: 0 },
    { player: "Shaka Player, plain", page: SHAKA, mode: "plain", within: 16, past: 3 * TARGET_DURATION_S },
    { player: "hls.js, low latency", page: HLS_JS, mode: "low-latency", within: 3, past: 0 },
  ])("$player: $within s behind the glass at most", async ({ player, page, mode, within, past }) => {
    const manifest = `${backend.http}/v1/channels/demo/live.m3u8`;
    // Three target durations behind the end is where it wants to begin (RFC 8216bis § 6.3.3); nearer, it has no reserve.
    await until(async () => (await pastOf(manifest)) >= past, { what: `${past} s of broadcast`, timeoutMs: 30_000 });
    const path = `/${encodeURIComponent(player)}`;
    const url = `${site.page(path, page)}?${new URLSearchParams({ mode, url: manifest })}`;
    await using watched = await WatchedPage.open(browser, { url });
    const begun = await watched.becomes("playing", (now) => !now.paused && now.currentTime > 0 && now.videoHeight > 0);
    const frames: { shownAt: number; madeAt: number }[] = [];
    await until(
      async () => {
        frames.push(...(await takeShownFrames(watched.page)).frames);
        return (await watched.now()).currentTime > begun.currentTime + WATCHED_S;
      },
      { what: `${WATCHED_S} s of playback`, timeoutMs: WATCHED_S * 1000 * 1.4, everyMs: 500 },
    );
    const { errors, live, variants } = await watched.page.evaluate(() => {
      const scope = globalThis as unknown as PlayerPage;
      return { errors: scope.errors, ...scope.describe() };
    });
    expect(errors).toEqual([]);
    // Shaka remarks on it that it was told not to use the parts.
    expect(watched.complaints.filter((line) => !line.includes("Low-latency live stream detected"))).toEqual([]);
    expect(live).toBe(true);
    expect(variants).toHaveLength(2);
    expect(variants.sort()).toEqual([expect.stringMatching(/^180 avc1/), expect.stringMatching(/^360 avc1/)]);
    expect((await watched.now()).stalls).toEqual([]);
    const last = frames.at(-1);
    if (last === undefined) throw new Error("no frame was shown");
    expect((last.shownAt - last.madeAt) / 1000).toBeLessThan(within);
  });
});
