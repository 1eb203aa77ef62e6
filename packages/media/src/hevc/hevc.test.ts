import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { splitLengthPrefixed } from "../nal/nal-format.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { buildHevcConfig, hevcCodecString, parseHevcConfig } from "./hevc-config.ts";
import { hevcElementaryStream } from "./hevc-elementary-stream.ts";
import { hevcTrackFromConfig } from "./hevc-track.ts";
import { hevcNalType } from "./nal-unit-type.ts";
import { parseHevcPps } from "./pps.ts";
import { parseHevcSps } from "./sps.ts";
import { parseHevcVps } from "./vps.ts";

const source = (size: string, rate: string, params = "", seconds = 0.3) =>
  `-f lavfi -i testsrc2=s=${size}:r=${rate} -t ${seconds} -c:v libx265 -preset ultrafast -x265-params log-level=error:info=0${params}`;

const variants: Readonly<Record<string, string>> = {
  main: source("322x182", "25"),
  "main 10 with HRD": `${source("320x180", "30000/1001", ":hrd=1:vbv-maxrate=500:vbv-bufsize=500")} -pix_fmt yuv420p10le`,
  "range extensions 4:4:4": `${source("320x180", "60")} -pix_fmt yuv444p`,
  "range extensions 4:2:2 10": `${source("320x180", "50")} -pix_fmt yuv422p10le`,
  monochrome: `${source("320x180", "25")} -pix_fmt gray`,
  "high tier, scaling lists, temporal layers": source(
    "640x360",
    "24",
    ":level-idc=4.1:high-tier=1:scaling-list=default:temporal-layers=1:bframes=4",
  ),
  "colours and range": `${source("320x180", "25", ":range=full:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc")} -pix_fmt yuv420p10le`,
};

describe("parameter sets of x265 are read as ffprobe and mediabunny read them (ING1, ING2)", () => {
  for (const [name, args] of Object.entries(variants)) {
    test(name, async () => {
      const file = ffmpegSample("mp4", `${args} -tag:v hvc1`);
      const hvcC = boxPayload(file.bytes, "hvcC");
      const probed = ffprobe(file.path).streams[0];
      const track = hevcTrackFromConfig(1, hvcC);
      expect(track).toMatchObject({
        kind: "video",
        id: 1,
        codec: "hevc",
        width: probed?.width,
        height: probed?.height,
        profile: probed?.profile,
      });
      const [numerator, denominator] = (probed?.r_frame_rate ?? "").split("/").map(Number);
      expect(track.frameRate).toBeCloseTo((numerator as number) / (denominator as number), 6);
      const input = new Input({ source: new BufferSource(file.bytes), formats: ALL_FORMATS });
      const other = await (await input.getPrimaryVideoTrack())?.getCodecParameterString();
      expect(track.codecString).toBe(other?.replace("hev1", "hvc1"));

      const { vps, sps, pps } = parseHevcConfig(hvcC);
      const parsed = parseHevcSps(sps[0] as Uint8Array);
      expect(parsed.reorderDepth).toBe(probed?.has_b_frames);
      expect(parseHevcVps(vps[0] as Uint8Array)).toMatchObject({ id: parsed.vpsId, maxSubLayers: parsed.maxSubLayers });
      expect(parseHevcPps(pps[0] as Uint8Array)).toMatchObject({ spsId: parsed.id });
      // FFmpeg's muxer writes the record from the same sets, and behind them a fourth array of SEI where there is some:
      // but for that ours must be the same, byte for byte.
      const ours = buildHevcConfig(vps, sps, pps);
      const theirs = Uint8Array.from(hvcC.subarray(0, hvcC[22] === 4 ? ours.length : hvcC.length));
      theirs[22] = 3;
      expect([...ours]).toEqual([...theirs]);
      expect([...track.config]).toEqual([...ours]);
    });
  }

  test("colours and range", () => {
    const hvcC = boxPayload(ffmpegSample("mp4", `${variants["colours and range"]} -tag:v hvc1`).bytes, "hvcC");
    const { vui } = parseHevcSps(parseHevcConfig(hvcC).sps[0] as Uint8Array);
    expect(vui).toMatchObject({
      fullRange: true,
      colour: { primaries: 9, transfer: 16, matrix: 9 },
      fieldSequence: false,
    });
  });
});

test("codec strings follow ISO/IEC 14496-15 annex E", () => {
  const constraints = [0xb0, 0, 0, 0, 0, 0];
  const main = {
    profileSpace: 0,
    highTier: false,
    profileIdc: 1,
    compatibility: 0x60000000,
    constraints,
    levelIdc: 93,
  };
  expect(hevcCodecString(main)).toBe("hvc1.1.6.L93.B0");
  const odd = {
    ...main,
    profileSpace: 1,
    highTier: true,
    profileIdc: 4,
    compatibility: 0x08000001,
    constraints: [0x9d, 8, 0, 4, 0, 0],
  };
  expect(hevcCodecString(odd)).toBe("hvc1.A4.80000010.H93.9D.8.0.4");
});

test("keyframes are those that ffprobe finds; parameter sets are removed and announced once (ING2)", () => {
  for (const gop of ["open-gop=1", "open-gop=0"]) {
    const file = ffmpegSample(
      "hevc",
      source("320x180", "25", `:${gop}:keyint=8:min-keyint=8:bframes=3:repeat-headers=1:aud=1`, 1),
    );
    const stream = hevcElementaryStream(0);
    const packets = ffprobe(file.path).packets;
    const keys = packets.map(({ pos, size }, i) => {
      const frame = stream.pushAnnexB(file.bytes.subarray(Number(pos), Number(pos) + Number(size)), false);
      expect(frame.trackChanged).toBe(i === 0);
      const kinds = splitLengthPrefixed(frame.data).map((nal) => hevcNalType(nal[0] as number));
      expect(kinds.filter((kind) => kind >= 32 && kind <= 38)).toEqual([]);
      expect(kinds.length).toBeGreaterThan(0);
      return frame.keyframe;
    });
    expect(keys).toEqual(packets.map(({ flags }) => flags.startsWith("K")));
    expect(keys.filter(Boolean).length).toBeGreaterThanOrEqual(3);
  }
});

test("damaged records are an error, never a wrong track", () => {
  const hvcC = boxPayload(ffmpegSample("mp4", `${variants.main} -tag:v hvc1`).bytes, "hvcC");
  for (let length = 0; length < hvcC.length; length += 1) {
    expect(() => hevcTrackFromConfig(0, hvcC.subarray(0, length))).toThrow(MediaError);
  }
  const many = Uint8Array.from(hvcC);
  many[22] = 255;
  expect(() => parseHevcConfig(many)).toThrow(MediaError);
});
