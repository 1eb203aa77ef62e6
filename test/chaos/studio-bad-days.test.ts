import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { CreatedStreamKey, StreamKeyList } from "@klieg/protocol";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { BackendProcess } from "../harness/backend.ts";
import { run } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { NginxRtmp } from "../harness/nginx-rtmp.ts";
import { longestStep, probeProgram } from "../harness/recorded-program.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { StudioBox } from "../harness/studio-box.ts";
import { difference } from "../harness/studio-show.ts";
import { StudioWebProcess } from "../harness/studio-web.ts";
import { twoScenes } from "../harness/two-scene-show.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";

requirePackages("chromium", "ffmpeg", "nginx", "libnginx-mod-rtmp", "openssl");

/** What stands in a camera's place. */
const PLACEHOLDER = [20, 18, 16] as const;

/** The browser's own devices in place of made ones, and a second destination by RTMP. */
function showOf(backend: BackendProcess, rtmp: string): StudioDocument {
  const show = twoScenes(backend.http, "srt");
  return {
    ...show,
    sources: show.sources.map((source) => ("device" in source ? { ...source, device: { id: "", label: "" } } : source)),
    destinations: [
      ...show.destinations,
      { id: "elsewhere", name: "Elsewhere", enabled: true, kind: "rtmp", url: rtmp },
    ],
  };
}

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { port, [Symbol.asyncDispose]: close };
}

const json =
  (value: object): RequestListener =>
  (_request, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  };

