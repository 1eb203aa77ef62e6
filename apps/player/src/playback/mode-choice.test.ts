import { describe, expect, it } from "vitest";
import { ModeChoice } from "./mode-choice.ts";
import { Preferences } from "./preferences.ts";

const MINUTE = 60_000;

function open(supported = true) {
  const preferences = new Preferences(null);
  return { preferences, choice: new ModeChoice(preferences, supported) };
}

describe("real time or low latency (PLY1)", () => {
  it("is the viewer's wish, else the channel's, where both ends can", () => {
    const { choice, preferences } = open();
    expect(choice.wanted(0)).toBe("hls");
    choice.offer(true, "hls");
    expect(choice.wanted(0)).toBe("hls");
    choice.offer(true, "realtime");
    expect(choice.wanted(0)).toBe("realtime");
    choice.choose("hls");
    expect(choice.wanted(0)).toBe("hls");
    choice.choose("realtime");
    expect(preferences.current.mode).toBe("realtime");
    choice.offer(false, "hls");
    expect(choice.wanted(0)).toBe("hls");
    expect(choice.modes(false)).toMatchObject({ offered: false, chosen: "realtime" });

    const old = open(false);
    old.choice.offer(true, "realtime");
    expect(old.choice.wanted(0)).toBe("hls");
    expect(old.choice.modes(false).offered).toBe(false);
  });

  it("tells the viewer of a refusal once, and tries again after minutes, ever more of them", () => {
    const { choice } = open();
    choice.offer(true, "realtime");
    expect(choice.refuse("blocked", 0)).toBe(true);
    expect(choice.modes(false).refusal).toBe("blocked");
    expect(choice.wanted(2 * MINUTE)).toBe("hls");
    expect(choice.wanted(3 * MINUTE)).toBe("realtime");
    expect(choice.refuse("blocked", 3 * MINUTE)).toBe(false);
    expect(choice.wanted(8 * MINUTE)).toBe("hls");
    expect(choice.wanted(9 * MINUTE)).toBe("realtime");
    for (let time = 0; time < 10; time++) choice.refuse("blocked", 10 * MINUTE);
    expect(choice.wanted(24 * MINUTE)).toBe("hls");
    expect(choice.wanted(25 * MINUTE)).toBe("realtime");
    choice.succeed();
    choice.settle();
    expect(choice.refuse("lost", 60 * MINUTE)).toBe(false);
    expect(choice.wanted(63 * MINUTE)).toBe("realtime");
  });

  it("tries again at once when asked, and tells again if that fails", () => {
    const { choice } = open();
    choice.offer(true, "realtime");
    choice.refuse("unavailable", 0);
    choice.choose("realtime");
    expect(choice.wanted(1)).toBe("realtime");
    expect(choice.refuse("unavailable", 2)).toBe(true);
  });

  it("tries what the browser cannot decode, or the server could not do, again with the next source only", () => {
    const { choice } = open();
    choice.offer(true, "realtime");
    choice.refuse("unsupported", 0);
    expect(choice.wanted(100 * MINUTE)).toBe("hls");
    choice.renew();
    expect(choice.wanted(100 * MINUTE)).toBe("realtime");
    choice.refuse("blocked", 100 * MINUTE);
    choice.renew();
    expect(choice.wanted(101 * MINUTE)).toBe("hls");
  });
});
