import { type Clock, Emitter } from "@klieg/base";
import {
  KliegError,
  ROOM_CLOSE,
  ROOM_RESUME_MS,
  ROOM_TEXT_HISTORY,
  type RoomEvent,
  type RoomJoined,
  type RoomRole,
  type RoomState,
  type RoomText,
  type RtpCapabilities,
} from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";
import type { RoomRecord } from "../ports/repositories.ts";
import type { IceServers } from "../sfu/ice-servers.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { SfuStage } from "../sfu/sfu-stage.ts";
import type { InviteClaims } from "./invite-signer.ts";
import { Participant, type Seat } from "./participant.ts";
import { type HeldProducer, ParticipantMedia } from "./participant-media.ts";
import type { RoomConnection } from "./room-connection.ts";
import { newParticipantId, newResumeToken } from "./room-id.ts";
import { RoomVoices } from "./room-voices.ts";

/** What every room stands on. */
export interface RoomServices {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sfu: Sfu;
  readonly iceServers: IceServers;
  /** More are refused with `room_full`. */
  readonly maxParticipants: number;
}

/** Why somebody is no longer there. */
export type LeaveReason = "left" | "lost" | "removed" | "replaced" | "room_ended" | "reconnect";

export interface RoomEvents {
  /** What can be seen or heard has changed: a producer came, went, paused or went on; or another speaks. */
  media: undefined;
  /** Nobody is here, and nobody can come back any more: let the room go. */
  deserted: undefined;
  /** What carried the media is gone; the next one who joins brings another. */
  stageLost: undefined;
}

/** What a room's media is carried by, from the first participant to the last. */
interface RoomStage {
  readonly stage: SfuStage;
  readonly voices: RoomVoices;
  readonly rtpCapabilities: RtpCapabilities;
}

/** A consumer for everything that everybody may send. */
const SOURCES = 4;

/** A phone held upright would otherwise send a picture that lies on its side, for the receiver to turn: a recording cannot. */
const UNWANTED_EXTENSIONS: readonly string[] = ["urn:3gpp:video-orientation"];

/**
 * A room that people are in (RTC2): who is there, what they send each other, what they write. It is in memory only; what
 * must last (that there is a room, its invites) is in the repositories.
 */
export class Room implements Disposable {
  readonly events = new Emitter<RoomEvents>();
  readonly #services: RoomServices;
  readonly #logger: Logger;
  readonly #participants = new Map<string, Participant>();
  /** By resume token: of those who are there, and of those who may come back. */
  readonly #seats = new Map<string, Seat>();
  readonly #vacancies = new Map<string, Disposable>();
  readonly #texts: RoomText[] = [];
  #record: RoomRecord;
  #textSeq = 0;
  #joining = 0;
  #stage: Promise<RoomStage> | undefined;
  #live: RoomStage | undefined;
  #onAir: RoomState["on_air"] = null;
  #recording: RoomState["recording"] = null;
  #closed = false;

  constructor(record: RoomRecord, services: RoomServices) {
    this.#record = record;
    this.#services = services;
    this.#logger = services.logger.child({ room: record.id });
  }

  get id(): string {
    return this.#record.id;
  }

  get record(): RoomRecord {
    return this.#record;
  }

