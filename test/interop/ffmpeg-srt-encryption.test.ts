import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { encode } from "../harness/encoder.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { expectServed, watch } from "../harness/served.ts";

requirePackages("ffmpeg");

const PASSPHRASE = "a long enough phrase";

describe("ING2: Debian's ffmpeg over SRT with a passphrase", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_SRT_PASSPHRASE: PASSPHRASE } });
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  it.concurrent.each([
    { bits: 128, keyLength: 16, streamId: (key: string) => key, sampleRate: 44_100, channels: 1, bFrames: 0 },
    { bits: 192, keyLength: 24, streamId: (key: string) => `publish:${key}`, sampleRate: 48_000, channels: 2 },
    { bits: 256, keyLength: 32, streamId: (key: string) => `#!::u=${key},m=publish`, sampleRate: 48_000, channels: 1 },
  ])("AES-$bits", async ({ keyLength, streamId, sampleRate, channels, bFrames = 2 }) => {
    const channel = `aes-${keyLength}`;
    const id = streamId(await backend.openChannel(channel));
    await using encoder = encode({
      ...{ size: "320x180", fps: 25, bitrate: "300k", bFrames, sampleRate, channels, format: "mpegts" },
      url: `srt://127.0.0.1:${backend.ports.srt}`,
      // ffmpeg does not decode what its URL's query says, and these hold blanks and the like.
      extra: ["-srt_streamid", id, "-passphrase", PASSPHRASE, "-pbkeylen", String(keyLength)],
    });
    const served = await watch(backend, { channel, encoder });
    expectServed(served, {
      ...{ protocol: "srt", encoder: /^libsrt 1[.]/, width: 320, height: 180, fps: 25, sampleRate, channels },
    });
    expect(served.health.ingest?.srt).toMatchObject({ packetsUndecrypted: 0, packetsReceiveDropped: 0 });
  });

  it.concurrent.each([
    ["a wrong passphrase", ["-passphrase", "another long phrase", "-pbkeylen", "32"], "Incorrect passphrase"],
    ["no passphrase", [], "Password required or unexpected"],
  ])("%s is refused, and ffmpeg says so", async (_name, secret, words) => {
    await using encoder = encode({
      ...{ size: "64x64", format: "mpegts", url: `srt://127.0.0.1:${backend.ports.srt}` },
      extra: ["-srt_streamid", backend.key, ...secret],
    });
    expect((await encoder.exited).code).toBe(1);
    expect(encoder.output).toContain(words);
    expect(await backend.channel()).toMatchObject({ state: null, live_stream_id: null });
  });
});
