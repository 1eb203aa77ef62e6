import type { Kysely } from "kysely";
import type { Migration, MigrationProvider } from "kysely/migration";

/** Numbered, append-only: a landed migration is never edited. */
const MIGRATIONS: Record<string, Migration> = {
  "0001_channels_keys_streams": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("channels")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("profile", "text", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("stream_keys")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("channel", "text", (column) => column.notNull().references("channels.name"))
        .addColumn("label", "text", (column) => column.notNull())
        .addColumn("fingerprint", "text", (column) => column.unique())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("revoked_at", "bigint")
        .execute();
      await db.schema.createIndex("stream_keys_channel").on("stream_keys").column("channel").execute();
      await db.schema
        .createTable("streams")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("channel", "text", (column) => column.notNull().references("channels.name"))
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("protocol", "text")
        .addColumn("encoder", "text")
        .addColumn("started_at", "bigint", (column) => column.notNull())
        .addColumn("live_at", "bigint")
        .addColumn("ended_at", "bigint")
        .addColumn("end_reason", "text")
        .execute();
      await db.schema.createIndex("streams_channel").on("streams").columns(["channel", "started_at"]).execute();
    },
  },
  "0002_default_playback": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("channels")
        .addColumn("default_playback", "text", (column) => column.notNull().defaultTo("hls"))
        .execute();
    },
  },
  "0003_rooms": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("rooms")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.references("channels.name"))
        .addColumn("key_id", "text", (column) => column.references("stream_keys.id"))
        .addColumn("locked", "integer", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("ended_at", "bigint")
        .execute();
      await db.schema
        .createTable("room_invites")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("room", "text", (column) => column.notNull().references("rooms.id"))
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("label", "text", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .addColumn("revoked_at", "bigint")
        .execute();
      await db.schema.createIndex("room_invites_room").on("room_invites").columns(["room", "created_at"]).execute();
      await db.schema
        .createTable("room_recordings")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("room", "text", (column) => column.notNull().references("rooms.id"))
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("started_at", "bigint", (column) => column.notNull())
        .addColumn("ended_at", "bigint")
        .addColumn("end_reason", "text")
        .addColumn("bytes", "bigint", (column) => column.notNull())
        .addColumn("duration_ms", "bigint", (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex("room_recordings_room")
        .on("room_recordings")
        .columns(["room", "started_at"])
        .execute();
    },
  },
  "0004_stream_audience": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("streams").addColumn("audience", "text").execute();
    },
  },
};

export const migrationProvider: MigrationProvider = { getMigrations: async () => MIGRATIONS };
