import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeDoor } from "./fake-door.ts";
import { RealtimeLink } from "./realtime-link.ts";

function open() {
  const door = new FakeDoor();
  const told: string[] = [];
  /** Resolves the proofs that are waited for: the first frame is there. */
  const proofs: (() => void)[] = [];
  let automatic = true;
  const link = new RealtimeLink({
    endpoint: "https://host/v1/whep/demo",
    means: door.means,
    sourceState: "live",
    prove: (_stream, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        if (automatic) resolve();
        else proofs.push(resolve);
      }),
    events: {
      connected: () => told.push("connected"),
      flowing: (flows) => told.push(flows ? "flows" : "silent"),
      changed: () => undefined,
      ended: () => told.push("ended"),
      sampled: () => undefined,
      gaveUp: (refusal) => told.push(`gave up: ${refusal}`),
    },
  });
  return {
    door,
    link,
    told,
    proofs,
    /** No frame comes by itself any more. */
    withhold() {
      automatic = false;
    },
    /** Time goes by, with media or without. */
    async passes(ms: number, { media = true } = {}) {
      for (let at = 0; at < ms; at += 100) {
        if (media && door.peers.length > 0) door.peer.packets += 3;
        await vi.advanceTimersByTimeAsync(100);
      }
    },
  };
}

const count = (requests: readonly string[], wanted: string) => requests.filter((request) => request === wanted).length;
const POST = "POST /v1/whep/demo";

describe("a real-time link (PLY1, RTC1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("MediaStream", class {});
    vi.spyOn(console, "info").mockReturnValue();
    vi.spyOn(console, "warn").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("offers to receive, takes the answer with its ICE servers, and ends the session when closed", async () => {
    const player = open();
    player.door.link = '<turn:turn.example>; rel="ice-server"; username="u"; credential="p"';
    await player.passes(1000);
    const { door, link, told } = player;
    expect(door.peer.asked).toEqual(["receive video", "receive audio", "local", "remote theirs"]);
    expect(door.peer.configuration.iceServers).toEqual([{ urls: "turn:turn.example", username: "u", credential: "p" }]);
    expect(door.bodies[0]).toContain("stereo=1");
    expect(told).toEqual(["connected"]);
    link.close();
    link.close();
    await player.passes(100);
    expect(count(door.requests, "DELETE /session/1")).toBe(1);
    expect(door.peer.connectionState).toBe("closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [404, "unavailable"],
    [503, "unavailable"],
    [406, "unsupported"],
    [415, "unsupported"],
    [403, "unavailable"],
  ])("gives up at once where the door answers %i", async (status, refusal) => {
    const player = open();
    player.door.status = status;
    await player.passes(100);
    expect(player.told).toEqual([`gave up: ${refusal}`]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives up where nothing comes through in five seconds, or ICE fails sooner", async () => {
    const slow = open();
    slow.withhold();
    await slow.passes(4900);
    expect(slow.told).toEqual([]);
    await slow.passes(200);
    expect(slow.told).toEqual(["gave up: blocked"]);
    expect(count(slow.door.requests, "DELETE /session/1")).toBe(1);

    const failed = open();
    failed.withhold();
    await failed.passes(500);
    failed.door.peer.enter("failed");
    await failed.passes(100);
    expect(failed.told).toEqual(["gave up: blocked"]);

    const pictureless = open();
    pictureless.withhold();
    await pictureless.passes(500);
    pictureless.door.peer.enter("connected");
    await pictureless.passes(5000);
    expect(pictureless.told).toEqual(["gave up: unavailable"]);
  });

  it("opens another session at once where a silent one is gone, and keeps the old picture until then", async () => {
    const player = open();
    await player.passes(2000);
    player.withhold();
    player.door.gone.add("/session/1");
    await player.passes(2000, { media: false });
    expect(count(player.door.requests, POST)).toBe(2);
    expect(player.told).toEqual(["connected", "silent"]);
    expect(player.door.peers[0]?.connectionState).not.toBe("closed");
    player.proofs.shift()?.();
    await player.passes(1000);
    expect(player.told).toEqual(["connected", "silent", "connected", "flows"]);
    expect(player.door.peers[0]?.connectionState).toBe("closed");
    expect(player.link.reconnects).toBe(1);
    player.link.close();
  });

  it("restarts ICE of a silent session that is alive, and opens another where that does not help", async () => {
    const player = open();
    await player.passes(2000);
    await player.passes(1700, { media: false });
    expect(player.door.requests).toContain("PATCH /session/1");
    expect(player.door.bodies[player.door.requests.indexOf("PATCH /session/1")]).toContain("a=ice-ufrag:ours");
    expect(player.door.peer.asked.slice(-3)).toEqual(["restart ICE", "local", "remote renewed"]);
    await player.passes(1000);
    expect(player.told).toEqual(["connected", "silent", "flows"]);
    await player.passes(5000, { media: false });
    expect(count(player.door.requests, POST)).toBe(2);
    player.link.close();
  });

  it("opens another session when it is told to, whether or not media still comes", async () => {
    const player = open();
    await player.passes(1000);
    expect(player.door.events.at(-1)?.url).toBe("/session/1/events");
    player.door.events.at(-1)?.send("reconnect", { reason: "worker" });
    await player.passes(200);
    expect(player.told).toEqual(["connected", "connected"]);
    expect(player.door.events.at(-1)?.url).toBe("/session/2/events");
    player.link.close();
    expect(player.door.events.at(-1)?.readyState).toBe(2);
  });

  it("comes back when the media worker is killed and its successor takes a moment", async () => {
    const player = open();
    await player.passes(1000);
    player.door.status = 503;
    player.door.gone.add("/session/1");
    player.door.events.at(-1)?.send("reconnect", { reason: "worker" });
    await player.passes(1500, { media: false });
    expect(player.told).toEqual(["connected", "silent"]);
    player.door.status = 201;
    await player.passes(2500);
    expect(player.told).toEqual(["connected", "silent", "connected", "flows"]);
    player.link.close();
  });

  it("gives a lost connection six seconds, and asks nobody after that", async () => {
    const player = open();
    await player.passes(1000);
    player.door.unreachable = true;
    await player.passes(5800, { media: false });
    expect(player.told).toEqual(["connected", "silent"]);
    await player.passes(1000, { media: false });
    expect(player.told).toEqual(["connected", "silent", "gave up: lost"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits for an encoder that is gone as long as the channel does", async () => {
    const player = open();
    await player.passes(1000);
    player.door.state = { state: "inactive" };
    player.link.setSourceState("interrupted");
    await player.passes(30_000, { media: false });
    expect(player.told).toEqual(["connected", "silent"]);
    player.door.state = { state: "active" };
    player.link.setSourceState("live");
    await player.passes(1000);
    expect(player.told).toEqual(["connected", "silent", "flows"]);
    player.link.close();
  });

  it("misses nothing while it is suspended", async () => {
    const player = open();
    await player.passes(1000);
    player.link.suspend();
    await player.passes(60_000, { media: false });
    expect(player.told).toEqual(["connected"]);
    player.link.resume();
    await player.passes(800, { media: false });
    await player.passes(1000);
    expect(player.told).toEqual(["connected"]);
    player.link.close();
  });

  it("drops a session that was opened after the link was closed", async () => {
    const player = open();
    player.link.close();
    await player.passes(100);
    expect(player.told).toEqual([]);
    expect(player.door.peer.connectionState).toBe("closed");
    expect(vi.getTimerCount()).toBe(0);
  });
});
