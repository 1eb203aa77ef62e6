import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { buildDops, buildOpusHead, defaultOpusConfig, opusTrack, parseDops, parseOpusHead } from "./opus-config.ts";
import { opusPacketSamples } from "./opus-packet.ts";

const source = (layout: string, duration: number) =>
  `-f lavfi -i sine=r=48000:d=0.5 -af aformat=channel_layouts=${layout} -c:a libopus -frame_duration ${duration}`;

describe("configurations of libopus (ING1)", () => {
  for (const [layout, family] of [
    ["mono", 0],
    ["stereo", 0],
    ["5.1", 1],
    ["7.1", 1],
  ] as const) {
    test(layout, () => {
      const mp4 = ffmpegSample("mp4", source(layout, 20));
      const ogg = ffmpegSample("opus", source(layout, 20)).bytes;
      const dops = boxPayload(mp4.bytes, "dOps");
      const at = ogg.indexOf("OpusHead");
      const head = ogg.subarray(at, ogg.indexOf("OggS", at));
      const config = parseDops(dops);
      expect(parseOpusHead(head)).toEqual(config);
      expect([...buildDops(config)]).toEqual([...dops]);
      expect([...buildOpusHead(config)]).toEqual([...head]);
      const channels = ffprobe(mp4.path).streams[0]?.channels as number;
      expect(config).toMatchObject({ channels, mappingFamily: family });
      expect(defaultOpusConfig(channels, config.preSkip)).toEqual(config);
      expect(opusTrack(1, config)).toMatchObject({ codec: "opus", codecString: "opus", sampleRate: 48000, channels });
    });
  }

  test("any comes back as it was written", () => {
    const config = fc.record({
      channels: fc.constantFrom(1, 2),
      preSkip: fc.integer({ min: 0, max: 65535 }),
      inputSampleRate: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      outputGain: fc.integer({ min: -32768, max: 32767 }),
    });
    fc.assert(
      fc.property(config, (fields) => {
        const whole = { ...fields, mappingFamily: 0, mapping: undefined };
        expect(parseDops(buildDops(whole))).toEqual(whole);
        expect(parseOpusHead(buildOpusHead(whole))).toEqual(whole);
      }),
    );
  });

  test("damaged ones are an error", () => {
    const head = buildOpusHead(defaultOpusConfig(6));
    const dops = buildDops(defaultOpusConfig(6));
    for (let i = 0; i < head.length; i += 1) expect(() => parseOpusHead(head.subarray(0, i))).toThrow(MediaError);
    for (let i = 0; i < dops.length; i += 1) expect(() => parseDops(dops.subarray(0, i))).toThrow(MediaError);
    expect(() => defaultOpusConfig(9)).toThrow(MediaError);
    expect(() => parseDops(Buffer.from(dops).fill(0, 1, 2))).toThrow(MediaError);
  });
});

describe("packet durations", () => {
  for (const duration of [2.5, 5, 10, 20, 40, 60]) {
    test(`${duration} ms, as libopus was told`, () => {
      const file = ffmpegSample("mp4", source("stereo", duration));
      const { packets } = ffprobe(file.path);
      expect(packets.length).toBeGreaterThan(5);
      for (const { pos, size } of packets) {
        const packet = file.bytes.subarray(Number(pos), Number(pos) + Number(size));
        expect(opusPacketSamples(packet)).toBe(duration * 48);
      }
    });
  }

  test("of several frames, and impossible ones", () => {
    const celt20ms = 31 << 3;
    expect(opusPacketSamples(Uint8Array.of(celt20ms | 1))).toBe(1920);
    expect(opusPacketSamples(Uint8Array.of(celt20ms | 2))).toBe(1920);
    expect(opusPacketSamples(Uint8Array.of(celt20ms | 3, 6))).toBe(5760);
    for (const packet of [[], [celt20ms | 3], [celt20ms | 3, 0], [celt20ms | 3, 7]]) {
      expect(() => opusPacketSamples(Uint8Array.from(packet))).toThrow(MediaError);
    }
  });
});
