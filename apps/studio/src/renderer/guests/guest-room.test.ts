import type { RoomJoined } from "@klieg/protocol";
import { FakeMedia, FakeTransport, fakeTrack, joined, participant, producer } from "@klieg/room/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GuestTracks } from "../media/capture/guest-capture.ts";
import { GuestRoom } from "./guest-room.ts";

/** What of Web Storage is used. */
class Memory {
  readonly #items = new Map<string, string>();
  getItem = (key: string) => this.#items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.#items.set(key, value);
}

class FakeMicrophone extends EventTarget {
  readonly kind = "audio";
  readonly id: string;
  stopped = false;

  constructor(id: string) {
    super();
    this.id = id;
  }

  stop(): void {
    this.stopped = true;
  }
}

const MIX = fakeTrack("audio", "mix-minus");
const ben = participant("ben", { joined_at: "2026-11-21T10:01:00.000Z" });
const cleo = participant("cleo", { joined_at: "2026-11-21T10:02:00.000Z" });

function open(memory = new Memory()) {
  const transports: FakeTransport[] = [];
  const media: FakeMedia[] = [];
  const seats: string[] = [];
  const asked: unknown[] = [];
  const microphones: FakeMicrophone[] = [];
  let refusal: string | undefined;
  let heard: string[] = [];
  let merged: string[] = [];
  const room = new GuestRoom({
    openWire: () => {
      const transport = new FakeTransport();
      transports.push(transport);
      return transport;
    },
    openMedia: async () => async (options) => {
      const link = new FakeMedia(options);
      media.push(link);
      return link;
    },
    captures: {
      setGuest: (seat: number, tracks: GuestTracks | undefined) =>
        void seats.push(`${seat} ${tracks ? `${tracks.video?.id} ${tracks.audio?.id}` : "empty"}`),
    },
    mixer: { mixMinusTrack: () => MIX },
    sound: { play: (tracks) => (heard = [...tracks.values()].map(({ id }) => id)) },
    soundMerge: {
      merge: (id, tracks) => fakeTrack("audio", `${id}: ${tracks.map((track) => track.id).join(" + ")}`),
      keep: (ids) => (merged = [...ids]),
    },
    devices: {
      getUserMedia: async ({ audio } = {}) => {
        asked.push((audio as MediaTrackConstraints).deviceId);
        if (refusal !== undefined) throw new DOMException("", refusal);
        const microphone = new FakeMicrophone(`mic-${microphones.length + 1}`);
        microphones.push(microphone);
        const tracks = [microphone as unknown as MediaStreamTrack];
        return { getTracks: () => tracks, getAudioTracks: () => tracks } as unknown as MediaStream;
      },
    },
    showMicrophone: () => "desk",
    memory,
  });
  const transport = () => transports.at(-1) as FakeTransport;
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
  return {
    room,
    transport,
    transports,
    media: () => media.at(-1)?.asked.filter((one) => !one.startsWith("handle")) ?? [],
    seats,
    asked,
    microphones,
    memory,
    settle,
    refuse: (name: string | undefined) => (refusal = name),
    heard: () => heard,
    merged: () => merged,
    view: () => room.store.getState(),
    guest: (id: string) => room.store.getState().guests.find((guest) => guest.id === id),
    async join(answer: Partial<RoomJoined> = {}) {
      room.join("Ada");
      transport().answer("join", joined(answer));
      // Pictures are asked for once what is shown has settled.
      await settle(300);
    },
    async back(answer: Partial<RoomJoined> = {}) {
      await settle(300);
      transport().answer("join", joined({ resumed: true, ...answer }));
      await settle(300);
    },
    /** Time in which the room is heard of. @param seconds even */
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second += 2) {
        await settle(2000);
        transport().tell({ event: "levels", levels: [] });
      }
    },
    /** Ends everything, and sees that nothing is left. */
    close() {
      room[Symbol.dispose]();
      room[Symbol.dispose]();
      expect(vi.getTimerCount()).toBe(0);
    },
  };
}

const all = { participants: [joined().self, ben, cleo] };
const faces = [
  producer("ben", "microphone"),
  producer("ben", "camera"),
  producer("cleo", "microphone", { paused: true, muted_by_host: true }),
];

