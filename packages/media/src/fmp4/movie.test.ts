import { describe, expect, test } from "vitest";
import type { AccessUnit, Track } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { ffmpegSample } from "../testing/ffmpeg-sample.ts";
import { readAccessUnits } from "./fragment.ts";
import { initSegment, timescaleOf } from "./init-segment.ts";
import { readMovie } from "./movie.ts";

const FRAGMENTED = "-movflags frag_keyframe+empty_moov+default_base_moof -frag_duration 400000";
const PICTURE = "-f lavfi -i testsrc2=s=320x180:r=25:d=1";
const sound = (rate: number, channels: number) => `-f lavfi -i sine=r=${rate}:d=1 -ac ${channels}`;

const samples: Record<string, { args: string; tracks: Partial<Track>[] }> = {
  "H.264 and AAC": {
    args: `${PICTURE} ${sound(44_100, 2)} -c:v libx264 -profile:v high -level 1.2 -pix_fmt yuv420p -bf 2 -c:a aac ${FRAGMENTED}`,
    tracks: [
      { kind: "video", codec: "h264", codecString: "avc1.64000c", width: 320, height: 180 },
      { kind: "audio", codec: "aac", codecString: "mp4a.40.2", sampleRate: 44_100, channels: 2 },
    ],
  },
  "HEVC and Opus": {
    args: `${PICTURE} ${sound(48_000, 1)} -c:v libx265 -x265-params log-level=error -tag:v hvc1 -c:a libopus ${FRAGMENTED}`,
    tracks: [
      { kind: "video", codec: "hevc", width: 320, height: 180 },
      { kind: "audio", codec: "opus", codecString: "opus", sampleRate: 48_000, channels: 1 },
    ],
  },
  "VP9 and MP3": {
    args: `${PICTURE} ${sound(44_100, 2)} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libmp3lame ${FRAGMENTED}`,
    tracks: [
      { kind: "video", codec: "vp9", width: 320, height: 180 },
      { kind: "audio", codec: "mp3", sampleRate: 44_100, channels: 2 },
    ],
  },
};

describe("PKG1 movie header", () => {
  test.each(Object.entries(samples))(
    "%s of FFmpeg are read, and our init segment says the same",
    (_, { args, tracks }) => {
      const { bytes } = ffmpegSample("mp4", args);
      const movie = readMovie(bytes);
      expect(movie.map(({ track }) => track)).toMatchObject(tracks);
      for (const { track } of movie) {
        const [again, ...others] = readMovie(initSegment(track));
        expect(others).toEqual([]);
        expect(again).toMatchObject({ trackId: 1, timescale: timescaleOf(track) });
        expect(again?.track).toEqual({ ...track, id: 0 });
      }
      const units = [...readAccessUnits(bytes, movie)];
      const video = units.filter((unit) => unit.track.kind === "video");
      expect(video).toHaveLength(25);
      expect(video[0]?.keyframe).toBe(true);
      expect(video.every((unit, i) => i === 0 || unit.dts > (video[i - 1] as AccessUnit).dts)).toBe(true);
      expect(video.every((unit) => unit.pts >= unit.dts)).toBe(true);
      expect(units.length - video.length).toBeGreaterThan(35);
    },
  );

  test("a language is kept", () => {
    const { bytes } = ffmpegSample("mp4", `${sound(48_000, 2)} -c:a aac -metadata:s:a:0 language=deu ${FRAGMENTED}`);
    const [movie] = readMovie(bytes);
    expect(movie?.track).toMatchObject({ language: "deu" });
    expect(readMovie(initSegment((movie as { track: Track }).track))[0]?.track).toMatchObject({ language: "deu" });
  });

  test("no movie is told", () => {
    expect(() => readMovie(new Uint8Array(0))).toThrow(MediaError);
  });
});
