import { DEFAULT_INGEST_PROFILE } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import type {
  AudienceRecord,
  ChannelRecord,
  Repositories,
  RoomInviteRecord,
  RoomRecord,
  RoomRecordingRecord,
  StreamKeyRecord,
  StreamRecord,
} from "./repositories.ts";

const channel: ChannelRecord = {
  name: "demo",
  title: "Demo",
  profile: DEFAULT_INGEST_PROFILE,
  defaultPlayback: "hls",
  createdAt: 1_790_000_000_000,
};
const key: StreamKeyRecord = {
  id: "0123456789abcdef",
  channel: "demo",
  label: "studio",
  fingerprint: null,
  createdAt: 1_790_000_000_001,
  revokedAt: null,
};
const stream: StreamRecord = {
  id: "abcdefgh23456723",
  channel: "demo",
  state: "starting",
  protocol: null,
  encoder: null,
  startedAt: 1_790_000_000_002,
  liveAt: null,
  endedAt: null,
  endReason: null,
  audience: {
    title: "Late show",
    category: "Music",
    visibility: "unlisted",
    preview: true,
    publicAt: 1_790_000_900_000,
    previewToken: "token",
  },
};

const room: RoomRecord = {
  id: "roomroomroomroom",
  title: "Class",
  channel: "demo",
  keyId: key.id,
  locked: false,
  createdAt: 1_790_000_000_003,
  endedAt: null,
};
const invite: RoomInviteRecord = {
  id: "inviteinviteinvi",
  room: room.id,
  role: "speaker",
  label: "guest",
  createdAt: 1_790_000_000_004,
  expiresAt: 1_790_000_100_000,
  revokedAt: null,
};
const recording: RoomRecordingRecord = {
  id: "recordin",
  room: room.id,
  state: "recording",
  startedAt: 1_790_000_000_005,
  endedAt: null,
  endReason: null,
  bytes: 0,
  durationMs: 0,
};

