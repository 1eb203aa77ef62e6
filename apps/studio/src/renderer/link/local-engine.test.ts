import { ManualClock } from "@klieg/base";
import {
  type BroadcastDetails,
  KliegError,
  PROGRAM_HEADER_BYTES,
  type StudioEvent,
  writeProgramHeader,
} from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newDocument, type StudioDocument } from "../../document/studio-document.ts";
import { LocalMemory, type TextStorage } from "./local/local-memory.ts";
import type { LocalStore, StoredAsset } from "./local/local-store.ts";
import { LocalEngine } from "./local-engine.ts";
import { StudioLink } from "./studio-link.ts";
import { uploadAsset } from "./upload-asset.ts";

/** What a browser keeps, without one. */
class MemoryStore implements LocalStore {
  show: string | undefined;
  damaged: string | undefined;
  readonly files = new Map<string, StoredAsset>();

  async readShow() {
    return this.show;
  }
  async writeShow(text: string) {
    this.show = text;
  }
  async keepDamaged(text: string) {
    this.damaged = text;
  }
  async assets() {
    return [...this.files.values()];
  }
  async putAsset(stored: StoredAsset) {
    this.files.set(stored.asset.id, stored);
  }
  async removeAsset(id: string) {
    this.files.delete(id);
  }
  close() {
    // Another engine of the same test opens it again.
  }
}

function textStorage(): TextStorage {
  const texts = new Map<string, string>();
  return {
    getItem: (name) => texts.get(name) ?? null,
    setItem: (name, text) => void texts.set(name, text),
    removeItem: (name) => void texts.delete(name),
  };
}

/** A Klieg backend's answers, as far as a publisher hears them, with what it was told. The real one is in the browser's tests. */
class ServerScript {
  /** Method, path and body of each request. */
  readonly asked: { readonly what: string; readonly body: unknown; readonly headers: Headers }[] = [];
  /** By method and path: what is answered in place of the usual. */
  readonly instead = new Map<string, () => Response | Promise<Response>>();
  details: BroadcastDetails = { title: "", category: "", visibility: "public", preview: false, public_at: null };
  state = "live";
  endReason: string | null = null;

  readonly fetch: typeof fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    const what = `${init?.method} ${pathname}`;
    const headers = new Headers(init?.headers);
    const text = String(init?.body ?? "");
    const body = headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
    this.asked.push({ what, body, headers });
    const instead = this.instead.get(what);
    if (instead !== undefined) return instead();
    switch (what) {
      case "GET /v1/server":
        return Response.json({ product: "klieg", version: "1.2.3", webrtc: true });
      case "GET /v1/stream-key":
        return Response.json({
          channel: "demo",
          title: "Demo",
          watch: "http://klieg.test/watch/demo",
          stream_id: null,
        });
      case "GET /v1/channels":
        return Response.json({ channels: [] });
      case "POST /v1/streams/start":
        Object.assign(this.details, body);
        return Response.json(this.started());
      case "PATCH /v1/streams/streamstream2345":
        Object.assign(this.details, body);
        return Response.json(this.info());
      case "GET /v1/streams/streamstream2345":
      case "POST /v1/streams/stop":
        return Response.json(this.info());
      case "GET /v1/streams/streamstream2345/health":
        return Response.json(this.health());
      case "POST /v1/whip":
        return new Response("answer", { status: 201, headers: { location: "/v1/whip/session1", etag: '"tag"' } });
      case "PATCH /v1/whip/session1":
        return headers.get("if-match") === "*"
          ? new Response("restarted", { headers: { etag: '"newer"' } })
          : new Response(null, { status: 204 });
      case "DELETE /v1/whip/session1":
        return new Response();
      default:
        return refusal("not_found", 404);
    }
  };

  told(what: string): unknown[] {
    return this.asked.filter((each) => each.what === what).map(({ body }) => body);
  }

  private get access() {
    return {
      token: "t",
      watch: "http://klieg.test/watch/demo?preview=t",
      hls: "/v1/previews/t/manifest.m3u8",
      whep: null,
    };
  }

  private started() {
    return {
      stream_id: "streamstream2345",
      channel: "demo",
      state: "starting",
      waits_until: null,
      ingest: { rtmp: "rtmp://x", rtmps: null, srt: "srt://x", whip: "http://klieg.test/v1/whip" },
      playback: { hls: "/x", watch: "http://klieg.test/watch/demo" },
      ...this.details,
      preview_access: this.access,
    };
  }

  private info() {
    return {
      id: "streamstream2345",
      channel: "demo",
      state: this.state,
      started_at: "2026-01-01T00:00:00.000Z",
      live_at: null,
      ended_at: null,
      end_reason: this.endReason,
      ingest: null,
      video: null,
      audio: null,
      renditions: [],
      playback: { hls: "/x" },
      ...this.details,
      preview_access: this.access,
    };
  }

  private health() {
    return {
      stream_id: "streamstream2345",
      state: this.state,
      warnings: [],
      ingest: null,
      transcode: null,
      realtime: { viewers: 2, feed: null },
      viewers: { hls: 5, webrtc: 2 },
      readers: [],
    };
  }
}

