import type { IngestProfile, IngestProtocol, PlaybackMode, StreamState } from "@klieg/protocol";

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
    change: Partial<Pick<StreamRecord, "state" | "liveAt" | "endedAt" | "endReason" | "protocol" | "encoder">>,
  ): Promise<void>;
  /** Ends every stream that a crash left open. @returns how many. */
  endAll(at: number, reason: string): Promise<number>;
}

export interface RepositoryTransaction {
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
