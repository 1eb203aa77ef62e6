import { ManualClock } from "@klieg/base";
import type { AccessUnit } from "@klieg/media";
import { DEFAULT_INGEST_PROFILE, type IngestProfile, KliegError } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { FakeSession } from "../testing/fake-session.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { AUDIO, picture, sound, VIDEO } from "../testing/tracks.ts";
import type { Contribution } from "./contribution.ts";
import { Stream } from "./stream.ts";

const GRACE_MS = 30_000;

function setUp(profile: Partial<IngestProfile> = {}) {
  const clock = new ManualClock();
  const stream = new Stream({
    id: "abcdefgh23456723",
    channel: "demo",
    profile: { ...DEFAULT_INGEST_PROFILE, ...profile },
    clock,
    logger: new RecordingLogger(),
    reconnectGraceMs: GRACE_MS,
  });
  const states: string[] = [];
  stream.events.on("state", ({ state }) => states.push(state));
  return { clock, stream, states };
}

/** Sends `seconds` of 30 fps video and waits as long. */
function send(clock: ManualClock, contribution: Contribution, seconds: number, from = 0): void {
  for (let frame = 0; frame < seconds * 30; frame += 1) {
    contribution.onAccessUnit(picture(from + frame * 3000, { keyframe: frame % 60 === 0 }));
    clock.advance(1000 / 30);
  }
}

describe("ING5: a stream's life", () => {
  it("starts, is live, is interrupted, comes back within the grace, ends after it", async () => {
    const { clock, stream, states } = setUp();
    const first = stream.attach(new FakeSession());
    first.onTrack(VIDEO);
    send(clock, first, 1);
    stream.markLive();
    first.close({ by: "peer", message: "gone" });
    expect(stream.state).toBe("interrupted");
    expect(stream.waitsUntil).toBe(clock.wall() + GRACE_MS);
    clock.advance(GRACE_MS - 1);
    const second = stream.attach(new FakeSession());
    expect(stream.state).toBe("interrupted");
    second.onTrack(VIDEO);
    send(clock, second, 1);
    expect(stream.state).toBe("live");
    second.close({ by: "peer", message: "gone" });
    clock.advance(GRACE_MS);
    expect(states).toEqual(["live", "interrupted", "live", "interrupted", "ended"]);
    expect(stream.endReason?.message).toContain("30 s");
    expect(() => stream.attach(new FakeSession())).toThrow(expect.objectContaining({ code: "gone" }));
    await stream.close();
    expect(clock.pending).toBe(0);
  });

  it("ends when nobody ever comes", () => {
    const { clock, states } = setUp();
    clock.advance(GRACE_MS);
    expect(states).toEqual(["ended"]);
    expect(clock.pending).toBe(0);
  });

  it("goes on after a reconnect where the wall clock is, with a discontinuity on each track", async () => {
    const { clock, stream } = setUp();
    const reader = stream.read({ name: "test", maxQueuedBytes: 1 << 20 });
    const units: AccessUnit[] = [];
    reader.onReadable = () => {
      for (let unit = reader.take(); unit !== undefined; unit = reader.take()) units.push(unit);
    };
    const first = stream.attach(new FakeSession());
    for (const track of [VIDEO, AUDIO]) first.onTrack(track);
    first.onAccessUnit(picture(0, { keyframe: true }));
    first.onAccessUnit(sound(0));
    clock.advance(5000);
    first.close({ by: "peer", message: "gone" });
    clock.advance(5000);
    const second = stream.attach(new FakeSession());
    for (const track of [VIDEO, AUDIO]) second.onTrack(track);
    second.onAccessUnit(picture(777_000, { keyframe: true }));
    second.onAccessUnit(sound(777_000));
    second.onAccessUnit(sound(778_920));
    expect(units.map(({ track, discontinuity }) => [track.kind, discontinuity === true])).toEqual([
      ["video", false],
      ["audio", false],
      ["video", true],
      ["audio", true],
      ["audio", false],
    ]);
    expect((units[2]?.dts ?? 0) - (units[0]?.dts ?? 0)).toBe(10 * 90_000);
    expect(units[3]?.dts).toBe(units[2]?.dts);
    await stream.close();
    expect(reader.ended).toBe(true);
  });

  it("lets a newer publisher take over; the older is told, and what it still sends is lost", async () => {
    const { stream } = setUp();
    const reader = stream.read({ name: "test", maxQueuedBytes: 1 << 20 });
    const oldSession = new FakeSession("one");
    const older = stream.attach(oldSession);
    older.onTrack(VIDEO);
    const newer = stream.attach(new FakeSession("two"));
    expect(oldSession.refusals.map(({ code }) => code)).toEqual(["taken_over"]);
    expect(older.closed).toBe(true);
    expect(stream.state).toBe("starting");
    older.onAccessUnit(picture(0, { keyframe: true }));
    expect(reader.take()).toBeUndefined();
    newer.onTrack(VIDEO);
    newer.onAccessUnit(picture(0, { keyframe: true }));
    expect(reader.take()?.track).toBe(VIDEO);
    await stream.close();
  });

  it("does not let two encoders put each other off for ever", async () => {
    const { clock, stream } = setUp();
    const first = stream.attach(new FakeSession("one"));
    first.onTrack(VIDEO);
    send(clock, first, 1);
    const second = stream.attach(new FakeSession("two"));
    second.onTrack(VIDEO);
    send(clock, second, 1);
    expect(() => stream.attach(new FakeSession("one"))).toThrow(expect.objectContaining({ code: "taken_over" }));
    // The one that took over has gone silent: its rival may have the stream.
    clock.advance(3000);
    expect(() => stream.attach(new FakeSession("one"))).not.toThrow();
    await stream.close();
  });

  it("puts off a source that sends nothing for ten seconds", async () => {
    const { clock, stream } = setUp();
    const session = new FakeSession();
    stream.attach(session);
    clock.advance(11_000);
    expect(session.refusals.map(({ code }) => code)).toEqual(["timeout"]);
    expect(stream.state).toBe("interrupted");
    await stream.close();
  });

  it("a stop by the owner puts the encoder off", async () => {
    const { clock, stream } = setUp();
    const session = new FakeSession();
    stream.attach(session);
    await stream.close();
    await stream.close();
    expect(session.refusals.map(({ code }) => code)).toEqual(["stopped_by_owner"]);
    expect(stream.state).toBe("ended");
    expect(clock.pending).toBe(0);
  });
});