function refusal(code: KliegError["code"], status: number): Response {
  return Response.json(new KliegError(code, `words of ${code}`).toBody(), { status });
}

describe("STU3: the studio in a browser alone", () => {
  const clock = new ManualClock();
  let server: ServerScript;
  let store: MemoryStore;
  let page: TextStorage;
  let tab: TextStorage;
  let engine: LocalEngine;
  let link: StudioLink;
  let events: StudioEvent[];

  const open = async () => {
    engine = new LocalEngine({
      clock,
      fetch: server.fetch,
      openStore: async () => store,
      memory: new LocalMemory(page, tab),
    });
    link = new StudioLink({ open: engine.open, role: "stage", clock });
    events = [];
    link.onEvent((event) => events.push(event));
    await link.opened();
  };
  /** One after another, until all that was said has been heard. */
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  const show = (change: Partial<StudioDocument["destinations"][number]> = {}): StudioDocument => ({
    ...newDocument("Scene"),
    destinations: [
      {
        id: "home",
        name: "Home",
        enabled: true,
        kind: "klieg",
        url: "http://klieg.test/some/path",
        channel: "demo",
        protocol: "whip",
        ...change,
      } as StudioDocument["destinations"][number],
    ],
  });
  const begin = {
    title: "Late show",
    category: "Music",
    visibility: "public",
    preview: true,
    public_at: null,
  } as const;
  const prepare = async (document = show()) => {
    await link.request("open_show", {});
    await link.request("save_show", { document });
    await link.request("set_secret", { holder: "home", kind: "stream_key", secret: "key" });
  };
  const broadcast = () => events.findLast((event) => event.event === "broadcast")?.broadcast;

  beforeEach(async () => {
    server = new ServerScript();
    store = new MemoryStore();
    page = textStorage();
    tab = textStorage();
    await open();
  });
  afterEach(() => {
    link[Symbol.dispose]();
    engine[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });

  it("says what it is, and tells all that a page mirrors", async () => {
    expect(await link.opened()).toMatchObject({ host: "browser", ffmpeg: null, secrets: "session" });
    await turn();
    expect(new Set(events.map(({ event }) => event))).toEqual(
      new Set(["settings", "secrets", "broadcast", "program", "recording", "replay", "guest_room"]),
    );
  });

  it("keeps show and settings for good, and secrets for the tab, and never gives one back", async () => {
    const { document } = await link.request("open_show", {});
    expect(document).toMatchObject({ version: 1 });
    await prepare();
    await link.request("change_settings", { settings: { theme: "light", record_with_broadcast: true } });
    link[Symbol.dispose]();
    engine[Symbol.dispose]();
    await open();
    await turn();
    const again = await link.request("open_show", {});
    expect(again).toMatchObject({ problem: null, document: { destinations: [{ id: "home" }] } });
    expect(again.secrets).toEqual([{ holder: "home", stream_key: true, passphrase: false }]);
    expect(JSON.stringify([again, events])).not.toContain('"key"');
    expect(events.find((event) => event.event === "settings")?.settings).toMatchObject({
      theme: "light",
      record_with_broadcast: false,
    });
    tab = textStorage();
    link[Symbol.dispose]();
    engine[Symbol.dispose]();
    await open();
    expect((await link.request("open_show", {})).secrets).toEqual([]);
  });

  it.each([
    ["what is no JSON", "{"],
    ["a show of a newer Klieg", '{"version": 999}'],
    ["a damaged show", '{"version": 1, "scenes": 7}'],
  ])("opens a new show over %s, says why, and keeps it", async (_what, text) => {
    store.show = text;
    const opened = await link.request("open_show", {});
    expect(opened.problem).toMatch(/^The saved show could not be used/);
    expect(opened.document).toMatchObject({ version: 1 });
    expect(store.damaged).toBe(text);
    await expect(link.request("save_show", { document: { version: 1, scenes: 7 } })).rejects.toMatchObject({
      code: "bad_request",
    });
  });

  it("takes files in, piece by piece, and gives the page their addresses", async () => {
    vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:here");
    const bytes = new Uint8Array(600_000).map((_, at) => at);
    const asset = await uploadAsset(link, new File([bytes], "lamp.png", { type: "image/png" }));
    expect(asset).toMatchObject({ name: "lamp.png", media_type: "image/png", size: 600_000 });
    expect(new Uint8Array((await store.files.get(asset.id)?.blob.arrayBuffer()) ?? new ArrayBuffer())).toEqual(bytes);
    expect(engine.assetUrl(asset.id)).toBe("blob:here");
    await link.request("remove_asset", { asset_id: asset.id });
    expect([store.files.size, engine.assetUrl(asset.id)]).toEqual([0, `assets/${asset.id}`]);

    const { asset_id, upload } = await link.request("begin_asset", { name: "a", media_type: "", size: 10 });
    const piece = (offset: number, size: number, number = upload) => {
      const message = new Uint8Array(PROGRAM_HEADER_BYTES + size);
      const none = { width: 0, height: 0, sampleRate: 0, channels: 0, keyframe: false };
      writeProgramHeader(message, { kind: "asset", upload: number, timestamp: offset, ...none });
      link.sendMedia(message);
    };
    // Out of order, too much, of none that was begun, and nothing at all.
    piece(5, 5);
    piece(0, 11);
    piece(0, 5, upload + 1);
    link.sendMedia(new Uint8Array(3));
    piece(0, 5);
    await expect(link.request("finish_asset", { asset_id })).rejects.toMatchObject({ code: "bad_request" });
    await expect(link.request("finish_asset", { asset_id })).rejects.toMatchObject({ code: "not_found" });
  });

  it("asks a backend who it is, and what a key opens", async () => {
    expect((await link.request("check_backend", { url: "http://klieg.test/watch/x" })).backend).toEqual({
      url: "http://klieg.test",
      version: "1.2.3",
      webrtc: true,
      channels: [],
    });
    await link.request("open_show", {});
    await link.request("save_show", { document: show() });
    const check = () => link.request("check_destination", { destination_id: "home" });
    await expect(check()).rejects.toMatchObject({ code: "stream_key_missing" });
    await prepare();
    expect(await check()).toEqual({ channel: "demo", watch_url: "http://klieg.test/watch/demo" });
    expect(server.asked.at(-1)?.headers.get("authorization")).toBe("Bearer key");
    server.instead.set("GET /v1/stream-key", () => refusal("stream_key_revoked", 403));
    await expect(check()).rejects.toMatchObject({ code: "stream_key_revoked", message: "words of stream_key_revoked" });
    await prepare(show({ protocol: "srt" }));
    await expect(check()).rejects.toMatchObject({ code: "not_supported" });
  });

  it.each([
    ["is not there", () => Promise.reject(new TypeError("failed to fetch")), "unreachable"],
    ["does not answer", () => Promise.reject(new DOMException("late", "TimeoutError")), "timeout"],
    ["is another program", () => new Response("<html>Welcome"), "not_found"],
    ["answers with another shape", () => Response.json({ product: "other" }), "not_found"],
    ["answers without end", () => new Response("x".repeat(2_000_000)), "not_found"],
    ["stands behind a proxy, and is down", () => new Response("Bad gateway", { status: 502 }), "unreachable"],
  ])("has words for a server that %s", async (_what, answer, code) => {
    server.instead.set("GET /v1/server", answer);
    await expect(link.request("check_backend", { url: "http://klieg.test" })).rejects.toMatchObject({ code });
  });

  it("goes on air in preview, then public, and ends it", async () => {
    await prepare();
    const started = await link.request("start_broadcast", begin);
    expect(started.broadcast).toMatchObject({
      state: "starting",
      destinations: [{ id: "home", state: "connecting", watch_url: "http://klieg.test/watch/demo?preview=t" }],
    });
    const { session, sdp } = await link.request("whip_offer", { destination_id: "home", sdp: "offer" });
    expect(sdp).toBe("answer");
    await turn();
    expect(broadcast()).toMatchObject({ state: "preview", live_at: null, destinations: [{ state: "live" }] });
    // What it is was told before the offer was: it is never public by mistake.
    expect(server.asked.map(({ what }) => what).slice(-2)).toEqual(["POST /v1/streams/start", "POST /v1/whip"]);
    expect(server.told("POST /v1/streams/start").at(-1)).toEqual({
      title: "Late show",
      category: "Music",
      visibility: "public",
      preview: true,
    });
    expect(await link.request("whip_patch", { session, fragment: "candidates", restart: false })).toEqual({
      fragment: null,
    });
    expect(await link.request("whip_patch", { session, fragment: "new", restart: true })).toEqual({
      fragment: "restarted",
    });
    await link.request("whip_patch", { session, fragment: "candidates", restart: false });
    const tags = server.asked.filter(({ what }) => what.startsWith("PATCH /v1/whip"));
    expect(tags.map(({ headers }) => headers.get("if-match"))).toEqual(['"tag"', "*", '"newer"']);

    await link.request("go_public", {});
    await turn();
    expect(broadcast()).toMatchObject({
      state: "live",
      destinations: [{ watch_url: "http://klieg.test/watch/demo" }],
    });
    expect(server.details.preview).toBe(false);
    await link.request("change_broadcast", { title: "Later show", visibility: "unlisted" });
    expect(server.details).toMatchObject({ title: "Later show", visibility: "unlisted", category: "Music" });

    clock.advance(1000);
    await turn();
    clock.advance(1000);
    await turn();
    expect(events.findLast((event) => event.event === "health")).toMatchObject({
      destinations: [],
      server: [{ destination: "home", state: "live", viewers: 7 }],
    });

    await link.request("stop_broadcast", {});
    await turn();
    expect(broadcast()).toMatchObject({ state: "idle", destinations: [] });
    expect(server.told("DELETE /v1/whip/session1")).toHaveLength(1);
    expect(server.told("POST /v1/streams/stop")).toEqual([{ stream_id: "streamstream2345" }]);
    await expect(link.request("go_public", {})).rejects.toMatchObject({ code: "conflict" });
  });

  it("stays in preview when its session is lost and comes back", async () => {
    await prepare();
    await link.request("start_broadcast", begin);
    const { session } = await link.request("whip_offer", { destination_id: "home", sdp: "offer" });
    await link.request("whip_end", { session });
    await turn();
    expect(broadcast()).toMatchObject({ state: "preview", destinations: [{ state: "reconnecting" }] });
    // The backend was restarted, and knows nothing of it.
    server.details = { ...server.details, title: "", preview: false };
    server.instead.set("POST /v1/streams/start", () => Promise.reject(new TypeError("failed to fetch")));
    const offer = () => link.request("whip_offer", { destination_id: "home", sdp: "offer" });
    await expect(offer()).rejects.toMatchObject({ code: "unreachable" });
    expect(server.told("POST /v1/whip")).toHaveLength(1);
    server.instead.clear();
    await offer();
    expect(server.details).toMatchObject({ title: "Late show", preview: true });
    await link.request("stop_broadcast", {});
  });

  it("becomes public when that is due, as the server does by itself", async () => {
    await prepare();
    const at = clock.wall() + 2000;
    await link.request("start_broadcast", { ...begin, preview: false, public_at: at });
    expect(server.details).toMatchObject({ preview: true, public_at: new Date(at).toISOString() });
    await link.request("whip_offer", { destination_id: "home", sdp: "offer" });
    clock.advance(1000);
    await turn();
    expect(broadcast()?.state).toBe("preview");
    clock.advance(1000);
    await turn();
    expect(broadcast()).toMatchObject({ state: "live", live_at: at, public_at: null });
    await link.request("stop_broadcast", {});
  });

  it("does not come back to what was stopped on the server", async () => {
    await prepare();
    await link.request("start_broadcast", begin);
    await link.request("whip_offer", { destination_id: "home", sdp: "offer" });
    server.state = "ended";
    server.endReason = "stopped by its owner";
    clock.advance(1000);
    await turn();
    expect(broadcast()?.destinations).toMatchObject([{ state: "stopped", problem: { code: "stopped_by_owner" } }]);
    await expect(link.request("whip_offer", { destination_id: "home", sdp: "offer" })).rejects.toMatchObject({
      code: "stopped_by_owner",
    });
    await link.request("stop_broadcast", {});
  });

  it("refuses to begin where it cannot, in words, and is off air then", async () => {
    await link.request("open_show", {});
    await expect(link.request("start_broadcast", begin)).rejects.toMatchObject({ code: "bad_request" });
    await prepare(show({ protocol: "srt" }));
    await expect(link.request("start_broadcast", begin)).rejects.toMatchObject({ code: "not_supported" });
    await prepare();
    server.instead.set("POST /v1/streams/start", () => refusal("stream_key_invalid", 401));
    await expect(link.request("start_broadcast", begin)).rejects.toMatchObject({ code: "stream_key_invalid" });
    await turn();
    expect(broadcast()?.state).toBe("idle");
    for (const type of ["start_recording", "stop_recording", "save_replay"] as const) {
      await expect(link.request(type, {})).rejects.toMatchObject({ code: "not_supported" });
    }
    expect(await link.request("list_encoders", {})).toEqual({ encoders: [] });
    const upload = link.request("test_upload", { destination_id: "home" });
    await expect(upload).rejects.toMatchObject({ code: "not_supported", message: expect.stringMatching(/Klieg app/) });
  });

  it("answers what is no request of the contract in words, and goes on", async () => {
    const transport = await engine.open(new AbortController().signal);
    const heard: string[] = [];
    transport.onMessage = (text) => heard.push(text);
    for (const text of ["", "{", "[]", "7", '{"id":3,"type":"dance"}', '{"id":4,"type":"open_show"}'])
      transport.send(text);
    await turn();
    expect(heard.map((text) => JSON.parse(text))).toMatchObject(
      [null, null, null, null, 3, 4].map((id) => ({ id, ok: false, error: { code: "bad_request" } })),
    );
    // Who was there before knows that it was replaced.
    expect(link.state).toEqual({ state: "ended", end: "replaced" });
    transport.close();
  });
});
