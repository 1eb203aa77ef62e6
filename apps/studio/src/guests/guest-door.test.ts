import { ManualClock } from "@klieg/base";
import { type CreatedInvite, type GuestRoomState, KliegError, ROOM_CLOSE, type RoomRole } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { GuestDoor } from "./guest-door.ts";
import type { GuestRoomServer, RoomSocket, RoomSocketEvents } from "./guest-room-ports.ts";

const ROOM = "roomroomroom1";
const HOUR_MS = 3600 * 1000;

class FakeSocket implements RoomSocket {
  readonly sent: Record<string, unknown>[] = [];
  buffered = 0;
  end: "closed" | "abandoned" | undefined;
  readonly events: RoomSocketEvents;
  readonly url: string;

  constructor(url: string, events: RoomSocketEvents) {
    this.url = url;
    this.events = events;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.end = "closed";
  }

  abandon(): void {
    this.end = "abandoned";
  }
}

/** A backend's rooms, in memory. */
class FakeServer implements GuestRoomServer {
  readonly done: string[] = [];
  readonly clock: ManualClock;
  rooms = new Set<string>();
  failure: KliegError | undefined;
  #invites = 0;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  async find(id: string) {
    return this.rooms.has(id) ? this.#info(id) : undefined;
  }

  async create() {
    this.#may("create");
    this.rooms.add(ROOM);
    return { room: this.#info(ROOM), channel: "demo", invite: this.#invite("host", 24 * 3600) };
  }

  async invite(_room: string, role: RoomRole, expiresInS: number) {
    this.#may(`invite ${role}`);
    return this.#invite(role, expiresInS);
  }

  async revoke(_room: string, invite: string) {
    this.#may(`revoke ${invite}`);
  }

  async end(id: string) {
    this.#may("end");
    this.rooms.delete(id);
  }

  socketUrl(id: string) {
    return `wss://klieg.test/v1/rooms/${id}`;
  }

  #may(what: string): void {
    if (this.failure !== undefined) throw this.failure;
    this.done.push(what);
  }

  #info(id: string) {
    return { id, title: "Guests", locked: false, open: true, participants: 0, max_participants: 16 };
  }

  #invite(role: RoomRole, seconds: number): CreatedInvite {
    const number = ++this.#invites;
    const id = `invite${String(number).padStart(10, "0")}`;
    return {
      id,
      role,
      label: "",
      created_at: new Date(this.clock.wall()).toISOString(),
      expires_at: new Date(this.clock.wall() + seconds * 1000).toISOString(),
      revoked_at: null,
      token: `${role}-token-${number}`,
      link: `https://klieg.test/room/${ROOM}#invite=${role}-token-${number}`,
    };
  }
}

function setUp() {
  const clock = new ManualClock();
  const server = new FakeServer(clock);
  const kept = new Map<string, string>();
  const disk = { full: false };
  const sockets: FakeSocket[] = [];
  const states: GuestRoomState[] = [];
  const make = () =>
    new GuestDoor({
      clock,
      serverOf: async (id) => {
        if (id !== "home") throw new KliegError("not_found", "There is no such server.");
        return { url: "https://klieg.test", server };
      },
      memory: {
        load: async (id) => kept.get(id),
        save: async (id, text) => {
          if (disk.full) throw new KliegError("storage_unavailable", "The disk is full.");
          if (text === undefined) kept.delete(id);
          else kept.set(id, text);
        },
      },
      connect: (url, events) => {
        const socket = new FakeSocket(url, events);
        sockets.push(socket);
        return socket;
      },
      onState: (state) => states.push(state),
    });
  return { clock, server, kept, disk, sockets, states, make };
}

/** A page with a wire. */
async function wired(door: GuestDoor, page: object = {}) {
  const told: string[] = [];
  const closed: number[] = [];
  const wire = await door.openWire(page, {
    onMessage: (_wire, text) => told.push(text),
    onClosed: (_wire, code) => closed.push(code),
  });
  const send = (message: object) => door.send(page, wire, JSON.stringify(message));
  return { page, wire, told, closed, send };
}

const JOIN = { id: 1, type: "join", token: "studio", name: "Studio" };

