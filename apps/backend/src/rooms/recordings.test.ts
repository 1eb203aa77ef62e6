import { ManualClock } from "@klieg/base";
import { type AccessUnit, readAccessUnits, readMovie } from "@klieg/media";
import { describe, expect, it } from "vitest";
import { SqliteRepositories } from "../adapters/sqlite/sqlite-repositories.ts";
import { MemoryAppendStore } from "../testing/memory-append-store.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { AUDIO, picture, sound, VIDEO } from "../testing/tracks.ts";
import { InviteSigner } from "./invite-signer.ts";
import { Recordings } from "./recordings.ts";

const ROOM = "roomroomroomroom";

async function openRecordings(maxBytes = 1e9) {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const repositories = await SqliteRepositories.open(":memory:");
  await repositories.rooms.insert({
    id: ROOM,
    title: "Class",
    channel: null,
    keyId: null,
    locked: false,
    createdAt: 1,
    endedAt: null,
  });
  const files = new MemoryAppendStore();
  const signer = new InviteSigner(new Uint8Array(32).fill(2), () => clock.wall());
  const recordings = new Recordings({ clock, logger, repositories, files, signer, maxBytes });
  return { clock, files, recordings, repositories, signer, [Symbol.asyncDispose]: () => repositories.close() };
}

/** So many seconds of a program: a keyframe each second. */
function* program(seconds: number): Generator<AccessUnit> {
  for (let i = 0; i < seconds * 25; i += 1) {
    yield picture(i * 3600, { keyframe: i % 25 === 0, bytes: 2000 });
    yield sound(i * 3600);
  }
}

async function fileOf(set: Awaited<ReturnType<typeof openRecordings>>): Promise<Buffer> {
  const [info] = await set.recordings.list(ROOM);
  const token = new URL(info?.download ?? "", "http://x").searchParams.get("token") ?? "";
  const { key, bytes } = await set.recordings.open(ROOM, info?.id ?? "", token);
  return Buffer.from(await set.recordings.read(key, 0, bytes));
}

describe("recordings of rooms (RTC2)", () => {
  it("are whole files with an index, listed with a signed address", async () => {
    await using set = await openRecordings();
    const running = await set.recordings.begin(ROOM, () => undefined);
    running.writer.onTrack(VIDEO);
    running.writer.onTrack(AUDIO);
    for (const unit of program(5)) running.writer.onAccessUnit(unit);
    set.clock.advance(5000);
    expect(await set.recordings.list(ROOM)).toMatchObject([{ state: "recording", ended_at: null }]);
    await set.recordings.end(running, undefined);
    const [info] = await set.recordings.list(ROOM);
    expect(info).toMatchObject({ state: "finished", end_reason: null, duration_ms: 5000 });
    const file = await fileOf(set);
    expect(file.byteLength).toBe(info?.bytes);
    const units = [...readAccessUnits(file, readMovie(file))];
    expect(units.filter(({ track }) => track.kind === "video")).toHaveLength(125);
    expect(file.subarray(-12, -8).toString()).toBe("mfro");

    const other = await set.signer.signDownload("anotherone", 1000);
    await expect(set.recordings.open(ROOM, info?.id ?? "", other)).rejects.toMatchObject({ code: "invite_invalid" });
    const token = new URL(info?.download ?? "", "http://x").searchParams.get("token") ?? "";
    await expect(set.recordings.open("anotherroomthere", info?.id ?? "", token)).rejects.toMatchObject({
      code: "not_found",
    });
    set.clock.advance(3_601_000);
    await expect(set.recordings.open(ROOM, info?.id ?? "", token)).rejects.toMatchObject({ code: "invite_expired" });
  });

  it("are cut to what is whole after a crash", async () => {
    await using set = await openRecordings();
    const running = await set.recordings.begin(ROOM, () => undefined);
    running.writer.onTrack(VIDEO);
    running.writer.onTrack(AUDIO);
    for (const unit of program(4)) running.writer.onAccessUnit(unit);
    await running.writer.close();
    // The crash came in the middle of the last fragment's picture.
    const key = `${ROOM}/${running.record.id}.mp4`;
    const size = (await set.files.size(key)) ?? 0;
    await set.files.mend(key, size - 30_000, []);
    await set.recordings.recover();
    const [info] = await set.recordings.list(ROOM);
    expect(info).toMatchObject({ state: "interrupted", duration_ms: 3000, end_reason: expect.any(String) });
    expect(Date.parse(info?.ended_at ?? "") - Date.parse(info?.started_at ?? "")).toBe(3000);
    const file = await fileOf(set);
    const pictures = [...readAccessUnits(file, readMovie(file))].filter(({ track }) => track.kind === "video");
    expect(pictures).toHaveLength(75);
    await set.recordings.recover();
    expect(await set.recordings.list(ROOM)).toHaveLength(1);
  });

  it("that hold nothing yet survive a crash too", async () => {
    await using set = await openRecordings();
    await set.recordings.begin(ROOM, () => undefined);
    await set.recordings.recover();
    expect(await set.recordings.list(ROOM)).toMatchObject([{ state: "interrupted", duration_ms: 0 }]);
  });

  it("end where the disk is full, or where they are as large as they may be, and say so", async () => {
    await using full = await openRecordings();
    await using small = await openRecordings(200_000);
    full.files.room = 300 * 1024 * 1024;
    for (const set of [full, small]) {
      const { promise: failed, resolve } = Promise.withResolvers<Error>();
      const running = await set.recordings.begin(ROOM, resolve);
      if (set === full) set.files.room = 100_000;
      running.writer.onTrack(VIDEO);
      running.writer.onTrack(AUDIO);
      for (const unit of program(10)) running.writer.onAccessUnit(unit);
      const failure = await failed;
      expect(failure).toMatchObject({ code: "storage_unavailable" });
      set.files.room = 1e9;
      await set.recordings.end(running, failure.message);
      const [info] = await set.recordings.list(ROOM);
      expect(info).toMatchObject({ state: "finished", end_reason: failure.message });
      expect(info?.duration_ms).toBeGreaterThan(0);
      expect(info?.duration_ms).toBeLessThan(10_000);
    }
    full.files.room = 1000;
    await expect(full.recordings.begin(ROOM, () => undefined)).rejects.toMatchObject({ code: "storage_unavailable" });
  });
});
