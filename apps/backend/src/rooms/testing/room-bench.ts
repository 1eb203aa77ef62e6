import { type Clock, ManualClock } from "@klieg/base";
import { Sfu } from "../../sfu/sfu.ts";
import { findWorkerProgram } from "../../sfu/worker-program.ts";
import { openDomain } from "../../testing/domain-bench.ts";
import { RecordingLogger } from "../../testing/recording-logger.ts";
import type { TranscodeEngine } from "../../transcode/transcode-engine.ts";
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
  const sfu = await Sfu.open({
    logger,
    workerProgram: findWorkerProgram(),
    workers: options.workers ?? 1,
    port: 0,
    addresses: [{ ip: "127.0.0.1" }],
  });
  const { engine, maxParticipants } = options;
  const domain = await openDomain({ clock, logger, sfu, engine, maxParticipants });
  const { iceServers, live, programs, repositories, rooms } = domain;
  const guests = new Set<RoomGuest>();
  return {
    ...domain,
    clock: hand,
    logger,
    sfu,
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
