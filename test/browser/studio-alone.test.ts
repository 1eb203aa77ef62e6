import { fileURLToPath } from "node:url";
import { StreamInfo } from "@klieg/protocol";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { bundledPackage } from "../harness/bundled-package.ts";
import { openChromium } from "../harness/chromium.ts";
import { PageServer } from "../harness/page-server.ts";
import type * as studioAlone from "../harness/studio-alone-page.ts";
import { until } from "../harness/until.ts";

/** What the page has. */
interface Alone {
  readonly studio: typeof studioAlone;
  engine: studioAlone.LocalEngine;
  link: studioAlone.StudioLink;
  publisher: studioAlone.WhipPublisher;
  /** State of the broadcast, as last told. */
  broadcast: string;
}

const PAGE = fileURLToPath(new URL("../harness/studio-alone-page.ts", import.meta.url));

/** Runs in the page: the studio's link to the engine inside it. */
function openLink(): Promise<unknown> {
  const alone = globalThis as unknown as Alone;
  alone.engine = new alone.studio.LocalEngine();
  alone.link = new alone.studio.StudioLink({ open: alone.engine.open, role: "stage" });
  alone.link.onEvent((event) => {
    if (event.event === "broadcast") alone.broadcast = event.broadcast.state;
  });
  return alone.link.opened();
}

