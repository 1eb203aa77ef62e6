import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { describe, expect, test } from "vitest";
import { flvFileHeader, flvFileTag } from "../flv/flv-file.ts";
import { MediaError } from "../media-error.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { aacCodecString, aacSamplesPerFrame, aacTrack, aacTrackFromAdts } from "./aac-track.ts";
import { type AdtsHeader, adtsToAudioSpecificConfig, buildAdtsFrame, parseAdtsHeader } from "./adts.ts";
import { AdtsFramer } from "./adts-framer.ts";
import { AAC_SAMPLE_RATES, buildAudioSpecificConfig, parseAudioSpecificConfig } from "./audio-specific-config.ts";

const source = (rate: number, filter: string) => `-f lavfi -i sine=r=${rate}:d=0.5 -af ${filter} -c:a aac`;

/** DecoderSpecificInfo (tag 5) of an esds box. */
function specificInfo(esds: Buffer): Buffer {
  const at = esds.indexOf(Buffer.of(5, 0x80, 0x80, 0x80));
  return esds.subarray(at + 5, at + 5 + (esds[at + 4] as number));
}

describe("AudioSpecificConfig is read as ffprobe and mediabunny read it (ING1, TRN4)", () => {
  for (const [rate, layout] of [
    [44100, "mono"],
    [48000, "stereo"],
    [48000, "5.1"],
    [48000, "7.1"],
    [22050, "stereo"],
    [96000, "mono"],
    [8000, "mono"],
    // Layouts without a channel configuration number: a program config element tells.
    [48000, "quad"],
    [48000, "2.1"],
  ] as const) {
    test(`${rate} Hz ${layout}`, async () => {
      const file = ffmpegSample("mp4", source(rate, `aformat=channel_layouts=${layout}`));
      const config = specificInfo(boxPayload(file.bytes, "esds"));
      const probed = ffprobe(file.path).streams[0];
      const track = aacTrack(1, config);
      expect(track).toMatchObject({ kind: "audio", id: 1, codec: "aac", sampleRate: rate, channels: probed?.channels });
      expect(probed?.sample_rate).toBe(String(rate));
      const input = new Input({ source: new BufferSource(file.bytes), formats: ALL_FORMATS });
      expect(track.codecString).toBe(await (await input.getPrimaryAudioTrack())?.getCodecParameterString());
      expect(aacSamplesPerFrame(parseAudioSpecificConfig(config))).toBe(1024);
    });
  }

  // No encoder of HE-AAC here: FFmpeg's reading of an FLV file that carries the configuration is asked instead.
  for (const [name, hex, expected] of [
    ["HE-AAC, hierarchical", "2b920800", { codec: "mp4a.40.5", rate: 44100, channels: 2, samples: 2048 }],
    ["HE-AAC, backward compatible", "139056e5a0", { codec: "mp4a.40.5", rate: 44100, channels: 2, samples: 2048 }],
    ["HE-AAC v2, hierarchical", "eb8a0800", { codec: "mp4a.40.29", rate: 44100, channels: 2, samples: 2048 }],
    [
      "HE-AAC v2, backward compatible",
      "138856e5a54880",
      { codec: "mp4a.40.29", rate: 44100, channels: 2, samples: 2048 },
    ],
    ["LC that says it has no SBR", "119056e500", { codec: "mp4a.40.2", rate: 48000, channels: 2, samples: 1024 }],
    ["LC of 960 samples", "1194", { codec: "mp4a.40.2", rate: 48000, channels: 2, samples: 960 }],
  ] as const) {
    test(name, () => {
      const config = Buffer.from(hex, "hex");
      const parsed = parseAudioSpecificConfig(config);
      expect(aacCodecString(parsed)).toBe(expected.codec);
      expect(aacSamplesPerFrame(parsed)).toBe(expected.samples);
      expect(aacTrack(0, config)).toMatchObject({ sampleRate: expected.rate, channels: expected.channels });
      // FFmpeg's encoder makes no frames of 960 samples to go with the last.
      if (expected.samples === 960) return;
      const probed = probeConfig(config, parsed.sampleRate, parsed.channels);
      expect(probed?.sample_rate).toBe(String(expected.rate));
      expect(probed?.channels).toBe(expected.channels);
    });
  }

  test("written ones come back", () => {
    const rate = fc.oneof(fc.constantFrom(...AAC_SAMPLE_RATES), fc.integer({ min: 1, max: 192_000 }));
    fc.assert(
      fc.property(
        fc.record({
          objectType: fc.constantFrom(1, 2, 3, 4),
          sampleRate: rate,
          channelConfig: fc.integer({ min: 1, max: 7 }),
          sbrSampleRate: fc.option(rate, { nil: undefined }),
        }),
        (config) => {
          expect(parseAudioSpecificConfig(buildAudioSpecificConfig(config))).toMatchObject(config);
        },
      ),
    );
    expect([...buildAudioSpecificConfig({ objectType: 2, sampleRate: 48000, channelConfig: 2 })]).toEqual([0x11, 0x90]);
    expect(() => buildAudioSpecificConfig({ objectType: 39, sampleRate: 48000, channelConfig: 2 })).toThrow(MediaError);
  });

  test("what is no AAC, cut off or impossible is an error", () => {
    for (const hex of ["", "11", "0000", "17ff", "1180", "4a10"]) {
      expect(() => parseAudioSpecificConfig(Buffer.from(hex, "hex")), hex).toThrow(MediaError);
    }
  });
});

