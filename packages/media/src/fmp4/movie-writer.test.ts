import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AccessUnit, AudioTrack, VideoTrack } from "../access-unit.ts";
import { ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { readBoxes } from "./box-reader.ts";
import { readAccessUnits } from "./fragment.ts";
import { readFragmentSpans } from "./fragment-span.ts";
import { readMovie } from "./movie.ts";
import { MovieIndex } from "./movie-index.ts";
import { type MoviePiece, MovieWriter } from "./movie-writer.ts";

const FRAGMENTED = "-movflags frag_keyframe+empty_moov+default_base_moof -frag_duration 400000";
const source = (size: string) =>
  `-f lavfi -i testsrc2=s=${size}:r=25:d=4 -f lavfi -i sine=r=48000:d=4 -ac 2 -c:v libx264 -g 25 -bf 0 -pix_fmt yuv420p -c:a aac ${FRAGMENTED}`;

/** Access units of a sample in order of time, and its tracks. */
function read(size: string): { units: AccessUnit[]; video: VideoTrack; audio: AudioTrack } {
  const { bytes } = ffmpegSample("mp4", source(size));
  const movie = readMovie(bytes);
  const units = [...readAccessUnits(bytes, movie)].sort((a, b) => a.dts - b.dts);
  const [video, audio] = movie.map(({ track }) => track) as [VideoTrack, AudioTrack];
  return { units, video, audio };
}

function write(units: readonly AccessUnit[], video: VideoTrack, audio: AudioTrack) {
  const pieces: { bytes: Buffer; durationMs: number }[] = [];
  const writer = new MovieWriter({ video, audio }, ({ bytes, durationMs }) =>
    pieces.push({ bytes: Buffer.concat(bytes), durationMs }),
  );
  for (const unit of units) writer.push(unit);
  writer.flush();
  return pieces;
}

function save(name: string, bytes: Uint8Array): string {
  const path = join(tmpdir(), `klieg-movie-writer-${process.pid}-${name}.mp4`);
  writeFileSync(path, bytes);
  return path;
}

describe("RTC2: a fragmented movie of picture and sound", () => {
  test("plays in FFmpeg with every frame, begins at zero, and can be cut after any piece", () => {
    const { units, video, audio } = read("320x180");
    // As a program does: somewhere on its timeline, not with a keyframe.
    const moved = units.slice(3).map((unit) => ({ ...unit, dts: unit.dts + 900_000, pts: unit.pts + 900_000 }));
    const pieces = write(moved, video, audio);
    expect(pieces.map(({ durationMs }) => durationMs)).toEqual([0, 1000, 2000, 3000]);
    const { streams, packets } = ffprobe(save("whole", Buffer.concat(pieces.map(({ bytes }) => bytes))));
    expect(streams).toMatchObject([
      { codec_name: "h264", width: 320, height: 180 },
      { codec_name: "aac", sample_rate: "48000" },
    ]);
    const pictures = packets.filter(({ codec_type }) => codec_type === "video");
    expect(pictures).toHaveLength(75);
    expect(pictures[0]).toMatchObject({ pts_time: "0.000000", flags: expect.stringContaining("K") });
    const sounds = packets.filter(({ codec_type }) => codec_type === "audio");
    expect(sounds.length).toBeGreaterThan(135);
    expect(Math.abs(Number(sounds[0]?.pts_time))).toBeLessThan(0.025);
    const cut = ffprobe(save("cut", Buffer.concat(pieces.slice(0, 3).map(({ bytes }) => bytes))));
    expect(cut.packets.filter(({ codec_type }) => codec_type === "video")).toHaveLength(50);
  });

  test("writes shorter fragments than GOPs where little may be lost, and silent movies (STU3)", () => {
    const { units, video } = read("320x180");
    const pieces: MoviePiece[] = [];
    const writer = new MovieWriter({ video, audio: undefined }, (piece) => pieces.push(piece), { maxFragmentMs: 400 });
    for (const unit of units) writer.push(unit);
    writer.flush();
    const ends = pieces.map(({ durationMs }) => durationMs);
    const steps = ends.slice(1).map((end, i) => end - (ends[i] as number));
    // Of each second: twice as much as there may be, and the rest.
    expect(steps).toHaveLength(12);
    expect(Math.max(...steps)).toBeLessThan(440);
    const keyframes = pieces.map(({ keyframeTime }) => keyframeTime).filter((time) => time !== undefined);
    expect(keyframes).toHaveLength(4);
    expect(keyframes[0]).toBe(0);
    const { streams, packets } = ffprobe(save("short", Buffer.concat(pieces.flatMap(({ bytes }) => bytes))));
    expect(streams.map(({ codec_name }) => codec_name)).toEqual(["h264"]);
    expect(packets).toHaveLength(100);
    expect(packets.filter(({ flags }) => flags.includes("K"))).toHaveLength(4);
  });

  test("goes on when the picture's configuration changes", () => {
    const first = read("320x180");
    const second = read("640x360");
    const later = second.units.map((unit) => ({ ...unit, dts: unit.dts + 360_000, pts: unit.pts + 360_000 }));
    const pieces = write([...first.units, ...later], first.video, first.audio);
    const { packets } = ffprobe(save("changed", Buffer.concat(pieces.map(({ bytes }) => bytes))));
    expect(packets.filter(({ codec_type }) => codec_type === "video")).toHaveLength(200);
    const [, keyframe] = [
      ...readAccessUnits(Buffer.concat(pieces.map((piece) => piece.bytes)), readMovie(pieces[0]?.bytes as Buffer)),
    ].filter((unit) => unit.track.kind === "video" && unit.keyframe && unit.dts >= 360_000);
    // A parameter set (type 7) stands before the slice.
    expect((keyframe?.data[4] as number) & 0x1f).toBe(7);
  });

  test("says what its fragments cover, and where they begin", () => {
    const { units, video, audio } = read("320x180");
    const file = Buffer.concat(write(units, video, audio).map(({ bytes }) => bytes));
    const movie = readMovie(file);
    const defaults = (id: number) => movie.find(({ trackId }) => trackId === id)?.defaults;
    const moofs = [...readBoxes(file)].filter(({ type }) => type === "moof");
    const spans = moofs.flatMap(({ payload }) => readFragmentSpans(payload, defaults));
    const ofPicture = spans.filter(({ trackId }) => trackId === 1);
    expect(ofPicture).toHaveLength(4);
    let end = 0;
    for (const { baseDecodeTime, duration } of ofPicture) {
      expect(baseDecodeTime).toBe(end);
      end += duration;
    }
    expect(Math.abs(end - 360_000)).toBeLessThan(2000);
    const index = new MovieIndex(1);
    for (const { start, payload } of moofs) {
      const [span] = readFragmentSpans(payload, defaults);
      if (span?.trackId === 1) index.add(span.baseDecodeTime, start);
    }
    const path = save("indexed", Buffer.concat([file, index.bytes()]));
    const { packets } = ffprobe(path);
    expect(packets.filter(({ codec_type }) => codec_type === "video")).toHaveLength(100);
    const [mfra] = [...readBoxes(Buffer.concat([file, index.bytes()]))].filter(({ type }) => type === "mfra");
    // The last four bytes say how large the box is: readers look there first.
    expect(Buffer.from(mfra?.payload.subarray(-4) as Uint8Array).readUInt32BE(0)).toBe(mfra?.size);
  });
});
