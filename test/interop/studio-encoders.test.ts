import { systemClock } from "@klieg/base";
import { type FfmpegBinary, findFfmpeg, type VideoEncoder, type VideoEncoderName } from "@klieg/ffmpeg";
import { type FakeHardware, fakeFfmpeg } from "@klieg/ffmpeg/testing";
import type { AccessUnit } from "@klieg/media";
import { beforeAll, describe, expect, test } from "vitest";
import { EncoderShelf } from "../../apps/studio/src/engine/encode/encoder-shelf.ts";
import { PictureEncoder } from "../../apps/studio/src/engine/encode/picture-encoder.ts";
import { requirePackages } from "../harness/required-packages.ts";

requirePackages("ffmpeg");

const WIDTH = 160;
const HEIGHT = 90;
const PICTURE_BYTES = (WIDTH * HEIGHT * 3) / 2;
const FRAME_RATE = 30;
const STEP = 90_000 / FRAME_RATE;

let ffmpeg: FfmpegBinary;
beforeAll(async () => {
  const { binary } = await findFfmpeg();
  if (binary === undefined) throw new Error("there is no FFmpeg");
  ffmpeg = binary;
});

/** A picture that differs from the one before. */
function picture(number: number): Uint8Array {
  const data = new Uint8Array(PICTURE_BYTES).fill(128);
  for (let i = 0; i < WIDTH * HEIGHT; i += 1) data[i] = (i + number * 7) & 0xff;
  return data;
}

const SOFTWARE: VideoEncoder = { name: "libx264", hardware: false, device: undefined, options: new Set() };
const HARDWARE: readonly VideoEncoderName[] = ["h264_nvenc", "h264_qsv", "h264_vaapi", "h264_amf", "h264_videotoolbox"];

/** Pictures in real time into an encoder until `enough` of what it made says so. */
async function encode(
  path: string,
  hardware: VideoEncoder,
  enough: (units: readonly AccessUnit[], encoder: PictureEncoder) => boolean,
): Promise<{ units: readonly AccessUnit[]; problems: readonly string[]; encoder: PictureEncoder; sent: number }> {
  const units: AccessUnit[] = [];
  const problems: string[] = [];
  await using encoder = new PictureEncoder({
    path,
    cores: 2,
    clock: systemClock,
    choose: async () => ({ encoder: hardware, software: SOFTWARE }),
    width: WIDTH,
    height: HEIGHT,
    bitrate: 300_000,
    keyframeInterval: 2,
    onAccessUnit: (unit) => units.push(unit),
    onProblem: (message) => problems.push(message),
  });
  let sent = 0;
  const done = Promise.withResolvers<void>();
  const deadline = performance.now() + 20_000;
  const timer = setInterval(() => {
    encoder.push(picture(sent), 1_000_000 + sent * STEP);
    sent += 1;
    if (enough(units, encoder)) done.resolve();
    else if (performance.now() > deadline) done.reject(new Error(`${units.length} pictures; ${problems.join("; ")}`));
  }, 1000 / FRAME_RATE);
  try {
    await done.promise;
  } finally {
    clearInterval(timer);
  }
  return { units, problems, encoder, sent };
}

function expectInOrder(units: readonly AccessUnit[]): void {
  const times = units.map(({ dts }) => dts);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
  for (const time of times) expect((time - 1_000_000) % STEP).toBe(0);
  expect(units[0]?.keyframe).toBe(true);
}

describe("TRN3: the program's encoder", () => {
  test.concurrent.each(HARDWARE)("%s works: it makes all", async (name) => {
    await using fake = await fakeFfmpeg({ hardware: name, real: ffmpeg.path });
    const hardware: VideoEncoder = { name, hardware: true, device: "/dev/dri/renderD128", options: new Set() };
    const { units, problems, encoder } = await encode(fake.path, hardware, (made) => made.length >= 20);
    expectInOrder(units);
    expect(problems).toEqual([]);
    expect(encoder.encoder?.name).toBe(name);
  });

  test.concurrent.each(
    HARDWARE.flatMap((name) => (["fails", "hangs_later", "dies_later"] as const).map((how) => [name, how] as const)),
  )("%s %s in mid-stream: software goes on", async (name: VideoEncoderName, how: FakeHardware) => {
    await using fake = await fakeFfmpeg({
      hardware: name,
      transcode: how,
      laterBytes: 30 * PICTURE_BYTES,
      real: ffmpeg.path,
    });
    const hardware: VideoEncoder = { name, hardware: true, device: "/dev/dri/renderD128", options: new Set() };
    let before = 0;
    const { units, problems, encoder } = await encode(fake.path, hardware, (made, encoder) => {
      if (encoder.encoder?.hardware !== false) before = made.length;
      return made.length >= before + 20;
    });
    expectInOrder(units);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/stopped encoding: .*The processor encodes from now on/);
    expect(encoder.encoder?.name).toBe("libx264");
    // What hardware had made went out, and software began with a picture that stands by itself.
    const keyframes = units.flatMap(({ keyframe }, i) => (keyframe ? [i] : []));
    if (how === "fails") expect(keyframes).toEqual([0]);
    else expect(keyframes).toEqual([0, expect.toSatisfy((i: number) => i > 15 && i >= before)]);
  });

  test("another bit rate: another run takes over without a picture missing", async () => {
    let asked = false;
    const { units, problems, encoder } = await encode(ffmpeg.path, SOFTWARE, (made, encoder) => {
      if (!asked && made.length >= 10) encoder.setBitrate(100_000);
      asked ||= made.length >= 10;
      return made.length >= 110;
    });
    expectInOrder(units);
    expect(problems).toEqual([]);
    const keyframes = units.filter(({ keyframe }) => keyframe);
    expect(keyframes.length).toBeGreaterThan(1);
    const steps = units.slice(1).map(({ dts }, i) => dts - (units[i] as AccessUnit).dts);
    expect(Math.max(...steps)).toBe(STEP);
    expect(encoder.encoder?.name).toBe("libx264");
  });

  test("STU2: what encodes here is listed by real test encodes, and timed", async () => {
    const shelf = new EncoderShelf({ ffmpeg, cores: 2, platform: "linux", renderNodes: [] });
    const listed = await shelf.list();
    expect(listed.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["h264_nvenc", "h264_qsv", "h264_vaapi", "libx264"]),
    );
    expect(listed.find(({ name }) => name === "libx264")).toEqual({
      name: "libx264",
      hardware: false,
      label: "CPU (x264)",
      works: true,
      reason: null,
    });
    for (const { works, reason } of listed) expect(works ? reason === null : (reason?.length ?? 0) > 3).toBe(true);
    const measured = await shelf.test({ encoder: "auto", width: 320, height: 180, frame_rate: 30 });
    expect(measured.frame_rate).toBeGreaterThan(1);
    expect(measured.speed).toBeCloseTo(measured.frame_rate / 30, 5);
    await expect(shelf.test({ encoder: "h264_vaapi", width: 320, height: 180, frame_rate: 30 })).rejects.toMatchObject({
      code: "encoder_unavailable",
    });
  });
});
