import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleApp } from "../../apps/studio/packaging/bundle-app.ts";
import { Child, run } from "../harness/child.ts";
import { type Note, StandInApp } from "../harness/electron-stand-in/stand-in-app.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";

// The desktop app's main process, preload script and engine as they are built, on a stand-in for Electron: Debian's Chromium
// and test/harness/electron-stand-in/README.md.

/** Speaks to the engine from within the page, by the port that the app gives it. */
const LINK = `(async () => {
  const arrival = new Promise((resolve) => {
    const onMessage = ({ data, ports }) => {
      if (data !== "klieg:engine-port") return;
      window.removeEventListener("message", onMessage);
      resolve(ports[0]);
    };
    window.addEventListener("message", onMessage);
  });
  window.kliegDesktop.connect();
  const port = await arrival;
  const link = { events: [], taken: 0, closed: false };
  const waiting = new Map();
  let ids = 0;
  port.addEventListener("close", () => { link.closed = true; });
  port.onmessage = ({ data }) => {
    if (typeof data === "number") link.taken = data;
    else if (typeof data === "object") link.farewell = data;
    else {
      const message = JSON.parse(data);
      if (message.event !== undefined) link.events.push(message);
      else waiting.get(message.id)?.(message);
    }
  };
  link.request = (type, input = {}) => new Promise((resolve) => {
    ids += 1;
    waiting.set(ids, resolve);
    port.postMessage(JSON.stringify({ id: ids, type, ...input }));
  });
  link.post = (message) => port.postMessage(message);
  window.link = link;
  return link.request("hello", { protocol: 1, role: "control" });
})()`;

interface Answer {
  readonly ok: boolean;
  readonly data: Record<string, unknown>;
}

let folder: string;
let built: string;
/** The same app with an empty page, which does not speak to the engine by itself. */
let bare: string;

