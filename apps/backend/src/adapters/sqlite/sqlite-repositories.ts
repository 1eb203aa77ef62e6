import { IngestProfile, KliegError, PlaybackMode, StreamState } from "@klieg/protocol";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type {
  AudienceRecord,
  ChannelRecord,
  ChannelRepository,
  Repositories,
  RepositoryTransaction,
  RoomInviteRepository,
  RoomRecordingRepository,
  RoomRepository,
  StreamKeyRecord,
  StreamKeyRepository,
  StreamRecord,
  StreamRepository,
} from "../../ports/repositories.ts";
import { migrationProvider } from "./migrations.ts";
import { nodeSqliteDialect } from "./node-sqlite-dialect.ts";
import type { Schema } from "./schema.ts";
import { roomInvitesOver, roomRecordingsOver, roomsOver } from "./sqlite-rooms.ts";
import { uniquely } from "./uniquely.ts";

/** {@link Repositories} in one SQLite file. */
export class SqliteRepositories implements Repositories {
  readonly channels: ChannelRepository;
  readonly streamKeys: StreamKeyRepository;
  readonly streams: StreamRepository;
  readonly rooms: RoomRepository;
  readonly roomInvites: RoomInviteRepository;
  readonly roomRecordings: RoomRecordingRepository;
  readonly #db: Kysely<Schema>;

  private constructor(db: Kysely<Schema>) {
    this.#db = db;
    const repositories = repositoriesOver(db);
    this.channels = repositories.channels;
    this.streamKeys = repositories.streamKeys;
    this.streams = repositories.streams;
    this.rooms = repositories.rooms;
    this.roomInvites = repositories.roomInvites;
    this.roomRecordings = repositories.roomRecordings;
  }