/** What every {@link Repositories} does. @param open a new, empty one. */
export function repositoriesContract(name: string, open: () => Promise<Repositories>): void {
  describe(`Repositories: ${name}`, () => {
    it("keeps channels", async () => {
      await using repositories = await open();
      await repositories.channels.insert(channel);
      expect(await repositories.channels.find("demo")).toEqual(channel);
      expect(await repositories.channels.find("none")).toBeUndefined();
      await expect(repositories.channels.insert(channel)).rejects.toMatchObject({ code: "conflict" });
      const profile = { ...DEFAULT_INGEST_PROFILE, max_bitrate: 1_000_000 };
      expect(await repositories.channels.update("demo", { title: "New", profile })).toBe(true);
      expect(await repositories.channels.update("none", { title: "New" })).toBe(false);
      expect(await repositories.channels.update("demo", { defaultPlayback: "realtime" })).toBe(true);
      expect(await repositories.channels.list()).toEqual([
        { ...channel, title: "New", profile, defaultPlayback: "realtime" },
      ]);
    });

    it("keeps stream keys, and revokes them once", async () => {
      await using repositories = await open();
      await repositories.channels.insert(channel);
      await repositories.streamKeys.insert(key);
      const imported = { ...key, id: "fedcba9876543210", fingerprint: "f".repeat(64), createdAt: key.createdAt + 1 };
      await repositories.streamKeys.insert(imported);
      await expect(repositories.streamKeys.insert({ ...imported, id: "00000000ffffffff" })).rejects.toMatchObject({
        code: "conflict",
      });
      expect(await repositories.streamKeys.find(key.id)).toEqual(key);
      expect(await repositories.streamKeys.findByFingerprint("f".repeat(64))).toEqual(imported);
      expect(await repositories.streamKeys.revoke(key.id, 5)).toBe(true);
      expect(await repositories.streamKeys.revoke(key.id, 6)).toBe(true);
      expect(await repositories.streamKeys.revoke("none", 6)).toBe(false);
      expect(await repositories.streamKeys.listOf("demo")).toEqual([{ ...key, revokedAt: 5 }, imported]);
    });

    it("keeps streams, and ends those that a crash left open", async () => {
      await using repositories = await open();
      await repositories.channels.insert(channel);
      await repositories.streams.insert(stream);
      await repositories.streams.update(stream.id, { state: "live", liveAt: 9, protocol: "rtmp", encoder: "obs" });
      expect(await repositories.streams.find(stream.id)).toEqual({
        ...stream,
        state: "live",
        liveAt: 9,
        protocol: "rtmp",
        encoder: "obs",
      });
      expect(await repositories.streams.endAll(11, "restart")).toBe(1);
      expect(await repositories.streams.endAll(12, "restart")).toBe(0);
      expect(await repositories.streams.find(stream.id)).toMatchObject({
        state: "ended",
        endedAt: 11,
        endReason: "restart",
      });
    });

    it("ING5: knows what a channel's next stream goes on from", async () => {
      await using repositories = await open();
      const { streams } = repositories;
      await repositories.channels.insert(channel);
      await streams.insert(stream);
      await streams.insert({ ...stream, id: "endedendedended2", state: "ended", endedAt: 10, startedAt: 1 });
      await streams.insert({ ...stream, id: "stoppedstopped22", state: "ended", endedAt: 10, audience: null });
      const resumable = async (at: number) => (await streams.listResumable(at)).map(({ id }) => id);
      expect(await resumable(10)).toEqual(["endedendedended2", stream.id]);
      expect(await resumable(11)).toEqual([stream.id]);
      await streams.update(stream.id, { audience: { ...(stream.audience as AudienceRecord), preview: false } });
      expect((await streams.find(stream.id))?.audience?.preview).toBe(false);
      await streams.forgetAudiences("other");
      await streams.forgetAudiences("demo");
      expect(await resumable(0)).toEqual([]);
    });

    it("keeps rooms (RTC2)", async () => {
      await using repositories = await open();
      await repositories.channels.insert(channel);
      await repositories.streamKeys.insert(key);
      await repositories.rooms.insert(room);
      await expect(repositories.rooms.insert(room)).rejects.toMatchObject({ code: "conflict" });
      await repositories.rooms.insert({ ...room, id: "unboundunbound22", channel: null, keyId: null, locked: true });
      expect(await repositories.rooms.find(room.id)).toEqual(room);
      expect(await repositories.rooms.find("unboundunbound22")).toMatchObject({ channel: null, locked: true });
      expect(await repositories.rooms.find("none")).toBeUndefined();
      const listed = async (channel?: string): Promise<string[]> => {
        const rooms = await repositories.rooms.listOpen({ limit: 2, ...(channel === undefined ? {} : { channel }) });
        return rooms.map(({ id }) => id);
      };
      await repositories.rooms.insert({ ...room, id: "laterlaterlater2", createdAt: room.createdAt + 1 });
      expect(await listed("demo")).toEqual(["laterlaterlater2", room.id]);
      expect(await listed()).toEqual(["laterlaterlater2", room.id]);
      expect(await listed("none")).toEqual([]);
      await repositories.rooms.update("laterlaterlater2", { endedAt: 9 });
      expect(await listed("demo")).toEqual([room.id]);
      expect(await repositories.rooms.update(room.id, { locked: true })).toBe(true);
      expect(await repositories.rooms.update(room.id, { title: "Lesson", endedAt: 9 })).toBe(true);
      expect(await repositories.rooms.update("none", { locked: true })).toBe(false);
      expect(await repositories.rooms.find(room.id)).toEqual({ ...room, title: "Lesson", locked: true, endedAt: 9 });
    });

    it("keeps invites to rooms, revokes them once, and forgets those that have expired (RTC2)", async () => {
      await using repositories = await open();
      await repositories.rooms.insert({ ...room, channel: null, keyId: null });
      await repositories.roomInvites.insert(invite);
      const host: RoomInviteRecord = {
        ...invite,
        id: "hosthosthosthost",
        role: "host",
        createdAt: invite.createdAt - 1,
      };
      await repositories.roomInvites.insert({ ...host, expiresAt: invite.expiresAt + 1 });
      expect(await repositories.roomInvites.find(invite.id)).toEqual(invite);
      expect(await repositories.roomInvites.revoke(invite.id, 5)).toBe(true);
      expect(await repositories.roomInvites.revoke(invite.id, 6)).toBe(true);
      expect(await repositories.roomInvites.revoke("none", 6)).toBe(false);
      expect((await repositories.roomInvites.listOf(room.id)).map(({ id, revokedAt }) => [id, revokedAt])).toEqual([
        [host.id, null],
        [invite.id, 5],
      ]);
      expect(await repositories.roomInvites.deleteExpired(invite.expiresAt + 1)).toBe(1);
      expect(await repositories.roomInvites.listOf(room.id)).toHaveLength(1);
    });

    it("keeps recordings of rooms, and names those that a crash left open (RTC2)", async () => {
      await using repositories = await open();
      await repositories.rooms.insert({ ...room, channel: null, keyId: null });
      await repositories.roomRecordings.insert(recording);
      await repositories.roomRecordings.insert({ ...recording, id: "recordi2", startedAt: recording.startedAt + 1 });
      await repositories.roomRecordings.update("recordi2", {
        state: "finished",
        endedAt: 7,
        endReason: "stopped",
        bytes: 8_000_000_000,
        durationMs: 60_000,
      });
      expect(await repositories.roomRecordings.listOpen()).toEqual([recording]);
      expect(await repositories.roomRecordings.find("none")).toBeUndefined();
      expect(await repositories.roomRecordings.find("recordi2")).toMatchObject({ bytes: 8_000_000_000, endedAt: 7 });
      expect((await repositories.roomRecordings.listOf(room.id)).map(({ id }) => id)).toEqual(["recordin", "recordi2"]);
    });

    it("does a transaction wholly or not at all", async () => {
      await using repositories = await open();
      await expect(
        repositories.transaction(async (tx) => {
          await tx.channels.insert(channel);
          throw new Error("changed my mind");
        }),
      ).rejects.toThrow("changed my mind");
      expect(await repositories.channels.find("demo")).toBeUndefined();
      await repositories.transaction((tx) => tx.channels.insert(channel));
      expect(await repositories.channels.find("demo")).toEqual(channel);
    });
  });
}
