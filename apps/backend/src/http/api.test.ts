import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "@klieg/base";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { WhipIngest } from "../ingest/whip/whip-ingest.ts";
import { Metrics } from "../insight/metrics.ts";
import { RequestCounts } from "../insight/request-counts.ts";
import type { LiveStreams } from "../live/live-streams.ts";
import { Sfu } from "../sfu/sfu.ts";
import { openDomain } from "../testing/domain-bench.ts";
import { FakeSession } from "../testing/fake-session.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { picture, VIDEO } from "../testing/tracks.ts";
import { WhepDoor } from "../watch/whep-door.ts";
import { Addresses } from "./addresses.ts";
import { createApi } from "./api.ts";
import { MediaDoor } from "./media-door.ts";
import { RoomDoor } from "./room-door.ts";

/** As a build leaves it. */
const studioFolder = await mkdtemp(join(tmpdir(), "klieg-studio-"));
await mkdir(join(studioFolder, "assets"));
await writeFile(join(studioFolder, "index.html"), "<!doctype html><title>Studio</title>");
await writeFile(join(studioFolder, "favicon.svg"), "<svg/>");
await writeFile(join(studioFolder, "assets/main-1a2b3c.js"), "export {};");
afterAll(() => rm(studioFolder, { recursive: true }));

const ADMIN = "an-admin-token-of-some-length";
const asAdmin = { authorization: `Bearer ${ADMIN}` };

async function setUp() {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const requests = new RequestCounts();
  const sfu = Sfu.unavailable(logger, "it is a test");
  const domain = await openDomain({
    clock,
    logger,
    sfu,
    observePart: (origin, latencyMs) => metrics.observePart(origin, latencyMs),
  });
  const { repositories, channels, iceServers, live, recordings, programs, rooms } = domain;
  const metrics: Metrics = new Metrics({
    broadcasts: () => live.list(),
    requests,
    sfu: () => sfu.statistics(),
    webrtc: { publishers: () => 0, viewersOf: () => 0 },
    rooms: () => ({ open: 0, participants: 0, sockets: 0, onAir: 0, recording: 0 }),
  });
  const ownOrigin = () => "http://klieg.example";
  const roomDoor = new RoomDoor({ rooms, programs, iceServers, clock, logger, ownOrigin, trustedProxies: 0 });
  const state = { notReady: undefined as string | undefined };
  const api = await createApi({
    services: {
      clock,
      channels,
      live,
      metrics,
      addresses: new Addresses({
        http: "http://klieg.example",
        ingestHost: "klieg.example",
        rtmpPort: 1935,
        rtmpsPort: undefined,
        srtPort: 9000,
      }),
      sfu,
      whip: new WhipIngest({ channels, live, sfu, clock, logger }),
      whep: new WhepDoor({ channels, live, sfu, clock, logger }),
      iceServers,
      rooms,
      recordings,
      notReady: () => state.notReady,
    },
    media: new MediaDoor({ live, counts: requests, logger }),
    roomDoor,
    adminToken: ADMIN,
    metricsPublic: false,
    player: { folder: import.meta.dirname },
    studio: { folder: studioFolder },
    logger,
    trustedProxies: 0,
    version: "0.0.0-test",
  });
  const close = async () => {
    await rooms.close();
    await roomDoor.close();
    await live.close();
    await api.close();
    await repositories.close();
  };
  return { api, channels, live, clock, state, close };
}