describe("ING4: the channel's profile", () => {
  const codesOf = (session: FakeSession) => session.refusals.map(({ code }) => code);

  it("refuses codecs and sizes that it does not take, in words that say what to do", async () => {
    const { stream } = setUp({ video_codecs: ["hevc"] });
    const session = new FakeSession();
    stream.attach(session).onTrack(VIDEO);
    expect(codesOf(session)).toEqual(["codec_not_allowed"]);
    const words = "This channel does not take H264 video. Set the encoder to HEVC.";
    expect(session.refusals[0]?.message).toBe(words);
    // SRT has no word for it once it is connected: the API has.
    expect(stream.lastRefusal).toMatchObject({ code: "codec_not_allowed", message: words });
    await stream.close();
  });

  it("takes a portrait picture within the same bounds", async () => {
    const { stream } = setUp({ max_width: 640, max_height: 360 });
    const session = new FakeSession();
    const contribution = stream.attach(session);
    contribution.onTrack({ ...VIDEO, width: 360, height: 640 });
    expect(codesOf(session)).toEqual([]);
    contribution.onTrack({ ...VIDEO, width: 362, height: 640 });
    expect(codesOf(session)).toEqual(["resolution_too_high"]);
    await stream.close();
  });

  it("warns of a bit rate that is too high, and refuses one that stays so", async () => {
    const { clock, stream } = setUp({ max_bitrate: 100_000 });
    const session = new FakeSession();
    const contribution = stream.attach(session);
    contribution.onTrack(VIDEO);
    for (let frame = 0; session.refusals.length === 0 && frame < 1000; frame += 1) {
      contribution.onAccessUnit(picture(frame * 3000, { keyframe: frame % 60 === 0, bytes: 600 }));
      clock.advance(1000 / 30);
      if (frame === 120) expect(contribution.guard.warnings.map(({ code }) => code)).toEqual(["bitrate_high"]);
    }
    expect(codesOf(session)).toEqual(["bitrate_too_high"]);
    expect(clock.now()).toBeGreaterThan(10_000);
    expect(clock.now()).toBeLessThan(13_000);
    await stream.close();
  });

  it.each(["warn", "refuse"] as const)("keyframes too far apart: %s", async (action) => {
    const { clock, stream } = setUp({ on_long_keyframe_interval: action });
    const session = new FakeSession();
    const contribution = stream.attach(session);
    contribution.onTrack(VIDEO);
    for (let frame = 0; frame < 5 * 30; frame += 1) {
      contribution.onAccessUnit(picture(frame * 3000, { keyframe: frame === 0 }));
      clock.advance(1000 / 30);
    }
    if (action === "refuse") expect(codesOf(session)).toEqual(["keyframe_interval_too_long"]);
    else expect(contribution.guard.warnings.map(({ code }) => code)).toEqual(["keyframe_interval_too_long"]);
    await stream.close();
  });

  it("uses the first track of a kind and warns of others", async () => {
    const { stream } = setUp();
    const contribution = stream.attach(new FakeSession());
    contribution.onTrack(VIDEO);
    contribution.onTrack({ ...VIDEO, id: 1 });
    expect(contribution.guard.warnings.map(({ code }) => code)).toEqual(["extra_track_ignored"]);
    await stream.close();
  });

  it("passes nothing on after it has refused", async () => {
    const { stream } = setUp({ audio_codecs: [] });
    const contribution = stream.attach(new FakeSession());
    const reader = stream.read({ name: "test", maxQueuedBytes: 1000 });
    contribution.onTrack(AUDIO);
    contribution.onAccessUnit(sound(0));
    expect(reader.take()).toBeUndefined();
    expect(stream.state).toBe("interrupted");
    expect(KliegError.from(new Error("x")).code).toBe("internal");
    await stream.close();
  });
});
