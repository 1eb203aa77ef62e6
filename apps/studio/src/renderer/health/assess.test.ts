import {
  type BroadcastState,
  type DestinationState,
  IDLE_BROADCAST,
  IDLE_PROGRAM,
  IDLE_RECORDING,
  type ServerHealth,
} from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { DEFAULT_ENCODING } from "../../document/encoding.ts";
import type { MediaStatistics } from "../media/media-contract.ts";
import { assess, type Health } from "./assess.ts";
import { type Connection, connectionsOf } from "./connection.ts";
import { HealthHistory } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";

const START = 1_700_000_000_000;

const media: MediaStatistics = {
  renderFrameRate: 30,
  wantedFrameRate: 30,
  renderMs: 3,
  longestRenderMs: 8,
  sources: [],
  dropped: { render: 0, encode: 0, link: 0 },
  encoderQueue: 1,
  encodeMs: 4.2,
  wantedBitrate: 4_500_000,
  encodedBitrate: 4_480_000,
  encodedFrameRate: 30,
  encoder: { name: "browser_hardware", hardware: true, label: "NVIDIA GPU", codec: "avc1.64001f" },
  whip: [],
  isolated: [],
  problem: undefined,
  failedEncoder: undefined,
};

const connection: Connection = {
  id: "home",
  name: "Home",
  carrier: "srt",
  state: "live",
  attempt: 0,
  nextAttemptAt: undefined,
  problem: null,
  watchUrl: undefined,
  bitrate: 4_600_000,
  rttMs: 31,
  loss: 0.003,
  retransmitted: 12,
  bufferMs: 40,
  droppedFrames: 0,
  limitedBy: undefined,
  targetBitrate: undefined,
  encoding: undefined,
};

const server: ServerHealth = {
  destination: "home",
  state: "live",
  bitrate: 4_550_000,
  frame_rate: 30,
  keyframe_interval_ms: 2000,
  warnings: [],
  renditions: [{ name: "720p", state: "live", width: 1280, height: 720 }],
  viewers: 12,
  at: START,
};

const healthy: HealthSample = {
  now: START,
  linked: true,
  broadcast: { ...IDLE_BROADCAST, state: "live", started_at: START, live_at: START },
  program: { state: "fed", since: START },
  recording: IDLE_RECORDING,
  connections: [connection],
  server: [server],
  silentEngineSince: undefined,
  media,
  encoding: DEFAULT_ENCODING,
  askedBitrate: 4_500_000,
  bitrateReason: "full",
  troubledSources: [],
  viewers: 12,
  hidden: false,
  silentMs: 0,
  clipped: false,
};

/** What is said after `seconds` of a sample, the last of which may be told by its number. */
function after(seconds: number, at: (second: number) => Partial<HealthSample>): Health {
  const history = new HealthHistory();
  let health: Health | undefined;
  for (let second = 0; second < seconds; second += 1) {
    const sample = { ...healthy, now: START + second * 1000, ...at(second) };
    history.add(sample);
    health = assess(sample, history);
  }
  if (health === undefined) throw new Error("no seconds");
  return health;
}

const dropping = (cause: "render" | "encode" | "link", each: number) => (second: number) => ({
  media: { ...media, dropped: { render: 0, encode: 0, link: 0, [cause]: second * each } },
});
const titles = (health: Health) => health.alerts.map(({ title }) => title);

