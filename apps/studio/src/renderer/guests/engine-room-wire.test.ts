import { KliegError, ROOM_CLOSE, type StudioEvent } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import type { LinkState } from "../link/studio-link.ts";
import type { EngineLink } from "../state/engine-store.ts";
import { EngineRoomWire } from "./engine-room-wire.ts";

/** An engine that keeps what it is asked, and answers when the test says so. */
class FakeLink {
  readonly asked: { readonly type: string; readonly input: object }[] = [];
  readonly events = new Set<(event: StudioEvent) => void>();
  readonly states = new Set<(state: LinkState) => void>();
  refusal: KliegError | undefined;

  get link(): EngineLink {
    return this as unknown as EngineLink;
  }

  async request(type: string, input: object): Promise<unknown> {
    this.asked.push({ type, input });
    if (this.refusal !== undefined) throw this.refusal;
    return type === "open_room_wire" ? { wire: 3 } : {};
  }

  onEvent(listener: (event: StudioEvent) => void): Disposable {
    this.events.add(listener);
    return { [Symbol.dispose]: () => void this.events.delete(listener) };
  }

  onState(listener: (state: LinkState) => void): Disposable {
    this.states.add(listener);
    return { [Symbol.dispose]: () => void this.states.delete(listener) };
  }

  tell(event: StudioEvent): void {
    for (const listener of [...this.events]) listener(event);
  }
}

const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

function wired(fake: FakeLink) {
  const wire = new EngineRoomWire(fake.link);
  const told: string[] = [];
  const closed: number[] = [];
  wire.onMessage = (text) => told.push(text);
  wire.onClose = (code) => closed.push(code);
  return { wire, told, closed };
}

describe("a wire to the guests' room by the engine (STU7)", () => {
  test("sends what waited once it is open, hears its own messages alone, and says goodbye", async () => {
    const fake = new FakeLink();
    const { wire, told, closed } = wired(fake);
    wire.send("one");
    expect(fake.asked.map(({ type }) => type)).toEqual(["open_room_wire"]);
    await settle();
    wire.send("two");
    expect(fake.asked.slice(1).map(({ input }) => input)).toEqual([
      { wire: 3, text: "one" },
      { wire: 3, text: "two" },
    ]);
    fake.tell({ event: "room_message", wire: 2, text: "another's" });
    fake.tell({ event: "room_message", wire: 3, text: "mine" });
    wire.close();
    wire.close();
    wire.send("three");
    fake.tell({ event: "room_message", wire: 3, text: "late" });
    expect([told, closed]).toEqual([["mine"], []]);
    expect(fake.asked.at(-1)).toEqual({ type: "close_room_wire", input: { wire: 3 } });
    expect([fake.events.size, fake.states.size]).toEqual([0, 0]);
  });

  test.each([
    ["not_found", ROOM_CLOSE.ended],
    ["stream_key_revoked", ROOM_CLOSE.refused],
    ["rate_limited", ROOM_CLOSE.overloaded],
    ["unreachable", 1006],
  ] as const)("an engine that says %s ends it with %i", async (code, expected) => {
    const fake = new FakeLink();
    fake.refusal = new KliegError(code, "no");
    const { closed } = wired(fake);
    await settle();
    expect([closed, fake.events.size]).toEqual([[expected], 0]);
  });

  test("is over with the room's socket, and with the link to the engine", async () => {
    const fake = new FakeLink();
    const one = wired(fake);
    await settle();
    fake.tell({ event: "room_wire_closed", wire: 3, code: ROOM_CLOSE.removed });
    fake.tell({ event: "room_wire_closed", wire: 3, code: 1006 });
    const two = wired(fake);
    await settle();
    for (const listener of [...fake.states]) listener({ state: "lost" });
    expect([one.closed, two.closed]).toEqual([[ROOM_CLOSE.removed], [1006]]);
  });

  test("closed before it was open, it is closed as soon as it is", async () => {
    const fake = new FakeLink();
    const { wire } = wired(fake);
    wire.close();
    await settle();
    expect(fake.asked.map(({ type }) => type)).toEqual(["open_room_wire", "close_room_wire"]);
  });
});
