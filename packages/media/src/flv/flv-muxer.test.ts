import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { ffmpegSample } from "../testing/ffmpeg-sample.ts";
import { MediaLog } from "../testing/media-log.ts";
import { flvTimestamp } from "./flv-body.ts";
import { FlvDemuxer } from "./flv-demuxer.ts";
import { FlvFileReader, type FlvTag, flvFileHeader, flvFileTag } from "./flv-file.ts";
import { type FlvMessage, FlvMuxer } from "./flv-muxer.ts";

const samples: Readonly<Record<string, () => Buffer>> = {
  "H.264 with B-frames and AAC": () =>
    ffmpegSample("flv", "-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine -t 1 -c:v libx264 -bf 2 -c:a aac").bytes,
  "H.264 and MP3": () =>
    ffmpegSample(
      "flv",
      "-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine -t 0.5 -c:v libx264 -c:a libmp3lame -ac 2",
    ).bytes,
  "HEVC and Opus (FFmpeg 8.1)": () => readFileSync(new URL("../../fixtures/hevc-opus.flv", import.meta.url)),
  "AV1 and AAC (FFmpeg 8.1)": () => readFileSync(new URL("../../fixtures/av1-aac.flv", import.meta.url)),
  "VP9 (FFmpeg 8.1)": () => readFileSync(new URL("../../fixtures/vp9.flv", import.meta.url)),
  "multitrack (FFmpeg 8.1)": () => readFileSync(new URL("../../fixtures/multitrack.flv", import.meta.url)),
};

function remux(tags: readonly FlvTag[]): { messages: FlvMessage[]; log: MediaLog } {
  const messages: FlvMessage[] = [];
  const log = new MediaLog();
  const muxer = new FlvMuxer((message) => messages.push(message));
  const demuxer = new FlvDemuxer({
    onTrack: (track) => {
      log.onTrack(track);
      muxer.onTrack(track);
    },
    onAccessUnit: (unit) => {
      log.onAccessUnit(unit);
      muxer.onAccessUnit(unit);
    },
  });
  for (const { kind, timestampMs, body } of tags) {
    if (kind === "video") demuxer.pushVideo(timestampMs, body);
    else if (kind === "audio") demuxer.pushAudio(timestampMs, body);
  }
  return { messages, log };
}

function tagsOf(bytes: Uint8Array): FlvTag[] {
  const tags: FlvTag[] = [];
  new FlvFileReader().push(bytes, (tag) => tags.push(tag));
  return tags;
}

