import { systemClock } from "@klieg/base";
import { type FfmpegBinary, findFfmpeg } from "@klieg/ffmpeg";
import type { BroadcastState, DestinationHealth, DestinationState } from "@klieg/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import type { Destination } from "../../apps/studio/src/document/destination.ts";
import { DEFAULT_ENCODING, type Encoding } from "../../apps/studio/src/document/encoding.ts";
import { KliegBackend } from "../../apps/studio/src/engine/backend/klieg-backend.ts";
import { ProgramFeed } from "../../apps/studio/src/engine/program/program-feed.ts";
import { Broadcast } from "../../apps/studio/src/engine/publish/broadcast.ts";
import { UploadTests } from "../../apps/studio/src/engine/publish/upload-tests.ts";
import { BackendProcess } from "../harness/backend.ts";
import { NarrowLink } from "../harness/narrow-link.ts";
import { ProgramPage } from "../harness/program-page.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { expectServed, watch } from "../harness/served.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg");

let ffmpeg: FfmpegBinary;
beforeAll(async () => {
  const { binary } = await findFfmpeg();
  if (binary === undefined) throw new Error("there is no FFmpeg");
  ffmpeg = binary;
});

/** The engine's media part, with a page that feeds it. */
class OnAir implements AsyncDisposable {
  readonly feed = new ProgramFeed({ clock: systemClock, ffmpeg });
  readonly broadcast: Broadcast;
  readonly health: DestinationHealth[] = [];
  readonly problems: string[] = [];

  constructor(keys: Readonly<Record<string, string>>) {
    this.broadcast = new Broadcast({
      clock: systemClock,
      feed: this.feed,
      secrets: async (holder, kind) => (kind === "stream_key" ? keys[holder] : undefined),
      klieg: new KliegBackend(systemClock),
    });
    this.broadcast.events.on("health", (health) => this.health.push(...health));
    this.broadcast.events.on("notice", (error) => this.problems.push(error.message));
    this.feed.events.on("problem", (error) => this.problems.push(error.message));
  }

  start(destinations: readonly Destination[], encoding: Partial<Encoding> = {}): BroadcastState {
    return this.broadcast.start({
      title: "A test",
      category: "",
      visibility: "public",
      preview: false,
      public_at: null,
      destinations,
      encoding: { ...DEFAULT_ENCODING, ...encoding },
    });
  }

  destination(id: string): DestinationState {
    const found = this.broadcast.state.destinations.find((state) => state.id === id);
    if (found === undefined) throw new Error(`no destination ${id}`);
    return found;
  }

