import { DEFAULT_INGEST_PROFILE } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import type { ChannelRecord, Repositories, StreamKeyRecord, StreamRecord } from "./repositories.ts";

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