describe("what FFmpeg wrote is written again (ING1, STU3)", () => {
  for (const [name, sample] of Object.entries(samples)) {
    test(`${name}: every message of a frame, byte for byte`, () => {
      const tags = tagsOf(sample());
      const { messages } = remux(tags);
      const isFrame = ({ kind, body }: FlvTag) => {
        const first = body[0] as number;
        if (kind === "script" || body.length < 6) return false;
        if (kind === "video" && (first & 0x80) !== 0)
          return (((first & 15) === 6 ? (body[1] as number) : first) & 13) === 1;
        if (kind === "audio" && first >> 4 === 9)
          return ((first & 15) === 5 ? (body[1] as number) & 15 : first & 15) === 1;
        return first >> 4 === 2 || body[1] === 1;
      };
      const hex = ({ kind, timestampMs, body }: FlvTag) =>
        `${kind} ${timestampMs} ${Buffer.from(body).toString("hex")}`;
      const ours = messages.filter(({ isConfig }) => !isConfig).map(hex);
      const theirs = tags.filter(isFrame).map(hex);
      expect(ours.length).toBeGreaterThan(5);
      expect(ours).toEqual(theirs);
    });

    test(`${name}: comes back as the same access units`, () => {
      const once = remux(tagsOf(sample()));
      const again = remux(once.messages);
      const plain = ({ track, dts, pts, keyframe, data }: AccessUnit) => [
        track.kind,
        track.id,
        dts,
        pts,
        keyframe,
        [...data],
      ];
      expect(again.log.units.map(plain)).toEqual(once.log.units.map(plain));
      expect(again.log.tracks.map((track) => ({ ...track, config: [...track.config] }))).toEqual(
        expect.arrayContaining(once.log.tracks.map((track) => ({ ...track, config: [...track.config] }))),
      );
    });
  }

  test("FFmpeg reads a file of ours without a word, frame by frame the same picture and sound", () => {
    const directory = mkdtempSync(join(tmpdir(), "klieg-flv-"));
    try {
      const original = samples["H.264 with B-frames and AAC"] as () => Buffer;
      const { messages } = remux(tagsOf(original()));
      const path = join(directory, "ours.flv");
      writeFileSync(path, Buffer.concat([flvFileHeader({ audio: true, video: true }), ...messages.map(flvFileTag)]));
      const frames = (input: string | Buffer) => {
        const args = ["-v", "warning", "-i", typeof input === "string" ? input : "-", "-f", "framemd5", "-"];
        return execFileSync("ffmpeg", args, {
          encoding: "utf8",
          input: typeof input === "string" ? undefined : input,
          stdio: ["pipe", "pipe", "pipe"],
        });
      };
      const log = execFileSync("sh", ["-c", `ffmpeg -v warning -i ${path} -f null - 2>&1`], { encoding: "utf8" });
      expect(log).toBe("");
      expect(frames(path)).toBe(frames(original()));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

test("a configuration goes out before the first frame that needs it, and again when it changes", () => {
  const { log } = remux(tagsOf((samples["H.264 with B-frames and AAC"] as () => Buffer)()));
  const messages: FlvMessage[] = [];
  const muxer = new FlvMuxer((message) => messages.push(message));
  const [video] = log.videoTracks;
  const [key] = log.video();
  if (video === undefined || key === undefined) throw new Error("no video");
  muxer.onTrack(video);
  expect(messages).toEqual([]);
  muxer.onAccessUnit({ ...key, dts: 9000, pts: 9000 });
  muxer.onAccessUnit({ ...key, dts: 12_600, pts: 12_600 });
  muxer.onTrack({ ...video });
  muxer.onAccessUnit({ ...key, dts: 16_200, pts: 16_200 });
  expect(messages.map(({ isConfig, timestampMs, keyframe }) => [isConfig, timestampMs, keyframe])).toEqual([
    [true, 100, false],
    [false, 100, true],
    [false, 140, true],
    [true, 180, false],
    [false, 180, true],
  ]);
  expect(flvTimestamp({ ...key, dts: 90 * 2 ** 32 })).toBe(2 ** 32);
  expect(() => muxer.onAccessUnit({ ...key, track: { ...video, codec: "vp8", id: 2 } })).toThrow(MediaError);
});

describe("FLV files", () => {
  const tag: fc.Arbitrary<FlvTag> = fc.record({
    kind: fc.constantFrom("audio", "video", "script"),
    timestampMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    body: fc.uint8Array({ maxLength: 60 }),
  });

  test("tags come back as they were written, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(tag), fc.integer({ min: 1, max: 80 }), (tags, step) => {
        const bytes = Buffer.concat([flvFileHeader({ audio: true, video: true }), ...tags.map(flvFileTag)]);
        const read: FlvTag[] = [];
        const reader = new FlvFileReader();
        for (let at = 0; at < bytes.length; at += step) {
          reader.push(bytes.subarray(at, at + step), (found) =>
            read.push({ ...found, body: Uint8Array.from(found.body) }),
          );
        }
        expect(read).toEqual(tags);
        expect(reader.heldBytes).toBe(0);
      }),
    );
  });

  test("a longer header is passed over; other files, encryption and too long tags are an error", () => {
    const header = flvFileHeader({ audio: false, video: true });
    const body = flvFileTag({ kind: "video", timestampMs: 5, body: Uint8Array.of(1, 2) });
    const longer = Buffer.concat([Buffer.from(header.subarray(0, 9)), Buffer.of(9, 9), Buffer.alloc(4), body]);
    longer[8] = 11;
    expect(tagsOf(longer)).toMatchObject([{ timestampMs: 5 }]);
    expect(() => tagsOf(Buffer.from("RIFF00000000"))).toThrow(MediaError);
    const encrypted = Buffer.concat([header, body]);
    encrypted[13] = 0x29;
    expect(() => tagsOf(encrypted)).toThrow(MediaError);
    expect(() => new FlvFileReader(1).push(Buffer.concat([header, body]), () => undefined)).toThrow(MediaError);
    expect(() => flvFileTag({ kind: "video", timestampMs: 0, body: new Uint8Array(2 ** 24) })).toThrow(MediaError);
  });
});
