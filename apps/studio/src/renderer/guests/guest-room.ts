import { ROOM_RESUME_MS, type RoomEvent, type RoomParticipant, type RoomSource } from "@klieg/protocol";
import {
  LevelBoard,
  loadRoomMedia,
  type OpenRoomMedia,
  type Publication,
  type RoomOutgoing,
  RoomSession,
  type RoomSnapshot,
  type RoomWireTransport,
} from "@klieg/room";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { GuestTracks } from "../media/capture/guest-capture.ts";
import { type Guest, type GuestPicture, guestOf } from "./guest.ts";
import type { GuestRoomStage, GuestRoomView } from "./guest-room-view.ts";
import type { GuestSound } from "./guest-sound.ts";
import { Seats } from "./seats.ts";
import type { SoundMerge } from "./sound-merge.ts";
import { Talkback } from "./talkback.ts";

/** Stands for the host's invite, which only the engine has: it puts it in. */
const TOKEN = "studio";
const RETURN_KEY = "klieg.guest-return";
/** A guest's picture in the program, and one that only the host sees, device pixels. */
const ON_STAGE = { width: 1280, height: 720 };
const BACKSTAGE = { width: 320, height: 180 };
/** Pictures of a room that was lost stand still for so long, before their seats say that nobody is there, ms. */
const STANDSTILL_MS = 5000;

export interface GuestRoomOptions {
  /** Called for each connection to the room. */
  readonly openWire: () => RoomWireTransport;
  readonly captures: { setGuest(seat: number, tracks: GuestTracks | undefined): void };
  readonly mixer: { mixMinusTrack(): MediaStreamTrack };
  /** Lent, as the next: whoever made them closes them. */
  readonly sound: Pick<GuestSound, "play">;
  readonly soundMerge: Pick<SoundMerge, "merge" | "keep">;
  readonly devices: Pick<MediaDevices, "getUserMedia"> | undefined;
  /** The microphone of the show: used for talkback while no other was chosen. "" where there is none. */
  readonly showMicrophone: () => string;
  /** Outlives the page; undefined where the browser has none. */
  readonly memory: Pick<Storage, "getItem" | "setItem"> | undefined;
  /** Instead of WebRTC, in tests. */
  readonly openMedia?: () => Promise<OpenRoomMedia>;
}

