import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { MediaLog } from "../testing/media-log.ts";
import { FlvDemuxer } from "./flv-demuxer.ts";
import { FlvFileReader, type FlvTag } from "./flv-file.ts";

function tagsOf(bytes: Uint8Array): FlvTag[] {
  const tags: FlvTag[] = [];
  new FlvFileReader().push(bytes, (tag) => tags.push(tag));
  return tags;
}

function fixture(name: string): FlvTag[] {
  return tagsOf(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));
}

function demux(tags: readonly FlvTag[]): MediaLog & { demuxer: FlvDemuxer } {
  const log = new MediaLog();
  const demuxer = new FlvDemuxer(log);
  feed(demuxer, tags);
  return Object.assign(log, { demuxer });
}

function feed(demuxer: FlvDemuxer, tags: readonly FlvTag[]): void {
  for (const { kind, timestampMs, body } of tags) {
    if (kind === "video") demuxer.pushVideo(timestampMs, body);
    else if (kind === "audio") demuxer.pushAudio(timestampMs, body);
  }
}

const picture = (rate: string, options: string) =>
  `-f lavfi -i testsrc2=s=320x180:r=${rate} -f lavfi -i sine=r=44100 -t 1 ${options}`;

describe("legacy FLV of FFmpeg: tracks, times, keyframes and sizes are those of ffprobe (ING1)", () => {
  for (const [name, args] of [
    ["25 fps, no B-frames, mono AAC", picture("25", "-c:v libx264 -bf 0 -g 10 -c:a aac -ac 1")],
    ["29.97 fps, B-frames, stereo AAC", picture("30000/1001", "-c:v libx264 -bf 2 -g 15 -c:a aac -ac 2")],
    [
      "50 fps interlaced, B-pyramid, 48 kHz",
      picture("50", "-c:v libx264 -flags +ildct+ilme -bf 3 -g 25 -c:a aac -ar 48000"),
    ],
    ["open GOP", picture("25", "-c:v libx264 -x264-params open-gop=1:keyint=10:bframes=2 -c:a aac")],
    ["MP3", picture("25", "-c:v libx264 -g 10 -c:a libmp3lame -ac 2")],
    ["MP3 of MPEG-2", picture("25", "-c:v libx264 -g 10 -c:a libmp3lame -ar 22050")],
    ["no audio", "-f lavfi -i testsrc2=s=320x180:r=25 -t 0.5 -c:v libx264"],
    ["no video", "-f lavfi -i sine=r=48000 -t 0.5 -c:a aac"],
  ] as const) {
    test(name, () => {
      const file = ffmpegSample("flv", args);
      const { streams, packets } = ffprobe(file.path);
      const log = demux(tagsOf(file.bytes));
      expect(log.warnings).toEqual([]);
      for (const kind of ["video", "audio"] as const) {
        const stream = streams.find(({ codec_type }) => codec_type === kind);
        const tracks = log.tracks.filter((track) => track.kind === kind);
        expect(tracks).toHaveLength(stream === undefined ? 0 : 1);
        const ours = log.units
          .filter((unit) => unit.track.kind === kind)
          .map(({ dts, pts, keyframe, data }) => [dts / 90, pts / 90, keyframe, data.length]);
        const theirs = packets
          .filter(({ codec_type }) => codec_type === kind)
          .map((p) => [Number(p.dts_time) * 1000, Number(p.pts_time) * 1000, p.flags.startsWith("K"), Number(p.size)]);
        expect(ours.length).toBe(theirs.length);
        expect(
          ours.map(([dts, pts, key, size]) => [Math.round(dts as number), Math.round(pts as number), key, size]),
        ).toEqual(
          theirs.map(([dts, pts, key, size]) => [Math.round(dts as number), Math.round(pts as number), key, size]),
        );
      }
      const video = streams.find(({ codec_type }) => codec_type === "video");
      if (video !== undefined) expect(log.videoTracks[0]).toMatchObject({ width: video.width, height: video.height });
      const audio = streams.find(({ codec_type }) => codec_type === "audio");
      if (audio !== undefined) {
        expect(log.audioTracks[0]).toMatchObject({ sampleRate: Number(audio.sample_rate), channels: audio.channels });
      }
    });
  }
});