beforeAll(async () => {
  requirePackages("chromium", "ffmpeg");
  folder = await mkdtemp(path.join(tmpdir(), "klieg-stand-in-app-"));
  built = path.join(folder, "app");
  const studio = path.resolve(import.meta.dirname, "../../apps/studio");
  const page = path.join(folder, "page");
  await build({ root: studio, logLevel: "error", build: { outDir: page, emptyOutDir: true } });
  await bundleApp({ into: built, page });
  bare = path.join(folder, "bare");
  await cp(built, bare, { recursive: true });
  await writeFile(path.join(bare, "page/index.html"), "<!doctype html><title>Klieg</title>");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function opened(options: Parameters<typeof StandInApp.start>[1] = {}, folder = built): Promise<StandInApp> {
  const app = await StandInApp.start(folder, options);
  await app.note("shown");
  return app;
}

const connect = async (app: StandInApp) => (await app.evaluate(LINK)) as Answer;
const request = async (app: StandInApp, type: string, input: object = {}) =>
  (await app.evaluate(`link.request(${JSON.stringify(type)}, ${JSON.stringify(input)})`)) as Answer;
const told = (app: StandInApp, event: string) =>
  until(
    () =>
      app.evaluate(`link.events.find(({ event }) => event === ${JSON.stringify(event)})`) as Promise<
        object | undefined
      >,
    { what: `the event ${event}`, diagnose: () => app.child.output },
  );
/** A port that nobody has at the moment. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
const details = (notes: readonly Note[], what: string) =>
  notes.filter((each) => each.what === what).map(({ detail }) => detail);

describe("the desktop app on a stand-in for Electron (STU9)", () => {
  test("opens a confined window, serves its page, and carries the page's link to the engine", async () => {
    await using app = await opened({ args: ["klieg://connect?server=https%3A%2F%2Flive.example.com"] });
    const window = (await app.note("window")) as { preferences: object };
    expect(window.preferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      backgroundThrottling: false,
    });
    expect(await app.note("minimum size")).toEqual({ width: 1280, height: 828 });
    expect(
      await app.evaluate(`[document.title, typeof require, typeof process, Object.isFrozen(kliegDesktop)]`),
    ).toEqual([expect.stringContaining("Klieg"), "undefined", "undefined", true]);
    const policy = await app.evaluate(`fetch("./").then(({ headers }) => headers.get("content-security-policy"))`);
    expect(policy).toContain("default-src 'none'");
    expect(await app.evaluate(`fetch("./..%2fpackage.json").then(({ status }) => status)`)).toBe(400);

    // The real page has its own link by now, and all that it loads is allowed: worker, worklet, fonts.
    await until(() => app.evaluate("document.body.innerText.length > 200"), { what: "the page" });
    // It was started with a link: the first steps have that server's address.
    await until(() => app.evaluate(`document.querySelector(".welcome input")?.value === "https://live.example.com"`), {
      what: "the link's server",
    });
    const welcome = await connect(app);
    expect(welcome).toMatchObject({ ok: true, data: { host: "electron", secrets: "keychain" } });

    // The keychain is the app's; the file that the engine keeps has nothing to read in it (SEC5).
    const secret = { holder: "main", kind: "stream_key", secret: "live_0123456789" };
    expect(await request(app, "set_secret", secret)).toMatchObject({ ok: true });
    const kept = await readFile(path.join(app.data, "studio/secrets.json"), "utf8");
    const [, bytes = ""] = /"bytes": *"([^"]+)"/.exec(kept) ?? [];
    expect(Buffer.from(bytes, "base64").toString()).toMatch(/^sealed:[0-9a-f]+$/);

    // A picture goes in as media, is acknowledged, and is served beside the page.
    const begun = await request(app, "begin_asset", { name: "a.png", media_type: "image/png", size: 70_000 });
    const { asset_id, upload } = begun.data;
    await app.evaluate(`(() => {
      const message = new Uint8Array(16 + 70000).fill(7);
      message.fill(0, 0, 16);
      message[0] = 7;
      new DataView(message.buffer).setUint16(2, ${upload}, true);
      link.post(message);
    })()`);
    expect(await request(app, "finish_asset", { asset_id })).toMatchObject({ ok: true });
    await until(async () => (await app.evaluate("link.taken")) === 70_016, { what: "the media acknowledged" });
    expect(
      await app.evaluate(`fetch("./assets/${asset_id}", { headers: { range: "bytes=69990-" } }).then(async (answer) =>
        [answer.status, answer.headers.get("content-type"), (await answer.bytes()).join()])`),
    ).toEqual([206, "image/png", "7,7,7,7,7,7,7,7,7,7"]);
    expect([...details(app.notes, "page error"), ...details(app.notes, "console error")]).toEqual([
      // The file outside the page's folder that was asked for above.
      expect.stringContaining("400"),
    ]);
  });

  test("refuses what others send, lets the page lead nowhere, and captures only what was picked (SEC5)", async () => {
    await using app = await opened({}, bare);
    // The same message, by the page itself: it would have been answered.
    await app.order({ forge: "klieg:connect", args: [], url: "klieg://studio/" });
    await app.note("forger got");
    for (const url of ["https://studio/", "klieg://studio.evil.example/", "https://evil.example/"]) {
      await app.order({ forge: "klieg:connect", args: [], url });
    }
    await app.order({ forge: "klieg:connect", args: [], url: "klieg://studio/", top: false });
    // Orders are carried out in turn: by now the others would have got theirs.
    expect(await app.evaluate("1 + 1")).toBe(2);
    expect(details(app.notes, "forger got")).toEqual(["klieg:port"]);

    const address = await app.evaluate("location.href");
    await app.evaluate(`void (location.href = "https://elsewhere.example/")`);
    expect(await app.note("navigation denied")).toBe("https://elsewhere.example/");
    expect(await app.note("opened in browser")).toBe("https://elsewhere.example/");
    await app.evaluate(`void open("http://192.168.1.2:8080/watch/demo")`);
    expect(await app.note("window.open")).toEqual({ url: "http://192.168.1.2:8080/watch/demo", action: "deny" });
    await app.evaluate(`(() => {
      const frame = document.createElement("iframe");
      frame.src = "https://framed.example/";
      document.body.append(frame);
    })()`);
    // The page's own policy stops a frame before the app has a say.
    await until(() => details(app.notes, "console error").some((text) => String(text).includes("framed.example")), {
      what: "the frame refused",
    });
    expect(await app.evaluate("location.href")).toBe(address);
    expect(details(app.notes, "left to the network")).toEqual([]);

    const states = await app.evaluate(`Promise.all(["camera", "microphone", "geolocation", "notifications", "midi"].map(
      async (name) => (await navigator.permissions.query({ name })).state))`);
    expect(states).toEqual(
      ["granted", "granted", "prompt", "prompt", "prompt"].map((state) =>
        expect.stringMatching(state === "granted" ? /granted/ : /prompt|denied/),
      ),
    );

    const capture = `navigator.mediaDevices.getDisplayMedia({ video: true }).then(
      (stream) => stream.getVideoTracks()[0].label, (error) => error.name)`;
    await app.evaluate(`kliegDesktop.onPickScreen(async (offer) =>
      ({ screen: (window.offer = offer).screens[1].id, audio: false }))`);
    expect(await app.evaluate(capture)).toBe("Slides");
    expect(await app.evaluate("offer.screens.map(({ kind, name }) => kind + ' ' + name)")).toEqual([
      "screen Entire screen",
      "window Slides",
    ]);
    await app.evaluate(`kliegDesktop.onPickScreen(async () => ({ screen: "screen:9:9", audio: true }))`);
    expect(await app.evaluate(capture)).toBe("NotAllowedError");
  });

  test("page and engine die: both are back, and the engine has all that the page had told it", async () => {
    await using app = await opened();
    await connect(app);
    await request(app, "change_settings", { settings: { theme: "light", global_keys: { mute: "F9", typed: "KeyA" } } });
    expect(await app.note("shortcut")).toBe("F9");
    await app.evaluate("void (window.marked = true)");

    await app.order({ crash: "page" });
    const back = await until(() => app.evaluate("[typeof marked, document.readyState]"), {
      what: "the page back",
      diagnose: () => app.child.output,
    });
    expect(back).toEqual(["undefined", expect.any(String)]);
    await connect(app);
    expect(await told(app, "settings")).toMatchObject({ settings: { theme: "light" } });
    expect(details(app.notes, "utility process")).toHaveLength(1);

    await app.order({ shortcut: "F9" });
    expect(await told(app, "command")).toEqual({ event: "command", command: "mute" });

    await app.order({ crash: "engine" });
    await until(() => app.evaluate("link.closed"), { what: "the port closed" });
    const welcome = await until(
      async () => {
        const answer = (await app.evaluate(
          `Promise.race([${LINK}, new Promise((resolve) => setTimeout(resolve, 1000))])`,
        )) as Answer | undefined;
        return answer?.ok && answer;
      },
      { what: "the engine back", diagnose: () => app.child.output },
    );
    expect(welcome).toMatchObject({ data: { host: "electron" } });
    expect(await told(app, "settings")).toMatchObject({ settings: { theme: "light" } });
  });

  test("on air: the page dies and the stream goes on; nobody ends the show by closing a window", async () => {
    const received = path.join(folder, "received.ts");
    const port = await freeUdpPort();
    const listen = `srt://127.0.0.1:${port}?mode=listener&latency=200000`;
    await using viewer = new Child("ffmpeg", ["-nostdin", "-i", listen, "-c", "copy", "-f", "mpegts", received]);
    await using app = await opened();
    await connect(app);
    await request(app, "change_settings", { settings: { welcomed: true } });
    const { document } = (await request(app, "open_show")).data;
    const air = { id: "air", name: "Air", enabled: true, kind: "srt", url: `srt://127.0.0.1:${port}` };
    await request(app, "save_show", { document: { ...(document as object), destinations: [air] } });
    const show = { title: "Show", category: "", visibility: "public", preview: false, public_at: null };
    expect(await request(app, "start_broadcast", show)).toMatchObject({ ok: true });
    const state = (wanted: string) =>
      until(
        async () => {
          const [last] = (await app.evaluate("link.events.filter(({ event }) => event === 'broadcast').slice(-1)")) as {
            broadcast: { state: string; started_at: number };
          }[];
          return last?.broadcast.state === wanted && last.broadcast;
        },
        { what: wanted, diagnose: () => app.child.output },
      );
    const { started_at } = await state("live");
    expect(await app.note("awake")).toBe("prevent-display-sleep");
    await until(() => details(app.notes, "tray").at(-1) === "Klieg: on air", { what: "the tray on air" });
    await viewer.line(/frame= *[3-9]\d|frame= *\d{3}/);

    await app.order({ close: "window" });
    expect(await app.note("question")).toMatchObject({ message: "You are on air" });
    await app.order({ answer: 0 });
    await app.order({ crash: "page" });
    await until(() => app.evaluate("window.link === undefined"), { what: "the page back" });
    await connect(app);
    expect((await state("live")).started_at).toBe(started_at);
    // The page takes the programme up again by itself.
    await until(
      () => app.evaluate("link.events.findLast(({ event }) => event === 'program')?.program.state === 'fed'"),
      { what: "the programme fed again", diagnose: () => app.child.output },
    );

    await app.order({ close: "window" });
    await until(() => details(app.notes, "question").length === 2, { what: "the question again" });
    await app.order({ answer: 1 });
    expect(await app.child.exited).toMatchObject({ code: 0 });
    expect(details(app.notes, "may sleep")).toHaveLength(1);

    // Whoever watched saw no hole: the last picture was held while the page was gone.
    await viewer.exited;
    const probed = await run("ffprobe", [
      ...["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", received],
    ]);
    const times = probed
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    expect(times.length).toBeGreaterThan(60);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(1);
    expect(Math.min(...gaps)).toBeGreaterThan(0);
  });

  test("one app at a time: the second hands over its link; the window is where it was; it ends in order", async () => {
    const data = path.join(folder, "data");
    const place = { x: 240, y: 60, width: 1400, height: 900 };
    {
      await using app = await opened({ data, args: ["klieg://room/first#invite"] }, bare);
      await connect(app);
      // It came before there was a page.
      expect(await told(app, "link")).toEqual({ event: "link", url: "klieg://room/first#invite" });
      await using second = await StandInApp.start(bare, { data, args: ["klieg://room/second#invite"] });
      expect(await second.child.exited).toMatchObject({ code: 0 });
      expect(details(second.notes, "window")).toEqual([]);
      await until(
        async () =>
          ((await app.evaluate("link.events")) as { url?: string }[]).some(
            ({ url }) => url === "klieg://room/second#invite",
          ),
        {
          what: "the second one's link",
        },
      );
      await app.order({ menu: "Go live…" });
      expect(await told(app, "command")).toEqual({ event: "command", command: "go_live" });
      await app.order({ move: place });
      await app.order({ close: "window" });
      expect(await app.child.exited).toMatchObject({ code: 0 });
      expect(existsSync(path.join(data, "instance.lock"))).toBe(false);
    }
    await using again = await opened({ data }, bare);
    expect(await again.note("window")).toMatchObject(place);
    again.child.signal("SIGTERM");
    expect(await again.child.exited).toMatchObject({ code: 0 });
  });
});
