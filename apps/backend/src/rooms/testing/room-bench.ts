import { type Clock, ManualClock } from "@klieg/base";
import { SqliteRepositories } from "../../adapters/sqlite/sqlite-repositories.ts";
import { Channels } from "../../channels/channels.ts";
import { StreamKeySigner } from "../../channels/stream-key.ts";
import { LiveStreams } from "../../live/live-streams.ts";
import { IceServers } from "../../sfu/ice-servers.ts";
import { Sfu } from "../../sfu/sfu.ts";
import { findWorkerProgram } from "../../sfu/worker-program.ts";
import { MemoryAppendStore } from "../../testing/memory-append-store.ts";
import { MemoryBlobStore } from "../../testing/memory-blob-store.ts";
import { RecordingLogger } from "../../testing/recording-logger.ts";
import { TranscodeEngine } from "../../transcode/transcode-engine.ts";
import { InviteSigner } from "../invite-signer.ts";
import { Recordings } from "../recordings.ts";
import { RoomPrograms } from "../room-programs.ts";
import { Rooms } from "../rooms.ts";
import { RoomGuest } from "./room-guest.ts";

export interface RoomBenchOptions {
  readonly workers?: number;
  readonly maxParticipants?: number;
  /** Programs need FFmpeg, and a clock that runs. */
  readonly engine?: TranscodeEngine;
  readonly clock?: Clock;
}

/** Rooms on real workers and a database in memory, by a clock that is turned by hand. */
export async function openRooms(options: RoomBenchOptions = {}) {
  const hand = new ManualClock(Date.now());
  const clock = options.clock ?? hand;
  const logger = new RecordingLogger();
  const repositories = await SqliteRepositories.open(":memory:");
  const channels = new Channels({ repositories, signer: new StreamKeySigner(new Uint8Array(32).fill(1)), clock });
  const sfu = await Sfu.open({
    logger,
    workerProgram: findWorkerProgram(),
    workers: options.workers ?? 1,
    port: 0,
    addresses: [{ ip: "127.0.0.1" }],
  });
  const iceServers = new IceServers({ servers: [], turnSecret: undefined, turnTtlS: 60, wall: () => clock.wall() });
  const signer = new InviteSigner(new Uint8Array(32).fill(2), () => clock.wall());
  const engine = options.engine ?? (await TranscodeEngine.start({ logger, searchPath: "", installer: false }));
  const live = new LiveStreams({
    clock,
    logger,
    repositories,
    channels,
    maxStreams: 10,
    reconnectGraceMs: 5000,
    endedRetentionMs: 1000,
    services: {
      clock,
      logger,
      blobs: new MemoryBlobStore(),
      engine,
      ladder: [],
      partMs: 333,
      segmentMs: 2000,
      windowMs: 60_000,
      observePart: () => undefined,
      sfu,
    },
  });
  const files = new MemoryAppendStore();
  const recordings = new Recordings({ clock, logger, repositories, files, signer, maxBytes: 1e9 });
  const programs = new RoomPrograms({ clock, logger, channels, live, engine, recordings });
  const rooms = new Rooms({
    clock,
    logger,
    repositories,
    channels,
    sfu,
    iceServers,
    signer,
    inviteLink: (roomId, token) => `http://klieg.example/room/${roomId}#invite=${token}`,
    maxParticipants: options.maxParticipants ?? 5,
    onReleased: (room) => programs.release(room),
  });
  const guests = new Set<RoomGuest>();
  return {
    clock: hand,
    logger,
    repositories,
    channels,
    sfu,
    rooms,
    recordings,
    live,
    programs,
    signer,
    /** A new room with a token for each role. */
    async newRoom(binding: { channel?: string; keyId?: string } = {}) {
      const { record, invite } = await rooms.create({
        title: "Class",
        channel: binding.channel,
        keyId: binding.keyId,
        inviteExpiresInS: 3600,
      });
      const tokenFor = async (role: "host" | "speaker" | "attendee") =>
        (await rooms.createInvite(record.id, { role, expiresInS: 3600, label: "" })).token;
      return { id: record.id, host: invite, tokenFor };
    },
    guest(roomId: string): RoomGuest {
      const guest = new RoomGuest({ rooms, programs, roomId, iceServers, clock, logger });
      guests.add(guest);
      return guest;
    },
    async [Symbol.asyncDispose]() {
      for (const guest of guests) guest[Symbol.dispose]();
      await rooms.close();
      await programs.close();
      await live.close();
      await sfu.close();
      await repositories.close();
    },
  };
}
