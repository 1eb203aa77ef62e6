import type { Clock } from "@klieg/base";
import { KliegError, type RoomLayout, type RoomOnAir, type RoomRecording } from "@klieg/protocol";
import type { Channels } from "../channels/channels.ts";
import type { LiveStreams } from "../live/live-streams.ts";
import type { Logger } from "../ports/logger.ts";
import type { ChannelRecord } from "../ports/repositories.ts";
import type { Contribution } from "../stream/contribution.ts";
import type { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { Program } from "./program/program.ts";
import type { Size } from "./program/program-layout.ts";
import type { Recordings, RunningRecording } from "./recordings.ts";
import type { Room } from "./room.ts";

export interface RoomProgramsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channels: Channels;
  readonly live: LiveStreams;
  readonly engine: TranscodeEngine;
  readonly recordings: Recordings;
}

/** A room's program and what takes it. */
interface Running {
  readonly room: Room;
  readonly program: Program;
  readonly resources: DisposableStack;
  air:
    | { readonly contribution: Contribution; readonly streamId: string; readonly resources: DisposableStack }
    | undefined;
  recording: (RunningRecording & { readonly feed: Disposable }) | undefined;
}

/** Largest first; the first that the channel takes. */
const SIZES: readonly (Size & { readonly bitrate: number })[] = [
  { width: 1280, height: 720, bitrate: 2_500_000 },
  { width: 640, height: 360, bitrate: 900_000 },
];
const DEFAULT_LAYOUT: RoomLayout = { kind: "speaker" };

/** Brings rooms on air and records them (RTC2): one program for each, made once for both. */
export class RoomPrograms implements AsyncDisposable {
  readonly #options: RoomProgramsOptions;
  readonly #running = new Map<Room, Running>();
  readonly #closing = new Set<Promise<void>>();
  /** By room: what is asked for is done one after another. */
  readonly #work = new Map<Room, Promise<unknown>>();

  constructor(options: RoomProgramsOptions) {
    this.#options = options;
  }

  /** Rooms that are on air, and rooms that are recorded. */
  get counts(): { readonly onAir: number; readonly recording: number } {
    let onAir = 0;
    let recording = 0;
    for (const running of this.#running.values()) {
      if (running.air !== undefined) onAir += 1;
      if (running.recording !== undefined) recording += 1;
    }
    return { onAir, recording };
  }

