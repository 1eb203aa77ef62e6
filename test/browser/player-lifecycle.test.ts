import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { encode } from "../harness/encoder.ts";
import { WatchedPage } from "../harness/watched-page.ts";

const GRACE_MS = 8000;

describe("PLY1 ING5: a page that stays open while broadcasts come and go", () => {
  let backend: BackendProcess;
  let browser: Browser;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_RECONNECT_GRACE_MS: String(GRACE_MS) } });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await backend?.[Symbol.asyncDispose]();
  });

  const newChannel = async (name: string) => {
    expect((await backend.admin("POST", "/v1/channels", { name })).status).toBe(201);
    const response = await backend.admin("POST", `/v1/channels/${name}/keys`, { label: "test" });
    return ((await response.json()) as { stream_key: string }).stream_key;
  };
  const broadcast = (key: string) =>
    encode({ url: backend.rtmpUrl(key), format: "flv", size: "640x360", extra: ["-tune", "zerolatency"] });
  const words = (watched: WatchedPage) => watched.page.locator(".stage-words h2").textContent();

  it("off air, live, ended, live again", async () => {
    const key = await newChannel("evening");
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/evening` });
    await watched.stage("offline");
    expect(await words(watched)).toBe("evening is off air");

    await using first = broadcast(key);
    await watched.stage("playing");
    await watched.becomes("live", (now) => now.currentTime > 2 && now.latency < 3);
    await first.stop();
    await watched.stage("ended", GRACE_MS + 15_000);
    expect(await words(watched)).toBe("The broadcast has ended");

    await using _second = broadcast(key);
    await watched.stage("playing");
    await watched.becomes("live again", (now) => now.currentTime > 2 && now.latency < 3);
    expect(watched.loads).toBe(1);
    expect(watched.complaints).toEqual([]);
  });

  it("the encoder is killed and comes back within grace: the same stream goes on by itself", async () => {
    const key = await newChannel("flaky");
    await using first = broadcast(key);
    const { id } = await backend.live("flaky");
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/flaky` });
    await watched.stage("playing");
    await watched.becomes("on its way", (now) => now.currentTime > 3);
    await first.stop("SIGKILL");
    await watched.stage("interrupted");
    expect(await words(watched)).toBe("The broadcast paused");
    const halted = await watched.now();

    await using _second = broadcast(key);
    await backend.live("flaky");
    const resumed = await watched.becomes("resumed", (now) => now.stage === "playing" && !now.paused, 10_000);
    expect(resumed.currentTime).toBeGreaterThan(halted.currentTime);
    await watched.becomes("live", (now) => now.currentTime > resumed.currentTime + 3 && now.latency < 3);
    expect((await backend.channel("flaky")).live_stream_id).toBe(id);
    expect(watched.loads).toBe(1);
    expect(watched.complaints).toEqual([]);
  });

  it("the backend is gone and comes back: the page says so, and goes on by itself", async () => {
    await using own = await BackendProcess.start();
    const { http, srt, rtmp } = own.ports;
    await using first = encode({ url: own.rtmpUrl(), format: "flv", size: "640x360" });
    await own.live();
    await using watched = await WatchedPage.open(browser, { url: `${own.http}/watch/demo` });
    await watched.stage("playing");
    await own.stop("SIGKILL");
    await first.exited;
    await watched.becomes("aware of it", ({ stage }) => stage === "retrying" || stage === "unreachable");

    await using again = await BackendProcess.start({
      dataDir: own.dataDir,
      env: { KLIEG_HTTP_PORT: `${http}`, KLIEG_RTMP_PORT: `${rtmp}`, KLIEG_SRT_PORT: `${srt}` },
    });
    await using _second = encode({ url: again.rtmpUrl(own.key), format: "flv", size: "640x360" });
    await again.live();
    await watched.becomes("live", (now) => now.stage === "playing" && now.currentTime > 1, 40_000);
    expect(watched.loads).toBe(1);
    // That the server does not answer, or has no broadcast yet when it is back, is on the console, by the browser and
    // by the player: nothing else may be.
    const expected = /net::ERR_|Klieg: \w+, status (0|404) → |\(Not Found\) \(\S+\/live\.m3u8\)$/;
    const others = watched.complaints.filter((line) => !expected.test(line));
    expect(others).toEqual([]);
  });

  it("no such channel", async () => {
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/nobody` });
    await watched.stage("missing");
    expect(await words(watched)).toBe("There is no channel “nobody”");
  });
});