  /**
   * Opens the file and brings its schema up to date.
   * @param path file, or `:memory:`.
   * @throws {KliegError} `storage_unavailable` where it cannot be opened or migrated.
   */
  static async open(path: string): Promise<SqliteRepositories> {
    try {
      const db = new Kysely<Schema>({ dialect: nodeSqliteDialect(path) });
      const { error } = await new Migrator({ db, provider: migrationProvider }).migrateToLatest();
      if (error !== undefined) throw error;
      return new SqliteRepositories(db);
    } catch (error) {
      throw new KliegError(
        "storage_unavailable",
        `The database ${path} cannot be opened: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  transaction<T>(work: (tx: RepositoryTransaction) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute((tx) => work(repositoriesOver(tx)));
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function repositoriesOver(db: Kysely<Schema>): RepositoryTransaction {
  return {
    channels: channelsOver(db),
    streamKeys: streamKeysOver(db),
    streams: streamsOver(db),
    rooms: roomsOver(db),
    roomInvites: roomInvitesOver(db),
    roomRecordings: roomRecordingsOver(db),
  };
}

function channelsOver(db: Kysely<Schema>): ChannelRepository {
  const toRecord = (row: Schema["channels"]): ChannelRecord => ({
    name: row.name,
    title: row.title,
    profile: IngestProfile.parse(JSON.parse(row.profile)),
    defaultPlayback: PlaybackMode.parse(row.default_playback),
    createdAt: row.created_at,
  });
  return {
    async find(name) {
      const row = await db.selectFrom("channels").selectAll().where("name", "=", name).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async list() {
      return (await db.selectFrom("channels").selectAll().orderBy("name").execute()).map(toRecord);
    },
    async insert(channel) {
      await uniquely(`The channel ${channel.name} exists already.`, () =>
        db
          .insertInto("channels")
          .values({
            name: channel.name,
            title: channel.title,
            profile: JSON.stringify(channel.profile),
            default_playback: channel.defaultPlayback,
            created_at: channel.createdAt,
          })
          .execute(),
      );
    },
    async update(name, change) {
      const values = {
        ...(change.title === undefined ? {} : { title: change.title }),
        ...(change.profile === undefined ? {} : { profile: JSON.stringify(change.profile) }),
        ...(change.defaultPlayback === undefined ? {} : { default_playback: change.defaultPlayback }),
      };
      if (Object.keys(values).length === 0) return (await this.find(name)) !== undefined;
      const result = await db.updateTable("channels").set(values).where("name", "=", name).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

function streamKeysOver(db: Kysely<Schema>): StreamKeyRepository {
  const toRecord = (row: Schema["stream_keys"]): StreamKeyRecord => ({
    id: row.id,
    channel: row.channel,
    label: row.label,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  });
  return {
    async find(id) {
      const row = await db.selectFrom("stream_keys").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async findByFingerprint(fingerprint) {
      const row = await db
        .selectFrom("stream_keys")
        .selectAll()
        .where("fingerprint", "=", fingerprint)
        .executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async listOf(channel) {
      const rows = await db
        .selectFrom("stream_keys")
        .selectAll()
        .where("channel", "=", channel)
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      return rows.map(toRecord);
    },
    async insert(key) {
      await uniquely("That stream key exists already.", () =>
        db
          .insertInto("stream_keys")
          .values({
            id: key.id,
            channel: key.channel,
            label: key.label,
            fingerprint: key.fingerprint,
            created_at: key.createdAt,
            revoked_at: key.revokedAt,
          })
          .execute(),
      );
    },
    async revoke(id, at) {
      await db
        .updateTable("stream_keys")
        .set({ revoked_at: at })
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .execute();
      return (await this.find(id)) !== undefined;
    },
  };
}

function streamsOver(db: Kysely<Schema>): StreamRepository {
  const toRecord = (row: Schema["streams"]): StreamRecord => ({
    id: row.id,
    channel: row.channel,
    state: StreamState.parse(row.state),
    protocol: row.protocol as StreamRecord["protocol"],
    encoder: row.encoder,
    startedAt: row.started_at,
    liveAt: row.live_at,
    endedAt: row.ended_at,
    endReason: row.end_reason,
    audience: row.audience === null ? null : (JSON.parse(row.audience) as AudienceRecord),
  });
  const textOf = (audience: AudienceRecord | null) => (audience === null ? null : JSON.stringify(audience));
  return {
    async find(id) {
      const row = await db.selectFrom("streams").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async listResumable(at) {
      const rows = await db
        .selectFrom("streams")
        .selectAll()
        .where("audience", "is not", null)
        .where((where) => where.or([where("ended_at", "is", null), where("ended_at", ">=", at)]))
        .orderBy("started_at")
        .execute();
      return rows.map(toRecord);
    },
    async forgetAudiences(channel) {
      await db
        .updateTable("streams")
        .set({ audience: null })
        .where("channel", "=", channel)
        .where("audience", "is not", null)
        .execute();
    },
    async insert(stream) {
      await db
        .insertInto("streams")
        .values({
          id: stream.id,
          channel: stream.channel,
          state: stream.state,
          protocol: stream.protocol,
          encoder: stream.encoder,
          started_at: stream.startedAt,
          live_at: stream.liveAt,
          ended_at: stream.endedAt,
          end_reason: stream.endReason,
          audience: textOf(stream.audience),
        })
        .execute();
    },
    async update(id, change) {
      await db
        .updateTable("streams")
        .set({
          ...(change.state === undefined ? {} : { state: change.state }),
          ...(change.protocol === undefined ? {} : { protocol: change.protocol }),
          ...(change.encoder === undefined ? {} : { encoder: change.encoder }),
          ...(change.liveAt === undefined ? {} : { live_at: change.liveAt }),
          ...(change.endedAt === undefined ? {} : { ended_at: change.endedAt }),
          ...(change.endReason === undefined ? {} : { end_reason: change.endReason }),
          ...(change.audience === undefined ? {} : { audience: textOf(change.audience) }),
        })
        .where("id", "=", id)
        .execute();
    },
    async endAll(at, reason) {
      const result = await db
        .updateTable("streams")
        .set({ state: "ended", ended_at: at, end_reason: reason })
        .where("state", "!=", "ended")
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
  };
}