describe("the one light (STU4)", () => {
  test("is green and says so while all is well", () => {
    expect(after(30, () => ({}))).toEqual({ light: "good", headline: "All is well", alerts: [] });
  });

  test("is dark off air", () => {
    const idle = { broadcast: IDLE_BROADCAST, program: IDLE_PROGRAM, connections: [], server: [], media: undefined };
    expect(after(3, () => idle)).toEqual({ light: "idle", headline: "Off air", alerts: [] });
  });

  test("is no better than what is known", () => {
    const health = after(10, () => ({ silentEngineSince: START }));
    expect(health.light).toBe("warn");
    expect(health.headline).toBe("No figures for 9 s");
  });

  test("is as bad as the worst, which is told first", () => {
    const health = after(20, (second) => ({
      ...dropping("encode", 2)(second),
      program: { state: "held", since: START },
    }));
    expect(health.light).toBe("bad");
    expect(titles(health)).toEqual(["Viewers see a still picture", "The NVIDIA GPU encodes too slowly"]);
    expect(health.headline).toBe("Viewers see a still picture");
  });

  test("is off air's own matter where the engine is away", () => {
    const health = after(1, () => ({ broadcast: IDLE_BROADCAST, linked: false }));
    expect(health.light).toBe("bad");
    expect(health.alerts[0]?.advice).toMatch(/reconnects by itself/);
  });
});

