import type { RoomEvent } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { happeningsOf } from "./happenings.ts";
import {
  afterEvent,
  afterJoin,
  OUTSIDE,
  qualityOf,
  type RoomSnapshot,
  unreadCount,
  withText,
} from "./room-snapshot.ts";
import { joined, participant, producer, text } from "./testing/fake-room.ts";

const ben = participant("ben", { joined_at: "2026-11-21T10:01:00.000Z" });
const eve = participant("eve", { role: "attendee", joined_at: "2026-11-21T10:02:00.000Z" });

function room(more: Parameters<typeof joined>[0] = {}): RoomSnapshot {
  const self = participant("ada", { role: "host" });
  return afterJoin(OUTSIDE, joined({ self, participants: [eve, self, ben], ...more }));
}

const after = (state: RoomSnapshot, ...events: RoomEvent[]) => events.reduce(afterEvent, state);

describe("what there is to show of a room (RTC2)", () => {
  it("lists people by arrival, and keeps them up to date", () => {
    const state = room();
    expect(state.participants.map(({ id }) => id)).toEqual(["ada", "ben", "eve"]);
    const changed = after(
      state,
      { event: "participant_joined", participant: participant("gus", { joined_at: "2026-11-21T10:03:00.000Z" }) },
      { event: "participant_changed", participant: { ...ben, name: "Benny" } },
      { event: "participant_left", participant_id: "eve", reason: "left" },
    );
    expect(changed.participants.map(({ name }) => name)).toEqual(["Ada", "Benny", "Gus"]);
  });

  it("takes what somebody sent along when they go", () => {
    const state = after(
      room({ producers: [producer("ben", "camera"), producer("ben", "microphone")] }),
      { event: "producer_added", producer: producer("eve", "microphone") },
      { event: "active_speaker", participant_id: "ben" },
    );
    expect(state.spoke).toEqual(["ben"]);
    const gone = after(state, { event: "participant_left", participant_id: "ben", reason: "lost" });
    expect(gone.producers.map(({ id }) => id)).toEqual(["eve-microphone"]);
    expect(gone).toMatchObject({ activeSpeaker: null, spoke: [] });
  });

  it("follows pauses, roles, locks, on air and recordings", () => {
    const since = "2026-11-21T10:00:00.000Z";
    const onAir = { channel: "demo", since, layout: { kind: "grid" }, state: "live", stream_id: null } as const;
    const state = after(
      room({ producers: [producer("ben", "microphone")] }),
      { event: "producer_changed", producer: producer("ben", "microphone", { paused: true, muted_by_host: true }) },
      { event: "role_changed", role: "speaker", by: "ben" },
      { event: "room_changed", room: { ...joined().room, locked: true } },
      { event: "on_air", on_air: onAir, failure: null },
      { event: "recording", recording: { id: "recording1", since, layout: { kind: "grid" } }, failure: null },
    );
    expect(state.producers[0]).toMatchObject({ paused: true, muted_by_host: true });
    expect(state.participants[0]).toMatchObject({ id: "ada", role: "speaker" });
    expect(state.room).toMatchObject({ locked: true, on_air: onAir, recording: { id: "recording1" } });
  });

  it("is the same object after what shows nothing", () => {
    const state = room();
    expect(
      after(state, { event: "levels", levels: [] }, { event: "consumer_closed", consumer_id: "c", producer_id: "p" }),
    ).toBe(state);
  });

  it("counts as unread what others wrote since one came", () => {
    let state = room({ texts: [text(1, "ben"), text(2, "eve")] });
    expect(unreadCount(state)).toBe(0);
    state = after(state, { event: "text", text: text(3, "ben") });
    // One's own comes twice: as the answer and as the event.
    state = withText(after(state, { event: "text", text: text(4, "ada") }), text(4, "ada"));
    expect(state.texts.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(unreadCount(state)).toBe(1);
    // Cut off, and back: what was written meanwhile is unread.
    const back = afterJoin(state, joined({ resumed: true, texts: [...state.texts, text(5, "eve")] }));
    expect(unreadCount(back)).toBe(2);
  });

  it("puts a text that comes late at its place, and keeps no more than can be read", () => {
    let state = room({ texts: [text(1, "ben"), text(3, "ben")] });
    state = withText(state, text(2, "eve"));
    expect(state.texts.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    for (let seq = 4; seq < 700; seq++) state = withText(state, text(seq, "ben"));
    expect(state.texts).toHaveLength(500);
    expect(state.texts.at(-1)?.seq).toBe(699);
  });

  it("says how well somebody is connected by the worst of what arrives", () => {
    const track = {} as MediaStreamTrack;
    const state: RoomSnapshot = {
      ...room({ producers: [producer("ben", "camera"), producer("ben", "microphone")] }),
      received: { "ben-camera": { track, score: 4 }, "ben-microphone": { track, score: 9 } },
    };
    expect(qualityOf(state, "ben")).toBe(4);
    const paused = after(state, { event: "producer_changed", producer: producer("ben", "camera", { paused: true }) });
    expect(qualityOf(paused, "ben")).toBe(9);
    expect(qualityOf(state, "eve")).toBeNull();
  });
});

describe("what is worth a line (RTC2)", () => {
  const since = "2026-11-21T10:00:00.000Z";
  const raised = { ...eve, hand_raised_at: since };
  it.each<[string, RoomEvent, object[]]>([
    ["joined", { event: "participant_joined", participant: participant("gus") }, [{ kind: "joined", name: "Gus" }]],
    ["lost", { event: "participant_left", participant_id: "ben", reason: "lost" }, [{ kind: "lost", name: "Ben" }]],
    ["raised", { event: "participant_changed", participant: raised }, [{ kind: "hand_raised", name: "Eve" }]],
    ["renamed", { event: "participant_changed", participant: { ...eve, name: "Eva" } }, []],
    [
      "muted",
      { event: "muted_by_host", source: "microphone", by: "ben" },
      [{ kind: "muted", name: "Ben", source: "microphone" }],
    ],
    ["role", { event: "role_changed", role: "speaker", by: "ben" }, [{ kind: "role", role: "speaker" }]],
    [
      "a screen",
      { event: "producer_added", producer: producer("ben", "screen") },
      [{ kind: "screen_shared", name: "Ben" }],
    ],
    ["a camera", { event: "producer_added", producer: producer("ben", "camera") }, []],
    ["a text", { event: "text", text: text(1, "ben", "Hello") }, [{ kind: "text", name: "ben", text: "Hello" }]],
    ["one's own text", { event: "text", text: text(1, "ada") }, []],
    ["a lock", { event: "room_changed", room: { ...joined().room, locked: true } }, [{ kind: "locked" }]],
    ["a new title", { event: "room_changed", room: { ...joined().room, title: "Dusk" } }, []],
    [
      "a recording that failed",
      { event: "recording", recording: null, failure: { code: "storage_unavailable", message: "The disk is full." } },
      [{ kind: "problem", code: "storage_unavailable", message: "The disk is full." }],
    ],
  ])("%s", (_what, event, happenings) => expect(happeningsOf(room(), event)).toEqual(happenings));

  it("on air: once it can be watched, and when it ends", () => {
    const air = (state: "starting" | "live"): RoomEvent => ({
      event: "on_air",
      on_air: { channel: "demo", since, layout: { kind: "grid" }, state, stream_id: null },
      failure: null,
    });
    const before = room();
    expect(happeningsOf(before, air("starting"))).toEqual([]);
    const starting = afterEvent(before, air("starting"));
    expect(happeningsOf(starting, air("live"))).toEqual([{ kind: "on_air", channel: "demo" }]);
    const live = afterEvent(starting, air("live"));
    expect(happeningsOf(live, air("live"))).toEqual([]);
    expect(happeningsOf(live, { event: "on_air", on_air: null, failure: null })).toEqual([{ kind: "off_air" }]);
  });

  it("not every arrival in a crowd", () => {
    const participants = Array.from({ length: 40 }, (_, index) => participant(`p${index}`));
    const state = { ...room(), participants };
    expect(happeningsOf(state, { event: "participant_joined", participant: participant("gus") })).toEqual([]);
    expect(happeningsOf(state, { event: "participant_left", participant_id: "p7", reason: "left" })).toEqual([]);
    expect(happeningsOf(state, { event: "participant_left", participant_id: "p7", reason: "removed" })).toEqual([
      { kind: "removed", name: "P7" },
    ]);
  });
});