describe("bad days of a show, as its page tells of them (STU3, STU4, STU8)", () => {
  let folder: string;
  let backend: BackendProcess;
  let nginx: NginxRtmp;
  let browser: Browser;
  let box: StudioBox;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "klieg-bad-days-"));
    [backend, nginx, browser] = await Promise.all([
      BackendProcess.start({ env: { KLIEG_WEBRTC: "0" } }),
      NginxRtmp.start(),
      // Without the flag that grants every device unasked: leave is given, and taken back, by the test.
      openChromium({ args: ["--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream"] }),
    ]);
    const keys = { klieg: backend.key, elsewhere: "show" };
    box = await StudioBox.start({ show: showOf(backend, nginx.url), keys });
    page = await box.openWithBrowserDevices(browser);
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.locator('[data-peak="mic"]').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await box?.[Symbol.asyncDispose]();
    await nginx?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const dialog = () => page.locator("dialog[open]");
  const alert = (words: RegExp): Locator => page.locator(".alert, .health").filter({ hasText: words }).first();
  const onAir = () => page.locator(".on-air:not(.preview)");
  const program = () => page.getByRole("figure", { name: "Program" }).locator("canvas");

  async function settings(name: string): Promise<void> {
    await page.keyboard.press("Control+Comma");
    await dialog().getByRole("tab", { name }).click();
  }

  /** Resolves when another broadcast could begin. */
  async function endStream(): Promise<void> {
    await page.getByRole("button", { name: "End stream" }).first().click();
    await dialog().getByRole("button", { name: "End stream" }).click();
    await page.getByRole("button", { name: "Go live" }).waitFor();
  }

  async function leaveDialog(): Promise<void> {
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
  }

  /** Whether the program's middle has the card that stands for a camera. */
  async function cardIsShown(): Promise<boolean> {
    const pixel = await program().evaluate((canvas) => {
      const picture = canvas as HTMLCanvasElement;
      const probe = new OffscreenCanvas(1, 1);
      const context = probe.getContext("2d");
      context?.drawImage(picture, picture.width * 0.1, picture.height * 0.5, 1, 1, 0, 0, 1, 1);
      return [...(context?.getImageData(0, 0, 1, 1).data ?? [])];
    });
    return difference(pixel, PLACEHOLDER) < 8;
  }

  test("a wrong server: no Klieg, a certificate of nobody, another version; the right one is found again", async () => {
    const tls = path.join(folder, "tls");
    await mkdir(tls);
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2";
    await run("openssl", [...request.split(" "), "-keyout", path.join(tls, "key"), "-out", path.join(tls, "cert")]);
    const [key, cert] = await Promise.all([readFile(path.join(tls, "key")), readFile(path.join(tls, "cert"))]);
    const future = json({ product: "klieg", version: "9.0.0", webrtc: { available: true } });
    await using web = await listening(createServer((_request, response) => void response.end("<html>")));
    await using secured = await listening(createTlsServer({ key, cert }, future));
    await using newer = await listening(createServer(future));
    await settings("Destinations");
    await dialog().getByRole("button", { name: "Edit Klieg" }).click();
    const check = async (url: string, words: RegExp) => {
      await dialog().getByLabel("Address").fill(url);
      await dialog().getByRole("button", { name: "Check" }).click();
      await dialog().getByRole("status").filter({ hasText: words }).waitFor();
    };
    await check(`http://127.0.0.1:${web.port}`, /answers, but not as a Klieg backend does/);
    await check(`https://127.0.0.1:${secured.port}`, /certificate was signed by nobody who is known/);
    await check(`https://127.0.0.1:${web.port}`, /does not speak HTTPS there: try http/);
    await check(`http://127.0.0.1:${newer.port}`, /Klieg server of version 9\.0\.0.*Update the studio/);
    await newer[Symbol.asyncDispose]();
    await check(`http://127.0.0.1:${newer.port}`, /nothing answers at this address and port/);
    await check(backend.http, /the key opens the channel “demo”/);
    await leaveDialog();
  });

  test("a preview is its owner's alone until it is put on air; two destinations, of which one dies and comes back", async () => {
    await settings("Recording");
    await dialog().getByLabel("Replay").selectOption("30");
    await leaveDialog();
    await page.keyboard.press("Control+Enter");
    await dialog().getByLabel("Title").fill("A show on a bad day");
    await dialog().getByText("Preview first").click();
    await dialog().getByRole("button", { name: "Start preview" }).click();
    await page.getByRole("timer").filter({ hasText: "Preview" }).waitFor();
    expect(await backend.channel()).toMatchObject({ live_stream_id: null, broadcast: null });
    await page.getByRole("button", { name: "A show on a bad day" }).click();
    const link = dialog().getByText(/^http.*preview=/);
    await link.waitFor();
    expect((await fetch((await link.textContent()) ?? "")).status).toBe(200);
    await leaveDialog();

    await page.getByRole("button", { name: "Put on air" }).click();
    await onAir().waitFor();
    const { id, title } = await backend.live();
    expect(title).toBe("A show on a bad day");
    const played = await probeProgram(`${nginx.url}/show`, "%+1");
    expect(played.streams.map(({ codec_name }) => codec_name).toSorted()).toEqual(["aac", "h264"]);

    await nginx.kill();
    await alert(/Elsewhere: (next attempt|reconnecting)/).waitFor();
    await nginx.again();
    await alert(/Elsewhere: (next attempt|reconnecting)/).waitFor({ state: "detached" });
    expect((await probeProgram(`${nginx.url}/show`, "%+1")).streams).toHaveLength(2);
    const health = await backend.health(id);
    expect(health).toMatchObject({ state: "live", ingest: { discontinuities: 0 } });
  });

  test("the camera is pulled out in mid-show, then forbidden: viewers see a card, and the camera again", async () => {
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
    await watched.becomes("playing", ({ stage }) => stage === "playing", 30_000);
    const before = await backend.live();
    const pull = (out: boolean) =>
      page.evaluate((pulled) => (globalThis as unknown as { pullCamera(out: boolean): void }).pullCamera(pulled), out);
    await until(async () => !(await cardIsShown()), { what: "the camera" });
    await pull(true);
    await alert(/Camera is gone/).waitFor();
    await until(cardIsShown, { what: "the card" });
    await pull(false);
    await until(async () => !(await cardIsShown()), { what: "the camera, plugged in again" });
    await alert(/Camera is gone/).waitFor({ state: "detached" });

    const context = page.context();
    await context.clearPermissions();
    await alert(/Permission was taken back/).waitFor();
    await until(cardIsShown, { what: "the card, once more" });
    await context.grantPermissions(["camera", "microphone"]);
    await until(async () => !(await cardIsShown()), { what: "the camera, allowed again" });
    await alert(/Permission was taken back/).waitFor({ state: "detached" });
    // Viewers saw one stream all the while.
    expect(await watched.now()).toMatchObject({ stage: "playing" });
    expect(watched.loads).toBe(1);
    expect((await backend.live()).id).toBe(before.id);
    expect((await backend.health(before.id)).ingest?.discontinuities).toBe(0);
  });

  test("the disk is full while recording, in words; the replay is kept elsewhere; the broadcast goes on", async () => {
    const small = path.join(folder, "small");
    await mkdir(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=160k", "klieg-test", small]);
    try {
      const recordTo = async (to: string) => {
        await settings("Recording");
        await dialog().getByLabel("Folder").fill(to);
        await dialog().getByLabel("Folder").press("Enter");
        await leaveDialog();
      };
      await recordTo(small);
      await page.keyboard.press("Control+Shift+KeyR");
      await page.locator("button.record.recording").waitFor();
      // A picture on which little moves fills a disk slowly, and one of which a busy machine drops half more slowly still.
      await alert(/The recording has stopped/).waitFor({ timeout: 60_000 });
      await alert(/disk is full.*What was recorded until then is whole/).waitFor();
      const [film = ""] = await readdir(small);
      expect((await probeProgram(path.join(small, film))).complaints).toBe("");
      await recordTo(box.recordings);
      await page.getByRole("button", { name: "Save replay" }).click();
      const saved = page.getByText(/^The last .* are saved: /);
      await saved.waitFor();
      const [, replay = ""] = /saved: (.*)$/.exec((await saved.textContent()) ?? "") ?? [];
      expect(path.dirname(replay)).toBe(box.recordings);
      const kept = await probeProgram(replay);
      expect(kept.complaints).toBe("");
      expect(longestStep(kept, "video")).toBeLessThan(0.5);
      const times = kept.packets.map(({ dts_time }) => Number(dts_time));
      expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(5);
      await onAir().waitFor();
      await backend.live();
    } finally {
      await run("umount", ["-l", small]);
    }
  });

  test("the key is revoked in mid-show: words, the way to another, and on air again with it", async () => {
    const { keys } = StreamKeyList.parse(await (await backend.admin("GET", "/v1/channels/demo/keys")).json());
    const [first] = keys;
    const made = await backend.admin("POST", "/v1/channels/demo/keys", { label: "another" });
    const { stream_key: another } = CreatedStreamKey.parse(await made.json());
    expect((await backend.admin("DELETE", `/v1/channels/demo/keys/${first?.id}`)).status).toBe(204);
    await alert(/Klieg does not get your show/).waitFor();
    await alert(/revoked/).waitFor();
    // The other destination is none the worse for it.
    expect((await probeProgram(`${nginx.url}/show`, "%+1")).streams).toHaveLength(2);
    await page.getByRole("button", { name: "Enter key" }).click();
    await dialog().getByLabel("Stream key").fill(another);
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog().getByText("Sending").first().waitFor();
    await leaveDialog();
    await backend.live();
    await endStream();
  });

  test("a planned start: a preview until then, and public by itself (ING5)", async () => {
    await page.getByRole("button", { name: "Go live" }).click();
    await dialog().getByText("At a time").click();
    const at = Date.now() + 5000;
    const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
    await dialog().getByLabel("On air at").fill(local);
    await dialog().getByRole("button", { name: "Start preview" }).click();
    await page
      .getByRole("timer")
      .filter({ hasText: /on air in/ })
      .waitFor();
    expect((await backend.channel()).broadcast).toBeNull();
    await onAir().waitFor();
    expect(Date.now()).toBeGreaterThan(at - 1000);
    await backend.live();
    expect((await backend.channel()).broadcast).toMatchObject({ preview: false });
    await endStream();
    expect(complaints).toEqual([]);
  });

  test("a damaged show is put aside, with words, and nothing is written over it", async () => {
    const dataDir = path.join(folder, "damaged");
    await mkdir(dataDir);
    const damaged = '{"version":1,"scenes":[{"id":"a"';
    await writeFile(path.join(dataDir, "show.json"), damaged);
    await writeFile(path.join(dataDir, "settings.json"), "not even json");
    await using studio = await StudioWebProcess.start({ dataDir });
    const other = await browser.newPage();
    await other.goto(studio.link);
    const told = other.getByRole("alert").filter({ hasText: "A new show is open" });
    const skip = other.getByRole("button", { name: "Skip, and look around" });
    await skip.click();
    await told.waitFor();
    const [, aside = ""] = /kept as (\S+),/.exec((await told.textContent()) ?? "") ?? [];
    expect(await readFile(path.join(dataDir, aside), "utf8")).toBe(damaged);
    await other.close();
  });
});