function joined(id: number, token: string): string {
  const self = {
    id: "hosthost",
    name: "Studio",
    role: "host",
    joined_at: "2026-01-01T00:00:00Z",
    hand_raised_at: null,
  };
  const room = { id: ROOM, title: "", channel: null, locked: false, on_air: null, recording: null };
  const data = {
    self,
    resume_token: token,
    resumed: false,
    room,
    participants: [self],
    producers: [],
    active_speaker: null,
    texts: [],
    router_rtp_capabilities: { codecs: [] },
    ice_servers: [],
    max_participants: 16,
  };
  return JSON.stringify({ id, ok: true, data });
}

describe("the door to the guests' room (STU7)", () => {
  test("makes a room with a link for guests, and finds it again while its link is good for long enough", async () => {
    const { clock, server, states, make } = setUp();
    using first = make();
    const opened = await first.open("home");
    expect(states.map(({ state }) => state)).toEqual(["opening", "open"]);
    expect(opened).toMatchObject({ room_id: ROOM, invite: { link: expect.stringContaining("speaker-token-2") } });
    expect(await first.open("home")).toEqual(opened);
    await expect(first.open("other")).rejects.toThrow(/close that one first/);

    using second = make();
    clock.advance(22 * HOUR_MS);
    expect(await second.open("home")).toEqual(opened);
    using third = make();
    clock.advance(1.5 * HOUR_MS);
    expect((await third.open("home")).invite?.link).toContain("speaker-token-3");
    server.rooms.clear();
    using fourth = make();
    await fourth.open("home");
    expect(server.done).toEqual(["create", "invite speaker", "invite speaker", "create", "invite speaker"]);
  });

  test("says why it stays closed, and can be tried again", async () => {
    const { server, make } = setUp();
    using door = make();
    server.failure = new KliegError("stream_key_revoked", "This stream key has been revoked.");
    await expect(door.open("home")).rejects.toThrow(server.failure);
    expect(door.state).toMatchObject({ state: "closed", problem: { code: "stream_key_revoked" } });
    await expect(door.open("nowhere")).rejects.toThrow(/no such server/);
    server.failure = undefined;
    expect(await door.open("home")).toMatchObject({ state: "open", problem: null });
  });

  test("a full disk does not keep guests out, and is said", async () => {
    const { disk, make } = setUp();
    using door = make();
    disk.full = true;
    expect(await door.open("home")).toMatchObject({ state: "open", problem: { code: "storage_unavailable" } });
    disk.full = false;
    expect(await door.renewInvite()).toMatchObject({ state: "open", problem: null });
  });

  test("a wire joins as the host, though its page never has a token; loaded again, the page takes the same place", async () => {
    const { sockets, kept, make } = setUp();
    using door = make();
    await expect(wired(door)).rejects.toThrow(/no room open/);
    await door.open("home");
    const one = await wired(door);
    const [socket] = sockets as [FakeSocket];
    expect(socket.url).toBe(`wss://klieg.test/v1/rooms/${ROOM}`);
    one.send(JOIN);
    expect(socket.sent).toEqual([]);
    socket.events.onOpen();
    // Good for a month: that of the room's beginning was good for a day.
    expect(socket.sent).toEqual([{ id: 1, type: "join", token: "host-token-3", name: "Studio" }]);
    socket.events.onMessage(joined(1, "a secret"));
    expect(JSON.parse(one.told[0] ?? "")).toMatchObject({ ok: true, data: { resume_token: "studio" } });
    expect(one.told.join()).not.toContain("secret");
    expect(kept.get("home")).toContain("host-token-3");

    door.abandon(one.page);
    expect(socket.end).toBe("abandoned");
    expect(() => one.send({ id: 2, type: "ping" })).toThrow(/over/);
    const two = await wired(door);
    two.send(JOIN);
    sockets[1]?.events.onOpen();
    expect(sockets[1]?.sent).toMatchObject([{ token: "host-token-3", resume_token: "a secret" }]);
    // Nobody else has to do with it.
    expect(() => door.send({}, two.wire, "{}")).toThrow(/over/);
    door.closeWire({}, two.wire);
    expect(sockets[1]?.end).toBeUndefined();
    door.closeWire(two.page, two.wire);
    expect(sockets[1]?.end).toBe("closed");
  });

  test("lets through what a host does, and nothing by which anybody else would become one", async () => {
    const { sockets, make } = setUp();
    using door = make();
    await door.open("home");
    const { send, told } = await wired(door);
    const [socket] = sockets as [FakeSocket];
    socket.events.onOpen();
    send({ id: 1, type: "mute", participant_id: "guestguest", source: "microphone" });
    expect(socket.sent).toHaveLength(1);
    expect(() => send({ id: 2, type: "create_invite", role: "host" })).toThrow(/by itself/);
    expect(() => send({ id: 3, type: "end_room" })).toThrow(/by itself/);
    expect(() => send({ id: 4, type: "nonsense" })).toThrow(/nothing that a room/);
    expect(socket.sent).toHaveLength(1);
    const levels = JSON.stringify({ event: "levels", levels: [{ participant_id: "guestguest", level: -20 }] });
    for (const text of ["{", "[]", '{"event":"of_a_newer_server"}', levels, '{"id":1,"ok":true,"data":{}}']) {
      socket.events.onMessage(text);
    }
    expect(told).toEqual([levels, '{"id":1,"ok":true,"data":{}}']);
  });

  test("who is removed takes the link along: there is another one", async () => {
    const { server, sockets, states, make } = setUp();
    using door = make();
    await door.open("home");
    const { send } = await wired(door);
    const [socket] = sockets as [FakeSocket];
    socket.events.onOpen();
    send({ id: 7, type: "remove", participant_id: "guestguest" });
    socket.events.onMessage('{"id":7,"ok":true,"data":{}}');
    await expect.poll(() => states.at(-1)?.invite?.link).toContain("speaker-token-4");
    expect(server.done.at(-1)).toBe("revoke invite0000000002");

    server.failure = new KliegError("unreachable", "The server cannot be reached.");
    send({ id: 8, type: "remove", participant_id: "guestguest" });
    socket.events.onMessage('{"id":8,"ok":true,"data":{}}');
    await expect
      .poll(() => states.at(-1))
      .toMatchObject({ state: "open", invite: null, problem: { code: "unreachable" } });
  });

  test("a host's invite that is refused is replaced for the next wire; a room that somebody ended is closed here too", async () => {
    const { sockets, kept, make } = setUp();
    using door = make();
    await door.open("home");
    const one = await wired(door);
    sockets[0]?.events.onClose(ROOM_CLOSE.refused);
    expect(one.closed).toEqual([ROOM_CLOSE.refused]);
    const two = await wired(door);
    two.send(JOIN);
    sockets[1]?.events.onOpen();
    expect(sockets[1]?.sent).toMatchObject([{ token: "host-token-4" }]);
    sockets[1]?.events.onClose(ROOM_CLOSE.ended);
    expect(door.state).toMatchObject({ state: "closed", problem: { code: "gone" } });
    await expect.poll(() => kept.size).toBe(0);
  });

  test("a room that takes nothing loses the wire, and messages wait in bounds", async () => {
    const { sockets, make } = setUp();
    using door = make();
    await door.open("home");
    const early = await wired(door);
    for (let id = 0; id < 17; id += 1) early.send({ id, type: "ping" });
    expect([sockets[0]?.end, early.closed]).toEqual(["abandoned", [ROOM_CLOSE.overloaded]]);
    const late = await wired(door);
    sockets[1]?.events.onOpen();
    Object.assign(sockets[1] as FakeSocket, { buffered: 1024 * 1024 });
    late.send({ id: 1, type: "ping" });
    expect(late.closed).toEqual([ROOM_CLOSE.overloaded]);
    const pages = await Promise.all(Array.from({ length: 8 }, () => wired(door)));
    await expect(wired(door)).rejects.toThrow(/Too many wires/);
    for (const { page, wire } of pages) door.closeWire(page, wire);
  });

  test("closed, it ends the room; where that fails it is left all the same, and found again", async () => {
    const { server, sockets, kept, make } = setUp();
    using door = make();
    await door.open("home");
    const { closed } = await wired(door);
    server.failure = new KliegError("unreachable", "The server cannot be reached.");
    await expect(door.close()).rejects.toThrow(server.failure);
    expect([sockets[0]?.end, closed]).toEqual(["closed", []]);
    expect(door.state).toMatchObject({ state: "closed", problem: { code: "unreachable" } });
    server.failure = undefined;
    expect(await door.open("home")).toMatchObject({ state: "open", room_id: ROOM });
    await door.close();
    expect([server.rooms.size, kept.size, door.state.problem]).toEqual([0, 0, null]);
    await door.close();
    door[Symbol.dispose]();
    await expect(door.open("home")).rejects.toThrow(/closing/);
  });
});
