import { systemClock } from "@klieg/base";
import { makeFootage } from "@klieg/ffmpeg/testing";
import { type AccessUnit, type AudioTrack, parseAvcConfig, type VideoTrack } from "@klieg/media";
import { expect, test } from "vitest";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { TranscodeEngine } from "./transcode-engine.ts";
import { type RunPlan, TranscodeRun } from "./transcode-run.ts";

const engine = await TranscodeEngine.start({ logger: new RecordingLogger() });
const RUNG = { name: "90p", width: 160, height: 90, frameRate: 30, frameRateDivisor: 1, bitrate: 300_000 };

function trackOf<K extends "video" | "audio">(units: readonly AccessUnit[], kind: K) {
  return units.find(({ track }) => track.kind === kind)?.track as K extends "video" ? VideoTrack : AudioTrack;
}

async function make(units: readonly AccessUnit[], plan: RunPlan): Promise<AccessUnit[]> {
  const made: AccessUnit[] = [];
  const { binary, cores, setpriv } = engine;
  if (binary === undefined) throw new Error(engine.problem);
  await using run = new TranscodeRun({
    ...{ binary, plan, cores, setpriv, clock: systemClock, stretch: 0, after: undefined },
    seed: units.slice(0, 20),
    sink: {
      onAccessUnit: (_run, _rung, unit) => void made.push(unit),
      onDropped: () => expect.unreachable("FFmpeg did not read what it was given"),
      onExit: () => undefined,
    },
  });
  for (const unit of units.slice(20)) run.push(unit);
  run.finish();
  const exit = await run.exited;
  expect(exit.code, exit.message).toBe(0);
  return made;
}

test("RTC3: for WebRTC a picture is made without B-frames, in constrained baseline, with a keyframe each second", async () => {
  const units = await makeFootage({ seconds: 3, gop: 75, bFrames: 2 });
  const track = trackOf(units, "video");
  const encoder = engine.encoder;
  if (encoder === undefined) throw new Error(engine.problem);
  const made = await make(units, {
    video: { track, frameRate: 30, rungs: [RUNG], encoder, preset: "superfast" },
    audio: undefined,
    keyframeSeconds: 1,
    realtime: true,
  });
  expect(made.map(({ pts }) => pts)).toEqual(units.map(({ pts }) => pts).toSorted((a, b) => a - b));
  expect(made.every(({ pts, dts }) => pts === dts)).toBe(true);
  const keyframes = made.filter(({ keyframe }) => keyframe).map(({ pts }) => Math.round(pts / 3000));
  expect(keyframes.map((frame) => frame - (keyframes[0] as number))).toEqual([0, 30, 60]);
  const config = parseAvcConfig((made[0] as AccessUnit).track.config);
  // Baseline with constraint_set1_flag: RFC 6184 § 8.1 calls that constrained baseline.
  expect([config.profileIdc, config.constraints & 0x40]).toEqual([66, 0x40]);
});

test("RTC3: for WebRTC sound is made into Opus of 20 ms a packet, where it was", async () => {
  const units = (await makeFootage({ seconds: 2, audio: "aac" })).filter(({ track }) => track.kind === "audio");
  const track = trackOf(units, "audio");
  const made = await make(units, {
    video: undefined,
    audio: { track, codec: "opus", channels: 2, sampleRate: 48_000, bitrate: 128_000 },
    keyframeSeconds: 1,
    realtime: true,
  });
  expect(made[0]?.track).toMatchObject({ kind: "audio", codec: "opus", channels: 2 });
  const steps = new Set(made.slice(1).map(({ pts }, i) => pts - (made[i] as AccessUnit).pts));
  expect([...steps]).toEqual([1800]);
  expect(Math.abs((made[0] as AccessUnit).pts - (units[0] as AccessUnit).pts)).toBeLessThan(1800);
  expect(made.length).toBeGreaterThan(95);
});

test("RTC3: neither input of FFmpeg waits for the other, however much the one is to carry", {
  timeout: 30_000,
}, async () => {
  const units = await makeFootage({ width: 640, height: 360, seconds: 3, noise: true, audio: "aac" });
  const encoder = engine.encoder;
  if (encoder === undefined) throw new Error(engine.problem);
  // Apart from the sound, as VP8, VP9 and AV1 come: here to have so much of it without encoding for long.
  const made = await make(units, {
    video: { track: trackOf(units, "video"), frameRate: 30, rungs: [RUNG], encoder, preset: "superfast" },
    audio: { track: trackOf(units, "audio"), codec: "aac", channels: 2, sampleRate: 48_000, bitrate: 128_000 },
    keyframeSeconds: 1,
    realtime: true,
  });
  expect(made.filter(({ track }) => track.kind === "video")).toHaveLength(90);
  expect(made.filter(({ track }) => track.kind === "audio").length).toBeGreaterThan(135);
});
