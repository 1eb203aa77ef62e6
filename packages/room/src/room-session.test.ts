import type { RoomJoined } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api-error.ts";
import { LevelBoard } from "./level-board.ts";
import type { OpenRoomMedia } from "./room-media.ts";
import { RoomSession } from "./room-session.ts";
import {
  FakeMedia,
  FakeOutgoing,
  FakeTransport,
  fakeTrack,
  joined,
  participant,
  producer,
  text,
} from "./testing/fake-room.ts";

const ben = participant("ben", { joined_at: "2026-11-21T10:01:00.000Z" });

function open() {
  const sockets: FakeTransport[] = [];
  const media: FakeMedia[] = [];
  const played: string[] = [];
  const outgoing = new FakeOutgoing();
  const levels = new LevelBoard();
  const session = new RoomSession({
    token: "token",
    openWire: () => {
      const socket = new FakeTransport();
      sockets.push(socket);
      return socket;
    },
    openMedia: async () => async (options) => {
      const link = new FakeMedia(options);
      media.push(link);
      return link;
    },
    outgoing,
    sound: { play: (id) => played.push(`+${id}`), stop: (id) => played.push(`-${id}`) },
    levels,
  });
  const socket = () => {
    const last = sockets.at(-1);
    if (!last) throw new Error("no socket was opened");
    return last;
  };
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
  return {
    session,
    sockets,
    socket,
    media,
    played,
    asked: outgoing.asked,
    outgoing,
    levels,
    settle,
    state: () => session.store.getState(),
    async join(answer: Partial<RoomJoined> = {}) {
      void session.join("Ada");
      socket().answer("join", joined(answer));
      await settle();
    },
    /** Ends everything, and sees that nothing is left. */
    close() {
      session.close();
      session.close();
      levels.close();
      expect(vi.getTimerCount()).toBe(0);
    },
  };
}

