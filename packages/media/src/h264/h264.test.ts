import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { splitAnnexB } from "../nal/nal-format.ts";
import { boxPayload, ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { buildAvcConfig, parseAvcConfig } from "./avc-config.ts";
import { h264TrackFromConfig } from "./h264-track.ts";
import { H264_NAL, h264NalType } from "./nal-unit-type.ts";
import { parseH264Pps } from "./pps.ts";
import { peekH264Slice } from "./slice-header.ts";
import { parseH264Sps } from "./sps.ts";

const source = (size: string, rate: string) =>
  `-f lavfi -i testsrc2=s=${size}:r=${rate} -t 0.4 -c:v libx264 -x264-params info=0`;

const variants: Readonly<Record<string, { args: string; reorder: number; interlaced?: boolean }>> = {
  "constrained baseline": { args: `${source("320x180", "25")} -profile:v baseline -pix_fmt yuv420p`, reorder: 0 },
  main: { args: `${source("322x182", "30000/1001")} -profile:v main -bf 0 -pix_fmt yuv420p`, reorder: 0 },
  "high with B-frames": {
    args: `${source("1920x1080", "60")} -bf 3 -preset ultrafast -b_strategy 0 -b-pyramid none`,
    reorder: 1,
  },
  "high with a B-pyramid": { args: `${source("320x180", "50")} -bf 3 -b_strategy 0 -b-pyramid normal`, reorder: 2 },
  "interlaced top field first": {
    args: `${source("720x576", "25")} -flags +ildct+ilme -top 1 -bf 2 -b-pyramid none`,
    reorder: 1,
    interlaced: true,
  },
  "with HRD, AUD and colours": {
    args: `${source("640x358", "24")}:nal-hrd=cbr:aud=1 -b:v 500k -maxrate 500k -bufsize 500k -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range pc -bf 0`,
    reorder: 0,
  },
  "high 10": { args: `${source("320x180", "25")} -pix_fmt yuv420p10le -bf 0`, reorder: 0 },
  "high 4:2:2 with scaling lists": { args: `${source("320x180", "25")}:cqm=jvt -pix_fmt yuv422p -bf 0`, reorder: 0 },
  "high 4:4:4": { args: `${source("321x181", "25")} -pix_fmt yuv444p -bf 0`, reorder: 0 },
  monochrome: { args: `${source("320x180", "25")} -pix_fmt gray -bf 0`, reorder: 0 },
};

describe("parameter sets of x264 are read as ffprobe and mediabunny read them (ING1, ING2)", () => {
  for (const [name, { args, reorder, interlaced }] of Object.entries(variants)) {
    test(name, async () => {
      const file = ffmpegSample("mp4", args);
      const avcC = boxPayload(file.bytes, "avcC");
      const probed = ffprobe(file.path).streams[0];
      const track = h264TrackFromConfig(3, avcC);
      expect(track).toMatchObject({
        kind: "video",
        id: 3,
        codec: "h264",
        width: probed?.width,
        height: probed?.height,
      });
      // Debian's ffprobe knows no more than "High" of the restricted forms of it.
      expect(probed?.profile).toContain(track.profile?.replace(/^(Constrained|Progressive) High$/, "High"));
      const [numerator, denominator] = (probed?.r_frame_rate ?? "").split("/").map(Number);
      expect(track.frameRate).toBeCloseTo((numerator as number) / (denominator as number), 6);

      const input = new Input({ source: new BufferSource(file.bytes), formats: ALL_FORMATS });
      expect(track.codecString).toBe(await (await input.getPrimaryVideoTrack())?.getCodecParameterString());

      const config = parseAvcConfig(avcC);
      const sps = parseH264Sps(config.sps[0] as Uint8Array);
      expect(sps.interlaced).toBe(interlaced ?? false);
      expect(sps.reorderDepth).toBe(reorder);
      expect(probed?.has_b_frames).toBe(reorder);
      expect(parseH264Pps(config.pps[0] as Uint8Array)).toMatchObject({ id: 0, spsId: sps.id });
      // FFmpeg's muxer writes the record from the same sets: ours must be the same, byte for byte.
      expect([...buildAvcConfig(config.sps, config.pps)]).toEqual([...avcC]);
      expect([...track.config]).toEqual([...avcC]);
    });
  }

  test("colours and range", () => {
    const avcC = boxPayload(
      ffmpegSample("mp4", (variants["with HRD, AUD and colours"] as { args: string }).args).bytes,
      "avcC",
    );
    const { vui } = parseH264Sps(parseAvcConfig(avcC).sps[0] as Uint8Array);
    expect(vui).toMatchObject({
      fullRange: true,
      colour: { primaries: 1, transfer: 1, matrix: 1 },
      sampleAspectRatio: [1, 1],
    });
  });

  test("a sample aspect ratio", () => {
    const file = ffmpegSample("mp4", `-f lavfi -i testsrc2=s=720x576,setsar=64/45 -t 0.1 -c:v libx264`);
    const { vui } = parseH264Sps(parseAvcConfig(boxPayload(file.bytes, "avcC")).sps[0] as Uint8Array);
    expect(vui?.sampleAspectRatio).toEqual([64, 45]);
  });
});

test("slice types are what x264 was told to make", () => {
  const { bytes } = ffmpegSample("h264", `${source("320x180", "25")} -bf 2 -b_strategy 0 -g 6 -sc_threshold 0`);
  const types = splitAnnexB(bytes)
    .filter((nal) => [H264_NAL.SLICE, H264_NAL.SLICE_IDR].some((type) => type === h264NalType(nal[0] as number)))
    .map(peekH264Slice);
  expect(types.map((slice) => (slice.idr ? "IDR" : slice.type)).join(" ")).toBe("IDR P B B P B IDR P B B");
  expect(types.every((slice) => slice.firstMb === 0 && slice.ppsId === 0)).toBe(true);
});

describe("damaged records", () => {
  const avcC = boxPayload(ffmpegSample("mp4", (variants.main as { args: string }).args).bytes, "avcC");

  test("cut off anywhere are an error, never a wrong track", () => {
    for (let length = 0; length < avcC.length; length += 1) {
      expect(() => h264TrackFromConfig(0, avcC.subarray(0, length))).toThrow(MediaError);
    }
  });

  test("a VUI that is cut off costs the VUI alone", () => {
    const [sps] = parseAvcConfig(avcC).sps as [Uint8Array];
    const whole = parseH264Sps(sps);
    const short = parseH264Sps(sps.subarray(0, sps.length - 4));
    expect(short).toMatchObject({ width: whole.width, height: whole.height, vui: undefined, frameRate: undefined });
  });

  test("an SPS that crops everything away, a PPS in place of it and 3-byte lengths are an error", () => {
    const config = parseAvcConfig(avcC);
    expect(() => parseH264Sps(config.pps[0] as Uint8Array)).toThrow(MediaError);
    expect(() => parseH264Pps(config.sps[0] as Uint8Array)).toThrow(MediaError);
    const threeBytes = Uint8Array.from(avcC);
    threeBytes[4] = 0xfe;
    expect(() => parseAvcConfig(threeBytes)).toThrow(MediaError);
  });
});