describe("Enhanced RTMP as FFmpeg 8.1 writes it (ING1)", () => {
  test("HEVC with B-frames and Opus", () => {
    const log = demux(fixture("hevc-opus.flv"));
    expect(log.warnings).toEqual([]);
    expect(log.tracks).toMatchObject([
      { kind: "video", id: 0, codec: "hevc", codecString: "hvc1.1.6.L30.90", width: 160, height: 90, profile: "Main" },
      { kind: "audio", id: 0, codec: "opus", codecString: "opus", sampleRate: 48000, channels: 1 },
    ]);
    expect(log.videoTracks[0]?.frameRate).toBeCloseTo(30000 / 1001);
    expect(log.video().map((unit) => unit.keyframe)).toEqual(Array.from({ length: 15 }, (_, i) => i === 0 || i === 6));
    expect(log.video().some((unit) => unit.pts > unit.dts)).toBe(true);
    expect(log.audio()).toHaveLength(26);
    expect(
      log
        .audio()
        .map((unit) => unit.dts)
        .slice(0, 4),
    ).toEqual([5400, 7290, 9090, 10_890]);
  });

  test("AV1 and AAC", () => {
    const log = demux(fixture("av1-aac.flv"));
    expect(log.warnings).toEqual([]);
    expect(log.tracks).toMatchObject([
      { codec: "av1", codecString: "av01.0.00M.08", width: 160, height: 90 },
      { codec: "aac", codecString: "mp4a.40.2", sampleRate: 44100, channels: 1 },
    ]);
    expect(log.video().map((unit) => unit.keyframe)).toEqual(Array.from({ length: 10 }, (_, i) => i % 5 === 0));
  });

  test("VP9", () => {
    const log = demux(fixture("vp9.flv"));
    expect(log.warnings).toEqual([]);
    expect(log.tracks).toMatchObject([{ codec: "vp9", codecString: "vp09.00.10.08", width: 160, height: 90 }]);
    expect(log.video().map((unit) => unit.keyframe)).toEqual(Array.from({ length: 10 }, (_, i) => i % 5 === 0));
  });

  test("multitrack: every track has its id", () => {
    const log = demux(fixture("multitrack.flv"));
    expect(log.warnings).toEqual([]);
    expect(log.tracks.map(({ kind, id, codec }) => [kind, id, codec])).toEqual([
      ["video", 0, "h264"],
      ["video", 1, "hevc"],
      ["audio", 0, "aac"],
      ["audio", 1, "opus"],
    ]);
    expect([log.video(0).length, log.video(1).length, log.audio(0).length, log.audio(1).length]).toEqual([
      10, 15, 19, 26,
    ]);
  });
});

