import { type Clock, Emitter } from "@klieg/base";
import {
  ChannelName,
  DEFAULT_INGEST_PROFILE,
  type IngestProfile,
  KliegError,
  type PlaybackMode,
} from "@klieg/protocol";
import type { ChannelRecord, Repositories, StreamKeyRecord } from "../ports/repositories.ts";
import { MAX_STREAM_KEY_LENGTH, type StreamKeySigner } from "./stream-key.ts";

/** What a valid stream key opens. */
export interface Admission {
  readonly channel: ChannelRecord;
  readonly keyId: string;
}

/** Channels and the keys that publish to them (ING4). */
export class Channels {
  /** `keyRevoked`: whoever publishes with that key must go. */
  readonly events = new Emitter<{ keyRevoked: { keyId: string; channel: string } }>();
  readonly #repositories: Repositories;
  readonly #signer: StreamKeySigner;
  readonly #clock: Clock;

  constructor(dependencies: { repositories: Repositories; signer: StreamKeySigner; clock: Clock }) {
    this.#repositories = dependencies.repositories;
    this.#signer = dependencies.signer;
    this.#clock = dependencies.clock;
  }

  /**
   * Checks a stream key before a byte of media is buffered. A forged key is refused without a look at the database.
   * @throws {KliegError} `stream_key_missing`, `stream_key_invalid`, `stream_key_revoked`, `channel_unknown`.
   */
  async admit(keyText: string): Promise<Admission> {
    if (keyText === "") throw new KliegError("stream_key_missing", "No stream key was given.");
    if (keyText.length > MAX_STREAM_KEY_LENGTH) throw invalidKey();
    const signed = this.#signer.verify(keyText);
    const record =
      signed === undefined
        ? await this.#repositories.streamKeys.findByFingerprint(this.#signer.fingerprint(keyText))
        : await this.#repositories.streamKeys.find(signed.id);
    if (record === undefined || (signed !== undefined && record.channel !== signed.channel)) throw invalidKey();
    if (record.revokedAt !== null) {
      throw new KliegError("stream_key_revoked", "This stream key was revoked. Ask for a new one.");
    }
    const channel = await this.#repositories.channels.find(record.channel);
    if (channel === undefined) throw new KliegError("channel_unknown", "This stream key's channel is gone.");
    return { channel, keyId: record.id };
  }

  /** @throws {KliegError} `channel_unknown`. */
  async get(name: string): Promise<ChannelRecord> {
    const channel = ChannelName.safeParse(name).success ? await this.#repositories.channels.find(name) : undefined;
    if (channel === undefined) throw new KliegError("channel_unknown", "There is no such channel.");
    return channel;
  }

  list(): Promise<ChannelRecord[]> {
    return this.#repositories.channels.list();
  }

  /** @throws {KliegError} `bad_request`, `conflict`. */
  async create(name: string, title: string): Promise<ChannelRecord> {
    if (!ChannelName.safeParse(name).success) {
      throw new KliegError("bad_request", "A channel name has 1 to 64 of a-z, 0-9 and -.");
    }
    const channel: ChannelRecord = {
      name,
      title,
      profile: DEFAULT_INGEST_PROFILE,
      defaultPlayback: "hls",
      createdAt: this.#clock.wall(),
    };
    await this.#repositories.channels.insert(channel);
    return channel;
  }

  /** A profile takes effect with the next contribution. @throws {KliegError} `channel_unknown`. */
  async change(
    name: string,
    change: { title?: string; profile?: IngestProfile; defaultPlayback?: PlaybackMode },
  ): Promise<ChannelRecord> {
    if (!(await this.#repositories.channels.update(name, change))) {
      throw new KliegError("channel_unknown", "There is no such channel.");
    }
    return this.get(name);
  }

  /** A new signed key; its text cannot be shown again. @throws {KliegError} `channel_unknown`. */
  async issueKey(channelName: string, label: string): Promise<{ record: StreamKeyRecord; text: string }> {
    const channel = await this.get(channelName);
    const { key, text } = this.#signer.issue(channel.name);
    const record = {
      id: key.id,
      channel: channel.name,
      label,
      fingerprint: null,
      createdAt: this.#clock.wall(),
      revokedAt: null,
    };
    await this.#repositories.streamKeys.insert(record);
    return { record, text };
  }

  /** @throws {KliegError} `channel_unknown`. */
  async keysOf(channelName: string): Promise<StreamKeyRecord[]> {
    return this.#repositories.streamKeys.listOf((await this.get(channelName)).name);
  }

  /** Revokes a key of the channel and puts off whoever uses it. @throws {KliegError} `not_found`. */
  async revokeKey(channelName: string, keyId: string): Promise<void> {
    const record = await this.#repositories.streamKeys.find(keyId);
    if (record === undefined || record.channel !== channelName) {
      throw new KliegError("not_found", "This channel has no such stream key.");
    }
    await this.#repositories.streamKeys.revoke(keyId, this.#clock.wall());
    this.events.emit("keyRevoked", { keyId, channel: channelName });
  }

  /**
   * First start: makes the channel with a key. Later starts: nothing, unless the operator names a key that is new.
   * @returns the key's text where one was made now or given.
   */
  async bootstrap(
    name: string,
    givenKey: string | undefined,
  ): Promise<{ created: boolean; keyText: string | undefined }> {
    const existing = await this.#repositories.channels.find(name);
    if (existing === undefined) await this.create(name, titleOf(name));
    if (givenKey !== undefined) {
      await this.#importKey(name, givenKey);
      return { created: existing === undefined, keyText: givenKey };
    }
    if (existing !== undefined && (await this.keysOf(name)).length > 0) return { created: false, keyText: undefined };
    return { created: true, keyText: (await this.issueKey(name, "first key")).text };
  }

  async #importKey(channel: string, text: string): Promise<void> {
    const fingerprint = this.#signer.fingerprint(text);
    if (this.#signer.verify(text) !== undefined) return;
    const known = await this.#repositories.streamKeys.findByFingerprint(fingerprint);
    if (known !== undefined) {
      if (known.channel === channel) return;
      throw new KliegError("conflict", `KLIEG_BOOTSTRAP_STREAM_KEY already belongs to the channel ${known.channel}.`);
    }
    await this.#repositories.streamKeys.insert({
      id: fingerprint.slice(0, 16),
      channel,
      label: "given at start",
      fingerprint,
      createdAt: this.#clock.wall(),
      revokedAt: null,
    });
  }
}

function invalidKey(): KliegError {
  return new KliegError("stream_key_invalid", "This stream key is not valid. Copy it again from your channel.");
}

function titleOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " ");
}
