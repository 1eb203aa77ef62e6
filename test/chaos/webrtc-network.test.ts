import { setTimeout as after } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { CHROMIUM, openChromium } from "../harness/chromium.ts";
import { NetworkNamespace, withoutNamespaces } from "../harness/network-namespace.ts";
import { type ShownFrame, takeShownFrames } from "../harness/picture-clock.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { RELAYED_ADDRESS, RtcRelay } from "../harness/rtc-relay.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";
import { WhipPage } from "../harness/whip-page.ts";

requirePackages("chromium", "iproute2");

/** 5 % each way and 60 ms there and back. */
const BAD_LINE = { loss: 0.05, delayMs: 30 };
const WATCHED_MS = 60_000;
const LONGEST_FREEZE_MS = 1000;
/** A peer notices after a second at most that nothing comes, and then restarts ICE. */
const AFTER_MOVE_MS = 5000;

/** The longest time without a new picture, ms; the ends of the time looked at count. */
function longestFreeze(frames: readonly ShownFrame[], from: number, to: number): number {
  let longest = 0;
  let newest = 0;
  let at = from;
  for (const { shownAt, madeAt } of frames) {
    if (madeAt <= newest) continue;
    newest = madeAt;
    longest = Math.max(longest, shownAt - at);
    at = shownAt;
  }
  return Math.max(longest, to - at);
}

/** Looks at the picture for `ms`. */
async function look(page: Page, ms: number) {
  await takeShownFrames(page);
  const from = Date.now();
  await after(ms);
  const { frames } = await takeShownFrames(page);
  const latencies = frames.map(({ shownAt, madeAt }) => shownAt - madeAt).sort((a, b) => a - b);
  return {
    freezeMs: longestFreeze(frames, from, Date.now()),
    perSecond: (new Set(frames.map(({ madeAt }) => madeAt)).size / ms) * 1000,
    latencyMs: latencies[latencies.length >> 1] ?? Number.NaN,
  };
}

/** How many sessions there have been: one each where nobody had to begin anew. */
function sessionsOf(backend: BackendProcess) {
  const opened = (protocol: string) => backend.log.filter(({ msg }) => msg === `${protocol} session opened`).length;
  return { whip: opened("WHIP"), whep: opened("WHEP") };
}

/** Resolves when a picture is on screen that was made after now. @returns how long that took, ms. */
async function nextPicture(page: Page, timeoutMs: number): Promise<number> {
  const since = Date.now();
  await until(async () => (await takeShownFrames(page)).frames.some(({ madeAt }) => madeAt > since), {
    what: "a picture made after the change",
    timeoutMs,
  });
  return Date.now() - since;
}

async function watchInRealtime(browser: Browser, http: string): Promise<WatchedPage> {
  const watched = await WatchedPage.open(browser, { url: `${http}/watch/demo` });
  await watched.becomes("real time", ({ stage, mode }) => stage === "playing" && mode === "realtime", 30_000);
  return watched;
}

describe("on a line that loses 5 % each way, with a round trip of 60 ms (RTC1)", () => {
  test("the picture goes on; it comes back by ICE restart after an outage, and from another address", async () => {
    await using backend = await BackendProcess.start({
      env: { KLIEG_HOST: "127.0.0.1", KLIEG_ANNOUNCED_ADDRESS: RELAYED_ADDRESS, KLIEG_RTC_WORKERS: "1" },
    });
    await using relay = await RtcRelay.open({ port: backend.ports.rtc ?? 0, seed: 7 });
    await using browser = await openChromium();
    await using whip = await WhipPage.open(browser, { endpoint: `${backend.http}/v1/whip`, key: backend.key });
    await backend.live();
    await backend.admin("PATCH", "/v1/channels/demo", { default_playback: "realtime" });
    await using watched = await watchInRealtime(browser, backend.http);
    const { page } = watched;
    const good = await look(page, 3000);

    relay.set(BAD_LINE);
    const before = relay.counts;
    await nextPicture(page, 5000);
    const bad = await look(page, WATCHED_MS);
    const { lost, passed } = relay.counts;
    expect((lost - before.lost) / (lost - before.lost + passed - before.passed)).toBeGreaterThan(0.03);
    expect(bad.freezeMs).toBeLessThan(LONGEST_FREEZE_MS);
    expect(bad.perSecond).toBeGreaterThan(good.perSecond * 0.6);

    // Nothing gets through any more, until the publisher gives the path up and restarts ICE; when something does again,
    // both have another address.
    relay.set({ loss: 1 });
    await whip.becomes("an ICE restart", ({ restarts }) => restarts > 0);
    relay.rebind();
    relay.set(BAD_LINE);
    await nextPicture(page, AFTER_MOVE_MS);

    // A NAT that has forgotten its mapping: another address from one datagram to the next.
    relay.set({});
    relay.rebind();
    await nextPicture(page, AFTER_MOVE_MS);
    expect(sessionsOf(backend)).toEqual({ whip: 1, whep: 1 });
    expect((await watched.now()).mode).toBe("realtime");
  });
});

describe("in a browser that moves on to another network (RTC1)", () => {
  test("publisher and viewer go on in their sessions", async ({ skip }) => {
    skip(withoutNamespaces !== undefined, withoutNamespaces);
    await using network = await NetworkNamespace.open();
    await using backend = await BackendProcess.start({ env: { KLIEG_HOST: "0.0.0.0" } });
    const http = `http://${network.hostAddress}:${backend.ports.http}`;
    await using browser = await openChromium({ program: await network.wrap(CHROMIUM) });
    await using _whip = await WhipPage.open(browser, {
      endpoint: `${http}/v1/whip`,
      key: backend.key,
      host: network.hostAddress,
    });
    const { id: stream } = await backend.live();
    await backend.admin("PATCH", "/v1/channels/demo", { default_playback: "realtime" });
    await using watched = await watchInRealtime(browser, http);
    await nextPicture(watched.page, 5000);

    await network.changeAddress();
    await nextPicture(watched.page, AFTER_MOVE_MS);
    expect(sessionsOf(backend)).toEqual({ whip: 1, whep: 1 });
    expect((await watched.now()).mode).toBe("realtime");
    expect((await backend.live()).id).toBe(stream);
  });
});
