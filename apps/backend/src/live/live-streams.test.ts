import { ManualClock } from "@klieg/base";
import { describe, expect, it } from "vitest";
import { SqliteRepositories } from "../adapters/sqlite/sqlite-repositories.ts";
import { Channels } from "../channels/channels.ts";
import { StreamKeySigner } from "../channels/stream-key.ts";
import { Sfu } from "../sfu/sfu.ts";
import { FakeSession } from "../testing/fake-session.ts";
import { MemoryBlobStore } from "../testing/memory-blob-store.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { picture, VIDEO } from "../testing/tracks.ts";
import { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { LiveStreams } from "./live-streams.ts";

async function setUp(options: { maxStreams?: number } = {}) {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const repositories = await SqliteRepositories.open(":memory:");
  const channels = new Channels({ repositories, signer: new StreamKeySigner(new Uint8Array(32).fill(1)), clock });
  const blobs = new MemoryBlobStore();
  // A machine without FFmpeg: the source rendition is all there is.
  const engine = await TranscodeEngine.start({ logger, searchPath: "", installer: false });
  const open = () =>
    new LiveStreams({
      clock,
      logger,
      repositories,
      channels,
      maxStreams: options.maxStreams ?? 10,
      reconnectGraceMs: 5000,
      endedRetentionMs: 10_000,
      services: {
        clock,
        logger,
        blobs,
        engine,
        ladder: [],
        partMs: 333,
        segmentMs: 2000,
        windowMs: 60_000,
        sfu: Sfu.unavailable(logger, "it is a test"),
        observePart: () => undefined,
      },
    });
  const live = open();
  const admit = async (name: string) => {
    await channels.create(name, name);
    const { text, record } = await channels.issueKey(name, "");
    return { admission: await channels.admit(text), keyId: record.id };
  };
  const close = async () => {
    await live.close();
    await repositories.close();
    expect(clock.pending).toBe(0);
    expect([...blobs.blobs.keys()]).toEqual([]);
  };
  return { clock, channels, live, open, repositories, admit, close };
}

function makeLive(clock: ManualClock, contribution: ReturnType<LiveStreams["contribute"]>): void {
  contribution.onTrack(VIDEO);
  for (let frame = 0; frame <= 60; frame += 1) {
    contribution.onAccessUnit(picture(frame * 3000, { keyframe: frame % 60 === 0 }));
    clock.advance(1000 / 30);
  }
  clock.advance(3000);
}

describe("ING5: the streams in flight", () => {
  it("one channel has one stream, which a reconnect resumes", async () => {
    const { clock, live, admit, close } = await setUp();
    const { admission } = await admit("demo");
    const first = live.contribute(admission, new FakeSession());
    const id = live.ofChannel("demo")?.stream.id;
    first.close({ by: "peer", message: "gone" });
    clock.advance(1000);
    live.contribute(admission, new FakeSession());
    expect(live.ofChannel("demo")?.stream.id).toBe(id);
    expect(live.list()).toHaveLength(1);
    await close();
  });

  it("remembers what became of each stream", async () => {
    const { clock, live, repositories, admit, close } = await setUp();
    const { admission } = await admit("demo");
    makeLive(clock, live.contribute(admission, new FakeSession()));
    const { stream } = live.ofChannel("demo") ?? {};
    if (stream === undefined) throw new Error("no stream");
    expect(stream.state).toBe("live");
    live.stop(stream.id);
    expect(live.ofChannel("demo")).toBeUndefined();
    expect(live.latestOfChannel("demo")?.stream.id).toBe(stream.id);
    const record = async () => repositories.streams.find(stream.id);
    while ((await record())?.state !== "ended") await new Promise((resolve) => setImmediate(resolve));
    expect(await record()).toMatchObject({
      state: "ended",
      protocol: "rtmp",
      encoder: "test encoder",
      endReason: "stopped by its owner",
      liveAt: stream.liveAt,
    });
    clock.advance(10_000);
    expect(live.get(stream.id)).toBeUndefined();
    await close();
  });

  it("refuses more streams than it may carry, but not those that come back", async () => {
    const { live, admit, close } = await setUp({ maxStreams: 1 });
    const { admission } = await admit("one");
    live.contribute(admission, new FakeSession());
    const other = await admit("two");
    expect(() => live.contribute(other.admission, new FakeSession())).toThrow(
      expect.objectContaining({ code: "overloaded" }),
    );
    expect(() => live.contribute(admission, new FakeSession("again"))).not.toThrow();
    await close();
  });

  it("puts off who publishes with a key that is revoked (ING4)", async () => {
    const { live, channels, admit, close } = await setUp();
    const { admission, keyId } = await admit("demo");
    const session = Object.assign(new FakeSession(), { keyId });
    live.contribute(admission, session);
    await channels.revokeKey("demo", keyId);
    expect(session.refusals.map(({ code }) => code)).toEqual(["stream_key_revoked"]);
    await close();
  });

  it("opens a stream ahead of its encoder, which ends when none comes", async () => {
    const { clock, live, admit, close } = await setUp();
    const { admission } = await admit("demo");
    const { stream } = live.start(admission);
    expect(live.start(admission).stream).toBe(stream);
    clock.advance(5000);
    expect(stream.state).toBe("ended");
    expect(() => live.stop("nosuchstream")).toThrow(expect.objectContaining({ code: "stream_unknown" }));
    await close();
  });

  describe("what was cut off", () => {
    const details = { title: "Late show", category: "Music", visibility: "private", preview: true } as const;

    it("leaves its audience to who publishes next, for ten minutes: nothing private becomes public by an outage", async () => {
      const { clock, live, admit, close } = await setUp();
      const { admission } = await admit("demo");
      const { previewToken } = live.start(admission, details).audience;
      live.contribute(admission, new FakeSession()).close({ by: "peer", message: "gone" });
      clock.advance(5000);
      expect(live.ofChannel("demo")).toBeUndefined();
      clock.advance(9 * 60_000);
      live.contribute(admission, new FakeSession()).close({ by: "peer", message: "gone" });
      expect(live.ofChannel("demo")?.audience).toMatchObject({ ...details, hidden: true, previewToken });
      expect(live.ofPreview(previewToken)).toBe(live.ofChannel("demo"));
      clock.advance(5000 + 10 * 60_000 + 1);
      live.contribute(admission, new FakeSession());
      expect(live.ofChannel("demo")?.audience).toMatchObject({ title: "", visibility: "public", hidden: false });
      await close();
    });

    it("leaves nothing where it was ended by its owner, or the next is told what it is", async () => {
      const { clock, live, admit, close } = await setUp();
      const { admission } = await admit("demo");
      live.stop(live.start(admission, details).stream.id);
      expect(live.start(admission).audience).toMatchObject({ title: "", hidden: false });
      live.start(admission, details);
      clock.advance(5000);
      expect(live.start(admission, { title: "Another" }).audience).toMatchObject({ title: "Another", hidden: false });
      await close();
    });

    it("waits for who scheduled it", async () => {
      const { clock, live, admit, close } = await setUp();
      const { admission } = await admit("demo");
      live.start(admission, { public_at: new Date(clock.wall() + 3_600_000).toISOString() });
      clock.advance(3_500_000);
      const contribution = live.contribute(admission, new FakeSession());
      const broadcast = live.ofChannel("demo");
      expect(broadcast?.audience.hidden).toBe(true);
      contribution.onTrack(VIDEO);
      for (let at = 0; at < 100; at += 1) {
        contribution.onAccessUnit(picture(at * 90_000, { keyframe: true }));
        clock.advance(1000);
      }
      expect(broadcast?.audience.hidden).toBe(false);
      await close();
    });

    it.each(["a shutdown", "a crash"])("outlives %s of the backend", async (how) => {
      const { clock, live, open, repositories, admit, close } = await setUp();
      const { admission } = await admit("demo");
      const { stream, audience } = live.start(admission, { ...details, preview: false });
      live.contribute(admission, new FakeSession());
      audience.change({ preview: true });
      const { admission: other } = await admit("other");
      live.stop(live.start(other, details).stream.id);
      if (how === "a shutdown") await live.close();
      else {
        while ((await repositories.streams.find(stream.id))?.audience?.preview !== true) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        await live.close();
        // As a crash leaves it.
        await repositories.streams.update(stream.id, { state: "live", endedAt: null, endReason: null });
        await repositories.streams.endAll(clock.wall(), "the backend was restarted");
      }
      const again = open();
      await again.recover();
      again.contribute(admission, new FakeSession());
      expect(again.ofChannel("demo")?.audience.record).toEqual(audience.record);
      expect(again.start(other).audience.hidden).toBe(false);
      await again.close();
      await close();
    });
  });

  it("tells encoders when it shuts down, and takes no more", async () => {
    const { live, admit, close } = await setUp();
    const { admission } = await admit("demo");
    const session = new FakeSession();
    live.contribute(admission, session);
    await close();
    expect(session.refusals.map(({ code }) => code)).toEqual(["shutting_down"]);
    expect(() => live.start(admission)).toThrow(expect.objectContaining({ code: "shutting_down" }));
  });
});
