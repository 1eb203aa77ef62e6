import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STUDIO_CLOSE, STUDIO_PROTOCOL, type StudioEvent } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newDocument } from "../document/studio-document.ts";
import type { EngineSession } from "./engine-session.ts";
import { StudioEngine, type StudioEngineOptions } from "./studio-engine.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-engine-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const open = (options: Partial<StudioEngineOptions> = {}) =>
  StudioEngine.open({
    dataFolder: join(folder, "data"),
    recordingFolder: join(folder, "recordings"),
    version: "0.0.0-test",
    host: "web",
    ffmpeg: join(folder, "no-ffmpeg"),
    cores: 2,
    ...options,
  });

interface Answer {
  readonly ok: boolean;
  readonly data?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A page of an engine, without a carrier. */
class Page {
  readonly session: EngineSession;
  readonly events: StudioEvent[] = [];
  closed: number | undefined;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #ids = 0;

  constructor(engine: StudioEngine) {
    this.session = engine.connect({
      send: (text) => {
        const message = JSON.parse(text);
        if ("event" in message) this.events.push(message);
        else this.#answers.get(message.id)?.(message);
      },
      sendMedia: () => undefined,
      behind: 0,
      close: (code) => {
        this.closed = code;
      },
    });
  }

  static async on(engine: StudioEngine, role: "stage" | "control" = "stage"): Promise<Page> {
    const page = new Page(engine);
    await page.ask("hello", { protocol: STUDIO_PROTOCOL, role });
    return page;
  }

