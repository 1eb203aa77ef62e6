import { systemClock } from "@klieg/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findWorkerProgram } from "../sfu/worker-program.ts";
import { FakeSession } from "../testing/fake-session.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { openRooms } from "./testing/room-bench.ts";

let engine: TranscodeEngine;
beforeAll(async () => {
  engine = await TranscodeEngine.start({ logger: new RecordingLogger(), hardware: false });
});

const setUp = async () => {
  const bench = await openRooms({ engine, clock: systemClock });
  await bench.channels.create("demo", "Demo");
  const { record: key } = await bench.channels.issueKey("demo", "");
  const room = await bench.newRoom({ channel: "demo", keyId: key.id });
  const host = bench.guest(room.id);
  await host.ask("join", { token: room.host.token, name: "Ann" });
  return { ...bench, key, room, host };
};

describe.skipIf(findWorkerProgram() === undefined)("a room's program (RTC2)", () => {
  let set: Awaited<ReturnType<typeof setUp>>;
  beforeAll(async () => {
    set = await setUp();
  });
  afterAll(() => set?.[Symbol.asyncDispose]());

  it("needs a channel to go on air on, and FFmpeg", async () => {
    const unbound = await set.newRoom();
    const guest = set.guest(unbound.id);
    await guest.ask("join", { token: unbound.host.token, name: "Bob" });
    await expect(guest.ask("go_on_air", {})).rejects.toMatchObject({ code: "conflict" });
    await using bare = await openRooms();
    const room = await bare.newRoom();
    const host = bare.guest(room.id);
    await host.ask("join", { token: room.host.token, name: "Ann" });
    await expect(host.ask("start_recording", {})).rejects.toMatchObject({ code: "transcoder_unavailable" });
    // The attempt is not left behind as one that runs.
    expect(await bare.recordings.list(room.id)).toMatchObject([{ state: "finished", duration_ms: 0 }]);
  });

  it("is made once for channel and recording, with picture and sound even while nobody sends anything", async () => {
    const { host, live, programs, recordings, room } = set;
    const { on_air } = await host.ask("go_on_air", { layout: { kind: "grid" } });
    expect(on_air).toMatchObject({ channel: "demo", layout: { kind: "grid" }, state: "starting" });
    const { recording } = await host.ask("start_recording", {});
    expect(recording.layout).toEqual({ kind: "grid" });
    await expect(host.ask("start_recording", {})).rejects.toMatchObject({ code: "conflict" });
    expect(programs.counts).toEqual({ onAir: 1, recording: 1 });
    await host.hear("on_air", ({ on_air: told }) => told?.state === "live");
    const stream = live.ofChannel("demo")?.stream;
    expect(stream?.video).toMatchObject({ codec: "h264", width: 1280, height: 720 });
    expect(stream?.audio).toMatchObject({ codec: "aac", sampleRate: 48_000, channels: 2 });
    await host.ask("go_on_air", { layout: { kind: "speaker" } });
    expect(host.told("recording").at(-1)).toMatchObject({ recording: { layout: { kind: "speaker" } }, failure: null });

    await host.ask("go_off_air", {});
    expect(host.told("on_air").at(-1)).toEqual({ event: "on_air", on_air: null, failure: null });
    expect(stream?.state).toBe("ended");
    expect(programs.counts).toEqual({ onAir: 0, recording: 1 });
    await host.ask("stop_recording", {});
    expect(programs.counts).toEqual({ onAir: 0, recording: 0 });
    const [listed] = await recordings.list(room.id);
    expect(listed).toMatchObject({ state: "finished", end_reason: null });
    expect(listed?.duration_ms).toBeGreaterThan(500);
  });

  it("leaves the air to an encoder that takes over, and says so", async () => {
    const { host, live, channels } = set;
    await host.ask("go_on_air", {});
    const stream = live.ofChannel("demo")?.stream;
    live.contribute({ channel: await channels.get("demo"), keyId: "another" }, new FakeSession());
    const event = await host.hear("on_air", ({ failure }) => failure !== null);
    expect(event).toMatchObject({ on_air: null, failure: { code: "taken_over" } });
    // The stream is the other's now.
    expect(stream?.state).not.toBe("ended");
    live.stop(stream?.id ?? "");
  });

  it("goes off air with its room, and with the stream key that opened it", async () => {
    const { host, live, channels, key, programs, rooms, room } = set;
    await host.ask("go_on_air", {});
    await channels.revokeKey("demo", key.id);
    await host.hear("on_air", ({ failure }) => failure?.code === "stream_key_revoked");
    await expect(host.ask("go_on_air", {})).rejects.toMatchObject({ code: "stream_key_revoked" });
    await host.ask("start_recording", {});
    await rooms.end(room.id);
    expect(programs.counts).toEqual({ onAir: 0, recording: 0 });
    expect(live.ofChannel("demo")?.stream.contribution).toBeUndefined();
    const states = (await set.recordings.list(room.id)).map(({ state }) => state);
    expect(states).toEqual(["finished", "finished"]);
  });
});
