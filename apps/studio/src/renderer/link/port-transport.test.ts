import { ENGINE_PORT_MESSAGE } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { openEnginePort, type PortWindow } from "./port-transport.ts";

const ORIGIN = "klieg://studio";

/** A window whose messages the test posts. */
class PostedWindow implements PortWindow {
  readonly location = { origin: ORIGIN };
  readonly listeners = new Set<(event: MessageEvent) => void>();

  addEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.listeners.delete(listener);
  }

  post(data: unknown, origin: string, ...ports: MessagePort[]): void {
    for (const listener of [...this.listeners]) listener({ data, origin, ports } as unknown as MessageEvent);
  }
}

function opening() {
  const page = new PostedWindow();
  const channel = new MessageChannel();
  const abort = new AbortController();
  const asked = { times: 0 };
  const desktop = {
    connect: () => {
      asked.times += 1;
    },
  };
  const opened = openEnginePort(desktop, page)(abort.signal);
  return { page, engine: channel.port2, port: channel.port1, abort, asked, opened };
}

async function open() {
  const { page, engine, port, opened } = opening();
  page.post(ENGINE_PORT_MESSAGE, ORIGIN, port);
  const transport = await opened;
  const told: unknown[] = [];
  const next = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const note = (...words: unknown[]) => {
      told.push(words);
      resolve();
    };
    transport.onMessage = note;
    transport.onClose = note;
    return promise;
  };
  const received = () =>
    new Promise((resolve) => {
      engine.onmessage = ({ data }) => resolve(data);
    });
  return { page, engine, transport, told, next, received };
}

describe("a port to the engine of the desktop app (STU3)", () => {
  test("carries text both ways and media one way, and knows what waits", async () => {
    const { page, engine, transport, told, next, received } = await open();
    expect(page.listeners.size).toBe(0);
    transport.send("hello");
    expect(await received()).toBe("hello");
    transport.send(new Uint8Array(1000));
    expect(await received()).toHaveLength(1000);
    expect(transport.buffered).toBe(1000);
    const answered = next();
    engine.postMessage(1000);
    engine.postMessage("welcome");
    await answered;
    expect([transport.buffered, told]).toEqual([0, [["welcome"]]]);
    transport.close();
  });

  test("hands on what the engine captures, and tells how much of it was taken (STU1)", async () => {
    const { engine, transport, received } = await open();
    const media: number[] = [];
    transport.onMedia = (message) => media.push(message.length);
    const first = received();
    engine.postMessage(new Uint8Array(300));
    expect(await first).toBe(300);
    const second = received();
    engine.postMessage(new Uint8Array(20));
    expect(await second).toBe(320);
    expect(media).toEqual([300, 20]);
    transport.close();
  });

  test("says why it was closed, or that nobody said so", async () => {
    const farewell = await open();
    const closed = farewell.next();
    farewell.engine.postMessage({ close: 4409, reason: "another page" });
    await closed;
    expect(farewell.told).toEqual([[4409, "another page"]]);
    farewell.transport.send("nobody gets this");

    const gone = await open();
    const lost = gone.next();
    gone.engine.close();
    await lost;
    expect(gone.told).toEqual([[1006, "the engine is gone"]]);
  });

  test("takes no port from another origin, and waits no longer than it is asked to", async () => {
    const { page, port, engine, abort, asked, opened } = opening();
    page.post(ENGINE_PORT_MESSAGE, "https://evil.example", port);
    page.post("something else", ORIGIN, port);
    page.post(ENGINE_PORT_MESSAGE, ORIGIN);
    abort.abort(new Error("too late"));
    await expect(opened).rejects.toThrow("too late");
    expect([asked.times, page.listeners.size]).toEqual([1, 0]);
    engine.close();
  });
});