describe("the API", () => {
  let set: Awaited<ReturnType<typeof setUp>>;
  beforeEach(async () => {
    set = await setUp();
  });
  afterEach(() => set.close());

  const newKey = async () => {
    const created = await set.api.inject({
      method: "POST",
      url: "/v1/channels",
      headers: asAdmin,
      payload: { name: "demo", title: "Demo" },
    });
    expect(created.statusCode).toBe(201);
    const key = await set.api.inject({ method: "POST", url: "/v1/channels/demo/keys", headers: asAdmin, payload: {} });
    return key.json() as { id: string; stream_key: string };
  };

  it("opens a stream for a key and says where the encoder goes; stops it for that key only", async () => {
    const { stream_key: key } = await newKey();
    const started = await set.api.inject({ method: "POST", url: "/v1/streams/start", payload: { stream_key: key } });
    expect(started.statusCode).toBe(200);
    expect(started.json()).toMatchObject({
      channel: "demo",
      state: "starting",
      ingest: { rtmp: `rtmp://klieg.example/live/${key}`, srt: `srt://klieg.example:9000?streamid=${key}` },
      playback: { watch: "http://klieg.example/watch/demo" },
    });
    const { stream_id: id } = started.json();
    const stop = (authorization: string | undefined) =>
      set.api.inject({
        method: "POST",
        url: "/v1/streams/stop",
        payload: { stream_id: id },
        ...(authorization === undefined ? {} : { headers: { authorization } }),
      });
    expect((await stop(undefined)).json().error.code).toBe("stream_key_missing");
    await set.channels.create("other", "Other");
    const { text } = await set.channels.issueKey("other", "");
    expect((await stop(`Bearer ${text}`)).json().error.code).toBe("forbidden");
    expect((await stop(`Bearer ${key}`)).json()).toMatchObject({ state: "ended", end_reason: "stopped by its owner" });
  });

  it("tells of a live stream: its channel, its health, its metrics", async () => {
    const { stream_key: key } = await newKey();
    const contribution = set.live.contribute(await set.channels.admit(key), new FakeSession());
    contribution.onTrack(VIDEO);
    for (let frame = 0; frame < 90; frame += 1) {
      contribution.onAccessUnit(picture(frame * 3000, { keyframe: frame % 60 === 0 }));
      set.clock.advance(1000 / 30);
    }
    const channel = (await set.api.inject("/v1/channels/demo")).json();
    expect(channel).toMatchObject({ state: "live", playback: { hls: "/v1/channels/demo/live.m3u8" } });
    const id = channel.live_stream_id;
    expect((await set.api.inject(`/v1/streams/${id}`)).json()).toMatchObject({
      state: "live",
      ingest: { protocol: "rtmp", encoder: "test encoder" },
      video: { codec: "h264", width: 640, height: 360, frame_rate: 30 },
      renditions: [{ name: "source", origin: "source", state: "live", encoder: null }],
    });
    expect((await set.api.inject(`/v1/streams/${id}/health`)).json()).toMatchObject({
      ingest: { video_frames: 90, keyframe_interval_ms: 2000, discontinuities: 0, srt: null },
      transcode: { state: "off" },
    });
    const manifest = await set.api.inject("/v1/channels/demo/live.m3u8");
    expect(manifest.body).toContain(`../../streams/${id}/source/index.m3u8`);
    expect((await set.api.inject("/metrics")).statusCode).toBe(401);
    const metrics = (await set.api.inject({ url: "/metrics", headers: asAdmin })).body;
    expect(metrics).toContain('klieg_streams{state="live"} 1');
    expect(metrics).toMatch(
      /klieg_parts_published_total\{channel="demo",stream="[a-z2-7]{16}",rendition="source"\} [5-9]/,
    );
    expect(metrics).toContain(`klieg_ingest_video_frames_total{channel="demo",stream="${id}"} 90`);
  });

  describe("ING5: a broadcast's title and audience", () => {
    let key = "";
    let contribution: ReturnType<LiveStreams["contribute"]>;
    let frame = 0;
    beforeEach(async () => {
      key = (await newKey()).stream_key;
      frame = 0;
    });

    const asOwner = () => ({ authorization: `Bearer ${key}` });
    const start = (payload: object = {}) =>
      set.api.inject({ method: "POST", url: "/v1/streams/start", headers: asOwner(), payload });
    const change = (id: string, payload: object, headers: Record<string, string> = asOwner()) =>
      set.api.inject({ method: "PATCH", url: `/v1/streams/${id}`, headers, payload });
    const get = async (url: string, headers: Record<string, string> = {}) => set.api.inject({ url, headers });
    const connect = async () => {
      contribution = set.live.contribute(await set.channels.admit(key), new FakeSession());
      contribution.onTrack(VIDEO);
    };
    const send = (seconds: number) => {
      for (const end = frame + seconds * 30; frame < end; frame += 1) {
        contribution.onAccessUnit(picture(frame * 3000, { keyframe: frame % 60 === 0 }));
        set.clock.advance(1000 / 30);
      }
    };
    /** What others are told of the channel, but for what never changes. */
    const told = async () => {
      const { state, live_stream_id, live_since, playback, broadcast } = (await get("/v1/channels/demo")).json();
      const [listed] = (await get("/v1/channels")).json().channels;
      return { state, live_stream_id, live_since, hls: playback.hls, broadcast, listed: listed.state };
    };
    const nothing = { state: null, live_stream_id: null, live_since: null, hls: null, broadcast: null, listed: null };

    it("is public and has the channel's title where nobody asked for anything else", async () => {
      await connect();
      send(3);
      expect(await told()).toMatchObject({
        state: "live",
        listed: "live",
        broadcast: { title: "Demo", category: "", visibility: "public", preview: false },
      });
    });

    it("is seen by its owner alone while it is in preview, and by all from then on", async () => {
      const started = await start({ title: " Late show ", category: "Music", preview: true });
      expect(started.headers["cache-control"]).toBe("no-store");
      const { stream_id: id, preview_access: access, ...rest } = started.json();
      expect(rest).toMatchObject({ title: "Late show", category: "Music", visibility: "public", preview: true });
      expect(access.watch).toBe(`http://klieg.example/watch/demo?preview=${access.token}`);
      await connect();
      send(5);

      expect(await told()).toEqual(nothing);
      for (const url of [`/v1/streams/${id}`, `/v1/streams/${id}/health`]) {
        const hidden = await get(url);
        const missing = await get(url.replace(id, "nonenonenone2345"));
        expect([hidden.statusCode, hidden.body]).toEqual([404, missing.body]);
        expect((await get(url, asOwner())).statusCode).toBe(200);
        expect((await get(url, asAdmin)).statusCode).toBe(200);
      }
      const hiddenLive = await get("/v1/channels/demo/live.m3u8");
      expect([hiddenLive.statusCode, hiddenLive.json().error.code]).toEqual([404, "stream_not_live"]);
      expect((await get(`/v1/channels/demo?preview=${access.token}x`)).json().state).toBeNull();
      await set.channels.create("other", "Other");
      const { text } = await set.channels.issueKey("other", "");
      const elses = { authorization: `Bearer ${text}` };
      expect((await get(`/v1/streams/${id}`, elses)).json().error.code).toBe("stream_unknown");
      expect((await change(id, { preview: false }, elses)).json().error.code).toBe("stream_unknown");
      expect((await change(id, { preview: false }, {})).json().error.code).toBe("stream_key_missing");

      const own = await get(`/v1/channels/demo?preview=${access.token}`);
      expect(own.headers["cache-control"]).toBe("private, no-store");
      expect(own.json()).toMatchObject({
        state: "live",
        live_stream_id: id,
        playback: { hls: `/v1/previews/${access.token}/manifest.m3u8` },
        broadcast: { preview: true },
      });
      expect(access.hls).toBe(own.json().playback.hls);

      const shown = await change(id, { preview: false });
      expect(shown.json()).toMatchObject({ preview: false, state: "live", preview_access: { token: access.token } });
      const since = new Date(set.clock.wall()).toISOString();
      expect(await told()).toMatchObject({ state: "starting", hls: null, broadcast: { title: "Late show" } });
      send(3.5);
      expect(await told()).toMatchObject({ state: "live", live_since: since, hls: "/v1/channels/demo/live.m3u8" });
      const info = await get(`/v1/streams/${id}`);
      expect([info.statusCode, info.json().preview_access]).toEqual([200, null]);
      expect((await change(id, { preview: false }, elses)).json().error.code).toBe("forbidden");
    });

    it("is not listed where it is unlisted, and nowhere where it is private", async () => {
      await connect();
      send(3);
      const { live_stream_id: id } = await told();
      await change(id, { visibility: "unlisted" });
      expect(await told()).toMatchObject({ state: "live", hls: "/v1/channels/demo/live.m3u8", listed: null });
      await change(id, { visibility: "private" });
      expect(await told()).toEqual(nothing);
    });

    it("becomes public by itself when it is due", async () => {
      const at = new Date(set.clock.wall() + 150_000).toISOString();
      const { stream_id: id, ...started } = (await start({ public_at: at })).json();
      expect(started).toMatchObject({ preview: true, public_at: at });
      await connect();
      send(149);
      expect(await told()).toEqual(nothing);
      send(6);
      expect(await told()).toMatchObject({ state: "live", live_since: at, broadcast: { preview: false } });
      expect((await get(`/v1/streams/${id}`)).json().public_at).toBeNull();
    });

    it("refuses a schedule that makes no sense, and takes one back", async () => {
      const soon = new Date(set.clock.wall() + 60_000).toISOString();
      const { stream_id: id } = (await start({ public_at: soon })).json();
      for (const wrong of [
        { public_at: new Date(set.clock.wall() + 15 * 24 * 3600 * 1000).toISOString() },
        { public_at: "tomorrow" },
        { public_at: soon, preview: false },
        { visibility: "friends" },
        { title: "x".repeat(121) },
        { colour: "red" },
      ]) {
        expect((await change(id, wrong)).json().error.code).toBe("bad_request");
      }
      expect((await change(id, { public_at: null })).json()).toMatchObject({ preview: true, public_at: null });
      set.live.stop(id);
      expect((await change(id, {})).json().error.code).toBe("gone");
    });

    it("tells a studio who it is, and what its key opens, and opens nothing by that", async () => {
      expect((await get("/v1/server")).json()).toEqual({ product: "klieg", version: "0.0.0-test", webrtc: false });
      const check = async (headers: Record<string, string>) => (await get("/v1/stream-key", headers)).json();
      const known = { channel: "demo", title: "Demo", watch: "http://klieg.example/watch/demo" };
      expect(await check(asOwner())).toEqual({ ...known, stream_id: null });
      expect(set.live.list()).toEqual([]);
      const { stream_id: id } = (await start({ preview: true })).json();
      expect(await check(asOwner())).toEqual({ ...known, stream_id: id });
      expect((await check({})).error.code).toBe("stream_key_missing");
      expect((await check({ authorization: "Bearer wrong" })).error.code).toBe("stream_key_invalid");
    });

    it("tells other origins' pages all this (STU3)", async () => {
      const preflight = await set.api.inject({
        method: "OPTIONS",
        url: "/v1/streams/abcdefgh23456723",
        headers: {
          origin: "http://studio.example",
          "access-control-request-method": "PATCH",
          "access-control-request-headers": "authorization,content-type",
        },
      });
      expect(preflight.statusCode).toBe(204);
      expect(preflight.headers["access-control-allow-origin"]).toBe("*");
      expect(preflight.headers["access-control-allow-methods"]).toContain("PATCH");
      expect(preflight.headers["access-control-allow-headers"]).toBe("authorization,content-type");
    });
  });

  it("STU3: serves the studio, which may capture, and be framed by nobody", async () => {
    const bare = await set.api.inject("/studio?room=a");
    expect([bare.statusCode, bare.headers.location]).toEqual([308, "studio/?room=a"]);
    const page = await set.api.inject("/studio/");
    expect([page.statusCode, page.body]).toEqual([200, "<!doctype html><title>Studio</title>"]);
    expect(page.headers["cache-control"]).toBe("no-cache");
    expect(page.headers["permissions-policy"]).toContain("camera=(self), microphone=(self), display-capture=(self)");
    const policy = String(page.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("'unsafe-eval'");
    const script = await set.api.inject("/studio/assets/main-1a2b3c.js");
    expect([script.statusCode, script.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect((await set.api.inject("/studio/favicon.svg")).headers["cache-control"]).toBe("public, max-age=3600");
    for (const missing of ["/studio/assets/none.js", "/studio/none", "/studio/..%2f..%2fetc/passwd"]) {
      expect((await set.api.inject(missing)).statusCode).toBe(404);
    }
  });

  it("manages keys: shown once, listed without their text, revoked", async () => {
    const { id, stream_key: key } = await newKey();
    const listed = await set.api.inject({ url: "/v1/channels/demo/keys", headers: asAdmin });
    expect(listed.body).not.toContain(key);
    expect(listed.json().keys).toMatchObject([{ id, revoked_at: null }]);
    const revoked = await set.api.inject({ method: "DELETE", url: `/v1/channels/demo/keys/${id}`, headers: asAdmin });
    expect(revoked.statusCode).toBe(204);
    const started = await set.api.inject({ method: "POST", url: "/v1/streams/start", payload: { stream_key: key } });
    expect(started.json().error).toMatchObject({ code: "stream_key_revoked", retryable: false });
  });

  it("changes a channel's profile, and refuses one that makes no sense", async () => {
    await newKey();
    const change = (payload: object) =>
      set.api.inject({ method: "PATCH", url: "/v1/channels/demo", headers: asAdmin, payload });
    const { profile } = (await set.api.inject({ url: "/v1/channels/demo/settings", headers: asAdmin })).json();
    expect((await change({ profile: { ...profile, max_bitrate: 1_000_000 } })).json().profile.max_bitrate).toBe(
      1_000_000,
    );
    expect((await change({ profile: { ...profile, max_bitrate: -1 } })).json().error.code).toBe("bad_request");
    expect((await change({ colour: "red" })).json().error.code).toBe("bad_request");
  });

  it("PLY1: keeps how a channel is to be watched, and tells players", async () => {
    await newKey();
    const change = (payload: object) =>
      set.api.inject({ method: "PATCH", url: "/v1/channels/demo", headers: asAdmin, payload });
    const told = async () => (await set.api.inject("/v1/channels/demo")).json().default_playback;
    expect(await told()).toBe("hls");
    expect((await change({ default_playback: "realtime" })).json().default_playback).toBe("realtime");
    expect(await told()).toBe("realtime");
    expect((await change({ default_playback: "carrier-pigeon" })).json().error.code).toBe("bad_request");
  });

  it.each([
    ["POST", "/v1/channels"],
    ["GET", "/v1/channels/demo/settings"],
    ["PATCH", "/v1/channels/demo"],
    ["GET", "/v1/channels/demo/keys"],
    ["POST", "/v1/channels/demo/keys"],
    ["DELETE", "/v1/channels/demo/keys/0123456789abcdef"],
  ] as const)("%s %s needs the admin token", async (method, url) => {
    for (const headers of [{}, { authorization: "Bearer nonsense" }, { authorization: `Basic ${ADMIN}` }]) {
      const answer = await set.api.inject({ method, url, headers, payload: {} });
      expect({ status: answer.statusCode, code: answer.json().error.code }).toEqual({
        status: 401,
        code: "unauthorized",
      });
    }
  });

  it("RTC2: opens rooms for stream keys, lets hosts invite, and nobody else", async () => {
    const { stream_key: key } = await newKey();
    const ask = (method: "GET" | "POST" | "DELETE", url: string, token: string, payload?: object) =>
      set.api.inject({
        method,
        url,
        headers: { authorization: `Bearer ${token}` },
        ...(payload === undefined ? {} : { payload }),
      });
    const made = await ask("POST", "/v1/rooms", key, { title: "Class" });
    expect(made.statusCode).toBe(201);
    const { room, invite, channel } = made.json();
    expect({ channel, link: invite.link }).toEqual({
      channel: "demo",
      link: `http://klieg.example/room/${room.id}#invite=${invite.token}`,
    });
    expect((await set.api.inject(`/v1/rooms/${room.id}`)).json()).toEqual({
      id: room.id,
      title: "Class",
      locked: false,
      open: false,
      participants: 0,
      max_participants: 5,
    });
    expect((await ask("GET", "/v1/rooms", key)).json().rooms).toMatchObject([{ id: room.id, channel: "demo" }]);
    expect((await ask("POST", "/v1/rooms", key, { channel: "other" })).json().error.code).toBe("forbidden");
    expect((await ask("POST", "/v1/rooms", ADMIN, { channel: "none" })).json().error.code).toBe("channel_unknown");
    expect((await ask("POST", "/v1/rooms", ADMIN, { title: "\u202eevil" })).json().error.code).toBe("bad_request");

    const invites = `/v1/rooms/${room.id}/invites`;
    set.clock.advance(1);
    const attendee = (await ask("POST", invites, invite.token, { role: "attendee", label: "class" })).json();
    const list = (await ask("GET", invites, key)).json().invites;
    expect(list).toMatchObject([{ role: "host" }, { id: attendee.id, role: "attendee", label: "class" }]);
    expect(JSON.stringify(list)).not.toContain(attendee.token);
    for (const [token, code] of [
      [attendee.token, "forbidden"],
      ["nonsense", "stream_key_invalid"],
      [`${invite.token}x`, "invite_invalid"],
    ]) {
      expect((await ask("GET", invites, token)).json().error.code).toBe(code);
      expect((await ask("DELETE", `/v1/rooms/${room.id}`, token)).json().error.code).toBe(code);
    }
    expect((await set.api.inject(invites)).json().error.code).toBe("unauthorized");
    expect((await ask("DELETE", `${invites}/${attendee.id}`, ADMIN)).statusCode).toBe(204);
    expect((await ask("GET", invites, attendee.token)).json().error.code).toBe("invite_invalid");
    expect((await ask("GET", `/v1/rooms/${room.id}/recordings`, invite.token)).json()).toEqual({ recordings: [] });
    const missing = `/v1/rooms/${room.id}/recordings/abcdefgh.mp4`;
    expect((await set.api.inject(`${missing}?token=x`)).json().error.code).toBe("invite_invalid");
    expect((await set.api.inject(missing)).json().error.code).toBe("bad_request");
    expect((await ask("DELETE", `/v1/rooms/${room.id}`, invite.token)).statusCode).toBe(204);
    expect((await set.api.inject(`/v1/rooms/${room.id}`)).json().error.code).toBe("gone");
    expect((await ask("GET", "/v1/rooms", key)).json().rooms).toEqual([]);
  });

  it("is described by its OpenAPI document, media included", async () => {
    const document = (await set.api.inject("/v1/openapi.json")).json();
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        "/v1/streams/start",
        "/v1/channels/{channel}",
        "/v1/streams/{id}/{rendition}/index.m3u8",
        "/v1/previews/{token}/manifest.m3u8",
        "/v1/stream-key",
        "/v1/server",
      ]),
    );
    expect((await set.api.inject("/v1/docs/")).statusCode).toBe(200);
  });

  it("RTC4: tells whoever runs it what it can do", async () => {
    expect((await set.api.inject("/v1/system")).statusCode).toBe(401);
    expect((await set.api.inject({ url: "/v1/system", headers: asAdmin })).json()).toEqual({
      version: "0.0.0-test",
      webrtc: { available: false, reason: "it is a test", workers: [], peers: 0 },
    });
    const metrics = (await set.api.inject({ url: "/metrics", headers: asAdmin })).body;
    expect(metrics).toContain("klieg_sfu_peers 0");
  });

  it("says whether it is ready", async () => {
    expect((await set.api.inject("/readyz")).json()).toEqual({ status: "ready" });
    set.state.notReady = "shutting down";
    expect((await set.api.inject("/readyz")).statusCode).toBe(503);
    expect((await set.api.inject("/healthz")).json()).toEqual({ status: "ok" });
  });
});
