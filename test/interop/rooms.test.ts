import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RecordingInfo, RecordingList, RoomInfo } from "@klieg/protocol";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { childOf, resourcesOf, settlesTo } from "../harness/process-resources.ts";
import { hueAt, isHue, longestStep, loudness, probeProgram } from "../harness/recorded-program.ts";
import { openRoom, RoomPeer } from "../harness/room-peer.ts";
import { until } from "../harness/until.ts";

const RED = { hue: 0 };
const GREEN = { hue: 120 };
const BLUE = { hue: 240 };

let browser: Browser;
let backend: BackendProcess;
beforeAll(async () => {
  [browser, backend] = await Promise.all([openChromium(), BackendProcess.start()]);
});
afterAll(async () => {
  await browser?.close();
  await backend?.[Symbol.asyncDispose]();
});

type OpenedRoom = Awaited<ReturnType<typeof openRoom>>;
const enter = (room: OpenedRoom, token: string, name: string, resumeToken?: string, at = backend) =>
  RoomPeer.join(browser, at, { room: room.id, token, name, ...(resumeToken === undefined ? {} : { resumeToken }) });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-rooms-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const killChild = async (command: RegExp) =>
  process.kill(await childOf(backend.child.pid, backend.ports.http, command), "SIGKILL");

/** Resolves once a part of a live stream's picture has that hue. */
const shows = (url: string, hue: number, what: string, crop?: string) =>
  until(async () => isHue(await hueAt(url, 0, crop), hue), { what, everyMs: 300 });

async function recordingsOf(room: OpenedRoom, at = backend): Promise<RecordingInfo[]> {
  const response = await fetch(`${at.http}/v1/rooms/${room.id}/recordings`, {
    headers: { authorization: `Bearer ${room.hostToken}` },
  });
  return RecordingList.parse(await response.json()).recordings;
}
async function download(room: OpenedRoom, name: string, at = backend): Promise<string> {
  const [recording] = await recordingsOf(room, at);
  const response = await fetch(`${at.http}${recording?.download}`);
  expect(response.status).toBe(200);
  const path = join(folder, name);
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  return path;
}