describe("alerts say what is and what to do (STU4)", () => {
  test("a bitrate that follows the network down, and up again", () => {
    const lowered = { askedBitrate: 4_200_000, encoding: { ...DEFAULT_ENCODING, video_bitrate: 6_000_000 } };
    const down = after(10, () => ({ ...lowered, bitrateReason: "queue" }));
    expect(down.light).toBe("warn");
    expect(down.headline).toBe("Upload can't keep 6.0 Mb/s: lowered to 4.2");
    const up = after(10, () => ({ ...lowered, bitrateReason: "probing" }));
    expect(up.light).toBe("good");
    expect(up.headline).toBe("Upload recovers: 4.2 of 6.0 Mb/s");
    const busy = after(10, () => ({ ...lowered, bitrateReason: "busy" }));
    expect(busy.headline).toBe("This computer can't keep sending 6.0 Mb/s: lowered to 4.2");
    expect(busy.alerts[0]?.advice).toMatch(/upload may be fine/);
    const long = after(120, () => ({ ...lowered, bitrateReason: "loss" }));
    expect(long.alerts[0]?.advice).toMatch(/^It has been so for 2 min\./);
  });

  test("frames that the network did not take", () => {
    const lost = (second: number) => ({ connections: [{ ...connection, droppedFrames: second < 5 ? 0 : 7 }] });
    expect(titles(after(10, lost))).toEqual(["7 frames lost to the network"]);
    // What is over is not told for ever.
    expect(titles(after(30, lost))).toEqual([]);
    const fixed = after(10, (second) => ({ ...lost(second), encoding: { ...DEFAULT_ENCODING, adaptive: false } }));
    expect(fixed.light).toBe("bad");
    expect(fixed.alerts[0]?.action).toEqual({ do: "open_settings", page: "video" });
  });

  test("WebRTC that the network holds back, once that lasts, and its recovery", () => {
    const encoding = { ...DEFAULT_ENCODING, video_bitrate: 4_000_000 };
    const held = (targetBitrate: number) => ({
      encoding,
      connections: [{ ...connection, carrier: "whip" as const, limitedBy: "bandwidth", targetBitrate }],
    });
    expect(titles(after(5, () => held(1_900_000)))).toEqual([]);
    expect(titles(after(15, () => held(1_900_000)))).toEqual(["Upload can't keep 4.0 Mb/s: lowered to 1.9"]);
    const rising = after(30, (second) => held(Math.min(3_700_000, 1_000_000 + second * 100_000)));
    expect(rising.headline).toBe("Upload recovers: 3.7 of 4.0 Mb/s");
    expect(after(15, () => held(3_900_000)).light).toBe("good");
    // The picture has its size still, and takes all that it may; or is a still one, which needs no more.
    const plain = (bitrate: number) => {
      const way = { carrier: "whip" as const, limitedBy: "none", targetBitrate: 1_900_000, bitrate };
      return { encoding, connections: [{ ...connection, ...way }] };
    };
    expect(titles(after(15, () => plain(1_800_000)))).toEqual(["Upload can't keep 4.0 Mb/s: lowered to 1.9"]);
    expect(titles(after(15, () => plain(300_000)))).toEqual([]);
  });

  test("frames that nobody was there for are no fault of the upload", () => {
    const away = (second: number): Connection => {
      if (second < 5 || second > 12) return { ...connection, droppedFrames: second < 5 ? 0 : 200 };
      // Nothing is acknowledged any more, then the connection is given up.
      const gone = { ...connection, droppedFrames: (second - 4) * 25, bufferMs: 2200 };
      return second < 8 ? gone : { ...gone, state: "reconnecting", bufferMs: 0 };
    };
    for (const seconds of [7, 10, 14, 20]) {
      const all = titles(after(seconds, (second) => ({ connections: [away(second)] })));
      expect(all.filter((title) => /lost to the network/.test(title))).toEqual([]);
    }
  });

  test("loss, a long way and a full buffer, where they last", () => {
    expect(titles(after(20, () => ({ connections: [{ ...connection, loss: 0.04 }] })))).toEqual([
      "The network loses 4.0% of packets",
    ]);
    expect(after(20, () => ({ connections: [{ ...connection, loss: 0.2 }] })).light).toBe("bad");
    expect(titles(after(20, () => ({ connections: [{ ...connection, rttMs: 600 }] })))).toEqual([
      "The server is 600 ms away",
    ]);
    expect(titles(after(20, () => ({ connections: [{ ...connection, bufferMs: 2100 }] })))).toEqual([
      "2.1 s wait to be sent",
    ]);
    // One bad second is none of these.
    const once = (second: number) => ({ connections: [{ ...connection, loss: second === 8 ? 0.1 : 0 }] });
    expect(after(20, once).alerts).toEqual([]);
  });

  test("an encoder that is too slow, by its name", () => {
    expect(titles(after(20, dropping("encode", 1)))).toEqual(["The NVIDIA GPU encodes too slowly"]);
    expect(after(20, dropping("encode", 12)).light).toBe("bad");
  });

  test("pictures that are not drawn, and a hidden window as their cause", () => {
    const slow = { media: { ...media, renderFrameRate: 24 } };
    const health = after(20, () => slow);
    expect(health.headline).toBe("Only 24 of 30 frames a second are drawn");
    expect(health.light).toBe("warn");
    const hidden = after(20, () => ({ media: { ...media, renderFrameRate: 5 }, hidden: true }));
    expect(hidden.light).toBe("bad");
    expect(hidden.alerts[0]?.advice).toMatch(/Bring it to the front/);
  });

  test("a graphics card that was reset, on air or not, and what a browser cannot do at all", () => {
    const error = { code: "encoder_unavailable", message: "No H.264.", retryable: false } as const;
    const lost = { media: { ...media, problem: { kind: "gpu_lost", error } } } as const;
    expect(after(1, () => lost)).toMatchObject({ light: "bad", headline: "The graphics card was reset" });
    expect(after(1, () => ({ ...lost, broadcast: IDLE_BROADCAST })).light).toBe("bad");
    const none = after(1, () => ({ media: { ...media, problem: { kind: "encoder", error } } }));
    expect(none.alerts).toMatchObject([
      { title: "Nothing encodes the show", advice: "No H.264. Choose another encoder.", action: { page: "video" } },
    ]);
    expect(titles(after(1, () => ({ media: { ...media, problem: { kind: "no_webgl", error } } })))).toEqual([
      "Pictures cannot be composed here",
    ]);
    expect(titles(after(1, () => ({ media: { ...media, problem: { kind: "worker", error } } })))).toEqual([
      "Drawing has stopped",
    ]);
  });

  test("an encoder that took over from another, which is no trouble", () => {
    const failedEncoder = {
      code: "encoder_unavailable",
      message: "NVIDIA GPU stopped encoding: gone.",
      retryable: false,
    } as const;
    const encoder = { name: "browser_software", hardware: false, label: "CPU", codec: "avc1.64001f" };
    const health = after(1, () => ({ media: { ...media, failedEncoder, encoder } }));
    expect(health).toMatchObject({ light: "good", headline: "The CPU encodes now" });
    expect(health.alerts[0]?.advice).toMatch(/^NVIDIA GPU stopped encoding: gone/);
  });

  test("an engine that does not keep up", () => {
    expect(titles(after(20, dropping("link", 2)))).toEqual(["The engine does not keep up with the program"]);
  });

  test("a camera that is gone from the scene on air, and one that is not on air", () => {
    const camera = { id: "c", name: "Desk camera", state: "gone", message: "", onAir: true } as const;
    const shown = after(1, () => ({ troubledSources: [camera] }));
    expect(shown).toMatchObject({ light: "warn", headline: "Desk camera is gone" });
    expect(shown.alerts[0]?.action).toEqual({ do: "open_source", id: "c" });
    expect(after(1, () => ({ troubledSources: [{ ...camera, onAir: false }] })).light).toBe("good");
    expect(after(1, () => ({ troubledSources: [{ ...camera, state: "waiting" }] })).alerts).toEqual([]);
  });

  test("a destination that reconnects, with the seconds till it tries again", () => {
    const problem = { code: "unreachable", message: "The server hung up.", retryable: true } as const;
    const lost = { ...connection, state: "reconnecting", attempt: 3, problem, nextAttemptAt: START + 4000 } as const;
    const alone = after(1, () => ({ connections: [lost] }));
    expect(alone.light).toBe("bad");
    expect(alone.headline).toBe("Home: next attempt in 4 s");
    expect(alone.alerts[0]).toMatchObject({
      advice: "The server hung up. Attempt 3.",
      action: { do: "retry_destination", id: "home" },
    });
    const other = { ...connection, id: "other", name: "Other" };
    expect(after(1, () => ({ connections: [lost, other] })).light).toBe("warn");
    const unreached = { ...lost, state: "connecting", nextAttemptAt: undefined } as const;
    const early = after(1, () => ({ connections: [unreached] }));
    expect(early).toMatchObject({ light: "bad", headline: "Home: trying to connect" });
    expect(titles(after(1, () => ({ connections: [{ ...unreached, problem: null }] })))).toEqual([]);
    const failed = after(1, () => ({ connections: [{ ...lost, state: "failed" }, other] }));
    expect(failed.light).toBe("bad");
    expect(failed.headline).toBe("Home does not get your show");
    expect(failed.alerts[0]?.action).toEqual({ do: "retry_destination", id: lost.id });
    const revoked = { code: "stream_key_revoked", message: "No more.", retryable: false } as const;
    const keyless = after(1, () => ({ connections: [{ ...lost, state: "failed", problem: revoked }, other] }));
    expect(keyless.alerts[0]).toMatchObject({ advice: "No more.", action: { do: "edit_destination", id: lost.id } });
  });

  test("what the server sees", () => {
    const message = "Keyframes come 6.0 s apart; 4 s is the most. Set the encoder's keyframe interval to 2 s.";
    const warned = { code: "keyframe_interval_too_long", message, since: new Date(START).toISOString() };
    const health = after(1, () => ({ server: [{ ...server, keyframe_interval_ms: 6000, warnings: [warned] }] }));
    expect(titles(health)).toEqual(["The server sees keyframes only every 6.0 s"]);
    expect(health.alerts[0]?.advice).toBe(message);
    expect(after(1, () => ({ server: [{ ...server, state: "interrupted" }] })).light).toBe("bad");
    expect(titles(after(20, () => ({ server: [{ ...server, bitrate: 1_150_000 }] })))).toEqual([
      "The server receives only 25% of what is sent",
    ]);
    const failed = { name: "480p", state: "failed", width: 854, height: 480 };
    expect(titles(after(1, () => ({ server: [{ ...server, renditions: [failed] }] })))).toEqual([
      "The server does not make 480p",
    ]);
  });

  test("a recording that stopped, and a disk that fills", () => {
    const problem = { code: "storage_unavailable", message: "The disk is full.", retryable: true } as const;
    const failed = after(1, () => ({ recording: { ...IDLE_RECORDING, state: "failed", problem } }));
    expect(failed).toMatchObject({ light: "bad", headline: "The recording has stopped" });
    expect(failed.alerts[0]?.advice).toBe("The disk is full.");
    const recording = { ...IDLE_RECORDING, state: "recording", duration_ms: 60_000, bytes: 40_000_000 } as const;
    const left = (free: number) => after(1, () => ({ recording: { ...recording, free_bytes: free } }));
    expect(left(4e9).alerts).toEqual([]);
    expect(left(400e6).headline).toBe("The recording's disk has 400 MB left");
    expect(left(400e6).alerts[0]?.advice).toMatch(/^Enough for 10 min\./);
    expect(left(80e6).light).toBe("bad");
  });

  test("silence and distortion", () => {
    expect(after(1, () => ({ silentMs: 25_000 })).headline).toBe("Nothing has been heard for 25 s");
    expect(after(1, () => ({ clipped: true })).headline).toBe("The sound is too loud");
    expect(after(1, () => ({ silentMs: 25_000, broadcast: IDLE_BROADCAST })).alerts).toEqual([]);
  });
});

