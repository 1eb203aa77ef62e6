import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist } from "../harness/hls-follower.ts";
import { PageServer } from "../harness/page-server.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true };
/** CSS pixels that a finger hits without looking (WCAG 2.2, 2.5.8 asks for 24). */
const FINGER = 40;

describe("PLY1 PLY3: the player's controls", () => {
  let backend: BackendProcess;
  let encoder: Child;
  let browser: Browser;
  beforeAll(async () => {
    backend = await BackendProcess.start();
    encoder = encode({ url: backend.rtmpUrl(), format: "flv", size: "640x360", extra: ["-tune", "zerolatency"] });
    browser = await openChromium();
    const { id } = await backend.live();
    // Enough of the past to go back to.
    await followPlaylist(
      `${backend.http}/v1/streams/${id}/source/index.m3u8`,
      (_snapshot, playlist) => playlist.segments.length >= 5,
      AbortSignal.timeout(30_000),
    );
  });
  afterAll(async () => {
    await browser?.close();
    await encoder?.stop();
    await backend?.[Symbol.asyncDispose]();
  });

  const nameless = async (watched: WatchedPage) =>
    (await watched.controls()).filter(({ name }) => name.trim().length === 0);

  it("obey the keyboard", async () => {
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
    const { page } = watched;
    const { keyboard } = page;
    await watched.stage("playing");
    await keyboard.press("k");
    expect(await watched.stage("paused")).toMatchObject({ paused: true });
    await keyboard.press(" ");
    expect(await watched.stage("playing")).toMatchObject({ paused: false });
    await keyboard.press("m");
    await watched.becomes("muted", (now) => now.muted);
    await keyboard.press("m");
    await watched.becomes("with sound", (now) => !now.muted && now.volume === 1);
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await watched.becomes("quieter", (now) => Math.abs(now.volume - 0.9) < 0.001);
    await keyboard.press("ArrowUp");
    await watched.becomes("louder", (now) => Math.abs(now.volume - 0.95) < 0.001);

    const live = await watched.now();
    await keyboard.press("ArrowLeft");
    const past = await watched.becomes("in the past", (now) => !now.following && now.stage === "playing");
    expect(past.currentTime).toBeLessThan(live.currentTime - 3);
    await page.getByRole("button", { name: /^Go live, \d:\d\d behind live$/ }).waitFor();
    await keyboard.press("l");
    await watched.becomes("live", (now) => now.following && now.stage === "playing" && now.latency < 3);

    await keyboard.press("i");
    await page.getByRole("region", { name: "Statistics" }).waitFor();
    expect(await page.locator(".statistics").textContent()).toContain("LL-HLS");
    await keyboard.press("i");
    await page.getByRole("region", { name: "Statistics" }).waitFor({ state: "detached" });
    await keyboard.press("q");
    await page.getByRole("menuitemradio", { name: /^Auto/ }).waitFor();
    await keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    await keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    // Keys belong to the dialog now.
    await keyboard.press("k");
    expect((await watched.now()).paused).toBe(false);
    await keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const fullScreen = () => page.evaluate(() => document.fullscreenElement?.classList.contains("player") ?? false);
    const complaints = { diagnose: () => watched.complaints.join("\n") };
    await keyboard.press("f");
    await until(fullScreen, { what: "full screen", ...complaints });
    await keyboard.press("f");
    await until(async () => !(await fullScreen()), { what: "out of full screen", ...complaints });
    expect(watched.complaints).toEqual([]);
    expect(await watched.violations()).toEqual([]);
  });

  it("have names in the accessibility tree, and can all be reached by Tab", async () => {
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
    const { page } = watched;
    await watched.stage("playing");
    await page.keyboard.press("i");
    await page.keyboard.press("q");
    await page.getByRole("menu").waitFor();
    expect(await nameless(watched)).toEqual([]);
    const roles = (await watched.controls()).map(({ role, name }) => `${role} ${name}`);
    for (const wanted of [
      "button Pause",
      "button Mute",
      "slider Volume",
      "slider Position in the broadcast",
      "button Quality",
      "menuitemradio Auto",
      "button Picture in picture",
      "button Full screen",
      "button Share",
    ]) {
      expect(roles.some((control) => control.startsWith(wanted))).toBe(true);
    }
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    expect(await nameless(watched)).toEqual([]);
    await page.keyboard.press("Escape");

    const reached = new Set<string>();
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press("Tab");
      reached.add(
        await page.evaluate(() => {
          const { activeElement: element } = document;
          return element?.getAttribute("aria-label") ?? element?.textContent?.trim() ?? "";
        }),
      );
    }
    for (const name of ["Pause", "Mute", "Volume", "Position in the broadcast", "Quality", "Full screen", "Share"]) {
      expect(reached).toContain(name);
    }
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("en");
  });

  it("fit a phone and a finger", async () => {
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo`, ...PHONE });
    const { page } = watched;
    await watched.stage("playing");
    const shows = (wanted: string) => page.locator(`.player[data-controls="${wanted}"]`).waitFor();
    await shows("hidden");
    await page.touchscreen.tap(195, 160);
    await shows("shown");
    expect((await watched.now()).paused).toBe(false);
    const boxes = await page.locator(".control-bar button:visible").evaluateAll((buttons) =>
      buttons.map((button) => {
        const { left, right, width, height } = button.getBoundingClientRect();
        return { name: button.getAttribute("aria-label"), left, right, width, height };
      }),
    );
    expect(boxes.length).toBeGreaterThanOrEqual(3);
    for (const { name, left, right, width, height } of boxes) {
      expect.soft(left, `${name}`).toBeGreaterThanOrEqual(0);
      expect.soft(right, `${name}`).toBeLessThanOrEqual(PHONE.viewport.width);
      expect.soft(Math.min(width, height), `${name}`).toBeGreaterThanOrEqual(FINGER);
    }
    await page.getByRole("button", { name: "Pause" }).last().tap();
    await watched.stage("paused");
    await page.getByRole("button", { name: "Play" }).last().tap();
    await watched.stage("playing");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.viewport.width);
    expect(await nameless(watched)).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("the home page lists the channel, and leads to it without another page", async () => {
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/` });
    const { page } = watched;
    const link = page.getByRole("link", { name: /^Watch Demo/i });
    await link.waitFor();
    expect(await nameless(watched)).toEqual([]);
    await link.click();
    await watched.stage("playing");
    expect(new URL(page.url()).pathname).toBe("/watch/demo");
    await page.goBack();
    await link.waitFor();
    expect(watched.loads).toBe(1);
    expect(watched.complaints).toEqual([]);
    expect(await watched.violations()).toEqual([]);
  });

  it("the embed plays in a frame of another site; the page around the player does not let itself be framed", async () => {
    await using site = await PageServer.start();
    const embed = `${backend.http}/embed/demo?autoplay=1&muted=1`;
    const url = site.page(
      "/article",
      `<iframe id="embed" title="Broadcast" src="${embed}" width="640" height="360" allow="autoplay; fullscreen"></iframe>
       <iframe id="page" title="Page" src="${backend.http}/watch/demo"></iframe>`,
    );
    await using watched = await WatchedPage.open(browser, { url });
    const frame = await (await watched.page.waitForSelector("#embed")).contentFrame();
    if (frame === null) throw new Error("the embed is not a frame");
    await frame.waitForSelector('.player[data-state="playing"]');
    const time = () => frame.evaluate(() => document.querySelector("video")?.currentTime ?? 0);
    const before = await time();
    await until(async () => (await time()) > before + 2, { what: "the embed playing on" });
    const brand = frame.getByRole("link", { name: "Watch on Klieg" });
    expect(await brand.getAttribute("href")).toBe("/watch/demo");
    expect(await brand.getAttribute("target")).toBe("_blank");
    // What the browser says of the page that refuses to be framed is the only complaint.
    expect(watched.complaints).toHaveLength(1);
    expect(watched.complaints[0]).toMatch(/frame-ancestors/);
  });
});
