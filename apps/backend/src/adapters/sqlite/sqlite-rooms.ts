import { RoomRole } from "@klieg/protocol";
import type { Kysely } from "kysely";
import { z } from "zod";
import type {
  RoomInviteRecord,
  RoomInviteRepository,
  RoomRecord,
  RoomRecordingRecord,
  RoomRecordingRepository,
  RoomRepository,
} from "../../ports/repositories.ts";
import type { Schema } from "./schema.ts";
import { uniquely } from "./uniquely.ts";

const RecordingState = z.enum(["recording", "finished", "interrupted"]);

export function roomsOver(db: Kysely<Schema>): RoomRepository {
  const toRecord = (row: Schema["rooms"]): RoomRecord => ({
    id: row.id,
    title: row.title,
    channel: row.channel,
    keyId: row.key_id,
    locked: row.locked !== 0,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  });
  return {
    async find(id) {
      const row = await db.selectFrom("rooms").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async listOpen({ channel, limit }) {
      let query = db.selectFrom("rooms").selectAll().where("ended_at", "is", null);
      if (channel !== undefined) query = query.where("channel", "=", channel);
      return (await query.orderBy("created_at", "desc").orderBy("id").limit(limit).execute()).map(toRecord);
    },
    async insert(room) {
      await uniquely("That room exists already.", () =>
        db
          .insertInto("rooms")
          .values({
            id: room.id,
            title: room.title,
            channel: room.channel,
            key_id: room.keyId,
            locked: room.locked ? 1 : 0,
            created_at: room.createdAt,
            ended_at: room.endedAt,
          })
          .execute(),
      );
    },
    async update(id, change) {
      const values = {
        ...(change.title === undefined ? {} : { title: change.title }),
        ...(change.locked === undefined ? {} : { locked: change.locked ? 1 : 0 }),
        ...(change.endedAt === undefined ? {} : { ended_at: change.endedAt }),
      };
      if (Object.keys(values).length === 0) return (await this.find(id)) !== undefined;
      const result = await db.updateTable("rooms").set(values).where("id", "=", id).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

export function roomInvitesOver(db: Kysely<Schema>): RoomInviteRepository {
  const toRecord = (row: Schema["room_invites"]): RoomInviteRecord => ({
    id: row.id,
    room: row.room,
    role: RoomRole.parse(row.role),
    label: row.label,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  });
  return {
    async find(id) {
      const row = await db.selectFrom("room_invites").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async listOf(room) {
      const rows = await db
        .selectFrom("room_invites")
        .selectAll()
        .where("room", "=", room)
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      return rows.map(toRecord);
    },
    async insert(invite) {
      await uniquely("That invite exists already.", () =>
        db
          .insertInto("room_invites")
          .values({
            id: invite.id,
            room: invite.room,
            role: invite.role,
            label: invite.label,
            created_at: invite.createdAt,
            expires_at: invite.expiresAt,
            revoked_at: invite.revokedAt,
          })
          .execute(),
      );
    },
    async revoke(id, at) {
      await db
        .updateTable("room_invites")
        .set({ revoked_at: at })
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .execute();
      return (await this.find(id)) !== undefined;
    },
    async deleteExpired(at) {
      const result = await db.deleteFrom("room_invites").where("expires_at", "<", at).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

export function roomRecordingsOver(db: Kysely<Schema>): RoomRecordingRepository {
  const toRecord = (row: Schema["room_recordings"]): RoomRecordingRecord => ({
    id: row.id,
    room: row.room,
    state: RecordingState.parse(row.state),
    startedAt: row.started_at,
    endedAt: row.ended_at,
    endReason: row.end_reason,
    bytes: row.bytes,
    durationMs: row.duration_ms,
  });
  return {
    async find(id) {
      const row = await db.selectFrom("room_recordings").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async listOf(room) {
      const rows = await db
        .selectFrom("room_recordings")
        .selectAll()
        .where("room", "=", room)
        .orderBy("started_at")
        .orderBy("id")
        .execute();
      return rows.map(toRecord);
    },
    async listOpen() {
      return (await db.selectFrom("room_recordings").selectAll().where("ended_at", "is", null).execute()).map(toRecord);
    },
    async insert(recording) {
      await uniquely("That recording exists already.", () =>
        db
          .insertInto("room_recordings")
          .values({
            id: recording.id,
            room: recording.room,
            state: recording.state,
            started_at: recording.startedAt,
            ended_at: recording.endedAt,
            end_reason: recording.endReason,
            bytes: recording.bytes,
            duration_ms: recording.durationMs,
          })
          .execute(),
      );
    },
    async update(id, change) {
      await db
        .updateTable("room_recordings")
        .set({
          ...(change.state === undefined ? {} : { state: change.state }),
          ...(change.endedAt === undefined ? {} : { ended_at: change.endedAt }),
          ...(change.endReason === undefined ? {} : { end_reason: change.endReason }),
          ...(change.bytes === undefined ? {} : { bytes: change.bytes }),
          ...(change.durationMs === undefined ? {} : { duration_ms: change.durationMs }),
        })
        .where("id", "=", id)
        .execute();
    },
  };
}