  async reaches(id: string, state: DestinationState["state"], timeoutMs = 15_000): Promise<DestinationState> {
    const is = () => (this.destination(id).state === state ? this.destination(id) : undefined);
    const now = is();
    if (now !== undefined) return now;
    const signal = AbortSignal.timeout(timeoutMs);
    await this.broadcast.events.once("state", { signal, accept: () => is() !== undefined }).catch((error: unknown) => {
      throw new Error(`${id} is not ${state}: ${JSON.stringify(this.destination(id))}`, { cause: error });
    });
    return this.destination(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broadcast.close();
    await this.feed.close();
  }
}

function klieg(id: string, backend: BackendProcess): Destination {
  return { id, name: id, enabled: true, kind: "klieg", url: backend.http, channel: "demo", protocol: "srt" };
}

describe("STU3: the engine publishes to real servers", () => {
  test.concurrent("one program by SRT and by RTMP; one server dies and comes back without touching the other", async () => {
    await using home = await BackendProcess.start();
    await using first = await BackendProcess.start();
    const { rtmp } = first.ports;
    await using air = new OnAir({ home: home.key, away: first.key });
    using _page = await ProgramPage.open(air.feed);
    air.start([
      klieg("home", home),
      { id: "away", name: "Away", enabled: true, kind: "rtmp", url: `rtmp://127.0.0.1:${rtmp}/live` },
    ]);
    await Promise.all([air.reaches("home", "live"), air.reaches("away", "live")]);
    const [served, servedAway] = await Promise.all([watch(home, { segments: 2 }), watch(first, { segments: 2 })]);
    const expected = { encoder: /./, width: 640, height: 360, fps: 30, sampleRate: 48_000, channels: 2 } as const;
    expectServed(servedAway, { ...expected, encoder: /Klieg/, protocol: "rtmp" });
    expectServed(served, { ...expected, protocol: "srt" });

    await first.stop("SIGKILL");
    const gone = await air.reaches("away", "reconnecting");
    expect(gone.problem?.code).toBe("unreachable");
    await using again = await BackendProcess.start({ dataDir: first.dataDir, env: { KLIEG_RTMP_PORT: `${rtmp}` } });
    await air.reaches("away", "live");
    await until(async () => (await again.channel()).live_stream_id !== null, {
      what: "the stream at the other server",
    });
    const health = await home.health(served.stream.id);
    expect(health).toMatchObject({ state: "live", warnings: [], ingest: { discontinuities: 0 } });
    expect(air.destination("home")).toMatchObject({ state: "live", attempt: 0, stream_id: served.stream.id });
    expect(air.health.findLast(({ id }) => id === "home")).toMatchObject({ dropped_frames: 0 });
    expect(air.problems).toEqual([]);

    await air.broadcast.stop();
    expect((await home.stream(served.stream.id)).state).toBe("ended");
  });

  test.concurrent("a wrong key is said in words, and is not tried again; the show outlives its page and its backend", async () => {
    await using backend = await BackendProcess.start();
    await using air = new OnAir({ home: backend.key, wrong: "demo_nonsense", srt: "nonsense" });
    using page = await ProgramPage.open(air.feed);
    air.start([
      klieg("home", backend),
      { ...klieg("wrong", backend), name: "Wrong" },
      { id: "srt", name: "SRT", enabled: true, kind: "srt", url: `srt://127.0.0.1:${backend.ports.srt}` },
    ]);
    const [wrong, srt] = await Promise.all([air.reaches("wrong", "failed"), air.reaches("srt", "failed")]);
    expect(wrong.problem?.code).toBe("stream_key_invalid");
    expect(srt.problem?.message).toMatch(/stream key is wrong/);
    const { id } = await backend.live();
    const before = await backend.health(id);

    await page.reload(1000);
    await until(() => air.feed.state.state === "fed", { what: "the page is back" });
    const frames = before.ingest?.video_frames ?? 0;
    const after = await until(
      async () => {
        const health = await backend.health(id);
        return (health.ingest?.video_frames ?? 0) > frames + 60 ? health : undefined;
      },
      { what: "pictures after the reload" },
    );
    // The same connection all the while, and a timeline without a jump.
    expect(after).toMatchObject({ state: "live", ingest: { discontinuities: 0 } });
    expect(after.ingest?.connected_ms).toBeGreaterThan(before.ingest?.connected_ms ?? Number.POSITIVE_INFINITY);
    expect(air.destination("home")).toMatchObject({ state: "live", attempt: 0 });

    // Killed and started again: it is found again by itself, its addresses asked for anew.
    const { http, srt: srtPort } = backend.ports;
    await backend.stop("SIGKILL");
    await air.reaches("home", "reconnecting");
    const env = { KLIEG_HTTP_PORT: `${http}`, KLIEG_SRT_PORT: `${srtPort}` };
    await using again = await BackendProcess.start({ dataDir: backend.dataDir, env });
    const { stream_id: resumed } = await air.reaches("home", "live");
    await until(async () => ((await again.health(resumed ?? "")).ingest?.video_frames ?? 0) > 10, { what: "pictures" });
    expect(air.feed.state.state).toBe("fed");
  });

  test("what the upload carries is measured in private, before the show and in no other's", async () => {
    await using backend = await BackendProcess.start({ env: { KLIEG_WEBRTC: "0" } });
    const { srt } = backend.ports;
    await using link = await NarrowLink.open({ targetPort: srt, bitrate: 4_000_000, queueBytes: 200_000 });
    const door = new KliegBackend(systemClock);
    const opened: string[] = [];
    const tests = new UploadTests({
      clock: systemClock,
      secrets: async (_holder, kind) => (kind === "stream_key" ? backend.key : undefined),
      backend: {
        checkKey: (destination, key) => door.checkKey(destination, key),
        change: (...what) => door.change(...what),
        stop: (...what) => door.stop(...what),
        start: async (...what) => {
          const started = await door.start(...what);
          opened.push(started.streamId);
          return { ...started, srt: started.srt.replace(`:${srt}`, `:${link.port}`) };
        },
      },
    });
    const home = klieg("home", backend);
    const measuring = tests.measure(home);
    await until(() => link.carried > 100_000, { what: "something is sent" });
    // Meanwhile nobody sees that there is anything.
    expect(await backend.channel()).toMatchObject({ live_stream_id: null, state: null });
    await expect(tests.measure(home)).rejects.toMatchObject({ code: "conflict" });
    const { bitrate, at_least, rtt_ms } = await measuring;
    expect(at_least).toBe(false);
    expect(bitrate).toBeGreaterThan(2_800_000);
    expect(bitrate).toBeLessThan(4_400_000);
    expect(rtt_ms).toBeLessThan(100);
    expect(opened).toHaveLength(1);

    // A show that begins comes first; and one that is on air is left in peace.
    const interrupted = expect(tests.measure(home)).rejects.toMatchObject({ message: expect.stringMatching(/begins/) });
    await until(() => opened.length === 2, { what: "the second test" });
    await tests.stop();
    await interrupted;
    await using air = new OnAir({ home: backend.key });
    using _page = await ProgramPage.open(air.feed);
    air.start([home]);
    await air.reaches("home", "live");
    const { id } = await backend.live();
    expect(opened).not.toContain(id);
    await expect(tests.measure(home)).rejects.toMatchObject({ message: expect.stringMatching(/on air/) });
    expect(opened).toHaveLength(2);
  });

  test("the bit rate falls within 5 s when the network gets half as wide, and grows again", async () => {
    await using backend = await BackendProcess.start();
    await using link = await NarrowLink.open({
      targetPort: backend.ports.srt,
      bitrate: 8_000_000,
      queueBytes: 200_000,
    });
    await using air = new OnAir({ narrow: backend.key });
    using page = await ProgramPage.open(air.feed, { bitrate: 3_000_000 });
    air.broadcast.events.on("video_bitrate", ({ bitrate }) => {
      page.bitrate = bitrate;
    });
    const url = `srt://127.0.0.1:${link.port}`;
    air.start([{ id: "narrow", name: "Narrow", enabled: true, kind: "srt", url }], { video_bitrate: 3_000_000 });
    await air.reaches("narrow", "live");
    await until(() => air.health.some(({ bitrate }) => bitrate > 2_700_000), { what: "the full bit rate" });
    expect(air.broadcast.videoBitrate).toEqual({ bitrate: 3_000_000, reason: "full" });

    link.bitrate = 1_600_000;
    const narrowedAt = performance.now();
    await until(() => (air.broadcast.videoBitrate?.bitrate ?? 0) < 1_400_000, { what: "a lower bit rate" });
    expect(performance.now() - narrowedAt).toBeLessThan(5000);
    const reason = air.broadcast.videoBitrate?.reason;
    expect(reason).not.toBe("full");

    link.bitrate = 8_000_000;
    const widenedAt = performance.now();
    await until(() => air.broadcast.videoBitrate?.reason === "probing", { what: "a bit rate that grows" });
    expect(performance.now() - widenedAt).toBeLessThan(10_000);
    expect(air.health.at(-1)?.dropped_frames).toBeLessThan(60);
  });
});