describe("RTC2: rooms for peers that have none of our pages", () => {
  it("lets everybody see and hear everybody, mutes, removes, and tells levels and layers", async () => {
    const room = await openRoom(backend);
    await using ann = await enter(room, room.hostToken, "Ann");
    await using bob = await enter(room, await room.tokenFor("speaker"), "Bob");
    const simulcast = [
      { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: "L1T3" },
      { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 400_000, scalabilityMode: "L1T3" },
      { rid: "f", maxBitrate: 1_200_000, scalabilityMode: "L1T3" },
    ];
    const [annCamera, annVoice, bobCamera, bobVoice] = await Promise.all([
      ann.sendPicture("camera", { ...RED, width: 1280, height: 720 }, { encodings: simulcast }),
      ann.sendTone(440),
      bob.sendPicture("camera", GREEN, { codec: "video/H264" }),
      bob.sendTone(880),
    ]);
    await Promise.all([
      bob.receives(annCamera, { frames: 10 }),
      bob.receives(annVoice, { energy: 0.0001 }),
      ann.receives(bobCamera, { frames: 10, width: 640 }),
      ann.receives(bobVoice, { energy: 0.0001 }),
    ]);
    await ann.told("active_speaker");
    const levels = await until(
      async () => {
        const { levels } = (await ann.told("levels")) as { levels: { participant_id: string; level: number }[] };
        return levels.length === 2 && levels;
      },
      { what: "the levels of both" },
    );
    expect(new Set(levels.map(({ participant_id }) => participant_id))).toEqual(new Set([ann.id, bob.id]));
    expect(Math.max(...levels.map(({ level }) => level))).toBeGreaterThan(-40);

    // A small picture is enough: the lowest layer comes.
    const consumerId = await bob.page.evaluate(
      (producer) => [...window.me.consumers].find(([, { producerId }]) => producerId === producer)?.[0],
      annCamera,
    );
    await bob.receives(annCamera, { width: 1280 });
    await bob.ask("set_layers", { consumer_id: consumerId, spatial_layer: 0 });
    await bob.told("consumer_layers", { consumer_id: consumerId, spatial_layer: 0 });
    await until(() => bob.page.evaluate(async (id) => (await window.me.received(id))?.width === 320, annCamera), {
      what: "the small picture",
    });

    await ann.ask("mute", { participant_id: bob.id, source: "microphone" });
    await bob.told("muted_by_host", { source: "microphone", by: ann.id });
    await until(
      async () => {
        const { levels } = (await ann.told("levels")) as { levels: { participant_id: string }[] };
        return levels.every(({ participant_id }) => participant_id === ann.id);
      },
      { what: "silence of the one who was muted" },
    );
    await bob.ask("send_text", { text: "Am I muted?" });
    await ann.told("text");

    await ann.ask("remove", { participant_id: bob.id });
    expect(
      (await until(async () => (await bob.closed()) ?? undefined, { what: "the end of the one who was removed" }))
        ?.code,
    ).toBe(4403);
    await ann.told("participant_left", { participant_id: bob.id, reason: "removed" });
    await until(() => ann.page.evaluate(() => window.me.consumers.size === 0), {
      what: "the end of what was received",
    });
  });

  it("notices within 5 s that a tab was killed, or that nobody answers any more", async () => {
    const room = await openRoom(backend);
    await using ann = await enter(room, room.hostToken, "Ann");
    const token = await room.tokenFor("speaker");
    const bob = await enter(room, token, "Bob");
    await bob.sendPicture("camera", GREEN);
    const killed = Date.now();
    const devtools = await bob.page.context().newCDPSession(bob.page);
    // It does not answer: that is what is wanted of it.
    devtools.send("Page.crash").catch(() => undefined);
    await ann.told("participant_left", { participant_id: bob.id }, 5000);
    expect(Date.now() - killed).toBeLessThan(5000);
    const still = await fetch(`${backend.http}/v1/rooms/${room.id}`);
    expect(RoomInfo.parse(await still.json())).toMatchObject({ participants: 1, open: true });

    // One whose network is gone: its socket is open and says nothing.
    const silent = new WebSocket(`${backend.http.replace("http", "ws")}/v1/rooms/${room.id}`, { autoPong: false });
    await new Promise((resolve) => silent.once("open", resolve));
    const joined = new Promise<string>((resolve) =>
      silent.on("message", (data) => {
        const { id, data: answer } = JSON.parse(String(data));
        if (id === 1) resolve(answer.self.id);
      }),
    );
    silent.send(JSON.stringify({ id: 1, type: "join", token, name: "Eve" }));
    const eve = await joined;
    const began = Date.now();
    await ann.told("participant_left", { participant_id: eve, reason: "lost" }, 5500);
    expect(Date.now() - began).toBeLessThan(5000);
    await bob[Symbol.asyncDispose]();
  });

  it("goes on air as one clean LL-HLS stream whoever is shown, with everybody in its sound, and is recorded", async () => {
    const room = await openRoom(backend);
    await using ann = await enter(room, room.hostToken, "Ann");
    await using bob = await enter(room, await room.tokenFor("speaker"), "Bob");
    await ann.sendPicture("camera", { ...RED, width: 320, height: 240 });
    const annVoice = await ann.sendTone(440);
    await bob.sendPicture("camera", { ...GREEN, width: 1280, height: 720 }, { codec: "video/H264" });
    await ann.told("active_speaker", { participant_id: ann.id });
    const before = await resourcesOf(backend.child.pid, backend.ports.http);
    await ann.ask("start_recording", {});
    await ann.ask("go_on_air", {});
    const stream = await backend.live();
    expect(stream).toMatchObject({ ingest: { protocol: "room" }, video: { width: 1280, height: 720 } });
    await ann.told("on_air");
    const url = `${backend.http}${stream.playback.hls}`;
    await shows(url, 0, "Ann in the stream");
    // Bob speaks, and has another codec and size: the picture follows, its own size stays.
    await ann.ask("pause_producer", { producer_id: annVoice });
    await bob.sendTone(880, 0.1);
    await shows(url, 120, "Bob in the stream");
    await ann.ask("resume_producer", { producer_id: annVoice });
    await ann.ask("go_on_air", { layout: { kind: "grid" } });
    await bob.sendPicture("screen", { ...BLUE, width: 1920, height: 1080 });
    await ann.told("producer_added", {});
    // Two cameras above, the screen below in the middle.
    await shows(url, 240, "the screen in the grid", "iw/16:ih/16:iw*15/32:ih*5/8");

    // FFmpeg's encoder dies: another goes on, on the same stream.
    await killChild(/-f rawvideo -pixel_format/);
    await backend.child.line(/"msg":"the program's encoder ended"/);
    const frames = async () => (await backend.health(stream.id)).ingest?.video_frames ?? 0;
    const made = await frames();
    await until(async () => (await frames()) > made + 75, { what: "frames again" });

    const live = await probeProgram(url, "%+6");
    expect(live.complaints).toBe("");
    expect(live.streams).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ codec_name: "h264", width: 1280, height: 720 }),
        expect.objectContaining({ codec_name: "aac" }),
      ]),
    );
    const playlist = await (await fetch(url)).text();
    expect(playlist).toContain("#EXT-X-STREAM-INF");
    await ann.ask("stop_recording");
    await ann.ask("go_off_air");
    await until(async () => (await backend.channel()).live_stream_id === null, { what: "the end of the stream" });

    await settlesTo(backend.child.pid, backend.ports.http, before);
    const file = await download(room, "program.mp4");
    const program = await probeProgram(file);
    const { streams, packets, complaints } = program;
    expect(complaints).toBe("");
    expect(streams).toMatchObject([{ codec_name: "h264", width: 1280 }, { codec_name: "aac" }]);
    // But for the encoder that was killed nothing held anything up; a busy machine takes a while to start another.
    expect(longestStep(program, "video")).toBeLessThan(3);
    const [recording] = await recordingsOf(room);
    expect(recording).toMatchObject({ state: "finished" });
    const lengthS = (recording?.duration_ms ?? 0) / 1000;
    expect(
      Math.abs(lengthS - Number(packets.findLast(({ codec_type }) => codec_type === "video")?.dts_time)),
    ).toBeLessThan(0.1);
    const at = lengthS - 1.5;
    expect(loudness(file, at, 440)).toBeGreaterThan(0.15);
    expect(loudness(file, at, 880)).toBeGreaterThan(0.05);
    expect(loudness(file, at, 660)).toBeLessThan(0.01);
  });
});