  get participants(): ReadonlyMap<string, Participant> {
    return this.#participants;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Unix time, ms, by the clock that it goes by. */
  get wall(): number {
    return this.#services.clock.wall();
  }

  /** Nobody is here, nobody is on the way in, and nobody may come back. */
  get deserted(): boolean {
    return this.#participants.size === 0 && this.#joining === 0 && this.#seats.size === 0;
  }

  /** What carries the media, while anybody is there. */
  get stage(): SfuStage | undefined {
    return this.#live?.stage;
  }

  get voices(): RoomVoices | undefined {
    return this.#live?.voices;
  }

  state(): RoomState {
    const { id, title, channel, locked } = this.#record;
    return { id, title, channel, locked, on_air: this.#onAir, recording: this.#recording };
  }

  /** The seat that a resume token opens, while it is kept. */
  seatOf(resumeToken: string): Seat | undefined {
    return this.#seats.get(resumeToken);
  }

  /**
   * Takes somebody in.
   * @param admitted by an invite, or by a seat that was taken before.
   * @throws {KliegError} `room_full`, `room_locked`, `webrtc_unavailable`, `gone`.
   */
  async join(options: {
    readonly admitted: InviteClaims | Seat;
    readonly name: string;
    readonly connection: RoomConnection;
  }): Promise<{ participant: Participant; joined: RoomJoined }> {
    const { admitted, name, connection } = options;
    const resumed = "resumeToken" in admitted;
    if (this.#closed) throw new KliegError("gone", "This room has ended.");
    if (this.#record.locked && !resumed && admitted.role !== "host") {
      throw new KliegError("room_locked", "The room is locked. Ask a host to let you in.");
    }
    const isThere = resumed && this.#participants.has(admitted.id);
    if (!isThere && this.#participants.size + this.#joining >= this.#services.maxParticipants) {
      throw new KliegError("room_full", `The room is full: ${this.#services.maxParticipants} are in it.`);
    }
    let live: RoomStage;
    this.#joining += 1;
    try {
      live = await this.#open();
    } finally {
      this.#joining -= 1;
    }
    if (this.#closed) throw new KliegError("gone", "This room has ended.");
    if (live !== this.#live) throw new KliegError("webrtc_unavailable", "The media worker failed; try again.");

    const seat = resumed ? admitted : this.#newSeat(admitted, name);
    seat.name = name;
    this.#keep(seat);
    const before = this.#participants.get(seat.id);
    if (before !== undefined) this.#putOut(before, "replaced", "You have joined from elsewhere.");
    const participant: Participant = new Participant(
      seat,
      connection,
      new ParticipantMedia({
        stage: live.stage,
        participantId: seat.id,
        maxConsumers: SOURCES * this.#services.maxParticipants,
        tell: (event) => participant.tell(event),
        onProducerClosed: (held) => this.#onProducerClosed(participant, held),
      }),
    );
    this.#participants.set(seat.id, participant);
    this.broadcast({ event: "participant_joined", participant: participant.describe() }, participant);
    this.#logger.info(
      {
        participant: seat.id,
        role: seat.role,
        remote: connection.remoteAddress,
        resumed,
        present: this.#participants.size,
      },
      "participant joined",
    );
    return { participant, joined: this.#welcome(participant, live, resumed) };
  }

  /** Somebody's connection is gone. Idempotent. */
  leave(participant: Participant, reason: LeaveReason): void {
    const { seat } = participant;
    if (this.#participants.get(seat.id) !== participant) return;
    this.#participants.delete(seat.id);
    if (reason === "removed" || reason === "room_ended") this.#forget(seat);
    else if (reason !== "replaced") this.#vacate(seat);
    const producers = [...participant.media.producers];
    participant.media.close();
    for (const held of producers) this.#announceRemoved(participant, held);
    if (reason !== "replaced" && reason !== "room_ended") {
      const told = reason === "reconnect" ? "lost" : reason;
      this.broadcast({ event: "participant_left", participant_id: seat.id, reason: told });
    }
    this.#logger.info({ participant: seat.id, reason, present: this.#participants.size }, "participant left");
    if (producers.length > 0) this.events.emit("media", undefined);
    if (this.#participants.size === 0 && this.#joining === 0) this.#closeStage();
    if (this.deserted) this.events.emit("deserted", undefined);
  }

  /** Ends somebody's presence and tells why. */
  putOut(participant: Participant, message: string): void {
    this.#putOut(participant, "removed", message);
  }

  /** @throws {KliegError} `not_found`. */
  participant(id: string): Participant {
    const participant = this.#participants.get(id);
    if (participant === undefined) throw new KliegError("not_found", "They are not in the room.");
    return participant;
  }

  /** Tells everybody. */
  broadcast(event: RoomEvent, except?: Participant): void {
    for (const participant of this.#participants.values()) if (participant !== except) participant.tell(event);
  }

  announceParticipant(participant: Participant): void {
    this.broadcast({ event: "participant_changed", participant: participant.describe() });
  }

  announceProducer(participant: Participant, held: HeldProducer, isNew: boolean): void {
    const producer = participant.media.describe(held);
    if (isNew) this.broadcast({ event: "producer_added", producer }, participant);
    else this.broadcast({ event: "producer_changed", producer });
    this.events.emit("media", undefined);
  }

  write(participant: Participant, text: string): RoomText {
    this.#textSeq += 1;
    const written: RoomText = {
      seq: this.#textSeq,
      participant_id: participant.id,
      name: participant.seat.name,
      role: participant.role,
      text,
      at: new Date(this.#services.clock.wall()).toISOString(),
    };
    this.#texts.push(written);
    if (this.#texts.length > ROOM_TEXT_HISTORY) this.#texts.shift();
    this.broadcast({ event: "text", text: written }, participant);
    return written;
  }

  /** What sends only with a role that the participant no longer has is closed. */
  changeRole(participant: Participant, role: RoomRole, by: Participant): void {
    if (participant.role === role) return;
    participant.seat.role = role;
    if (role !== "attendee") participant.seat.handRaisedAt = undefined;
    participant.tell({ event: "role_changed", role, by: by.id });
    this.announceParticipant(participant);
    if (role !== "attendee") return;
    for (const held of [...participant.media.producers]) participant.media.closeProducer(held);
  }

  /** The record has changed. */
  update(change: Partial<Pick<RoomRecord, "title" | "locked">>): void {
    this.#record = { ...this.#record, ...change };
    this.broadcast({ event: "room_changed", room: this.state() });
  }

  setOnAir(onAir: RoomState["on_air"], failure: KliegError | undefined): void {
    this.#onAir = onAir;
    this.broadcast({ event: "on_air", on_air: onAir, failure: describeFailure(failure) });
  }

  setRecording(recording: RoomState["recording"], failure: KliegError | undefined): void {
    this.#recording = recording;
    this.broadcast({ event: "recording", recording, failure: describeFailure(failure) });
  }

  /** The server goes down: everybody is told to come back. */
  dismiss(message: string): void {
    this.#reconnect("shutting_down", message);
    this.close();
  }

  /** The room has ended for good. */
  end(): void {
    for (const participant of [...this.#participants.values()]) {
      this.#putOut(participant, "room_ended", "The room was closed.");
    }
    this.close();
  }

  /** Lets go of everything. Whoever is still there should have been told. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const participant of [...this.#participants.values()]) {
      this.leave(participant, "reconnect");
      participant.disconnect(ROOM_CLOSE.reconnect, "the room was let go");
    }
    for (const vacancy of this.#vacancies.values()) vacancy[Symbol.dispose]();
    this.#vacancies.clear();
    this.#seats.clear();
    this.#closeStage();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #newSeat(invite: InviteClaims, name: string): Seat {
    return {
      id: newParticipantId(),
      resumeToken: newResumeToken(),
      inviteId: invite.id,
      joinedAt: this.#services.clock.wall(),
      name,
      role: invite.role,
      handRaisedAt: undefined,
    };
  }

  #welcome(participant: Participant, live: RoomStage, resumed: boolean): RoomJoined {
    const producers = [...this.#participants.values()].flatMap(({ media }) =>
      [...media.producers].map((held) => media.describe(held)),
    );
    return {
      self: participant.describe(),
      resume_token: participant.seat.resumeToken,
      resumed,
      room: this.state(),
      participants: [...this.#participants.values()].map((present) => present.describe()),
      producers,
      active_speaker: live.voices.activeSpeaker ?? null,
      texts: [...this.#texts],
      router_rtp_capabilities: live.rtpCapabilities,
      ice_servers: this.#services.iceServers
        .issue(participant.id)
        .map((server) => ({ ...server, urls: [...server.urls] })),
      max_participants: this.#services.maxParticipants,
    };
  }

  #putOut(participant: Participant, reason: "removed" | "room_ended" | "replaced", message: string): void {
    participant.tell({ event: "removed", reason, message });
    const code = { removed: ROOM_CLOSE.removed, room_ended: ROOM_CLOSE.ended, replaced: ROOM_CLOSE.replaced }[reason];
    this.leave(participant, reason);
    participant.disconnect(code, message);
  }

  #onProducerClosed(participant: Participant, held: HeldProducer): void {
    this.#announceRemoved(participant, held);
    this.events.emit("media", undefined);
  }

  #announceRemoved(participant: Participant, { producer, source }: HeldProducer): void {
    this.broadcast({
      event: "producer_removed",
      producer_id: producer.id,
      participant_id: participant.id,
      source,
    });
    if (source === "microphone") this.#live?.voices.onMicrophoneClosed(participant.id);
  }

  /** A seat is taken: it is kept for as long as somebody sits there. */
  #keep(seat: Seat): void {
    this.#vacancies.get(seat.resumeToken)?.[Symbol.dispose]();
    this.#vacancies.delete(seat.resumeToken);
    this.#seats.set(seat.resumeToken, seat);
  }

  #vacate(seat: Seat): void {
    if (this.#closed || !this.#seats.has(seat.resumeToken)) return;
    const vacancy = this.#services.clock.after(ROOM_RESUME_MS, () => {
      this.#forget(seat);
      if (this.deserted) this.events.emit("deserted", undefined);
    });
    this.#vacancies.set(seat.resumeToken, vacancy);
  }

  #forget(seat: Seat): void {
    this.#vacancies.get(seat.resumeToken)?.[Symbol.dispose]();
    this.#vacancies.delete(seat.resumeToken);
    this.#seats.delete(seat.resumeToken);
  }

  #open(): Promise<RoomStage> {
    if (this.#stage !== undefined) return this.#stage;
    const opening = this.#openStage();
    this.#stage = opening;
    opening.then(
      (live) => {
        if (this.#stage !== opening || this.#closed) {
          live.voices.close();
          live.stage.close();
          return;
        }
        this.#live = live;
        live.stage.events.on("workerLost", () => this.#onWorkerLost(live));
        this.events.emit("media", undefined);
      },
      () => {
        if (this.#stage === opening) this.#stage = undefined;
      },
    );
    return opening;
  }

  async #openStage(): Promise<RoomStage> {
    const stage = this.#services.sfu.openStage(`room ${this.id}`);
    try {
      const capabilities = await stage.rtpCapabilities();
      const voices = await RoomVoices.open(stage, (event) => {
        this.broadcast(event);
        if (event.event === "active_speaker") this.events.emit("media", undefined);
      });
      const rtpCapabilities = {
        ...capabilities,
        headerExtensions: capabilities.headerExtensions?.filter(({ uri }) => !UNWANTED_EXTENSIONS.includes(uri)),
      } as RtpCapabilities;
      return { stage, voices, rtpCapabilities };
    } catch (error) {
      stage.close();
      throw error;
    }
  }

  #closeStage(): void {
    const live = this.#live;
    this.#live = undefined;
    this.#stage = undefined;
    if (live === undefined) return;
    live.voices.close();
    live.stage.close();
  }

  /** Part of the media is gone, and which part concerns everybody: all begin anew, which takes less than a second. */
  #onWorkerLost(live: RoomStage): void {
    if (this.#live !== live) return;
    this.#logger.warn({ present: this.#participants.size }, "room lost its media worker");
    this.#reconnect("worker_lost", "The media server was restarted; you are connected again at once.");
    this.#closeStage();
    this.events.emit("stageLost", undefined);
  }

  #reconnect(reason: "worker_lost" | "shutting_down", message: string): void {
    this.broadcast({ event: "reconnect", reason, message });
    for (const participant of [...this.#participants.values()]) {
      this.leave(participant, "reconnect");
      participant.disconnect(ROOM_CLOSE.reconnect, message);
    }
  }
}

function describeFailure(failure: KliegError | undefined): { code: string; message: string } | null {
  return failure === undefined ? null : { code: failure.code, message: failure.message };
}
