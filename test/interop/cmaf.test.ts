import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import { describe, expect, test } from "vitest";
import { packageUnits, writePresentation } from "../harness/cmaf-presentation.ts";
import {
  ffmpeg,
  ffmpegComplaints,
  ffmpegSource,
  probeUnits,
  type UnitContainer,
  unitsOf,
} from "../harness/ffmpeg-units.ts";

const picture = (rate: string, seconds = 7) => [
  "-f",
  "lavfi",
  "-i",
  `testsrc2=size=320x180:rate=${rate}:duration=${seconds}`,
];
const tone = (rate: number, seconds = 7) => ["-f", "lavfi", "-i", `sine=sample_rate=${rate}:duration=${seconds}`];
const x264 = (gop: number, bFrames: number) =>
  `-c:v libx264 -preset veryfast -g ${gop} -bf ${bFrames} -pix_fmt yuv420p`.split(" ");
const FOOTAGE = join(import.meta.dirname, "../../../shared/media/traffic-768x432-25.mp4");

const sources: readonly { name: string; container: UnitContainer; args: readonly string[] }[] = [
  {
    name: "FLV, H.264 29.97 with B-frames, AAC 44.1 kHz mono",
    container: "flv",
    args: [...picture("30000/1001"), ...tone(44_100), ...x264(60, 2), "-c:a", "aac"],
  },
  {
    name: "FLV, H.264 60 without B-frames, AAC 48 kHz stereo",
    container: "flv",
    args: [...picture("60"), ...tone(48_000), ...x264(120, 0), "-c:a", "aac", "-ac", "2"],
  },
  {
    name: "FLV, H.264 23.976, four-second GOPs",
    container: "flv",
    args: [...picture("24000/1001", 10), ...tone(44_100, 10), ...x264(96, 3), "-c:a", "aac"],
  },
  {
    name: "TS, H.264 25 in open GOPs, AAC",
    container: "mpegts",
    args: [...picture("25"), ...tone(48_000), ...x264(50, 2), "-x264-params", "open-gop=1", "-c:a", "aac"],
  },
  {
    name: "TS, HEVC 50 with B-frames, Opus",
    container: "mpegts",
    args: [
      ...picture("50"),
      ...tone(48_000),
      ..."-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=100:bframes=3 -c:a libopus".split(" "),
    ],
  },
  {
    name: "MP4, VP9, Opus",
    container: "mp4",
    args: [
      ...picture("30", 5),
      ...tone(48_000, 5),
      ..."-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -c:a libopus".split(" "),
    ],
  },
  {
    name: "MP4, AV1, Opus",
    container: "mp4",
    args: [...picture("30", 5), ...tone(48_000, 5), ..."-c:v libsvtav1 -preset 12 -g 60 -c:a libopus".split(" ")],
  },
  { name: "FLV, sound alone", container: "flv", args: [...tone(44_100), "-c:a", "aac"] },
  { name: "TS, MP3 alone", container: "mpegts", args: [...tone(44_100), "-c:a", "libmp3lame"] },
];
describe("PKG1 CMAF in other people's hands", () => {
  test.each(sources)(
    "$name: FFmpeg decodes every rendition without a warning, at the source's times",
    async ({ container, args }) => {
      const units = unitsOf(container, await ffmpegSource(container, args));
      const tracks = packageUnits(units);
      await using presentation = await writePresentation(tracks);
      for (const packaged of tracks) {
        const file = join(presentation.folder, `${packaged.name}.mp4`);
        expect(await ffmpegComplaints(file)).toBe("");
        // Sound from before the first picture has nothing to go with, and is left out.
        const from = (packaged.starts[0]?.startTicks ?? 0) - 90;
        const own = units.filter((unit) => unit.track.kind === packaged.name && unit.pts >= from);
        const dropped = units.filter((unit) => unit.track.kind === packaged.name && unit.pts < from);
        expect(
          dropped.every((unit) => unit.track.kind === "audio" && unit.pts < (units.find(isPicture)?.pts ?? 0)),
        ).toBe(true);
        expectSameTimes(
          await probeUnits(file),
          own,
          packaged.track?.kind === "audio" ? packaged.track.sampleRate : TICKS_PER_SECOND,
        );
      }
      // Segment numbers and times agree.
      const [first, ...others] = tracks.map(({ starts }) => starts.map(({ boundary }) => boundary));
      for (const other of others) expect(other).toEqual(first);
      // FFmpeg's HLS reader finds its way through the playlists (VP9 and AV1 it does not look for there).
      if (container !== "mp4") expect(await ffmpegComplaints(presentation.manifest)).toBe("");
    },
  );

  test.runIf(existsSync(FOOTAGE))("real footage, as RTMP would carry it", async () => {
    const source = await ffmpegSource("flv", ["-i", FOOTAGE, "-t", "10", ...x264(50, 2)]);
    await using presentation = await writePresentation(packageUnits(unitsOf("flv", source)));
    expect(await ffmpegComplaints(presentation.manifest)).toBe("");
    // What is decoded from the CMAF is what is decoded from the source, bit by bit.
    const original = join(presentation.folder, "source.flv");
    await writeFile(original, source);
    const pictures = await decodedHashes(original);
    expect(pictures.length).toBeGreaterThan(100);
    expect(await decodedHashes(join(presentation.folder, "video.mp4"))).toEqual(pictures);
  });
});

function isPicture(unit: AccessUnit): boolean {
  return unit.track.kind === "video";
}

/** ffprobe sees every unit once, in order, with the times that it came with: exact for pictures, to half a sample and the rounding of its source for sound. */
function expectSameTimes(
  probed: readonly { pts: number; dts: number; keyframe: boolean; size: number }[],
  units: readonly AccessUnit[],
  timescale: number,
): void {
  expect(probed.map(({ size, keyframe }) => ({ size, keyframe }))).toEqual(
    units.map((unit) => ({ size: unit.data.byteLength, keyframe: unit.track.kind === "audio" || unit.keyframe })),
  );
  const tolerance = timescale === TICKS_PER_SECOND ? 1.5e-6 : 0.002;
  for (const [i, { pts, dts }] of probed.entries()) {
    const unit = units[i] as AccessUnit;
    expect(Math.abs(pts - unit.pts / TICKS_PER_SECOND)).toBeLessThan(tolerance);
    expect(Math.abs(dts - unit.dts / TICKS_PER_SECOND)).toBeLessThan(tolerance);
  }
}

async function decodedHashes(file: string): Promise<string[]> {
  const text = (await ffmpeg(["-i", file, "-map", "0:v", "-f", "framemd5", "pipe:1"])).toString();
  return text
    .split("\n")
    .filter((line) => line.startsWith("0,"))
    .map((line) => line.split(",").at(-1)?.trim() ?? "");
}
