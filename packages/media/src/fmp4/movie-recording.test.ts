import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AccessUnit, TICKS_PER_SECOND, type Track } from "../access-unit.ts";
import { ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { readAccessUnits } from "./fragment.ts";
import { readMovie } from "./movie.ts";
import { MovieRecording, type MovieRecordingOptions, type RecordingFailure } from "./movie-recording.ts";
import { surveyMovie } from "./movie-survey.ts";

const FRAGMENTED = "-movflags frag_keyframe+empty_moov+default_base_moof";
/** Four seconds of picture, a keyframe each second, and sound. */
const SOURCE = `-f lavfi -i testsrc2=s=160x90:r=25:d=4 -f lavfi -i sine=r=48000:d=4 -ac 2 -c:v libx264 -g 25 -bf 0 -pix_fmt yuv420p -c:a aac ${FRAGMENTED}`;

function footage(): AccessUnit[] {
  const { bytes } = ffmpegSample("mp4", SOURCE);
  return [...readAccessUnits(bytes, readMovie(bytes))].sort((a, b) => a.dts - b.dts);
}

/** A file in memory, that may be full. */
class MemoryFile {
  content = new Uint8Array(0);
  room = Number.POSITIVE_INFINITY;
  closed = false;

  get bytes(): number {
    return this.content.byteLength;
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    const added = Buffer.concat([this.content, ...parts]);
    if (added.byteLength > this.room) throw new Error("full");
    this.content = Uint8Array.from(added);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  readonly read = async (at: number, length: number) => this.content.subarray(at, at + length);
}

function record(options: Partial<MovieRecordingOptions> = {}) {
  const file = new MemoryFile();
  const failures: RecordingFailure[] = [];
  const recording = new MovieRecording({
    file,
    kinds: ["video", "audio"],
    soundPatienceMs: 1000,
    maxFragmentMs: 1000,
    onGrown: () => undefined,
    onFailed: (failure) => failures.push(failure),
    ...options,
  });
  const take = (units: readonly AccessUnit[], only?: Track["kind"]) => {
    const wanted = units.filter(({ track }) => only === undefined || track.kind === only);
    for (const track of new Set(wanted.map(({ track }) => track))) recording.onTrack(track);
    for (const unit of wanted) recording.onAccessUnit(unit);
  };
  return { file, failures, recording, take };
}

function probed(name: string, content: Uint8Array) {
  const path = join(tmpdir(), `klieg-movie-recording-${process.pid}-${name}.mp4`);
  writeFileSync(path, content);
  const { streams, packets } = ffprobe(path);
  return { codecs: streams.map(({ codec_name }) => codec_name), packets };
}

describe("a recording (STU8, RTC2)", () => {
  test("of sound alone plays, begins where it is told to, and has an index", async () => {
    const units = footage();
    const { file, recording, take } = record({ kinds: ["audio"], zero: TICKS_PER_SECOND });
    take(units);
    expect(recording.zero).toBe(TICKS_PER_SECOND);
    await recording.close();
    const { codecs, packets } = probed("sound", file.content);
    expect(codecs).toEqual(["aac"]);
    expect(Number(packets[0]?.pts_time)).toBeLessThan(0.03);
    expect(recording.durationMs).toBeGreaterThan(2900);
    expect(recording.durationMs).toBeLessThan(3100);
    expect(Number(packets.at(-1)?.pts_time)).toBeCloseTo(recording.durationMs / 1000, 1);
    const survey = await surveyMovie(file.bytes, file.read);
    expect(survey).toMatchObject({ durationMs: recording.durationMs });
    expect(survey.tracks.map(({ track }) => track.kind)).toEqual(["audio"]);
  });

  test("is surveyed alike by its index and without, whole and cut anywhere", async () => {
    const ends: number[] = [];
    const { file, recording, take } = record({ onGrown: (_, durationMs) => ends.push(durationMs) });
    take(footage());
    await recording.close();
    let reads = 0;
    const counted = async (at: number, length: number) => {
      reads += 1;
      return await file.read(at, length);
    };
    const short = await surveyMovie(file.bytes, counted, true);
    const shortReads = reads;
    reads = 0;
    const whole = await surveyMovie(file.bytes, counted);
    expect([short.durationMs, short.end]).toEqual([whole.durationMs, whole.end]);
    expect(whole.durationMs).toBe(recording.durationMs);
    expect(shortReads).toBeLessThan(reads);
    expect(Buffer.compare(file.content.subarray(whole.end), whole.index.bytes())).toBe(0);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: file.bytes }), async (size) => {
        const cut = await surveyMovie(size, file.read, true);
        expect(cut.end).toBeLessThanOrEqual(size);
        expect([0, ...ends]).toContain(cut.durationMs);
      }),
      { numRuns: 60 },
    );
  });

  test("of anything at all is surveyed without an error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
        const tail = Buffer.concat([noise, Uint8Array.of(0, 0, 0, 16), Buffer.from("mfro"), noise.subarray(0, 8)]);
        const { durationMs } = await surveyMovie(
          tail.length,
          async (at, length) => tail.subarray(at, at + length),
          true,
        );
        expect(durationMs).toBe(0);
      }),
    );
  });

  test("without sound begins when it has waited long enough, or not at all", async () => {
    const units = footage();
    const patient = record({ soundPatienceMs: Number.POSITIVE_INFINITY });
    patient.take(units, "video");
    await patient.recording.close();
    expect([patient.file.bytes, patient.recording.zero]).toEqual([0, undefined]);
    const silent = record();
    silent.take(units, "video");
    await silent.recording.close();
    expect(silent.recording.durationMs).toBeGreaterThan(2500);
    expect(probed("silent", silent.file.content).codecs).toEqual(["h264"]);
  });

  test("ends with words where its file takes no more, and keeps what is whole", async () => {
    const units = footage();
    const full = record();
    full.file.room = 60_000;
    full.take(units);
    await full.recording.close();
    expect(full.failures).toMatchObject([{ reason: "unwritable", cause: { message: "full" } }]);
    const small = record({ maxBytes: 60_000 });
    small.take(units);
    await small.recording.close();
    expect(small.failures).toMatchObject([{ reason: "too_large" }]);
    for (const { file, recording } of [full, small]) {
      expect(file.closed).toBe(true);
      expect(recording.durationMs).toBeGreaterThan(0);
      const survey = await surveyMovie(file.bytes, file.read, true);
      expect(survey.durationMs).toBe(recording.durationMs);
    }
  });
});
