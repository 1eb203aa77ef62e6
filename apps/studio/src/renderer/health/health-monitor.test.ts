import { ManualClock } from "@klieg/base";
import { IDLE_BROADCAST, type StudioEvent } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { addSource } from "../../document/edit.ts";
import { DEFAULT_AUDIO } from "../../document/source.ts";
import { newDocument } from "../../document/studio-document.ts";
import type { MediaStatistics } from "../media/media-contract.ts";
import { type Level, PROGRAM } from "../media/mixer/mixer-contract.ts";
import { EngineStore } from "../state/engine-store.ts";
import { EngineEnd, WELCOME } from "../state/testing/engine-end.ts";
import { HealthMonitor } from "./health-monitor.ts";

const media: MediaStatistics = {
  renderFrameRate: 30,
  wantedFrameRate: 30,
  renderMs: 3,
  longestRenderMs: 8,
  sources: [],
  dropped: { render: 0, encode: 0, link: 0 },
  encoderQueue: 1,
  encodeMs: 4,
  wantedBitrate: 4_500_000,
  encodedBitrate: 4_500_000,
  encodedFrameRate: 30,
  encoder: { name: "browser_hardware", hardware: true, label: "Intel GPU", codec: "" },
  whip: [],
  isolated: [],
  problem: undefined,
  failedEncoder: undefined,
};

/** An engine that tells what the test says, a mixer as loud as the test says, and a clock that it turns. */
function studio() {
  const clock = new ManualClock();
  const link = new EngineEnd({ state: "open", welcome: WELCOME });
  const loudness = { momentary: -16, shortTerm: -16, integrated: -16 };
  const program: { -readonly [Name in keyof Level]: Level[Name] } = { peakDb: -6, rmsDb: -16, reductionDb: 0 };
  const bare = newDocument("Scene");
  const microphone = {
    id: "m",
    name: "Mic",
    kind: "microphone",
    audio: DEFAULT_AUDIO,
    device: { id: "", label: "" },
    echo_cancellation: false,
  } as const;
  const document = addSource(bare, microphone, bare.program);
  const engine = new EngineStore(link, () => clock.wall());
  const monitor = new HealthMonitor(
    {
      engine,
      mixer: { state: "running", meters: () => new Map([[PROGRAM, program]]), loudness: () => loudness },
      captures: { get: () => undefined },
      statistics: () => media,
      document: () => document,
      hidden: () => false,
    },
    clock,
  );
  const tell = (event: StudioEvent) => link.tell(event);
  const tellHealth = () =>
    tell({
      event: "health",
      at: clock.wall(),
      destinations: [],
      server: [],
      program: { frame_rate: 30, video_bitrate: 4e6, audio_bitrate: 1e5 },
    });
  const goLive = () => tell({ event: "broadcast", broadcast: { ...IDLE_BROADCAST, state: "live", started_at: 1 } });
  return {
    clock,
    loudness,
    program,
    monitor,
    tell,
    goLive,
    /** @param fed whether the engine tells its figures meanwhile. */
    pass: (seconds: number, fed = true) => {
      for (let second = 0; second < seconds; second += 1) {
        if (fed) tellHealth();
        clock.advance(1000);
      }
    },
    health: () => monitor.state.getState().health,
    [Symbol.dispose]: () => {
      monitor[Symbol.dispose]();
      engine[Symbol.dispose]();
    },
  };
}

describe("the monitor of a show's health (STU4)", () => {
  test("turns its light the moment that a broadcast begins and ends", () => {
    using show = studio();
    show.clock.advance(1000);
    expect(show.health().light).toBe("idle");
    show.goLive();
    expect(show.health().light).toBe("good");
    show.tell({ event: "broadcast", broadcast: IDLE_BROADCAST });
    expect(show.health().light).toBe("idle");
  });

  test("has a value for each second, and begins anew with each broadcast", () => {
    using show = studio();
    show.goLive();
    show.pass(10);
    expect(show.monitor.history.encodeMs.size).toBe(11);
    show.tell({ event: "broadcast", broadcast: IDLE_BROADCAST });
    show.pass(5);
    show.goLive();
    expect(show.monitor.history.encodeMs.size).toBe(1);
  });

  test("says so where the engine tells no figures any more, and that it does again", () => {
    using show = studio();
    show.goLive();
    show.pass(5);
    expect(show.health().light).toBe("good");
    show.pass(6, false);
    expect(show.health()).toMatchObject({ light: "warn" });
    expect(show.health().headline).toMatch(/^No figures for/);
    show.pass(1);
    expect(show.health().light).toBe("good");
  });

  test("hears silence, and distortion", () => {
    using show = studio();
    show.goLive();
    show.loudness.shortTerm = Number.NEGATIVE_INFINITY;
    show.pass(19);
    expect(show.health().alerts).toEqual([]);
    show.pass(3);
    expect(show.health().headline).toMatch(/^Nothing has been heard for 2\d s$/);
    show.loudness.shortTerm = -10;
    show.program.reductionDb = 9;
    show.pass(4);
    expect(show.health().headline).toBe("The sound is too loud");
  });

  test("holds no timer once it is disposed", () => {
    const show = studio();
    show[Symbol.dispose]();
    const before = show.monitor.state.getState();
    show.clock.advance(5000);
    expect(show.monitor.state.getState()).toBe(before);
  });
});