/** One who was cut off and may come back. */
interface Lost {
  readonly participant: RoomParticipant;
  /** The room forgot everybody, as after its server's restart: whoever has the name is taken for them. */
  readonly byName: boolean;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The studio's place in a room, as its host: who is there, who sits where, and what goes to and from them. Guests in a seat are in the
 * show wherever it has that seat; the others are backstage, where the host alone sees and hears them. All of them hear the program
 * without themselves (mix-minus), and the host's talkback instead of it while there is any.
 */
export class GuestRoom implements Disposable {
  readonly store: StoreApi<GuestRoomView>;
  readonly #options: GuestRoomOptions;
  readonly #session: RoomSession;
  readonly #levels = new LevelBoard();
  readonly #seats: Seats;
  readonly #talkback: Talkback;
  readonly #pictures = new Map<string, GuestPicture>();
  readonly #lost = new Map<string, Lost>();
  /** What was told of each seat. */
  readonly #seated = new Map<number, GuestTracks>();
  /** Seats that the operator hears through the mixer. */
  #monitored: ReadonlySet<number> = new Set();
  /** Pictures that were asked for, by producer, and how large. */
  readonly #shown = new Map<string, typeof ON_STAGE>();
  readonly #outgoingListeners = new Set<() => void>();
  #returnSound: boolean;
  #standstill: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: GuestRoomOptions) {
    this.#options = options;
    const { memory, devices, showMicrophone } = options;
    this.#returnSound = memory?.getItem(RETURN_KEY) !== "off";
    this.#seats = new Seats(memory);
    this.#talkback = new Talkback({
      devices,
      memory,
      usual: showMicrophone,
      onChanged: () => this.#sendingChanged(),
    });
    this.#session = new RoomSession({
      token: TOKEN,
      openWire: options.openWire,
      openMedia: options.openMedia ?? loadRoomMedia,
      outgoing: this.#outgoing(),
      levels: this.#levels,
      onEvent: (event) => this.#onEvent(event),
    });
    this.store = createStore(() => this.#view([]));
    this.#session.store.subscribe((snapshot, before) => this.#follow(snapshot, before));
  }

  /** Enters the room that the wire leads to. What went wrong is the store's stage. */
  join(name: string): void {
    if (this.#closed) return;
    this.#session.returnToLobby();
    void this.#session.join(name);
  }

  /** Says goodbye, and lets go of everything but who sits where. */
  leave(): void {
    const { name } = this.#session.store.getState().stage;
    if (name !== "lobby" && name !== "out") this.#session.leave();
    this.#session.returnToLobby();
  }

  /** Cut off: comes back at once instead of after the pause. */
  rejoinNow(): void {
    this.#session.rejoinNow();
  }

  /**
   * Gives a guest a seat, taking it from whoever sits there; or (undefined) takes the guest's away.
   * @throws {RangeError} no such seat.
   */
  seat(id: string, seat: number | undefined): void {
    this.#seats.set(id, seat);
    this.#update();
  }

  /** Which of a guest's pictures its seat shows. */
  setPicture(id: string, picture: GuestPicture): void {
    this.#pictures.set(id, picture);
    this.#update();
  }

  /** The guest may unmute again by themselves. @throws {ApiError} as the room says. */
  async mute(id: string, source: RoomSource): Promise<void> {
    await this.#session.request("mute", { participant_id: id, source });
  }

  /** Puts a guest out, and makes their invite void. @throws {ApiError} as the room says. */
  async remove(id: string): Promise<void> {
    await this.#session.request("remove", { participant_id: id });
  }

  /** @throws {ApiError} as the room says. */
  async lowerHand(id: string): Promise<void> {
    await this.#session.request("lower_hand", { participant_id: id });
  }

  /** Talks to the guests for as long as a key or button is down. */
  holdTalkback(held: boolean): void {
    this.#talkback.hold(held);
  }

  /** Talks to the guests until it is switched off. */
  latchTalkback(latched: boolean): void {
    this.#talkback.latch(latched);
  }

  /** @param device a microphone's id; "" for the show's. */
  setTalkbackDevice(device: string): void {
    this.#talkback.use(device);
  }

  /** Whether the guests hear the program, without themselves. */
  setReturnSound(returnSound: boolean): void {
    if (returnSound === this.#returnSound) return;
    this.#options.memory?.setItem(RETURN_KEY, returnSound ? "on" : "off");
    this.#returnSound = returnSound;
    this.#sendingChanged();
  }

  /** Seats that the operator hears through the mixer, and so not from here too. */
  setMonitored(seats: ReadonlySet<number>): void {
    this.#monitored = seats;
    this.#play();
  }

  /** How loud a guest is, 0 to 1. */
  level(id: string): number {
    return this.#levels.of(id);
  }

  /** Takes a line away. */
  dismiss(key: number): void {
    this.#session.dismiss(key);
  }

  /** Leaves, and ends everything that it holds. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.leave();
    this.#closed = true;
    this.#session.close();
    this.#talkback.close();
    this.#levels.close();
  }

  get #snapshot(): RoomSnapshot {
    return this.#session.store.getState();
  }

  #onEvent(event: RoomEvent): void {
    if (event.event === "participant_left") {
      const participant = this.#snapshot.participants.find(({ id }) => id === event.participant_id);
      if (event.reason === "lost" && participant) this.#keep(participant, false);
      else this.#forget(event.participant_id);
    } else if (event.event === "participant_joined") this.#welcome(event.participant);
  }

  #follow(snapshot: RoomSnapshot, before: RoomSnapshot): void {
    if (this.#closed) return;
    if (snapshot.stage.name === "in" && before.stage.name !== "in") this.#entered(snapshot, before);
    if (snapshot.stage.name === "rejoining" && before.stage.name === "in") {
      this.#standstill = setTimeout(() => this.#clearSeats(), STANDSTILL_MS);
    } else if (snapshot.stage.name === "out" || snapshot.stage.name === "lobby") {
      for (const id of [...this.#lost.keys()]) this.#found(id);
      this.#pictures.clear();
      this.#clearSeats();
    }
    this.#update();
  }

  /** In, perhaps again: who was there and is not now was cut off as this page was, or left meanwhile. */
  #entered(snapshot: RoomSnapshot, before: RoomSnapshot): void {
    clearTimeout(this.#standstill);
    this.#shown.clear();
    if (snapshot.room) this.#seats.enter(snapshot.room.id);
    const present = new Set(snapshot.participants.map(({ id }) => id));
    const forgotten = snapshot.selfId !== before.selfId;
    for (const participant of before.participants) {
      if (!present.has(participant.id) && participant.id !== before.selfId) this.#keep(participant, forgotten);
    }
    for (const participant of snapshot.participants) if (participant.id !== snapshot.selfId) this.#welcome(participant);
    // Seated before the page was loaded again, and gone since.
    for (const id of this.#seats.ids()) if (!present.has(id) && !this.#lost.has(id)) this.#seats.set(id, undefined);
  }

  /** Cut off: the place stays for as long as the room keeps it too. */
  #keep(participant: RoomParticipant, byName: boolean): void {
    const { id } = participant;
    this.#found(id);
    const timer = setTimeout(() => {
      this.#forget(id);
      this.#update();
    }, ROOM_RESUME_MS);
    this.#lost.set(id, { participant, byName, timer });
  }

  /** Somebody is there: by the same id, who was cut off has their place again. */
  #welcome({ id, name }: RoomParticipant): void {
    const known = this.#lost.has(id);
    this.#found(id);
    if (known || this.#seats.of(id) !== undefined) return;
    const before = [...this.#lost.values()].find(({ byName, participant }) => byName && participant.name === name);
    if (before === undefined) return;
    const seat = this.#seats.of(before.participant.id);
    const picture = this.#pictures.get(before.participant.id);
    this.#forget(before.participant.id);
    if (seat !== undefined) this.#seats.set(id, seat);
    if (picture !== undefined) this.#pictures.set(id, picture);
  }

  #found(id: string): void {
    clearTimeout(this.#lost.get(id)?.timer);
    this.#lost.delete(id);
  }

  #forget(id: string): void {
    this.#found(id);
    this.#seats.set(id, undefined);
    this.#pictures.delete(id);
  }

  /** Says anew what the guests are, and what follows from it: seats, pictures that are asked for, sound. */
  #update(): void {
    if (this.#closed) return;
    const snapshot = this.#snapshot;
    const away = [...this.#lost.values()].map(({ participant }) => participant);
    const there = snapshot.stage.name === "in" || snapshot.stage.name === "rejoining" ? snapshot.participants : [];
    const merged = new Set<string>();
    const guests = [...there.filter(({ id }) => id !== snapshot.selfId), ...away]
      .sort((one, other) => Date.parse(one.joined_at) - Date.parse(other.joined_at))
      .map((participant) => {
        const { id } = participant;
        const place = { seat: this.#seats.of(id), picture: this.#pictures.get(id) ?? "camera" };
        return guestOf(participant, snapshot, place, (tracks) => {
          merged.add(id);
          return this.#options.soundMerge.merge(id, tracks);
        });
      });
    const before = this.store.getState().guests;
    this.store.setState(this.#view(guests.map((guest) => before.find((one) => sameGuest(one, guest)) ?? guest)));
    if (snapshot.stage.name === "in") {
      this.#seatGuests(guests);
      this.#askForPictures(guests);
      this.#play();
    }
    this.#options.soundMerge.keep(merged);
  }

  #view(guests: readonly Guest[]): GuestRoomView {
    const { stage, mediaBroken, notices } = this.#snapshot;
    const { device, held, latched, talking, track, problem } = this.#talkback;
    return {
      stage: stageOf(stage),
      guests,
      mediaBroken,
      talkback: { device, held, latched, sending: talking && track !== undefined && stage.name === "in", problem },
      returnSound: this.#returnSound,
      notices,
    };
  }

  #seatGuests(guests: readonly Guest[]): void {
    const taken = new Map<number, GuestTracks>();
    for (const { seat, present, video, audio } of guests)
      if (seat !== undefined && present) taken.set(seat, { video, audio });
    for (const seat of [...this.#seated.keys()]) {
      if (taken.has(seat)) continue;
      this.#seated.delete(seat);
      this.#options.captures.setGuest(seat, undefined);
    }
    for (const [seat, tracks] of taken) {
      const told = this.#seated.get(seat);
      if (told && told.video === tracks.video && told.audio === tracks.audio) continue;
      this.#seated.set(seat, tracks);
      this.#options.captures.setGuest(seat, tracks);
    }
  }

  #clearSeats(): void {
    clearTimeout(this.#standstill);
    for (const seat of this.#seated.keys()) this.#options.captures.setGuest(seat, undefined);
    this.#seated.clear();
    this.#shown.clear();
    this.#options.sound.play(new Map());
  }

  /** Of each guest the one picture that is chosen: large on the stage, small beside it. */
  #askForPictures(guests: readonly Guest[]): void {
    const wanted = new Map<string, typeof ON_STAGE>();
    for (const { id, picture, seat } of guests) {
      const producer = this.#snapshot.producers.find((one) => one.participant_id === id && one.source === picture);
      if (producer) wanted.set(producer.id, seat === undefined ? BACKSTAGE : ON_STAGE);
    }
    for (const id of [...this.#shown.keys()]) {
      if (wanted.has(id)) continue;
      this.#shown.delete(id);
      this.#session.reception.show(id, null);
    }
    for (const [id, size] of wanted) {
      if (this.#shown.get(id) === size) continue;
      this.#shown.set(id, size);
      this.#session.reception.show(id, size);
    }
  }

  /** What the operator hears of the guests beside the mixer. */
  #play(): void {
    const tracks = new Map<string, MediaStreamTrack>();
    for (const { id, seat, audio, present } of this.store.getState().guests) {
      if (audio && present && !(seat !== undefined && this.#monitored.has(seat))) tracks.set(id, audio);
    }
    this.#options.sound.play(tracks);
  }

  #sendingChanged(): void {
    for (const listener of this.#outgoingListeners) listener();
    this.store.setState(this.#view(this.store.getState().guests));
  }

  #outgoing(): RoomOutgoing {
    return {
      wanted: () => this.#wanted(),
      subscribe: (listener) => {
        this.#outgoingListeners.add(listener);
        return () => this.#outgoingListeners.delete(listener);
      },
      silence: (source) => {
        if (source === "microphone") {
          this.#talkback.silence();
          return;
        }
        // For this room: the next one is asked as ever.
        this.#returnSound = false;
        this.#sendingChanged();
      },
      // The room's line says why.
      failed: (source) => {
        if (source === "microphone") this.#talkback.silence();
      },
      stopAll: () => this.#talkback.close(),
    };
  }

  #wanted(): ReadonlyMap<RoomSource, Publication> {
    const { track, talking } = this.#talkback;
    const wanted = new Map<RoomSource, Publication>();
    const talkedTo = track !== undefined && talking;
    if (track) wanted.set("microphone", { track, paused: !talking });
    // Talkback takes the program's place (IFB): the same voice by both ways would be heard twice.
    const paused = !this.#returnSound || talkedTo;
    wanted.set("screen_audio", { track: this.#options.mixer.mixMinusTrack(), paused });
    return wanted;
  }
}

function stageOf(stage: RoomSnapshot["stage"]): GuestRoomStage {
  return stage.name === "lobby" ? { name: "outside", problem: stage.problem ?? undefined } : stage;
}

function sameGuest(one: Guest, other: Guest): boolean {
  return (Object.keys(other) as (keyof Guest)[]).every((key) => one[key] === other[key]);
}