  /**
   * Has the room feed its channel; of one that does already, changes the layout.
   * @throws {KliegError} `conflict` where the room has no channel, `stream_key_revoked`, `channel_unknown`,
   *   `transcoder_unavailable`, `overloaded`, `shutting_down`.
   */
  goOnAir(room: Room, layout: RoomLayout): Promise<RoomOnAir> {
    return this.#oneByOne(room, async () => {
      const present = this.#running.get(room)?.air;
      if (present === undefined) await this.#enterAir(room, layout);
      else this.#rearrange(room, layout);
      const onAir = room.state().on_air;
      // It may have been put off at once: a takeover, a profile that it breaks.
      if (onAir === null) throw new KliegError("conflict", "The room could not stay on air.");
      return onAir;
    });
  }

  /** Ends the channel's stream; without effect where the room is not on air. */
  goOffAir(room: Room): Promise<void> {
    return this.#oneByOne(room, async () => this.#leaveAir(room, undefined));
  }

  /** @throws {KliegError} `conflict` where one runs, `storage_unavailable`, `transcoder_unavailable`. */
  startRecording(room: Room, layout: RoomLayout | undefined): Promise<RoomRecording> {
    return this.#oneByOne(room, async () => {
      if (this.#running.get(room)?.recording !== undefined) {
        throw new KliegError("conflict", "The room is being recorded already.");
      }
      const recording = await this.#options.recordings.begin(room.id, (failure) => {
        void this.#oneByOne(room, () => this.#endRecording(room, recording, failure));
      });
      let running: Running;
      try {
        if (room.closed) throw new KliegError("gone", "This room has ended.");
        running = this.#ensure(room, layout ?? DEFAULT_LAYOUT, SIZES[0] as (typeof SIZES)[number]);
        if (layout !== undefined) this.#rearrange(room, layout);
      } catch (error) {
        await this.#options.recordings.end(recording, "It could not begin.");
        throw error;
      }
      running.recording = { ...recording, feed: running.program.feed(recording.writer) };
      const { id, startedAt } = recording.record;
      const told: RoomRecording = {
        id,
        since: new Date(startedAt).toISOString(),
        layout: running.program.layout,
      };
      room.setRecording(told, undefined);
      this.#options.logger.info({ room: room.id, recording: id }, "room recording");
      return told;
    });
  }

  /** Without effect where none runs. */
  stopRecording(room: Room): Promise<void> {
    return this.#oneByOne(room, async () => {
      const recording = this.#running.get(room)?.recording;
      if (recording !== undefined) await this.#endRecording(room, recording, undefined);
    });
  }

  /** Ends what there is of a room's program, because the room is let go of. */
  async release(room: Room): Promise<void> {
    await this.#oneByOne(room, () => this.#stop(room, undefined));
    this.#work.delete(room);
  }

  /** Ends every program. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((room) => this.release(room)));
    await Promise.all(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #oneByOne<T>(room: Room, work: () => Promise<T>): Promise<T> {
    const done = (this.#work.get(room) ?? Promise.resolve()).then(work, work);
    this.#work.set(
      room,
      done.catch(() => undefined),
    );
    return done;
  }

  #ensure(room: Room, layout: RoomLayout, size: (typeof SIZES)[number]): Running {
    const present = this.#running.get(room);
    if (present !== undefined) return present;
    const { clock, engine } = this.#options;
    const logger = this.#options.logger.child({ room: room.id });
    const { bitrate, width, height } = size;
    const program = new Program({ room, engine, clock, logger, layout, size: { width, height }, bitrate });
    const resources = new DisposableStack();
    resources.use(
      program.events.on("failed", (failure) => {
        void this.#oneByOne(room, () => this.#stop(room, failure));
      }),
    );
    const running: Running = { room, program, resources, air: undefined, recording: undefined };
    this.#running.set(room, running);
    return running;
  }

  #rearrange(room: Room, layout: RoomLayout): void {
    const running = this.#running.get(room);
    if (running === undefined) return;
    running.program.layout = layout;
    const { on_air: onAir, recording } = room.state();
    if (onAir !== null) room.setOnAir({ ...onAir, layout }, undefined);
    if (recording !== null) room.setRecording({ ...recording, layout }, undefined);
  }

  async #enterAir(room: Room, layout: RoomLayout): Promise<void> {
    const { live, logger, clock } = this.#options;
    const channel = await this.#channelOf(room);
    if (room.closed) throw new KliegError("gone", "This room has ended.");
    const running = this.#ensure(room, layout, sizeFor(channel));
    if (running.recording !== undefined) this.#rearrange(room, layout);
    try {
      const contribution = live.contribute(
        { channel, keyId: room.record.keyId ?? `room ${room.id}` },
        {
          protocol: "room",
          encoder: "Klieg room",
          remoteAddress: `room ${room.id}`,
          keyId: room.record.keyId ?? `room ${room.id}`,
          refuse: (error) => {
            void this.#oneByOne(room, async () => {
              if (this.#running.get(room)?.air?.contribution === contribution) this.#leaveAir(room, error);
            });
          },
        },
      );
      const broadcast = live.ofChannel(channel.name);
      if (broadcast === undefined) throw new KliegError("conflict", "The channel's stream has ended.");
      const { stream } = broadcast;
      const resources = new DisposableStack();
      resources.use(running.program.feed(contribution));
      resources.use(
        stream.events.on("state", ({ state }) => {
          const onAir = room.state().on_air;
          if (state === "live" && onAir !== null) room.setOnAir({ ...onAir, state: "live" }, undefined);
        }),
      );
      running.air = { contribution, streamId: stream.id, resources };
      room.setOnAir(
        {
          channel: channel.name,
          since: new Date(clock.wall()).toISOString(),
          layout,
          state: stream.state === "live" ? "live" : "starting",
          stream_id: stream.id,
        },
        undefined,
      );
      logger.info({ room: room.id, channel: channel.name, stream: stream.id }, "room on air");
    } catch (error) {
      this.#idle(running);
      throw error;
    }
  }

  /** @throws {KliegError} `conflict`, `channel_unknown`, `stream_key_revoked`. */
  async #channelOf(room: Room): Promise<ChannelRecord> {
    const { channel: name, keyId } = room.record;
    if (name === null) {
      throw new KliegError("conflict", "This room has no channel: open one with a stream key of your channel.");
    }
    const channel = await this.#options.channels.get(name);
    if (keyId !== null) {
      const key = (await this.#options.channels.keysOf(name)).find(({ id }) => id === keyId);
      if (key === undefined || key.revokedAt !== null) {
        throw new KliegError("stream_key_revoked", "The stream key that this room was opened with was revoked.");
      }
    }
    return channel;
  }

  /** @param failure why, where nobody asked for it. */
  #leaveAir(room: Room, failure: KliegError | undefined): void {
    const running = this.#running.get(room);
    const air = running?.air;
    if (running === undefined || air === undefined) return;
    running.air = undefined;
    air.resources.dispose();
    const wasSource = !air.contribution.closed;
    air.contribution.close({ by: "peer", message: failure?.message ?? "the room went off air" });
    // Whoever goes off air means it: viewers need not wait for somebody to come back.
    if (wasSource && failure === undefined) this.#endStream(air.streamId);
    room.setOnAir(null, failure);
    this.#options.logger.info({ room: room.id, reason: failure?.message }, "room off air");
    this.#idle(running);
  }

  #endStream(streamId: string): void {
    const { live } = this.#options;
    if (live.get(streamId) !== undefined) live.stop(streamId);
  }

  async #endRecording(room: Room, recording: RunningRecording, failure: KliegError | undefined): Promise<void> {
    const running = this.#running.get(room);
    if (running?.recording?.record.id !== recording.record.id) return;
    running.recording.feed[Symbol.dispose]();
    running.recording = undefined;
    await this.#options.recordings.end(recording, failure?.message);
    room.setRecording(null, failure);
    this.#options.logger.info(
      {
        room: room.id,
        recording: recording.record.id,
        durationMs: recording.writer.durationMs,
        reason: failure?.message,
      },
      "room recording ended",
    );
    this.#idle(running);
  }

  async #stop(room: Room, failure: KliegError | undefined): Promise<void> {
    const running = this.#running.get(room);
    if (running === undefined) return;
    if (running.recording !== undefined) await this.#endRecording(room, running.recording, failure);
    this.#leaveAir(room, failure);
    this.#idle(running);
    await Promise.all(this.#closing);
  }

  /** A program that nobody takes is not made. */
  #idle(running: Running): void {
    if (running.air !== undefined || running.recording !== undefined) return;
    if (this.#running.get(running.room) !== running) return;
    this.#running.delete(running.room);
    running.resources.dispose();
    const closing = running.program.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function sizeFor({ profile }: ChannelRecord): (typeof SIZES)[number] {
  const fits = SIZES.find(
    ({ width, height, bitrate }) =>
      width <= profile.max_width && height <= profile.max_height && bitrate * 1.2 <= profile.max_bitrate,
  );
  return fits ?? (SIZES.at(-1) as (typeof SIZES)[number]);
}
