import { expect, it, vi } from "vitest";
import { type EventStream, SessionEvents } from "./session-events.ts";

class Stream extends EventTarget {
  readyState = 1;
  close = vi.fn();

  send(type: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(type, { data }));
  }
}

function open() {
  const stream = new Stream();
  const told: unknown[] = [];
  const events = new SessionEvents("/events", () => stream as unknown as EventStream, {
    sending: (sending) => told.push(sending),
    layers: (data) => told.push(data),
    reconnect: (reason) => told.push(reason),
    ended: () => told.push("ended"),
    lost: () => told.push("lost"),
  });
  return { stream, told, events };
}

it("hears what a session tells by itself (draft-ietf-wish-whep)", () => {
  const { stream, told, events } = open();
  stream.send("active", "{}");
  stream.send("inactive", "");
  stream.send("layers", '{"layers":[]}');
  stream.send("reconnect", '{"reason":"worker"}');
  stream.send("reconnect", "not json");
  stream.send("viewers", '{"count":3}');
  stream.send("ended", '{"reason":"over"}');
  expect(told).toEqual([true, false, { layers: [] }, "worker", "asked to", "ended"]);
  events.close();
  expect(stream.close).toHaveBeenCalled();
});

it("leaves a stream that broke off to the browser, and tells of one that was refused", () => {
  const { stream, told } = open();
  stream.readyState = 0;
  stream.dispatchEvent(new Event("error"));
  expect(told).toEqual([]);
  stream.readyState = 2;
  stream.dispatchEvent(new Event("error"));
  expect(told).toEqual(["lost"]);
});
