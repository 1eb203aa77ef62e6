import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  PROGRAM_HEADER_BYTES,
  STUDIO_CLOSE,
  STUDIO_PROTOCOL,
  type StudioAsset,
  writeProgramHeader,
} from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { newDocument } from "../document/studio-document.ts";
import { CaptureBox } from "./capture-box.ts";
import { InstanceLockedError } from "./instance-lock.ts";

let folder = "";
let box: CaptureBox;
const open = () =>
  CaptureBox.open({
    port: 0,
    host: "127.0.0.1",
    dataFolder: join(folder, "data"),
    recordingFolder: join(folder, "recordings"),
    ffmpeg: join(folder, "no-ffmpeg"),
    version: "0.0.0-test",
    page: join(folder, "page"),
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-box-"));
  await mkdir(join(folder, "page", "assets"), { recursive: true });
  await writeFile(join(folder, "page", "index.html"), "<!doctype html><title>Klieg</title>");
  await writeFile(join(folder, "page", "assets", "main-1.js"), "export {};");
  box = await open();
});
afterEach(async () => {
  await box.close();
  await rm(folder, { recursive: true, force: true });
});

const address = () => new URL(box.link);
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, address()), { redirect: "manual", headers });
async function cookie(): Promise<string> {
  const answer = await get(`${address().pathname}${address().search}`);
  expect(answer.status).toBe(303);
  return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

/** A page of the box, as far as its WebSocket. */
class Page {
  readonly socket: WebSocket;
  readonly events: { event: string; [name: string]: unknown }[] = [];
  readonly #answers = new Map<number, (answer: { ok: boolean; data?: unknown; error?: { code: string } }) => void>();
  #id = 0;

  constructor(headers: Record<string, string>) {
    const { host } = address();
    this.socket = new WebSocket(`ws://${host}/engine`, { headers: { origin: `http://${host}`, ...headers } });
    this.socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { event?: string; id: number };
      if (message.event === undefined) this.#answers.get(message.id)?.(message as never);
      else this.events.push(message as never);
    });
  }

  static async on(role: "stage" | "control"): Promise<Page> {
    const page = new Page({ cookie: await cookie() });
    await once(page.socket, "open");
    await page.ask("hello", { protocol: STUDIO_PROTOCOL, role });
    return page;
  }

  async ask<T = Record<string, never>>(type: string, input: object = {}): Promise<T> {
    const id = this.#id++;
    const answer = new Promise<{ ok: boolean; data?: unknown; error?: { code: string } }>((resolve) =>
      this.#answers.set(id, resolve),
    );
    this.socket.send(JSON.stringify({ id, type, ...input }));
    const { ok, data, error } = await answer;
    if (!ok) throw new Error(error?.code);
    return data as T;
  }

  async closed(): Promise<number> {
    const [code] = (await once(this.socket, "close")) as [number];
    return code;
  }
}