describe("Enhanced RTMP layouts that no peer here writes (ING1)", () => {
  const [start, frame] = fixture("hevc-opus.flv").filter(
    ({ kind, body }) => kind === "video" && ((body[0] as number) & 15) !== 4,
  );
  const config = (start as FlvTag).body.subarray(5);
  const keyframe = (frame as FlvTag).body.subarray(8);
  const opus = fixture("hevc-opus.flv").filter(({ kind }) => kind === "audio");
  const opusHead = (opus[0] as FlvTag).body.subarray(5);
  const opusPacket = (opus[2] as FlvTag).body.subarray(5);
  const u24 = (value: number) => [value >> 16, (value >> 8) & 255, value & 255];
  const ascii = (text: string) => [...Buffer.from(text, "latin1")];
  const tag = (kind: "video" | "audio", timestampMs: number, ...body: (number | Uint8Array)[]): FlvTag => ({
    kind,
    timestampMs,
    body: Uint8Array.from(body.flatMap((part) => (typeof part === "number" ? [part] : [...part]))),
  });

  test("CodedFramesX has no composition time; CodedFrames a signed one", () => {
    const log = demux([
      start as FlvTag,
      tag("video", 100, 0x93, ...ascii("hvc1"), keyframe),
      tag("video", 140, 0x91, ...ascii("hvc1"), ...u24(0xffffd8), keyframe),
    ]);
    expect(log.units.map(({ dts, pts }) => [dts, pts])).toEqual([
      [9000, 9000],
      [12_600, 9000],
    ]);
  });

  test("ModEx adds nanoseconds; what it does not know, it passes over", () => {
    const nano = [2, ...u24(333_333)];
    const log = demux([
      start as FlvTag,
      tag("video", 33, 0x97, ...nano, 0x03, ...ascii("hvc1"), keyframe),
      tag("video", 66, 0x97, 0, 0xee, 0x17, ...nano, 0x03, ...ascii("hvc1"), keyframe),
      tag("video", 66, 0x97, 255, 1, 0, new Uint8Array(257), 0x13, ...ascii("hvc1"), keyframe),
      tag("audio", 33, 0x97, ...nano, 0x01, ...ascii("Opus"), opusPacket),
    ]);
    expect(log.warnings).toEqual([]);
    expect(log.units.map(({ dts }) => dts)).toEqual([3000, 5970, 5940, 3000]);
  });

  test("ManyTracks and ManyTracksManyCodecs", () => {
    const track = (id: number, data: Uint8Array) => Buffer.from([id, ...u24(data.length), ...data]);
    const log = demux([
      tag("video", 0, 0x96, 0x10, ...ascii("hvc1"), track(0, config), track(3, config)),
      tag("video", 0, 0x96, 0x13, ...ascii("hvc1"), track(0, keyframe), track(3, keyframe)),
      tag(
        "audio",
        0,
        0x95,
        0x20,
        ...ascii("Opus"),
        track(0, opusHead),
        ...ascii("mp4a"),
        track(1, Buffer.of(0x11, 0x90)),
      ),
      tag(
        "audio",
        7,
        0x95,
        0x21,
        ...ascii("Opus"),
        track(0, opusPacket),
        ...ascii("mp4a"),
        track(1, Buffer.of(0x21, 9)),
      ),
    ]);
    expect(log.warnings).toEqual([]);
    expect(log.tracks.map(({ kind, id, codec }) => [kind, id, codec])).toEqual([
      ["video", 0, "hevc"],
      ["video", 3, "hevc"],
      ["audio", 0, "opus"],
      ["audio", 1, "aac"],
    ]);
    expect(log.units.map(({ track: { id }, keyframe: key, dts }) => [id, key, dts])).toEqual([
      [0, true, 0],
      [3, true, 0],
      [0, true, 630],
      [1, true, 630],
    ]);
  });

  test("a track longer than its message, a multitrack message in another and a type from the future are dropped", () => {
    const log = demux([
      start as FlvTag,
      tag("video", 0, 0x96, 0x13, ...ascii("hvc1"), 0, ...u24(keyframe.length + 1), keyframe),
      tag("video", 0, 0x96, 0x06, ...ascii("hvc1"), 0, keyframe),
      tag("video", 0, 0x96, 0x33, ...ascii("hvc1"), 0, keyframe),
      tag("video", 0, 0x97, 200, 1, 2, 3),
      tag("video", 0, 0x9f, ...ascii("hvc1"), keyframe),
    ]);
    expect(log.units).toEqual([]);
    const malformed = "tag_malformed";
    expect(log.warnings.map(({ code }) => code)).toEqual(new Array(5).fill(malformed));
  });

  test("commands, metadata, ends of sequences and channel maps are no frames and no reason to warn", () => {
    const log = demux([
      tag("video", 0, 0xd1, 0),
      tag("video", 0, 0x57, 0),
      tag("video", 0, 0xd4, ...ascii("hvc1"), 2, 0, 9),
      tag("video", 0, 0x92, ...ascii("hvc1")),
      tag("video", 0, 0x95, ...ascii("av01"), 0x80, 4, 0, 0, 0, 0),
      tag("video", 0, 0x17, 2),
      tag("video", 0, 0x17, 2, 0, 0, 0),
      tag("audio", 0, 0x92, ...ascii("Opus")),
      tag("audio", 0, 0x94, ...ascii("Opus"), 0, 2),
      tag("video", 0),
      tag("audio", 0),
      tag("audio", 0, 0xaf, 1),
    ]);
    expect([log.tracks, log.units, log.warnings]).toEqual([[], [], []]);
  });

  test("HEVC as codec 12, as some encoders send it", () => {
    const log = demux([tag("video", 0, 0x1c, 0, 0, 0, 0, config), tag("video", 40, 0x1c, 1, ...u24(80), keyframe)]);
    expect(log.tracks).toMatchObject([{ codec: "hevc", width: 160 }]);
    expect(log.units).toMatchObject([{ dts: 3600, pts: 10_800, keyframe: true }]);
  });

  test("Opus without a sequence header", () => {
    const log = demux([tag("audio", 20, 0x91, ...ascii("Opus"), 0xfc, 0xff, 0xfe)]);
    expect(log.tracks).toMatchObject([{ codec: "opus", channels: 2 }]);
    expect(log.units).toHaveLength(1);
  });

  test("codecs that are not taken in are told by name, and the tracks beside them go on", () => {
    const log = demux([
      tag("audio", 0, 0x90, ...ascii("ac-3")),
      tag("audio", 0, 0x90, ...ascii("fLaC")),
      tag("audio", 0, 0x3f, 0, 0),
      tag("video", 0, 0x90, ...ascii("vvc1")),
      tag("video", 0, 0x12, 0, 0, 0, 0),
      start as FlvTag,
      tag("video", 0, 0x93, ...ascii("hvc1"), keyframe),
    ]);
    expect(log.warnings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'codec_unsupported: audio codec "ac-3"',
      'codec_unsupported: audio codec "fLaC"',
      "codec_unsupported: FLV sound format 3",
      'codec_unsupported: video codec "vvc1"',
      "codec_unsupported: FLV video codec 2",
    ]);
    expect(log.units).toHaveLength(1);
  });

  test("no more than 16 tracks of a kind", () => {
    const log = demux(Array.from({ length: 40 }, (_, id) => tag("video", 0, 0x96, 0x00, ...ascii("hvc1"), id, config)));
    expect(log.tracks).toHaveLength(16);
    expect(log.warnings).toHaveLength(16);
    expect(log.demuxer.warningCounts.get("too_many_tracks")).toBe(24);
  });
});