describe("RTC2: rooms on a bad day", () => {
  it("come back after kill -9: the room, its invites, and a recording that plays", async () => {
    const dataDir = await mkdtemp(`${tmpdir()}/klieg-rooms-data-`);
    try {
      const first = await BackendProcess.start({ dataDir });
      let room: OpenedRoom;
      let token: string;
      let recordedMs: number;
      try {
        room = await openRoom(first);
        token = await room.tokenFor("attendee");
        await using ann = await enter(room, room.hostToken, "Ann", undefined, first);
        await ann.sendPicture("camera", RED);
        await ann.sendTone(440);
        await ann.ask("start_recording", {});
        const began = Date.now();
        await until(async () => ((await recordingsOf(room, first))[0]?.bytes ?? 0) > 0 && Date.now() - began > 7000, {
          what: "some seconds of recording",
        });
        recordedMs = Date.now() - began;
      } finally {
        await first.stop("SIGKILL");
      }
      await using second = await BackendProcess.start({ dataDir });
      const [recording] = await recordingsOf(room, second);
      expect(recording).toMatchObject({ state: "interrupted", end_reason: expect.any(String) });
      // At most the fragment that was being made is lost.
      expect(recording?.duration_ms).toBeGreaterThan(recordedMs - 3500);
      const file = await download(room, "interrupted.mp4", second);
      const program = await probeProgram(file);
      expect(program.complaints).toBe("");
      expect(longestStep(program, "video")).toBeLessThan(0.1);
      expect(loudness(file, 3, 440)).toBeGreaterThan(0.15);
      const ranged = await fetch(`${second.http}${recording?.download}`, { headers: { range: "bytes=4-7" } });
      expect([ranged.status, await ranged.text()]).toEqual([206, "ftyp"]);
      expect((await fetch(`${second.http}${recording?.download}x`)).status).toBe(401);
      await using bob = await enter(room, token, "Bob", undefined, second);
      expect(bob.id).toMatch(/^[a-z0-9]+$/);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it("have everybody come back when the media worker is killed, and stay on air meanwhile", async () => {
    const room = await openRoom(backend);
    const ann = await enter(room, room.hostToken, "Ann");
    await ann.sendPicture("camera", RED);
    await ann.ask("go_on_air", {});
    const stream = await backend.live();
    const url = `${backend.http}${stream.playback.hls}`;
    await killChild(/mediasoup-worker/);
    await ann.told("reconnect", { reason: "worker_lost" });
    expect((await until(async () => (await ann.closed()) ?? undefined, { what: "the close" }))?.code).toBe(4503);
    const began = Date.now();
    await using again = await enter(room, room.hostToken, "Ann", ann.resumeToken);
    expect(again.id).toBe(ann.id);
    await again.sendPicture("camera", BLUE);
    await shows(url, 240, "the picture again");
    expect(Date.now() - began).toBeLessThan(10_000);
    expect((await backend.channel()).live_stream_id).toBe(stream.id);
    expect((await backend.stream(stream.id)).state).toBe("live");
    await again.ask("end_room");
    await until(async () => (await backend.channel()).live_stream_id === null, { what: "the end of the stream" });
    expect((await fetch(`${backend.http}/v1/rooms/${room.id}`)).status).toBe(410);
    await ann[Symbol.asyncDispose]();
  });

  it("say what is wrong with a link", async () => {
    const room = await openRoom(backend);
    const forged = room.hostToken.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    await expect(enter(room, forged, "Eve")).rejects.toThrow(/invite_invalid/);
    const other = await openRoom(backend);
    await expect(enter(room, other.hostToken, "Eve")).rejects.toThrow(/invite_invalid/);
    const token = await room.tokenFor("attendee");
    const host = { authorization: `Bearer ${room.hostToken}` };
    const invites = (await (await fetch(`${backend.http}/v1/rooms/${room.id}/invites`, { headers: host })).json()) as {
      invites: { id: string; role: string }[];
    };
    const id = invites.invites.find(({ role }) => role === "attendee")?.id;
    const revoke = `${backend.http}/v1/rooms/${room.id}/invites/${id}`;
    expect((await fetch(revoke, { method: "DELETE", headers: { authorization: `Bearer ${token}` } })).status).toBe(403);
    expect((await fetch(revoke, { method: "DELETE", headers: host })).status).toBe(204);
    await expect(enter(room, token, "Eve")).rejects.toThrow(/invite_invalid/);
    const anybody = await fetch(`${backend.http}/v1/rooms`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(anybody.status).toBe(401);
    // Nothing that was said here is in the log.
    expect(backend.child.output).not.toContain(token);
    expect(backend.child.output).not.toContain(room.hostToken);
  });
});