describe("the studio's capture box (STU3, SEC5)", () => {
  test("lets in who has the printed link, takes the token out of the address, and nobody else", async () => {
    const without = await get("/");
    expect([without.status, await without.text()]).toEqual([401, expect.stringContaining("printed")]);
    expect((await get("/?token=wrong")).status).toBe(401);
    const entry = await get(`/${address().search}`);
    expect([entry.headers.get("location"), entry.headers.get("set-cookie")]).toEqual([
      "/",
      expect.stringMatching(/HttpOnly; SameSite=Strict/),
    ]);
    const page = await get("/", { cookie: await cookie() });
    expect([page.status, page.headers.get("content-security-policy")]).toEqual([
      200,
      expect.stringContaining("default-src 'none'"),
    ]);
    expect((await get("/assets/main-1.js", { cookie: await cookie() })).headers.get("content-type")).toMatch(
      /javascript/,
    );
    for (const path of ["/assets/../../data/web-token", "/%2e%2e/data/web-token", "/.env", "/nothing.js", "/data"]) {
      expect([400, 404]).toContain((await get(path, { cookie: await cookie() })).status);
    }
    expect((await stat(join(folder, "data", "web-token"))).mode & 0o777).toBe(0o600);
  });

  test("refuses pages of other origins, and tells those without a token that they are", async () => {
    const stranger = new Page({ cookie: await cookie(), origin: "https://evil.example" });
    const [error] = (await once(stranger.socket, "error")) as [Error];
    expect(error.message).toContain("403");
    const late = new Page({});
    expect(await late.closed()).toBe(STUDIO_CLOSE.refused);
  });

  test("keeps one engine to a data folder", async () => {
    await expect(open()).rejects.toThrow(InstanceLockedError);
    await box.close();
    box = await open();
  });

  test("gives a page that is loaded again what there is, and the stage to the last that wants it", async () => {
    const first = await Page.on("stage");
    const document = newDocument("Interview");
    await first.ask("save_show", { document });
    const closed = first.closed();
    const second = await Page.on("stage");
    expect(await closed).toBe(STUDIO_CLOSE.replaced);
    expect(await second.ask("open_show")).toMatchObject({ document, problem: null });
    await expect
      .poll(() => second.events.map(({ event }) => event))
      .toEqual(["settings", "secrets", "program", "recording", "replay", "broadcast", "guest_room"]);
    const control = await Page.on("control");
    await control.ask("save_show", {
      document: { ...document, canvas: { ...document.canvas, width: 1920, height: 1080 } },
    });
    await expect.poll(() => second.events.at(-1)?.event).toBe("show");
  });

  test("survives a restart with show, settings and keys; keys never come out", async () => {
    const page = await Page.on("stage");
    const document = newDocument("Interview");
    await page.ask("save_show", { document });
    await page.ask("change_settings", { settings: { theme: "light" } });
    await page.ask("set_secret", { holder: "klieg-1", kind: "stream_key", secret: "sk_very_secret" });
    await box.close();
    box = await open();
    const again = await Page.on("stage");
    const opened = await again.ask<object>("open_show");
    expect(opened).toMatchObject({ document, secrets: [{ holder: "klieg-1", stream_key: true, passphrase: false }] });
    expect(JSON.stringify([opened, again.events])).not.toContain("sk_very_secret");
    expect(again.events.find(({ event }) => event === "settings")).toMatchObject({ settings: { theme: "light" } });
    expect((await stat(join(folder, "data", "secrets.json"))).mode & 0o777).toBe(0o600);
  });

  test("takes files of the show in, and serves them by ranges, as what they are", async () => {
    const page = await Page.on("stage");
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at);
    const begin = { name: "logo.png", media_type: "image/png", size: bytes.length };
    const { asset_id, upload } = await page.ask<{ asset_id: string; upload: number }>("begin_asset", begin);
    for (let at = 0; at < bytes.length; at += 30_000) {
      const piece = bytes.subarray(at, at + 30_000);
      const message = new Uint8Array(PROGRAM_HEADER_BYTES + piece.length);
      message.set(piece, PROGRAM_HEADER_BYTES);
      const none = { width: 0, height: 0, sampleRate: 0, channels: 0, keyframe: false };
      writeProgramHeader(message, { kind: "asset", upload, timestamp: at, ...none });
      page.socket.send(message);
    }
    const { asset } = await page.ask<{ asset: StudioAsset }>("finish_asset", { asset_id });
    expect(asset).toEqual({ id: asset_id, ...begin });
    const part = await get(`/assets/${asset_id}`, { cookie: await cookie(), range: "bytes=10-19" });
    expect([part.status, part.headers.get("content-range"), part.headers.get("content-type")]).toEqual([
      206,
      "bytes 10-19/100000",
      "image/png",
    ]);
    expect(part.headers.get("x-content-type-options")).toBe("nosniff");
    expect(part.headers.get("content-security-policy")).toContain("sandbox");
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    expect((await get(`/assets/${asset_id}`)).status).toBe(401);
    await expect(page.ask("begin_asset", { ...begin, media_type: "text/html" })).rejects.toThrow("media_unsupported");
    await page.ask("remove_asset", { asset_id });
    expect((await get(`/assets/${asset_id}`, { cookie: await cookie() })).status).toBe(404);
  });
});