describe("one tab's part in a room (RTC2)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "info").mockReturnValue();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("joins, sends what is captured and receives what the others send", async () => {
    const room = open();
    room.outgoing.set("microphone", fakeTrack("audio", "voice"), true);
    await room.join({
      participants: [joined().self, ben],
      producers: [producer("ben", "microphone"), producer("ada", "screen")],
    });
    expect(room.socket().of("join")).toEqual([{ id: 1, type: "join", token: "token", name: "Ada" }]);
    expect(room.state()).toMatchObject({ stage: { name: "in" }, selfId: "ada", maxParticipants: 50 });
    expect(room.media[0]?.asked).toEqual(["receive ben-microphone", "publish microphone voice paused"]);
    expect(room.played).toEqual(["+ben-microphone"]);
    expect(Object.keys(room.state().received)).toEqual(["ben-microphone"]);

    room.outgoing.set("microphone", fakeTrack("audio", "voice"), false);
    await room.settle();
    expect(room.media[0]?.asked.at(-1)).toBe("publish microphone voice");
    room.media[0]?.options.onSent(producer("ada", "microphone"));
    room.media[0]?.options.onScore("ben-microphone", 3);
    expect(room.state().producers.map(({ id }) => id)).toContain("ada-microphone");
    expect(room.state().received["ben-microphone"]?.score).toBe(3);
    room.close();
    expect(room.socket().closed).toBe(true);
    expect(room.media[0]?.closed).toBe(true);
    expect(room.played.at(-1)).toBe("-ben-microphone");
  });

  it("misses nothing that happens while media is still being loaded", async () => {
    const room = open();
    let loaded: (open: OpenRoomMedia) => void = () => undefined;
    const socket = new FakeTransport();
    const session = new RoomSession({
      token: "token",
      openWire: () => socket,
      openMedia: () => new Promise((resolve) => (loaded = resolve)),
      outgoing: new FakeOutgoing(),
      sound: { play: () => undefined, stop: () => undefined },
      levels: room.levels,
    });
    void session.join("Ada");
    socket.answer("join", joined());
    await room.settle();
    socket.tell({ event: "participant_joined", participant: ben });
    socket.tell({ event: "producer_added", producer: producer("ben", "microphone") });
    const media = new FakeMedia({} as never);
    loaded(async () => media);
    await room.settle();
    expect(session.store.getState().participants.map(({ id }) => id)).toEqual(["ada", "ben"]);
    expect(media.asked).toEqual(["receive ben-microphone"]);
    session.close();
    room.close();
  });

  it("stays in the lobby when it is refused, and says why", async () => {
    const room = open();
    void room.session.join("Ada");
    room.socket().refuse("join", "room_full", "The room is full.");
    await room.settle();
    room.socket().end(4401);
    await room.settle();
    expect(room.state().stage).toEqual({
      name: "lobby",
      problem: { code: "room_full", message: "The room is full." },
    });
    await room.join();
    expect(room.state().stage).toEqual({ name: "in" });
    expect(room.sockets).toHaveLength(2);
    room.close();
  });

  it.each([
    [1006, "network"],
    [4401, "invite_invalid"],
    [4410, "not_found"],
  ])("stays in the lobby when the socket closes with %d before an answer", async (code, problem) => {
    const room = open();
    void room.session.join("Ada");
    room.socket().end(code);
    await room.settle();
    expect(room.state().stage).toEqual({ name: "lobby", problem: { code: problem, message: "" } });
    room.close();
  });

  it("says that this browser cannot, when it cannot", async () => {
    const room = open();
    const socket = new FakeTransport();
    const session = new RoomSession({
      token: "token",
      openWire: () => socket,
      openMedia: async () => async () => {
        throw new ApiError("unsupported", "No WebRTC.", false);
      },
      outgoing: new FakeOutgoing(),
      sound: { play: () => undefined, stop: () => undefined },
      levels: room.levels,
    });
    void session.join("Ada");
    socket.answer("join", joined());
    await room.settle();
    expect(session.store.getState().stage).toEqual({
      name: "out",
      reason: "refused",
      problem: { code: "unsupported", message: "No WebRTC." },
    });
    session.close();
    room.close();
  });

  it("comes back by itself to the same place, with the same devices, after a lost socket", async () => {
    const room = open();
    room.outgoing.set("camera", fakeTrack("video", "face"));
    await room.join({ participants: [joined().self, ben], producers: [producer("ben", "microphone")] });
    room.socket().end(1006);
    expect(room.state().stage).toEqual({ name: "rejoining", nextAt: Date.now() + 300 });
    // Who was there stays on screen meanwhile.
    expect(room.state().participants).toHaveLength(2);
    expect(room.media[0]?.closed).toBe(true);
    expect(room.asked).toEqual([]);
    await room.settle(300);
    expect(room.state().stage).toEqual({ name: "rejoining", nextAt: null });
    expect(room.socket().of("join")[0]).toMatchObject({ resume_token: "resume-1", name: "Ada" });
    room
      .socket()
      .answer(
        "join",
        joined({ resumed: true, resume_token: "resume-2", producers: [producer("ben", "microphone", { id: "anew" })] }),
      );
    await room.settle();
    expect(room.state().stage).toEqual({ name: "in" });
    expect(room.state().notices.map(({ kind }) => kind)).toEqual(["back"]);
    expect(room.media[1]?.asked).toEqual(["receive anew", "publish camera face"]);
    expect(room.played).toEqual(["+ben-microphone", "-ben-microphone", "+anew"]);
    room.close();
  });

  it("tries again and again while there is no network, longer apart each time, and at once when asked to", async () => {
    const room = open();
    await room.join();
    room.socket().end(1006);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const { stage } = room.state();
      if (stage.name !== "rejoining" || stage.nextAt === null) throw new Error(stage.name);
      waits.push(stage.nextAt - Date.now());
      await room.settle(stage.nextAt - Date.now());
      room.socket().end(1006);
      await room.settle();
    }
    expect(waits).toEqual([300, 600, 1200, 2400, 4800, 9600, 15_000, 15_000]);
    const before = room.sockets.length;
    room.session.rejoinNow();
    room.session.rejoinNow();
    expect(room.sockets).toHaveLength(before + 1);
    room.socket().answer("join", joined({ resumed: true }));
    await room.settle();
    // Well for a while: the next loss starts from the beginning.
    for (let time = 0; time < 30_000; time += 3000) {
      await room.settle(3000);
      room.socket().tell({ event: "levels", levels: [] });
    }
    room.socket().end(1006);
    const { stage } = room.state();
    expect(stage.name === "rejoining" && (stage.nextAt ?? 0) - Date.now()).toBe(300);
    room.close();
  });

  it("comes back when the server loses its media worker, or one's own way is broken beyond mending", async () => {
    const room = open();
    await room.join();
    room.socket().tell({ event: "reconnect", reason: "worker_lost", message: "" });
    expect(room.state().stage.name).toBe("rejoining");
    // The close that follows belongs to the old socket.
    room.socket().end(4503);
    await room.settle(300);
    room.socket().answer("join", joined({ resumed: true }));
    await room.settle();
    expect(room.state().stage.name).toBe("in");
    room.media[1]?.options.onHealth(false);
    expect(room.state().mediaBroken).toBe(true);
    room.media[1]?.options.onBroken();
    expect(room.state().stage.name).toBe("rejoining");
    await room.settle(600);
    room.socket().answer("join", joined({ resumed: true }));
    await room.settle();
    expect(room.state()).toMatchObject({ stage: { name: "in" }, mediaBroken: false });
    room.close();
  });

  it.each([
    [4403, "removed"],
    [4409, "replaced"],
    [4410, "ended"],
    [4400, "protocol"],
  ])("stays out after %d, with every device let go of", async (code, reason) => {
    const room = open();
    await room.join();
    room.socket().end(code);
    expect(room.state().stage).toEqual({ name: "out", reason, problem: null });
    expect(room.asked).toEqual(["stopAll"]);
    await room.settle(60_000);
    expect(room.sockets).toHaveLength(1);
    room.close();
  });

  it("does not come back to a room that ended, or with an invite that expired, while it was away", async () => {
    for (const [code, stage] of [
      ["gone", { name: "out", reason: "ended", problem: null }],
      [
        "invite_expired",
        { name: "out", reason: "refused", problem: { code: "invite_expired", message: "invite_expired" } },
      ],
    ] as const) {
      const room = open();
      await room.join();
      room.socket().end(1006);
      await room.settle(300);
      room.socket().refuse("join", code);
      await room.settle();
      expect(room.state().stage).toEqual(stage);
      room.close();
    }
  });

  it("leaves, and may come again as somebody new", async () => {
    const room = open();
    await room.join();
    room.session.leave();
    expect(room.state().stage).toEqual({ name: "out", reason: "left", problem: null });
    expect(room.socket().closed).toBe(true);
    expect(room.asked).toEqual(["stopAll"]);
    room.session.returnToLobby();
    expect(room.state().stage).toEqual({ name: "lobby", problem: null });
    await room.join();
    expect(room.socket().of("join")[0]).not.toHaveProperty("resume_token");
    room.close();
  });

  it("falls silent at once when a host says so, and captures nothing of one who is sent off stage", async () => {
    const room = open();
    const self = participant("ada");
    room.outgoing.set("microphone", fakeTrack("audio", "voice"));
    room.outgoing.set("camera", fakeTrack("video", "face"));
    await room.join({ self, participants: [self, ben] });
    const media = () => room.media[0]?.asked.filter((asked) => !asked.startsWith("handle")) ?? [];
    room.socket().tell({ event: "muted_by_host", source: "microphone", by: "ben" });
    room.socket().tell({ event: "muted_by_host", source: "camera", by: "ben" });
    room.socket().tell({ event: "muted_by_host", source: "screen", by: "ben" });
    await room.settle();
    expect(room.asked).toEqual(["silence microphone", "silence camera", "silence screen"]);
    expect(media()).toContain("publish microphone voice paused");
    expect(room.state().notices[0]).toMatchObject({ kind: "muted", name: "Ben", source: "microphone" });

    room.socket().tell({ event: "role_changed", role: "attendee", by: "ben" });
    await room.settle();
    expect(room.asked.at(-1)).toBe("stopAll");
    expect(media().slice(-2)).toEqual(["unpublish microphone", "unpublish camera"]);
    // Open again before one is allowed: it stays here.
    room.outgoing.set("camera", fakeTrack("video", "again"));
    await room.settle();
    expect(media().at(-1)).toBe("unpublish camera");
    room.close();
  });

  it("shows a refusal of a request as a line, and takes the line away after a while", async () => {
    const room = open();
    await room.join();
    const asked = room.session.ask("lock", {});
    room.socket().refuse("lock", "forbidden", "Only a host can do this.");
    expect(await asked).toBeNull();
    expect(room.state().notices).toMatchObject([
      { kind: "problem", code: "forbidden", message: "Only a host can do this." },
    ]);
    await room.settle(5000);
    room.socket().answer("ping");
    await room.settle(1100);
    expect(room.state().notices).toEqual([]);
    room.close();
  });

  it("writes, and counts what others wrote as unread until it was read", async () => {
    const room = open();
    await room.join({ participants: [joined().self, ben] });
    const sent = room.session.sendText("Hello");
    room.socket().answer("send_text", { text: text(1, "ada", "Hello") });
    expect(await sent).toBe(true);
    room.socket().tell({ event: "text", text: text(1, "ada", "Hello") });
    room.socket().tell({ event: "text", text: text(2, "ben", "Hi") });
    expect(room.state()).toMatchObject({ readSeq: 0, texts: [{ text: "Hello" }, { text: "Hi" }] });
    room.session.readTexts();
    expect(room.state().readSeq).toBe(2);
    const lost = room.session.sendText("Never");
    room.socket().end(1006);
    expect(await lost).toBe(false);
    room.close();
  });

  it("tells how loud the others are, not oneself: that is measured here", async () => {
    const room = open();
    await room.join({ participants: [joined().self, ben] });
    room.socket().tell({
      event: "levels",
      levels: [
        { participant_id: "ben", level: -20 },
        { participant_id: "ada", level: -5 },
      ],
    });
    expect(room.levels.of("ben")).toBeGreaterThan(0.5);
    expect(room.levels.of("ada")).toBe(0);
    room.socket().tell({ event: "levels", levels: [] });
    expect(room.levels.of("ben")).toBe(0);
    room.close();
  });

  it("changes the layout of what runs, and only that", async () => {
    const room = open();
    await room.join();
    await room.session.setLayout({ kind: "grid" });
    expect(room.socket().requests.map(({ type }) => type)).toEqual(["join"]);
    const since = "2026-11-21T10:00:00.000Z";
    room.socket().tell({
      event: "recording",
      recording: { id: "recording1", since, layout: { kind: "speaker" } },
      failure: null,
    });
    void room.session.setLayout({ kind: "grid" });
    expect(room.socket().of("start_recording")).toMatchObject([{ layout: { kind: "grid" } }]);
    room.socket().tell({
      event: "on_air",
      on_air: { channel: "demo", since, layout: { kind: "grid" }, state: "live", stream_id: null },
      failure: null,
    });
    void room.session.setLayout({ kind: "speaker", participant_id: "ben" });
    expect(room.socket().of("go_on_air")).toMatchObject([{ layout: { kind: "speaker", participant_id: "ben" } }]);
    room.close();
  });
});