describe("a destination, whichever end sends to it (STU4)", () => {
  const state: DestinationState = {
    id: "home",
    state: "connecting",
    since: START,
    attempt: 1,
    next_attempt_at: null,
    problem: null,
    stream_id: null,
    watch_url: null,
  };
  const destination = {
    id: "home",
    name: "Home",
    enabled: true,
    kind: "klieg",
    url: "http://localhost:8080",
    channel: "demo",
    protocol: "whip",
  } as const;
  const whip = {
    destinationId: "home",
    state: "live",
    attempt: 0,
    nextAttemptAt: undefined,
    problem: undefined,
    statistics: {
      bitrate: 2_000_000,
      availableBitrate: 3_000_000,
      targetBitrate: 2_000_000,
      frameRate: 30,
      width: 1280,
      height: 720,
      rttMs: 12,
      loss: 0.01,
      retransmitted: 3,
      limitedBy: "none",
      codec: "video/H264",
      encoder: "OpenH264",
      hardware: false,
    },
  } as const;
  const broadcast: BroadcastState = { ...IDLE_BROADCAST, state: "live", destinations: [state] };

  test("is told by the page where it sends by WebRTC", () => {
    const [joined] = connectionsOf(broadcast, [destination], undefined, [whip]);
    expect(joined).toMatchObject({ name: "Home", carrier: "whip", state: "live", bitrate: 2_000_000, rttMs: 12 });
    expect(joined?.encoding).toBe("OpenH264, CPU, 1280 × 720 at 30 fps");
  });

  test("is stopped once its operator stopped it", () => {
    const stopped = { ...broadcast, destinations: [{ ...state, state: "stopped" as const }] };
    expect(connectionsOf(stopped, [destination], undefined, [whip])[0]?.state).toBe("stopped");
  });

  test("is told by the engine else", () => {
    const sent = {
      id: "home",
      bitrate: 4e6,
      rtt_ms: 20,
      loss: null,
      retransmitted: null,
      buffer_ms: 10,
      dropped_frames: 2,
    };
    const health = {
      event: "health" as const,
      at: START,
      destinations: [sent],
      server: [],
      program: { frame_rate: 30, video_bitrate: 4e6, audio_bitrate: 1e5 },
    };
    const [joined] = connectionsOf(broadcast, [{ ...destination, protocol: "srt" }], health, []);
    expect(joined).toMatchObject({ state: "connecting", rttMs: 20, loss: undefined, droppedFrames: 2, carrier: "srt" });
  });
});