describe("STU3: the studio in a browser alone, at a page of another origin than the backend", () => {
  let backend: BackendProcess;
  let browser: Browser;
  let site: PageServer;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    const script = await bundledPackage(PAGE, "studio");
    [backend, browser, site] = await Promise.all([BackendProcess.start(), openChromium(), PageServer.start()]);
    const context = await browser.newContext();
    await context.addInitScript({ content: `${script};globalThis.studio = studio;` });
    page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(site.page("/studio/", "<p>Studio</p>"));
    expect(await page.evaluate(openLink)).toMatchObject({ host: "browser" });
  });
  afterAll(async () => {
    await browser.close();
    await site[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const owner = () => ({ headers: { authorization: `Bearer ${backend.key}` } });
  const broadcastIs = (state: string) =>
    until(async () => (await page.evaluate(() => (globalThis as unknown as Alone).broadcast)) === state, {
      what: state,
      diagnose: () => `${complaints.join("\n")}\n${backend.child.output}`,
    });

  it("finds the backend, checks its key, and goes on air by WHIP: in preview, then public, then no more", async () => {
    const checked = await page.evaluate(
      async ({ url, key }) => {
        const { link } = globalThis as unknown as Alone;
        const { document } = await link.request("open_show", {});
        const home = { id: "home", name: "Home", enabled: true, kind: "klieg", url, channel: "", protocol: "whip" };
        await link.request("save_show", { document: { ...document, destinations: [home] } });
        await link.request("set_secret", { holder: "home", kind: "stream_key", secret: `${key}x` });
        const check = () => link.request("check_destination", { destination_id: "home" });
        const wrong = await check().catch((error: { code: string }) => error.code);
        await link.request("set_secret", { holder: "home", kind: "stream_key", secret: key });
        const { backend: found } = await link.request("check_backend", { url });
        return { wrong, right: await check(), found };
      },
      { url: backend.http, key: backend.key },
    );
    expect(checked).toMatchObject({
      wrong: "stream_key_invalid",
      right: { channel: "demo", watch_url: `http://localhost:${backend.ports.http}/watch/demo` },
      found: { url: backend.http, webrtc: true, channels: [{ name: "demo", live: false }] },
    });

    const started = await page.evaluate(async () => {
      const alone = globalThis as unknown as Alone;
      const canvas = document.createElement("canvas");
      const context = canvas.getContext("2d");
      setInterval(() => context?.fillRect(Math.random() * 300, Math.random() * 150, 9, 9), 33);
      const [video] = canvas.captureStream(30).getVideoTracks();
      const sound = new AudioContext();
      const tone = sound.createOscillator();
      const output = sound.createMediaStreamDestination();
      tone.connect(output);
      tone.start();
      const [audio] = output.stream.getAudioTracks();
      if (video === undefined || audio === undefined) throw new Error("no tracks");
      const asked = {
        title: "From a tab",
        category: "Tests",
        visibility: "public",
        preview: true,
        public_at: null,
      } as const;
      const { broadcast } = await alone.link.request("start_broadcast", asked);
      alone.publisher = new alone.studio.WhipPublisher({
        link: alone.link,
        destinationId: "home",
        video,
        audio,
        videoBitrate: 500_000,
        audioBitrate: 64_000,
        onState: () => undefined,
      });
      const [home] = broadcast.destinations;
      return { id: home?.stream_id ?? "", watch: home?.watch_url ?? "" };
    });
    await broadcastIs("preview");
    const stream = () => backend.json(StreamInfo, `/v1/streams/${started.id}`, owner());
    await until(async () => (await stream()).state === "live", { what: "live", diagnose: () => backend.child.output });
    expect(await backend.channel()).toMatchObject({ state: null, broadcast: null });
    // Its creator watches it at the address that the studio was given, and goes on watching when everybody may.
    await using context = await browser.newContext();
    const own = await context.newPage();
    await own.goto(started.watch);
    await own.waitForSelector('.player[data-state="playing"]');
    expect(await own.textContent(".about")).toMatch(/From a tab.*Preview: only you can see this.*Tests/);
    const position = () => own.evaluate(() => document.querySelector("video")?.currentTime ?? 0);
    const before = await position();

    await page.evaluate(() => (globalThis as unknown as Alone).link.request("go_public", {}));
    await broadcastIs("live");
    expect((await backend.live()).id).toBe(started.id);
    expect(await position()).toBeGreaterThan(before + 1);
    expect((await backend.channel()).broadcast).toMatchObject({
      title: "From a tab",
      category: "Tests",
      preview: false,
    });

    await page.evaluate(async () => {
      const { link, publisher } = globalThis as unknown as Alone;
      publisher[Symbol.dispose]();
      await link.request("stop_broadcast", {});
    });
    await broadcastIs("idle");
    expect(await stream()).toMatchObject({ state: "ended", end_reason: "stopped by its owner" });
  });

  it("is served by the backend, and comes up under the policy that it is served with", async () => {
    await using context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const served = await context.newPage();
    const wrong: string[] = [];
    served.on("pageerror", (error) => wrong.push(String(error)));
    // Violations of the policy are errors of the console, as is what could not be loaded. So is a machine without a sound card.
    served.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("audio device")) wrong.push(message.text());
    });
    const answer = await served.goto(`${backend.http}/studio`);
    expect([served.url(), answer?.headers()["content-security-policy"]]).toEqual([
      `${backend.http}/studio/`,
      expect.stringContaining("frame-ancestors 'none'"),
    ]);
    await served.waitForSelector(".app main");
    expect(wrong).toEqual([]);

    // It offers what a browser can do, and nothing else.
    await served.getByRole("button", { name: "Skip, and look around" }).click();
    await served.keyboard.press("Control+Comma");
    const dialog = served.locator("dialog[open]");
    expect(await dialog.getByRole("tab").allTextContents()).not.toContain("Recording");
    await dialog.getByRole("tab", { name: "Destinations" }).click();
    await dialog.getByText("A browser sends by WebRTC to Klieg servers.").waitFor();
    expect(await dialog.getByRole("button", { name: /RTMP|SRT/ }).count()).toBe(0);
    await dialog.getByRole("button", { name: "Klieg server" }).click();
    expect(await dialog.getByLabel("Address").inputValue()).toBe(backend.http);
    expect(await dialog.getByText("Steady: makes lost packets good").count()).toBe(0);
    expect(await served.locator("button.record").count()).toBe(0);
  });

  it("keeps the show, its files and the tab's key over a reload, and the show over the tab", async () => {
    const asset = await page.evaluate(async () => {
      const { link, studio } = globalThis as unknown as Alone;
      return studio.uploadAsset(link, new File(["a picture"], "lamp.png", { type: "image/png" }));
    });
    const read = (tab: Page) =>
      tab.evaluate(async (id) => {
        const { link, engine } = globalThis as unknown as Alone;
        const { document, assets, secrets } = await link.request("open_show", {});
        const destinations = (document as { destinations: { id: string }[] }).destinations.map((each) => each.id);
        return { destinations, assets, secrets, text: await (await fetch(engine.assetUrl(id))).text() };
      }, asset.id);
    await page.reload();
    await page.evaluate(openLink);
    const kept = { destinations: ["home"], assets: [asset], text: "a picture" };
    const key = { holder: "home", stream_key: true, passphrase: false };
    expect(await read(page)).toEqual({ ...kept, secrets: [key] });
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.evaluate(openLink);
    expect(await read(other)).toEqual({ ...kept, secrets: [] });
    expect(complaints).toEqual([]);
  });
});
