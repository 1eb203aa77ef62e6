import type { RoomProducer } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api-error.ts";
import { Reception } from "./reception.ts";
import { FakeMedia, producer } from "./testing/fake-room.ts";

const LARGE = { width: 1280, height: 720 };
const SMALL = { width: 200, height: 112 };

function open() {
  const log: string[] = [];
  const reception = new Reception({
    onReceived: ({ id }) => log.push(`+${id}`),
    onForgotten: ({ id }) => log.push(`-${id}`),
  });
  const media = new FakeMedia({} as never);
  const settle = () => vi.advanceTimersByTimeAsync(300);
  return { reception, media, log, settle, with: (...list: RoomProducer[]) => reception.setProducers(list) };
}

describe("what is received (RTC2)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "info").mockReturnValue();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("is every sound, and of pictures those on screen, as large as they are shown", async () => {
    const { reception, media, log, settle } = open();
    reception.attach(media, [producer("ben", "microphone"), producer("ben", "camera"), producer("eve", "camera")]);
    await settle();
    expect(media.asked).toEqual(["receive ben-microphone"]);
    reception.show("ben-camera", SMALL);
    await settle();
    expect(media.asked.slice(1)).toEqual(["receive ben-camera", "wish ben-camera 0"]);
    reception.show("ben-camera", LARGE);
    await settle();
    expect(media.asked.slice(3)).toEqual(["wish ben-camera 2"]);
    expect(log).toEqual(["+ben-microphone", "+ben-camera"]);
    reception.close();
  });

  it("pauses what is out of sight, but not while tiles only change places", async () => {
    const { reception, media, settle } = open();
    reception.attach(media, [producer("ben", "camera")]);
    reception.show("ben-camera", LARGE);
    await settle();
    media.asked.length = 0;
    reception.show("ben-camera", null);
    reception.show("ben-camera", LARGE);
    await settle();
    expect(media.asked).toEqual([]);
    reception.show("ben-camera", null);
    await settle();
    expect(media.asked).toEqual(["wish ben-camera paused"]);
    reception.show("ben-camera", SMALL);
    await settle();
    expect(media.asked.slice(1)).toEqual(["wish ben-camera 0"]);
    reception.close();
  });

  it("pauses every picture while the tab is in the background, and no sound", async () => {
    const { reception, media, settle } = open();
    reception.attach(media, [producer("ben", "camera"), producer("ben", "microphone"), producer("eve", "screen")]);
    reception.show("ben-camera", SMALL);
    reception.show("eve-screen", LARGE);
    await settle();
    media.asked.length = 0;
    reception.setHidden(true);
    reception.setHidden(true);
    expect(media.asked).toEqual(["wish ben-camera paused", "wish eve-screen paused"]);
    reception.setHidden(false);
    expect(media.asked.slice(2)).toEqual(["wish ben-camera 0", "wish eve-screen best"]);
    reception.close();
  });

  it("forgets what is not sent any more, also what was on its way", async () => {
    const { reception, media, log } = open();
    reception.attach(media, [producer("ben", "microphone")]);
    reception.setProducers([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(media.asked).toEqual(["receive ben-microphone", "forget ben-microphone", "forget ben-microphone"]);
    expect(log).toEqual(["-ben-microphone"]);
    reception.close();
  });

  it("receives everything anew after a reconnection, with what was shown still known", async () => {
    const { reception, media, settle } = open();
    reception.attach(media, [producer("ben", "camera"), producer("ben", "microphone")]);
    reception.show("ben-camera", SMALL);
    await settle();
    reception.detach();
    const next = new FakeMedia({} as never);
    reception.attach(next, [producer("ben", "camera"), producer("ben", "microphone", { id: "new-microphone" })]);
    await settle();
    expect(next.asked).toEqual(["receive ben-camera", "receive new-microphone", "wish ben-camera 0"]);
    reception.close();
  });

  it("tries again what could not be received, a few times", async () => {
    const { reception, media } = open();
    let tries = 0;
    media.receive = async () => {
      tries += 1;
      throw new ApiError("internal", "", true);
    };
    reception.attach(media, [producer("ben", "microphone")]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tries).toBe(4);
    reception.setProducers([]);
    reception.close();
  });
});