describe("the studio's place in a room (STU7)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.spyOn(console, "info").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("has newcomers backstage, seen small and heard by the host alone, until they get a seat", async () => {
    const studio = open();
    await studio.join({ ...all, producers: faces });
    expect(studio.transport().of("join")).toMatchObject([{ token: "studio", name: "Ada" }]);
    expect(studio.view()).toMatchObject({ stage: { name: "in" }, mediaBroken: false, returnSound: true });
    expect(studio.view().guests.map(({ name, seat }) => [name, seat])).toEqual([
      ["Ben", undefined],
      ["Cleo", undefined],
    ]);
    expect(studio.guest("ben")).toMatchObject({ camera: "live", microphone: "live", present: true });
    expect(studio.guest("cleo")).toMatchObject({ camera: "none", microphone: "muted_by_host", video: undefined });
    expect(studio.guest("ben")?.video?.id).toBe("received-ben-camera");
    expect(studio.media()).toContain("wish ben-camera 0");
    expect(studio.heard()).toEqual(["received-ben-microphone", "received-cleo-microphone"]);
    expect(studio.seats).toEqual([]);

    studio.room.seat("ben", 2);
    await studio.settle(300);
    expect(studio.seats).toEqual(["2 received-ben-camera received-ben-microphone"]);
    expect(studio.media().at(-1)).toBe("wish ben-camera 2");
    // Once the mixer monitors the seat, the room is silent about it.
    studio.room.setMonitored(new Set([2]));
    expect(studio.heard()).toEqual(["received-cleo-microphone"]);
    studio.room.seat("cleo", 2);
    expect(studio.guest("ben")?.seat).toBe(undefined);
    expect(studio.seats.at(-1)).toBe("2 undefined received-cleo-microphone");
    studio.room.seat("cleo", undefined);
    expect(studio.seats.at(-1)).toBe("2 empty");
    expect(() => studio.room.seat("cleo", 17)).toThrow(RangeError);
    studio.close();
  });

  it("follows what a guest sends: a camera that goes dark, a screen that is chosen instead", async () => {
    const studio = open();
    await studio.join({ ...all, producers: faces });
    studio.room.seat("ben", 1);
    studio.transport().tell({ event: "producer_added", producer: producer("ben", "screen") });
    await studio.settle(300);
    // Nobody's screen is on air because they shared it.
    expect(studio.guest("ben")).toMatchObject({ sharesScreen: true, picture: "camera" });
    expect(studio.media()).not.toContain("receive ben-screen");
    studio.room.setPicture("ben", "screen");
    await studio.settle(300);
    expect(studio.seats.at(-1)).toBe("1 received-ben-screen received-ben-microphone");
    expect(studio.media()).toContain("wish ben-camera paused");
    // What it sounds like comes with it, beside the voice.
    const sound = producer("ben", "screen_audio");
    studio.transport().tell({ event: "producer_added", producer: sound });
    await studio.settle(300);
    expect(studio.guest("ben")?.audio?.id).toBe("ben: received-ben-microphone + received-ben-screen_audio");
    expect(studio.merged()).toEqual(["ben"]);
    studio.transport().tell({
      event: "producer_removed",
      producer_id: "ben-screen",
      participant_id: "ben",
      source: "screen",
    });
    await studio.settle(300);
    expect(studio.guest("ben")).toMatchObject({ picture: "camera", sharesScreen: false });
    expect(studio.guest("ben")?.audio?.id).toBe("received-ben-microphone");
    expect(studio.merged()).toEqual([]);
    expect(studio.seats.at(-1)).toBe("1 received-ben-camera received-ben-microphone");
    studio.close();
  });

  it("keeps the seat of a guest who was cut off for a minute, and of nobody who left", async () => {
    const studio = open();
    await studio.join({ ...all, producers: faces });
    studio.room.seat("ben", 1);
    studio.room.seat("cleo", 2);
    studio.transport().tell({ event: "participant_left", participant_id: "ben", reason: "lost" });
    studio.transport().tell({ event: "participant_left", participant_id: "cleo", reason: "left" });
    expect(studio.seats.slice(-2)).toEqual(["1 empty", "2 empty"]);
    expect(studio.view().guests).toMatchObject([{ id: "ben", present: false, seat: 1, camera: "none" }]);
    await studio.pass(30);
    studio.transport().tell({ event: "participant_joined", participant: ben });
    studio.transport().tell({ event: "producer_added", producer: producer("ben", "camera", { id: "again" }) });
    await studio.settle(300);
    expect(studio.guest("ben")).toMatchObject({ present: true, seat: 1 });
    expect(studio.seats.at(-1)).toBe("1 received-again undefined");

    studio.transport().tell({ event: "participant_left", participant_id: "ben", reason: "lost" });
    await studio.pass(60);
    expect(studio.view().guests).toEqual([]);
    studio.transport().tell({ event: "participant_joined", participant: ben });
    expect(studio.guest("ben")?.seat).toBe(undefined);
    studio.close();
  });

  it("comes back with everybody in their seats, and lets pictures stand still meanwhile, but not for long", async () => {
    const studio = open();
    await studio.join({ ...all, producers: faces });
    studio.room.seat("ben", 1);
    studio.room.seat("cleo", 2);
    const told = studio.seats.length;
    studio.transport().end(1006);
    expect(studio.view().stage.name).toBe("rejoining");
    expect(studio.guest("ben")).toMatchObject({ seat: 1, present: true });
    // Cleo went while the studio was away: for all it knows, cut off too.
    await studio.back({ participants: [joined().self, ben], producers: [producer("ben", "camera", { id: "anew" })] });
    expect(studio.view().stage.name).toBe("in");
    expect(studio.seats.slice(told)).toEqual(["2 empty", "1 undefined undefined", "1 received-anew undefined"]);
    expect(studio.guest("cleo")).toMatchObject({ present: false, seat: 2 });
    studio.transport().tell({ event: "participant_joined", participant: cleo });
    expect(studio.guest("cleo")).toMatchObject({ present: true, seat: 2 });

    studio.transport().end(4503);
    await studio.settle(300);
    await studio.settle(6000);
    expect(studio.seats.slice(-2)).toEqual(expect.arrayContaining(["1 empty", "2 empty"]));
    studio.transport().answer("join", joined({ ...all, producers: faces, resumed: true }));
    await studio.settle(300);
    expect(studio.seats.slice(-2)).toContain("1 received-ben-camera received-ben-microphone");
    studio.close();
  });

  it("knows everybody by name again when the room's server was started anew, and at no other time", async () => {
    const studio = open();
    await studio.join({ ...all, producers: faces });
    studio.room.seat("ben", 1);
    studio.room.seat("cleo", 2);
    studio.transport().end(1006);
    const self = participant("ada2", { role: "host" });
    const ben2 = participant("ben2", { name: "Ben" });
    await studio.back({ self, participants: [self, ben2], producers: [producer("ben2", "camera")] });
    expect(studio.guest("ben2")?.seat).toBe(1);
    expect(studio.guest("cleo")).toMatchObject({ present: false, seat: 2 });
    studio.transport().tell({ event: "participant_joined", participant: participant("cleo2", { name: "Cleo" }) });
    expect(studio.view().guests.map(({ id, seat }) => [id, seat])).toEqual([
      ["ben2", 1],
      ["cleo2", 2],
    ]);
    // Somebody of that name is not that guest, as long as the room knows who is who.
    studio.transport().tell({ event: "participant_left", participant_id: "cleo2", reason: "lost" });
    studio.transport().tell({ event: "participant_joined", participant: participant("other", { name: "Cleo" }) });
    expect(studio.guest("other")?.seat).toBe(undefined);
    expect(studio.guest("cleo2")).toMatchObject({ present: false, seat: 2 });
    studio.close();
  });

  it("finds everybody in their seats after the page was loaded again, in the same room alone", async () => {
    const before = open();
    await before.join(all);
    before.room.seat("ben", 3);
    before.close();
    const after = open(before.memory);
    await after.join({ ...all, producers: faces });
    expect(after.guest("ben")?.seat).toBe(3);
    expect(after.seats.at(-1)).toBe("3 received-ben-camera received-ben-microphone");
    after.room.leave();
    const { room } = joined();
    await after.join({ ...all, room: { ...room, id: "another00000" } });
    expect(after.guest("ben")?.seat).toBe(undefined);
    after.close();
  });

  it("sends the program without the guests, and talkback in its place while there is any", async () => {
    const studio = open();
    await studio.join(all);
    expect(studio.media()).toEqual(["publish screen_audio mix-minus"]);
    expect(studio.asked).toEqual([]);

    studio.room.holdTalkback(true);
    await studio.settle();
    expect(studio.asked).toEqual([{ exact: "desk" }]);
    expect(studio.view().talkback).toMatchObject({ held: true, latched: false, sending: true, problem: undefined });
    expect(studio.media().slice(1)).toEqual(["publish microphone mic-1", "publish screen_audio mix-minus paused"]);
    studio.room.holdTalkback(false);
    await studio.settle();
    expect(studio.view().talkback.sending).toBe(false);
    expect(studio.media().slice(3)).toEqual(["publish microphone mic-1 paused", "publish screen_audio mix-minus"]);

    // Open already: heard at once.
    studio.room.latchTalkback(true);
    expect(studio.view().talkback).toMatchObject({ latched: true, sending: true });
    studio.transport().tell({ event: "muted_by_host", source: "microphone", by: "ben" });
    expect(studio.view().talkback).toMatchObject({ latched: false, sending: false });
    studio.room.setReturnSound(false);
    await studio.settle();
    expect(studio.media().at(-1)).toBe("publish screen_audio mix-minus paused");
    studio.room.leave();
    expect(studio.microphones.map(({ stopped }) => stopped)).toEqual([true]);
    expect(studio.view().stage).toEqual({ name: "outside", problem: undefined });
    studio.close();

    const later = open(studio.memory);
    expect(later.view().returnSound).toBe(false);
    later.close();
  });

  it("takes the microphone that was chosen, and says why one is not heard", async () => {
    const studio = open();
    await studio.join(all);
    studio.refuse("NotAllowedError");
    studio.room.latchTalkback(true);
    await studio.settle();
    expect(studio.view().talkback).toMatchObject({ latched: false, sending: false });
    expect(studio.view().talkback.problem).toContain("Allow it");
    studio.refuse(undefined);
    studio.room.setTalkbackDevice("headset");
    studio.room.latchTalkback(true);
    await studio.settle();
    expect(studio.asked.at(-1)).toEqual({ exact: "headset" });
    expect(studio.view().talkback).toMatchObject({ device: "headset", sending: true, problem: undefined });
    studio.microphones[0]?.dispatchEvent(new Event("ended"));
    expect(studio.view().talkback).toMatchObject({ latched: false, sending: false });
    expect(studio.view().talkback.problem).toContain("unplugged");
    studio.room.holdTalkback(true);
    // Let go of before the device answered: open, and nobody hears it.
    studio.room.holdTalkback(false);
    await studio.settle();
    expect(studio.view().talkback).toMatchObject({ sending: false, problem: undefined });
    expect(
      studio
        .media()
        .filter((one) => one.startsWith("publish microphone"))
        .at(-1),
    ).toContain("paused");
    studio.room.setTalkbackDevice("desk");
    await studio.settle();
    expect(studio.microphones.map(({ stopped }) => stopped)).toEqual([false, true, false]);
    studio.close();
    expect(studio.microphones.at(-1)?.stopped).toBe(true);
  });

  it("mutes and removes as the room says, and throws what the room refuses", async () => {
    const studio = open();
    await studio.join({ ...all, producers: faces });
    studio.room.seat("ben", 1);
    const muted = studio.room.mute("ben", "microphone");
    expect(studio.transport().of("mute")).toMatchObject([{ participant_id: "ben", source: "microphone" }]);
    studio.transport().answer("mute");
    await muted;
    studio.transport().tell({
      event: "producer_changed",
      producer: producer("ben", "microphone", { paused: true, muted_by_host: true }),
    });
    expect(studio.guest("ben")?.microphone).toBe("muted_by_host");
    const refused = expect(studio.room.remove("ben")).rejects.toMatchObject({ code: "forbidden" });
    studio.transport().refuse("remove", "forbidden");
    await refused;
    studio.transport().tell({ event: "participant_left", participant_id: "ben", reason: "removed" });
    expect(studio.guest("ben")).toBe(undefined);
    expect(studio.seats.at(-1)).toBe("1 empty");
    studio.room.leave();
    await expect(studio.room.lowerHand("ben")).rejects.toMatchObject({ code: "network" });
    studio.close();
  });

  it("says why it is not in, and empties the seats of a room that ended", async () => {
    const studio = open();
    studio.room.join("Ada");
    studio.transport().refuse("join", "room_full", "The room is full.");
    await studio.settle();
    expect(studio.view().stage).toMatchObject({ name: "outside", problem: { code: "room_full" } });
    await studio.join({ ...all, producers: faces });
    studio.room.seat("ben", 1);
    studio.transport().end(4410);
    expect(studio.view()).toMatchObject({ stage: { name: "out", reason: "ended" }, guests: [] });
    expect(studio.seats.at(-1)).toBe("1 empty");
    expect(studio.heard()).toEqual([]);
    await studio.join(all);
    expect(studio.view().stage.name).toBe("in");
    studio.close();
  });

  it("tells how loud a guest is", async () => {
    const studio = open();
    await studio.join(all);
    studio.transport().tell({ event: "levels", levels: [{ participant_id: "ben", level: -20 }] });
    expect(studio.room.level("ben")).toBeGreaterThan(0.5);
    expect(studio.room.level("cleo")).toBe(0);
    studio.close();
  });
});