describe("ADTS (ING2)", () => {
  const { bytes, path } = ffmpegSample("aac", source(44100, "aformat=channel_layouts=stereo"));
  const frames = ffprobe(path).packets.map(({ pos, size }) => bytes.subarray(Number(pos), Number(pos) + Number(size)));

  test("frames are where ffprobe finds them, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (step) => {
        const framer = new AdtsFramer();
        const found: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += step) {
          const loss = framer.push(bytes.subarray(at, at + step), ({ data }) => found.push(Buffer.from(data)));
          expect(loss).toEqual({ skippedBytes: 0, unsupportedFrames: 0 });
        }
        expect(found.length).toBe(frames.length);
        found.forEach((data, i) => {
          expect(Buffer.compare(data, (frames[i] as Buffer).subarray(7))).toBe(0);
        });
      }),
      { numRuns: 20 },
    );
  });

  test("which frame begins in which piece is told", () => {
    const framer = new AdtsFramer();
    const cut = (frames[0] as Buffer).length + 20;
    const begins: boolean[] = [];
    framer.push(bytes.subarray(0, cut), ({ beginsHere }) => begins.push(beginsHere));
    framer.push(bytes.subarray(cut), ({ beginsHere }) => begins.push(beginsHere));
    expect(begins.slice(0, 3)).toEqual([true, false, true]);
  });

  test("junk is skipped and counted; frames after it are found", () => {
    const framer = new AdtsFramer();
    const junk = Buffer.from(`ff f1 50 80 03 ff fc ${"00 ff ".repeat(40)}`.replaceAll(" ", ""), "hex");
    let found = 0;
    const loss = framer.push(Buffer.concat([junk, ...frames]), () => {
      found += 1;
    });
    expect(loss.skippedBytes).toBe(junk.length);
    expect(found).toBe(frames.length);
  });

  test("headers come back as they were written and give the encoder's configuration", () => {
    const header = parseAdtsHeader(frames[0] as Buffer) as AdtsHeader;
    const raw = (frames[0] as Buffer).subarray(header.headerBytes);
    expect(parseAdtsHeader(buildAdtsFrame(header, raw))).toEqual({
      ...header,
      frameBytes: raw.length + 7,
      headerBytes: 7,
    });
    expect([...adtsToAudioSpecificConfig(header)]).toEqual([0x12, 0x10]);
    expect(aacTrackFromAdts(0, header)).toMatchObject({ sampleRate: 44100, channels: 2, codecString: "mp4a.40.2" });
    expect(() => buildAdtsFrame(header, new Uint8Array(8185))).toThrow(MediaError);
    expect(() => buildAdtsFrame({ ...header, sampleRate: 44101 }, raw)).toThrow(MediaError);
  });

  test("the framer never holds more than one frame", () => {
    const framer = new AdtsFramer();
    const header = buildAdtsFrame(
      { objectType: 2, sampleRate: 48000, channelConfig: 2 },
      new Uint8Array(8184),
    ).subarray(0, 7);
    let skipped = 0;
    for (let i = 0; i < 100; i += 1)
      skipped += framer.push(Buffer.concat([header, new Uint8Array(500)]), () => undefined).skippedBytes;
    framer.reset();
    expect(skipped).toBeGreaterThanOrEqual(0);
    expect(framer.push(frames[0] as Buffer, () => undefined).skippedBytes).toBe(0);
  });
});

/** What FFmpeg makes of an AudioSpecificConfig in front of LC frames such as its core coder has. */
function probeConfig(config: Uint8Array, rate: number, channels: number) {
  const directory = mkdtempSync(join(tmpdir(), "klieg-aac-"));
  try {
    const path = join(directory, "probe.flv");
    const raw: Buffer[] = [];
    const { bytes } = ffmpegSample(
      "aac",
      source(rate, `aformat=channel_layouts=${channels === 1 ? "mono" : "stereo"}`),
    );
    new AdtsFramer().push(bytes, ({ data }) => raw.push(Buffer.from(data)));
    const tag = (timestampMs: number, type: number, data: Uint8Array) =>
      flvFileTag({ kind: "audio", timestampMs, body: Buffer.concat([Buffer.of(0xaf, type), data]) });
    const frames = raw.map((data, i) => tag(Math.round((i * 1_024_000) / rate), 1, data));
    writeFileSync(path, Buffer.concat([flvFileHeader({ audio: true, video: false }), tag(0, 0, config), ...frames]));
    return ffprobe(path).streams[0];
  } finally {
    rmSync(directory, { recursive: true });
  }
}
