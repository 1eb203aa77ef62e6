import type { IngestProfile, IngestProtocol, PlaybackMode, RoomRole, StreamState, Visibility } from "@klieg/protocol";

/** A place that people watch: its name is its address. Times are Unix ms. */
export interface ChannelRecord {
  readonly name: string;
  readonly title: string;
  readonly profile: IngestProfile;
  /** How it is watched by those who have not chosen. */
  readonly defaultPlayback: PlaybackMode;
  readonly createdAt: number;
}

/** A stream key without its secret part: the key itself is never stored. */
export interface StreamKeyRecord {
  readonly id: string;
  readonly channel: string;
  readonly label: string;
  /** HMAC of an imported key's text; null for keys that sign themselves. */
  readonly fingerprint: string | null;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

/** What a broadcast is called, and who may see it. */
export interface AudienceRecord {
  /** Empty: the channel's. */
  readonly title: string;
  readonly category: string;
  readonly visibility: Visibility;
  readonly preview: boolean;
  /** When the preview ends by itself, Unix ms. */
  readonly publicAt: number | null;
  readonly previewToken: string;
}

/** One broadcast, from its first contribution to its end. */
export interface StreamRecord {
  readonly id: string;
  readonly channel: string;
  readonly state: StreamState;
  readonly protocol: IngestProtocol | null;
  readonly encoder: string | null;
  readonly startedAt: number;
  readonly liveAt: number | null;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  /** What the channel's next broadcast goes on with where this one is cut off; null once its owner has ended it. */
  readonly audience: AudienceRecord | null;
}

/** A room for WebRTC participants (RTC2). Who is in it is not remembered. */
export interface RoomRecord {
  readonly id: string;
  readonly title: string;
  /** The channel that it may go on air on. */
  readonly channel: string | null;
  /** The stream key that bound it to the channel; null where the operator did. */
  readonly keyId: string | null;
  readonly locked: boolean;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** An invite without its token, which is never stored. */
export interface RoomInviteRecord {
  readonly id: string;
  readonly room: string;
  readonly role: RoomRole;
  readonly label: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
}

/** A recording of a room's program. */
export interface RoomRecordingRecord {
  readonly id: string;
  readonly room: string;
  readonly state: "recording" | "finished" | "interrupted";
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly bytes: number;
  readonly durationMs: number;
}

export interface ChannelRepository {
  find(name: string): Promise<ChannelRecord | undefined>;
  list(): Promise<ChannelRecord[]>;
  /** @throws {KliegError} `conflict` where the name is taken. */
  insert(channel: ChannelRecord): Promise<void>;
  /** @returns false where there is no such channel. */
  update(name: string, change: Partial<Pick<ChannelRecord, "title" | "profile" | "defaultPlayback">>): Promise<boolean>;
}

export interface StreamKeyRepository {
  find(id: string): Promise<StreamKeyRecord | undefined>;
  findByFingerprint(fingerprint: string): Promise<StreamKeyRecord | undefined>;
  listOf(channel: string): Promise<StreamKeyRecord[]>;
  /** @throws {KliegError} `conflict` where the id or the fingerprint is taken. */
  insert(key: StreamKeyRecord): Promise<void>;
  /** Marks the key revoked; a second time changes nothing. @returns false where there is no such key. */
  revoke(id: string, at: number): Promise<boolean>;
}

export interface StreamRepository {
  find(id: string): Promise<StreamRecord | undefined>;
  insert(stream: StreamRecord): Promise<void>;
  update(
    id: string,
    change: Partial<
      Pick<StreamRecord, "state" | "liveAt" | "endedAt" | "endReason" | "protocol" | "encoder" | "audience">
    >,
  ): Promise<void>;
  /** Those that have an audience and have not ended, or not before `at`; oldest first. */
  listResumable(at: number): Promise<StreamRecord[]>;
  /** The channel's streams so far are nothing to go on from. */
  forgetAudiences(channel: string): Promise<void>;
  /** Ends every stream that a crash left open. @returns how many. */
  endAll(at: number, reason: string): Promise<number>;
}

export interface RoomRepository {
  find(id: string): Promise<RoomRecord | undefined>;
  /**
   * Rooms that have not ended, newest first.
   * @param channel of that channel only.
   */
  listOpen(options: { channel?: string; limit: number }): Promise<RoomRecord[]>;
  /** @throws {KliegError} `conflict` where the id is taken. */
  insert(room: RoomRecord): Promise<void>;
  /** @returns false where there is no such room. */
  update(id: string, change: Partial<Pick<RoomRecord, "title" | "locked" | "endedAt">>): Promise<boolean>;
}

export interface RoomInviteRepository {
  find(id: string): Promise<RoomInviteRecord | undefined>;
  /** Oldest first. */
  listOf(room: string): Promise<RoomInviteRecord[]>;
  insert(invite: RoomInviteRecord): Promise<void>;
  /** Marks the invite revoked; a second time changes nothing. @returns false where there is no such invite. */
  revoke(id: string, at: number): Promise<boolean>;
  /** Forgets those that expired before `at`. @returns how many. */
  deleteExpired(at: number): Promise<number>;
}

export interface RoomRecordingRepository {
  find(id: string): Promise<RoomRecordingRecord | undefined>;
  /** Oldest first. */
  listOf(room: string): Promise<RoomRecordingRecord[]>;
  /** Those that have no end: of a backend that has just started, those that a crash interrupted. */
  listOpen(): Promise<RoomRecordingRecord[]>;
  insert(recording: RoomRecordingRecord): Promise<void>;
  update(
    id: string,
    change: Partial<Pick<RoomRecordingRecord, "state" | "endedAt" | "endReason" | "bytes" | "durationMs">>,
  ): Promise<void>;
}

export interface RepositoryTransaction {
  readonly rooms: RoomRepository;
  readonly roomInvites: RoomInviteRepository;
  readonly roomRecordings: RoomRecordingRepository;
  readonly channels: ChannelRepository;
  readonly streamKeys: StreamKeyRepository;
  readonly streams: StreamRepository;
}

/** Where the backend remembers. Every method is durable when its promise resolves. */
export interface Repositories extends RepositoryTransaction, AsyncDisposable {
  /** All or nothing; transactions run one after another. */
  transaction<T>(work: (tx: RepositoryTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
