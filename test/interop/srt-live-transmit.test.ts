import { LossyRelay } from "@klieg/srt/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { encode } from "../harness/encoder.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { type ExpectedContribution, expectServed, type Served, watch } from "../harness/served.ts";
import { TransmittedEncoder, transmit } from "../harness/srt-live-transmit.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg", "srt-tools");

const PASSPHRASE = "a long enough phrase";
const PICTURE = { size: "320x180", fps: 30, bitrate: "300k", bFrames: 2 } as const;
const EXPECTED: ExpectedContribution = {
  ...{ protocol: "srt", encoder: /^libsrt 1[.]\d+[.]\d+$/, width: 320, height: 180, fps: 30 },
  ...{ sampleRate: 48_000, channels: 2 },
};

/** Every frame that was sent is there: none lost, none twice. */
function expectEveryFrame({ media, picture }: Served): void {
  const seconds = (media.video[0]?.playlist.segments ?? []).reduce((sum, { duration }) => sum + duration, 0);
  expect(picture?.packets).toHaveLength(Math.round(seconds * PICTURE.fps));
}

describe("ING2: srt-live-transmit", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start();
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  it.concurrent.each([
    ["the key alone", "form-1", (_channel: string, key: string) => key],
    ["publish:KEY", "form-2", (_channel: string, key: string) => `publish:${key}`],
    ["#!::r=…,m=publish,u=…", "form-3", (channel: string, key: string) => `#!::r=${channel},m=publish,u=${key}`],
  ])("stream id as %s", async (_name, channel, form) => {
    const id = form(channel, await backend.openChannel(channel));
    await using encoder = new TransmittedEncoder(`srt://127.0.0.1:${backend.ports.srt}?streamid=${id}`, PICTURE);
    const served = await watch(backend, { channel, encoder });
    expectServed(served, EXPECTED);
    expectEveryFrame(served);
    await encoder[Symbol.asyncDispose]();
    await until(async () => (await backend.channel(channel)).state === "interrupted", {
      what: "the end of the source",
    });
  });

  it.concurrent("an encrypting caller is refused where no passphrase is set, and told so", async () => {
    const url = `srt://127.0.0.1:${backend.ports.srt}?streamid=${backend.key}&passphrase=${PASSPHRASE}`;
    await using caller = transmit(url);
    await caller.line(/REJECT.*: Password required or unexpected/, 5000);
    expect((await backend.channel()).state).toBeNull();
  });

  it.concurrent("a wrong key is refused, and the reason is in the log", async () => {
    await using caller = transmit(`srt://127.0.0.1:${backend.ports.srt}?streamid=nonsense`);
    // libsrt 1.5.1 has one wording for every code from 1000 on.
    await caller.line(/REJECT.*: Application-defined rejection reason/, 5000);
    await backend.child.line(/"code":"stream_key_invalid".*publisher refused/);
  });
});

describe("ING2: srt-live-transmit with a passphrase", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_SRT_PASSPHRASE: PASSPHRASE } });
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  it.concurrent.each([
    [128, 16],
    [192, 24],
    [256, 32],
  ])("AES-%i", async (_bits, keyLength) => {
    const channel = `aes-${keyLength}`;
    const key = await backend.openChannel(channel);
    const query = `streamid=${key}&passphrase=${PASSPHRASE}&pbkeylen=${keyLength}`;
    // New keys every 200 packets, so that changing them is part of what is shown.
    const url = `srt://127.0.0.1:${backend.ports.srt}?${query}&kmrefreshrate=200&kmpreannounce=50`;
    await using encoder = new TransmittedEncoder(url, PICTURE);
    const served = await watch(backend, { channel, encoder });
    expectServed(served, EXPECTED);
    expectEveryFrame(served);
    expect(served.health.ingest?.srt).toMatchObject({ packetsUndecrypted: 0, packetsReceiveDropped: 0 });
    expect(served.health.ingest?.srt?.receiveKeyRefreshes).toBeGreaterThanOrEqual(1);
  });

  it.concurrent.each([
    ["a wrong passphrase", "passphrase=another long phrase&pbkeylen=32", "Incorrect passphrase"],
    ["no passphrase", "transtype=live", "Password required or unexpected"],
  ])("%s is refused, and the caller told so", async (_name, query, words) => {
    await using caller = transmit(`srt://127.0.0.1:${backend.ports.srt}?streamid=${backend.key}&${query}`);
    await caller.line(new RegExp(`REJECT.*: ${words}`), 5000);
    expect(await backend.channel()).toMatchObject({ state: null, live_stream_id: null });
  });
});

describe("ING2: 5 % loss and 60 ms round trip", () => {
  const LATENCY_MS = 300;
  const SEGMENTS = 10;
  const IN_FLIGHT = 4;

  it("loses nothing for 20 s from ffmpeg and from srt-live-transmit", async () => {
    await using backend = await BackendProcess.start();
    const keys = [await backend.openChannel("ffmpeg"), await backend.openChannel("transmit")] as const;
    const network = { targetPort: backend.ports.srt, loss: 0.05, delayMs: 30 };
    await using relayOfFfmpeg = await LossyRelay.open({ ...network, seed: 43 });
    await using relayOfTransmit = await LossyRelay.open({ ...network, seed: 47 });
    // ffmpeg counts its latency in µs, srt-live-transmit in ms.
    await using ffmpeg = encode({
      ...PICTURE,
      url: `srt://127.0.0.1:${relayOfFfmpeg.port}?streamid=${keys[0]}&latency=${LATENCY_MS * 1000}`,
      format: "mpegts",
    });
    await using transmitted = new TransmittedEncoder(
      `srt://127.0.0.1:${relayOfTransmit.port}?streamid=${keys[1]}&latency=${LATENCY_MS}&conntimeo=10000`,
      PICTURE,
    );
    for (const [channel, encoder, relay] of [
      ["ffmpeg", ffmpeg, relayOfFfmpeg],
      ["transmit", transmitted, relayOfTransmit],
    ] as const) {
      const served = await watch(backend, { channel, encoder, segments: SEGMENTS });
      expectServed(served, EXPECTED);
      expectEveryFrame(served);
      const link = served.health.ingest?.srt;
      expect(link).toMatchObject({ packetsReceiveDropped: 0, receiveLatencyMs: LATENCY_MS });
      expect(link?.packetsLost).toBeGreaterThan(20);
      // What was lost in the last round trip is still on its way.
      expect(link?.packetsReceivedRetransmitted).toBeGreaterThanOrEqual((link?.packetsLost ?? 0) - IN_FLIGHT);
      expect(link?.rttMs).toBeGreaterThan(55);
      expect(link?.rttMs).toBeLessThan(120);
      expect(relay.lost / relay.relayed).toBeGreaterThan(0.03);
    }
  });
});
