import type { Clock } from "@klieg/base";
import { MovieRecording, type RecordingFailure, surveyMovie } from "@klieg/media";
import { KliegError, RecordingId, type RecordingInfo } from "@klieg/protocol";
import type { AppendStore } from "../ports/append-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { Repositories, RoomRecordingRecord } from "../ports/repositories.ts";
import type { InviteSigner } from "./invite-signer.ts";
import { newRecordingId } from "./room-id.ts";

export interface RecordingsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly repositories: Repositories;
  readonly files: AppendStore;
  readonly signer: InviteSigner;
  /** One recording may be no larger. */
  readonly maxBytes: number;
}

/** A recording that runs. */
export interface RunningRecording {
  readonly record: RoomRecordingRecord;
  readonly writer: MovieRecording;
}

/** Recording begins only where so much can be written, and ends when less is left: live streams need room too. */
const RESERVE_BYTES = 256 * 1024 * 1024;
const DOWNLOAD_MS = 3600_000;
/** The record says at most so rarely how large the file is, ms. */
const NOTED_EVERY_MS = 10_000;

/** The recordings of every room: files that can be played up to the last whole fragment, and what is known of them. */
export class Recordings {
  readonly #options: RecordingsOptions;

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** To be called once, before the first begins: closes those that a crash interrupted. */
  async recover(): Promise<void> {
    const { repositories, clock, logger } = this.#options;
    for (const record of await repositories.roomRecordings.listOpen()) {
      const found = await this.#finish(record);
      await repositories.roomRecordings.update(record.id, {
        state: "interrupted",
        endedAt: record.startedAt + found.durationMs,
        endReason: "The server stopped before the recording was stopped.",
        ...found,
      });
      logger.warn({ recording: record.id, room: record.room, ...found, at: clock.wall() }, "recording was interrupted");
    }
  }

  /**
   * @param onFailed it can go no further; {@link end} is to be called then too.
   * @throws {KliegError} `storage_unavailable` where there is no room for it.
   */
  async begin(room: string, onFailed: (failure: KliegError) => void): Promise<RunningRecording> {
    const { repositories, clock, files, maxBytes } = this.#options;
    const free = await files.free();
    if (free !== undefined && free < RESERVE_BYTES) {
      throw new KliegError("storage_unavailable", "There is no room left on the server's disk for a recording.");
    }
    const record: RoomRecordingRecord = {
      id: newRecordingId(),
      room,
      state: "recording",
      startedAt: clock.wall(),
      endedAt: null,
      endReason: null,
      bytes: 0,
      durationMs: 0,
    };
    const file = await files.create(keyOf(record));
    try {
      await repositories.roomRecordings.insert(record);
    } catch (error) {
      await file.close();
      await files.delete(keyOf(record));
      throw error;
    }
    let notedAt = clock.now();
    const writer = new MovieRecording({
      file,
      kinds: ["video", "audio"],
      // A room's program always has sound.
      soundPatienceMs: Number.POSITIVE_INFINITY,
      maxBytes: Math.min(maxBytes, free === undefined ? maxBytes : free - RESERVE_BYTES / 2),
      onFailed: (failure) => onFailed(inWords(failure)),
      onGrown: (bytes, durationMs) => {
        if (clock.now() - notedAt < NOTED_EVERY_MS) return;
        notedAt = clock.now();
        this.#note(record.id, { bytes, durationMs });
      },
    });
    return { record, writer };
  }

  /** @param reason where nobody stopped it. */
  async end({ record, writer }: RunningRecording, reason: string | undefined): Promise<void> {
    const { repositories, clock } = this.#options;
    await writer.close();
    await repositories.roomRecordings.update(record.id, {
      state: "finished",
      endedAt: clock.wall(),
      endReason: reason ?? null,
      ...(await this.#finish(record)),
    });
  }

  /** What there is of a room, oldest first, with addresses to download it from. */
  async list(room: string): Promise<RecordingInfo[]> {
    const { repositories, files, signer } = this.#options;
    const records = await repositories.roomRecordings.listOf(room);
    return Promise.all(
      records.map(async (record) => ({
        id: record.id,
        started_at: new Date(record.startedAt).toISOString(),
        ended_at: record.endedAt === null ? null : new Date(record.endedAt).toISOString(),
        state: record.state,
        bytes: (await files.size(keyOf(record))) ?? 0,
        duration_ms: record.durationMs,
        end_reason: record.endReason,
        download: `/v1/rooms/${room}/recordings/${record.id}.mp4?token=${await signer.signDownload(record.id, DOWNLOAD_MS)}`,
      })),
    );
  }

  /**
   * A recording's file as it is now.
   * @param token of its download address.
   * @throws {KliegError} `not_found`, `invite_invalid`, `invite_expired`.
   */
  async open(room: string, id: string, token: string): Promise<{ key: string; bytes: number; startedAt: number }> {
    const { repositories, files, signer } = this.#options;
    if (!RecordingId.safeParse(id).success) throw new KliegError("not_found", "There is no such recording.");
    await signer.verifyDownload(token, id);
    const record = await repositories.roomRecordings.find(id);
    const bytes = record === undefined ? undefined : await files.size(keyOf(record));
    if (record === undefined || record.room !== room || bytes === undefined) {
      throw new KliegError("not_found", "There is no such recording.");
    }
    return { key: keyOf(record), bytes, startedAt: record.startedAt };
  }

  /** Bytes of a file that {@link open} found. @throws {KliegError} `not_found`, `storage_unavailable`. */
  read(key: string, at: number, length: number): Promise<Uint8Array> {
    return this.#options.files.read(key, at, length);
  }

  #note(id: string, change: { bytes: number; durationMs: number }): void {
    this.#options.repositories.roomRecordings.update(id, change).catch((error: unknown) => {
      this.#options.logger.error({ err: error, recording: id }, "recording not noted");
    });
  }

  /** Cuts off what is not whole, and adds an index where there is none, so that players can seek. */
  async #finish(record: RoomRecordingRecord): Promise<{ bytes: number; durationMs: number }> {
    const { files, logger } = this.#options;
    const key = keyOf(record);
    try {
      const size = (await files.size(key)) ?? 0;
      const { end, durationMs, index } = await surveyMovie(size, (at, length) => files.read(key, at, length));
      const mfra = durationMs === 0 ? [] : [index.bytes()];
      await files.mend(key, end, mfra);
      return { bytes: end + (mfra[0]?.byteLength ?? 0), durationMs };
    } catch (error) {
      // What is there can still be played.
      logger.error({ err: error, recording: record.id }, "recording has no index");
      return { bytes: (await files.size(key).catch(() => undefined)) ?? record.bytes, durationMs: record.durationMs };
    }
  }
}

function inWords(failure: RecordingFailure): KliegError {
  switch (failure.reason) {
    case "unwritable":
      return KliegError.from(failure.cause);
    case "unreadable":
      return new KliegError("media_malformed", `The recording cannot go on: ${failure.message}.`, { cause: failure });
    case "too_large":
    case "too_slow":
      return new KliegError("storage_unavailable", failure.message, { cause: failure });
  }
}

function keyOf(record: RoomRecordingRecord): string {
  return `${record.room}/${record.id}.mp4`;
}