describe("changes and faults in mid-stream (ING1, PKG4)", () => {
  const first = tagsOf(ffmpegSample("flv", picture("25", "-c:v libx264 -bf 2 -g 10 -c:a aac -ac 1")).bytes);
  const second = tagsOf(
    ffmpegSample(
      "flv",
      "-f lavfi -i testsrc2=s=640x360:r=25 -f lavfi -i sine=r=48000 -t 0.5 -c:v libx264 -g 10 -c:a aac -ac 2",
    ).bytes,
  );
  const isConfig = ({ kind, body }: FlvTag) => kind !== "script" && body[1] === 0;

  test("a sequence header sent again is no new track; a different one is, for picture and sound", () => {
    const configs = first.filter(isConfig);
    expect(configs).toHaveLength(2);
    const log = demux(
      first.flatMap((tag) => (tag.kind === "video" && tag.body[0] === 0x17 ? [...configs, tag] : [tag])),
    );
    expect(log.tracks).toHaveLength(2);
    feed(log.demuxer, second);
    expect(log.tracks.slice(2)).toMatchObject([
      { kind: "video", id: 0, width: 640, height: 360 },
      { kind: "audio", id: 0, sampleRate: 48000, channels: 2 },
    ]);
    expect(log.units.at(-1)?.track).toBe(log.tracks.find((track) => track === log.units.at(-1)?.track));
    expect(log.video().at(-1)?.track).toBe(log.videoTracks[1]);
    expect(log.warnings).toEqual([]);
  });

  test("another codec on the same track is a new track", () => {
    const log = demux([...first, ...fixture("hevc-opus.flv")]);
    expect(log.tracks.map(({ codec }) => codec)).toEqual(["h264", "aac", "hevc", "opus"]);
    expect(log.warnings).toEqual([]);
  });

  test("frames are views of the message", () => {
    const log = new MediaLog();
    const demuxer = new FlvDemuxer(log);
    for (const tag of first) {
      const before = log.units.length;
      feed(demuxer, [tag]);
      for (const unit of log.units.slice(before)) expect(unit.data.buffer).toBe(tag.body.buffer);
    }
    expect(log.units.length).toBeGreaterThan(40);
  });

  test("frames before their configuration are dropped and told", () => {
    const log = demux(first.filter((tag) => !isConfig(tag)));
    expect(log.units).toEqual([]);
    expect(new Set(log.warnings.map(({ code }) => code))).toEqual(new Set(["frame_before_config"]));
  });

  test("AAC frames that kept their ADTS headers lose them", () => {
    const { bytes, path } = ffmpegSample("aac", "-f lavfi -i sine=r=44100:d=0.3 -c:a aac");
    const tags = ffprobe(path).packets.map(({ pos, size }, i): FlvTag => {
      const frame = bytes.subarray(Number(pos), Number(pos) + Number(size));
      return { kind: "audio", timestampMs: i * 23, body: Buffer.concat([Buffer.of(0xaf, 1), frame]) };
    });
    const log = demux(tags);
    expect(log.tracks).toMatchObject([{ codec: "aac", sampleRate: 44100, channels: 1 }]);
    expect(log.units.map(({ data }) => data.length)).toEqual(tags.map(({ body }) => body.length - 9));
    expect(log.warnings).toEqual([]);
  });

  test("broken configurations and frames cost themselves alone", () => {
    const [video] = first.filter((tag) => tag.kind === "video" && isConfig(tag)) as [FlvTag];
    const cut = (tag: FlvTag, bytes: number): FlvTag => ({ ...tag, body: tag.body.subarray(0, bytes) });
    const frames = first.filter((tag) => tag.kind === "video" && tag.body[1] === 1);
    const log = demux([cut(video, 20), cut(video, 3), video, cut(frames[0] as FlvTag, 40), ...frames]);
    expect(log.warnings.map(({ code }) => code)).toEqual(["config_malformed", "tag_malformed", "frame_malformed"]);
    expect(log.units).toHaveLength(frames.length);
  });

  test("warnings are told 16 times and counted for ever", () => {
    const log = demux(
      Array.from({ length: 1000 }, () => ({ kind: "video", timestampMs: 0, body: Uint8Array.of(0x96) }) as const),
    );
    expect(log.warnings).toHaveLength(16);
    expect(log.demuxer.warningCounts.get("tag_malformed")).toBe(1000);
  });

  test("what the sink throws comes through", () => {
    const demuxer = new FlvDemuxer({
      onTrack: () => {
        throw new RangeError("full");
      },
      onAccessUnit: () => undefined,
    });
    expect(() => feed(demuxer, first)).toThrow(RangeError);
  });
});