  /** @returns the answer's data, or the words of the refusal. */
  async ask(type: string, input: object = {}): Promise<unknown> {
    const id = this.#ids++;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answers.set(id, resolve);
    this.session.receive(JSON.stringify({ ...input, id, type }));
    const { ok, data, error } = await promise;
    return ok ? data : `${error?.code}: ${error?.message}`;
  }
}

async function serving(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("the studio's engine, with what is damaged (SEC5, STU1)", () => {
  test.each([
    ["cut in the middle", '{"version":1,"canvas":{"wid', /damaged/],
    ["of a newer studio", '{"version":99}', /newer/],
    ["something else", '"hello"', /not a show/],
    ["wrong in itself", JSON.stringify({ ...newDocument("A"), program: "nowhere" }), /damaged/],
  ])("a show that is %s is put aside, and said to be", async (_what, text, words) => {
    await mkdir(join(folder, "data"), { recursive: true });
    await writeFile(join(folder, "data", "show.json"), text);
    await using engine = await open();
    const page = await Page.on(engine);
    const opened = await page.ask("open_show");
    expect(opened).toMatchObject({
      problem: expect.stringMatching(words),
      document: { scenes: [{ name: "Scene 1" }] },
    });
    const aside = (await readdir(join(folder, "data"))).find((name) => name.startsWith("show.damaged-")) ?? "";
    expect(await readFile(join(folder, "data", aside), "utf8")).toBe(text);
    expect((opened as { problem: string }).problem).toContain(aside);
    await page.ask("save_show", { document: newDocument("B") });
    expect(await page.ask("open_show")).toMatchObject({ problem: null, document: { scenes: [{ name: "B" }] } });
  });

  test("what is no show is not saved, in words; the one that is there stays", async () => {
    await using engine = await open();
    const page = await Page.on(engine);
    await page.ask("save_show", { document: newDocument("A") });
    const refused = await page.ask("save_show", { document: { ...newDocument("B"), canvas: { width: 7 } } });
    expect(refused).toMatch(/^bad_request: This is not a show that can be saved: canvas/);
    expect(await page.ask("open_show")).toMatchObject({ document: { scenes: [{ name: "A" }] } });
  });

  test("a setting that is damaged takes no other along; keys that are damaged are put aside", async () => {
    await mkdir(join(folder, "data"), { recursive: true });
    await writeFile(join(folder, "data", "settings.json"), '{"theme":"light","replay_seconds":"many"}');
    await writeFile(join(folder, "data", "secrets.json"), "{");
    await using engine = await open();
    const page = await Page.on(engine);
    const [settings, secrets] = page.events;
    expect(settings).toMatchObject({ event: "settings", settings: { theme: "light", replay_seconds: 0 } });
    expect(secrets).toEqual({ event: "secrets", secrets: [] });
    expect((await readdir(join(folder, "data"))).some((name) => name.startsWith("secrets.damaged-"))).toBe(true);
  });
});

describe("the studio's engine, with pages that are wrong (SEC5, STU3)", () => {
  test("what is no message is answered or ends the connection; before hello nothing is done", async () => {
    await using engine = await open();
    const early = new Page(engine);
    expect(await early.ask("open_show")).toMatch(/^bad_request: The first message must be hello/);
    expect(await early.ask("hello", { protocol: 99, role: "stage" })).toMatch(/load it again/);
    const page = await Page.on(engine);
    expect(await page.ask("no_such_thing")).toMatch(/^bad_request/);
    expect(await page.ask("arm_replay", { seconds: -1 })).toMatch(/^bad_request/);
    page.session.receive("{");
    expect(page.closed).toBe(STUDIO_CLOSE.protocol);
    const noisy = await Page.on(engine);
    noisy.session.receiveMedia(new Uint8Array(40));
    expect(noisy.closed).toBe(STUDIO_CLOSE.protocol);
    const deaf = new Page(engine);
    deaf.session.receiveMedia(new Uint8Array(40));
    expect(deaf.closed).toBe(STUDIO_CLOSE.protocol);
  });

  test("commands that come while no page is there are told to the first that comes", async () => {
    await using engine = await open();
    engine.tell({ event: "link", url: "klieg://join/1" });
    const page = await Page.on(engine, "control");
    expect(page.events.at(-1)).toEqual({ event: "link", url: "klieg://join/1" });
  });

  test("keys are sealed where there is a keychain, and one that is locked is said to be", async () => {
    let locked = false;
    const turned = async (bytes: Uint8Array<ArrayBuffer>) => (locked ? null : bytes.map((byte) => byte ^ 0x55));
    await using engine = await open({ sealer: { seal: turned, open: turned } });
    const page = await Page.on(engine);
    const destination = {
      id: "k1",
      name: "K",
      enabled: true,
      kind: "klieg",
      url: "http://127.0.0.1:9",
      channel: "",
      protocol: "srt",
    };
    await page.ask("save_show", { document: { ...newDocument("A"), destinations: [destination] } });
    await page.ask("set_secret", { holder: "k1", kind: "stream_key", secret: "sk_secret" });
    const kept = await readFile(join(folder, "data", "secrets.json"), "utf8");
    expect(kept).not.toContain(Buffer.from("sk_secret").toString("base64"));
    expect(await page.ask("check_destination", { destination_id: "k1" })).toMatch(
      /^unreachable: 127.0.0.1:9 cannot be reached: bad port/,
    );
    locked = true;
    expect(await page.ask("check_destination", { destination_id: "k1" })).toMatch(
      /^stream_key_missing: The system's keychain/,
    );
    expect(await page.ask("set_secret", { holder: "k1", kind: "stream_key", secret: "sk_2" })).toMatch(
      /^storage_unavailable/,
    );
    expect(await page.ask("forget_secrets", { holder: "k1" })).toEqual({ secrets: [] });
  });
});

describe("the studio's engine, with servers that are wrong (STU9)", () => {
  const answers: readonly [string, RequestListener, RegExp][] = [
    ["is a web site", (_q, r) => void r.end("<html>"), /not as a Klieg backend/],
    ["knows no such thing", (_q, r) => void r.writeHead(404).end("no"), /not as a Klieg backend does/],
    ["is another product", (_q, r) => void r.end('{"product":"other"}'), /not as a Klieg backend/],
    [
      "is of the future",
      (_q, r) => void r.end('{"product":"klieg","version":"9.0","webrtc":{}}'),
      /Klieg server of version 9\.0, .* Update the studio/,
    ],
    ["sends elsewhere", (_q, r) => void r.writeHead(302, { location: "http://127.0.0.1:1/" }).end(), /not as a Klieg/],
    ["says too much", (_q, r) => void r.end(Buffer.alloc(2_000_000)), /far too large/],
    ["hangs up", (q) => q.socket.destroy(), /hung up/],
  ];
  test("each is told apart, in words", async () => {
    await using engine = await open();
    const page = await Page.on(engine);
    let gone = "";
    for (const [what, listener, words] of answers) {
      await using server = await serving(listener);
      gone = server.url;
      const answer = await page.ask("check_backend", { url: server.url });
      expect(answer, what).toMatch(/^unreachable: /);
      expect(answer, what).toMatch(words);
    }
    expect(await page.ask("check_backend", { url: gone })).toMatch(/nothing answers at this address and port/);
    expect(await page.ask("check_backend", { url: "http://klieg.invalid" })).toMatch(/klieg.invalid cannot be reached/);
  });

  test("a key that has expired is said to be, by the server's own words; the key goes nowhere else", async () => {
    const seen: (string | undefined)[] = [];
    const error = { code: "stream_key_revoked", message: "This stream key has been revoked.", retryable: false };
    await using server = await serving((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      response.setHeader("content-type", "application/json");
      if (request.url === "/v1/server") response.end('{"product":"klieg","version":"1","webrtc":true}');
      else response.writeHead(403).end(JSON.stringify({ error }));
    });
    await using engine = await open();
    const page = await Page.on(engine);
    const destination = {
      id: "k1",
      name: "K",
      enabled: true,
      kind: "klieg",
      url: server.url,
      channel: "",
      protocol: "whip",
    };
    await page.ask("save_show", { document: { ...newDocument("A"), destinations: [destination] } });
    await page.ask("set_secret", { holder: "k1", kind: "stream_key", secret: "sk_old" });
    expect(await page.ask("check_destination", { destination_id: "k1" })).toBe(`${error.code}: ${error.message}`);
    expect(seen).toEqual(["/v1/server undefined", "/v1/stream-key Bearer sk_old"]);
    await page.ask("start_broadcast", {
      title: "",
      category: "",
      visibility: "public",
      preview: false,
      public_at: null,
    });
    expect(await page.ask("whip_offer", { destination_id: "k1", sdp: "v=0" })).toBe(`${error.code}: ${error.message}`);
    const told = page.events.findLast(({ event }) => event === "broadcast");
    expect(told).toMatchObject({ broadcast: { destinations: [{ id: "k1", state: "failed", problem: error }] } });
  });
});
