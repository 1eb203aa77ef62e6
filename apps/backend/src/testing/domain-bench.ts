import type { Clock } from "@klieg/base";
import { SqliteRepositories } from "../adapters/sqlite/sqlite-repositories.ts";
import { Channels } from "../channels/channels.ts";
import { StreamKeySigner } from "../channels/stream-key.ts";
import { LiveStreams, type LiveStreamsOptions } from "../live/live-streams.ts";
import { InviteSigner } from "../rooms/invite-signer.ts";
import { Recordings } from "../rooms/recordings.ts";
import { RoomPrograms } from "../rooms/room-programs.ts";
import { Rooms } from "../rooms/rooms.ts";
import { IceServers } from "../sfu/ice-servers.ts";
import type { Sfu } from "../sfu/sfu.ts";
import { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { MemoryAppendStore } from "./memory-append-store.ts";
import { MemoryBlobStore } from "./memory-blob-store.ts";
import type { RecordingLogger } from "./recording-logger.ts";

export interface DomainBenchOptions {
  readonly clock: Clock;
  readonly logger: RecordingLogger;
  readonly sfu: Sfu;
  /** Default: one without an FFmpeg. */
  readonly engine?: TranscodeEngine | undefined;
  /** Default 5. */
  readonly maxParticipants?: number | undefined;
  readonly observePart?: LiveStreamsOptions["services"]["observePart"];
}

/** Channels, streams and rooms behind no door, with a database and stores in memory. */
export async function openDomain({ clock, logger, sfu, ...options }: DomainBenchOptions) {
  const repositories = await SqliteRepositories.open(":memory:");
  const channels = new Channels({ repositories, signer: new StreamKeySigner(new Uint8Array(32).fill(1)), clock });
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
      observePart: options.observePart ?? (() => undefined),
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
  return { repositories, channels, iceServers, signer, live, recordings, programs, rooms };
}
