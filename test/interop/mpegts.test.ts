import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type AccessUnit, type MediaWarning, type Track, TsDemuxer, TsMuxer } from "@klieg/media";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const MAX_BUFFER = 256 * 1024 * 1024;
const MODULUS = 2 ** 33;

const VIDEO = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30"];
const tone = (rate: number) => ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=${rate}`];
const X264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "30"];
const AAC = ["-c:a", "aac"];

/** Transport streams that FFmpeg makes, 2 s each; what follows `-t 2` and goes before `-f mpegts`. */
const FFMPEG_STREAMS: readonly { name: string; inputs: string[]; args: string[] }[] = [
  {
    name: "H.264 without B-frames, AAC 48 kHz stereo",
    inputs: [...VIDEO, ...tone(48_000)],
    args: [...X264, "-bf", "0", ...AAC, "-ac", "2"],
  },
  {
    name: "H.264 with B-frames, AAC 44.1 kHz mono",
    inputs: [...VIDEO, ...tone(44_100)],
    args: [...X264, "-bf", "3", ...AAC, "-ac", "1"],
  },
  { name: "H.264 with open GOPs", inputs: VIDEO, args: [...X264, "-bf", "3", "-x264-params", "open-gop=1:keyint=15"] },
  {
    name: "H.264 with intra refresh",
    inputs: VIDEO,
    args: [...X264, "-tune", "zerolatency", "-x264-params", "intra-refresh=1"],
  },
  { name: "H.264 in slices", inputs: VIDEO, args: [...X264, "-x264-params", "slices=4"] },
  { name: "H.264 interlaced", inputs: VIDEO, args: [...X264, "-s", "160x96", "-x264-params", "interlaced=1"] },
  {
    name: "HEVC with B-frames, AAC",
    inputs: [...VIDEO, ...tone(48_000)],
    args: ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=15:bframes=3", ...AAC],
  },
  { name: "H.264, MP3", inputs: [...VIDEO, ...tone(44_100)], args: [...X264, "-c:a", "libmp3lame"] },
  { name: "H.264, Opus", inputs: [...VIDEO, ...tone(48_000)], args: [...X264, "-c:a", "libopus"] },
  { name: "AAC in LATM", inputs: tone(48_000), args: [...AAC, "-mpegts_flags", "latm"] },
  {
    name: "H.264, two languages",
    inputs: [...VIDEO, ...tone(48_000), ...tone(48_000)],
    args: [
      "-map",
      "0",
      "-map",
      "1",
      "-map",
      "2",
      ...X264,
      ...AAC,
      "-metadata:s:a:0",
      "language=eng",
      "-metadata:s:a:1",
      "language=deu",
    ],
  },
  {
    name: "three renditions and sound, each on its PID (TRN1)",
    inputs: [...VIDEO, ...tone(48_000)],
    args: [
      ...["-filter_complex", "[0:v]split=3[a][b][c];[b]scale=80:46[b2];[c]scale=320:180[c2]"],
      ...["-map", "[a]", "-map", "[b2]", "-map", "[c2]", "-map", "1:a", ...X264, ...AAC],
    ],
  },
  {
    name: "timestamps that wrap",
    inputs: [...VIDEO, ...tone(48_000)],
    args: [...X264, "-bf", "2", ...AAC, "-output_ts_offset", "95441.7"],
  },
  {
    name: "large pictures with PES lengths of 0",
    inputs: ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=10"],
    args: ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "1"],
  },
];

/** Transport streams that GStreamer makes. */
const GSTREAMER_STREAMS: readonly { name: string; video: string; audio: string }[] = [
  {
    name: "H.264 with B-frames, AAC",
    video: "x264enc key-int-max=30 bframes=2 ! h264parse",
    audio: "avenc_aac ! aacparse",
  },
  {
    name: "HEVC, Opus",
    video: "x265enc key-int-max=30 speed-preset=ultrafast ! h265parse",
    audio: "opusenc ! opusparse",
  },
  {
    name: "H.264 zero latency, MP3",
    video: "x264enc tune=zerolatency key-int-max=30 ! h264parse",
    audio: "lamemp3enc ! mpegaudioparse",
  },
];

interface ProbedPacket {
  readonly stream_index: number;
  readonly pts: number;
  readonly dts: number;
  readonly flags: string;
}

interface Probed {
  readonly streams: readonly {
    index: number;
    id: string;
    codec_type: string;
    codec_name: string;
    width?: number;
    sample_rate?: string;
    channels?: number;
  }[];
  readonly packets: readonly ProbedPacket[];
}

/** What ffprobe reads, and what it complains of. */
async function probe(file: string): Promise<Probed & { complaints: string }> {
  const args = ["-v", "warning", "-of", "json", "-show_packets", "-show_streams", file];
  const { stdout, stderr } = await run("ffprobe", args, { maxBuffer: MAX_BUFFER });
  return { ...(JSON.parse(stdout) as Probed), complaints: stderr };
}

interface Demuxed {
  readonly tracks: Track[];
  readonly units: AccessUnit[];
  readonly warnings: MediaWarning[];
  readonly pids: Map<number, AccessUnit[]>;
}

function demux(stream: Uint8Array, piece: number): Demuxed {
  const tracks: Track[] = [];
  const units: AccessUnit[] = [];
  const warnings: MediaWarning[] = [];
  const pids = new Map<number, AccessUnit[]>();
  const demuxer = new TsDemuxer({
    onTrack: (track) => void tracks.push(track),
    onAccessUnit: (unit) => {
      units.push(unit);
      const pid = demuxer.pidOf(unit.track) ?? -1;
      pids.set(pid, [...(pids.get(pid) ?? []), unit]);
    },
    onWarning: (warning) => void warnings.push(warning),
  });
  for (let at = 0; at < stream.length; at += piece) demuxer.push(stream.subarray(at, at + piece));
  demuxer.flush();
  return { tracks, units, warnings, pids };
}

function remux(units: readonly AccessUnit[], tracks: readonly Track[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const muxer = new TsMuxer((chunk) => chunks.push(chunk), { chunkPackets: 7 });
  for (const track of tracks) muxer.onTrack(track);
  for (const unit of units) muxer.onAccessUnit(unit);
  return Buffer.concat(chunks);
}

/** `a` and `b` in the same order differ by no more than a tick on the 33-bit circle: ffprobe cuts where we round. */
function expectSameTimes(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  const differences = a.map((ticks, index) => {
    const difference = (((ticks - (b[index] as number)) % MODULUS) + MODULUS) % MODULUS;
    return Math.min(difference, MODULUS - difference);
  });
  expect(Math.max(0, ...differences)).toBeLessThanOrEqual(1);
}

function expectSameAsProbed({ tracks, pids, warnings }: Demuxed, probed: Probed): void {
  expect(warnings).toEqual([]);
  expect(tracks.length).toBe(probed.streams.length);
  for (const stream of probed.streams) {
    const units = pids.get(Number.parseInt(stream.id, 16)) ?? [];
    const packets = probed.packets.filter(({ stream_index }) => stream_index === stream.index);
    expectSameTimes(
      units.map(({ dts }) => dts),
      packets.map(({ dts }) => dts),
    );
    expectSameTimes(
      units.map(({ pts }) => pts),
      packets.map(({ pts }) => pts),
    );
    expect(units.map(({ keyframe }) => keyframe)).toEqual(packets.map(({ flags }) => flags.startsWith("K")));
    const track = units[0]?.track;
    if (track?.kind === "video") expect(track.width).toBe(stream.width);
    if (track?.kind === "audio")
      expect([String(track.sampleRate), track.channels]).toEqual([stream.sample_rate, stream.channels]);
  }
}

/** MD5 of every decoded picture and sound of a file, in order of their streams. */
async function decoded(file: string): Promise<{ sums: string[]; complaints: string }> {
  const args = ["-v", "warning", "-i", file, "-map", "0", "-copyts", "-f", "framemd5", "-"];
  const { stdout, stderr } = await run("ffmpeg", args, { maxBuffer: MAX_BUFFER });
  const lines = stdout.split("\n").filter((line) => /^\d/.test(line));
  return { sums: lines.map((line) => line.split(",")[5] as string).sort(), complaints: stderr };
}

describe("MPEG transport streams (ING2)", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "klieg-mpegts-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const fileOf = (name: string) => join(folder, `${name.replaceAll(/\W+/g, "-")}.ts`);

  async function checkBothWays(file: string): Promise<void> {
    const stream = await readFile(file);
    const probed = await probe(file);
    let demuxed = demux(stream, stream.length);
    expectSameAsProbed(demuxed, probed);
    for (const piece of [1, 187, 1316]) {
      const again = demux(stream, piece);
      expect(again.units.map(({ data }) => data.length)).toEqual(demuxed.units.map(({ data }) => data.length));
      demuxed = again;
    }

    const ours = `${file}.remuxed.ts`;
    await writeFile(ours, remux(demuxed.units, demuxed.tracks));
    const theirs = await probe(ours);
    expect(theirs.complaints).toBe("");
    const kinds = (all: Probed) => all.streams.map(({ codec_name }) => codec_name.replace("_latm", "")).sort();
    expect(kinds(theirs)).toEqual(kinds(probed));
    expectSameAsProbed(demux(await readFile(ours), 1316), theirs);
    const [before, after] = await Promise.all([decoded(file), decoded(ours)]);
    expect(after.complaints).toBe("");
    expect(after.sums).toEqual(before.sums);
    expect(after.sums.length).toBeGreaterThan(15);
  }

  test.each(FFMPEG_STREAMS)(
    "FFmpeg's $name: read as ffprobe reads it, written so that FFmpeg decodes the same",
    async ({ name, inputs, args }) => {
      const file = fileOf(`ffmpeg ${name}`);
      await run("ffmpeg", ["-v", "error", "-y", ...inputs, "-t", "2", ...args, "-f", "mpegts", file]);
      await checkBothWays(file);
    },
  );

  test.each(GSTREAMER_STREAMS)(
    "GStreamer's $name: read as ffprobe reads it, written so that FFmpeg decodes the same",
    async ({ name, video, audio }) => {
      const file = fileOf(`gstreamer ${name}`);
      const pipeline =
        `mpegtsmux name=m ! filesink location=${file} ` +
        `videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=160,height=90,framerate=30/1 ! ${video} ! m. ` +
        `audiotestsrc num-buffers=90 ! audio/x-raw,rate=48000,channels=2 ! ${audio} ! m.`;
      await run("gst-launch-1.0", ["-q", ...pipeline.split(" ").filter((word) => word !== "")]);
      await checkBothWays(file);
    },
  );

  test("GStreamer reads what we write, with our timestamps", async () => {
    const source = fileOf("for gstreamer");
    const made = ["-v", "error", "-y", ...VIDEO, ...tone(48_000), "-t", "2", ...X264, "-bf", "2", ...AAC];
    await run("ffmpeg", [...made, "-f", "mpegts", source]);
    const { units, tracks } = demux(await readFile(source), 1316);
    const ours = `${source}.remuxed.ts`;
    await writeFile(ours, remux(units, tracks));
    const pipeline =
      `filesrc location=${ours} ! tsdemux name=d ` +
      "d.video_0_0100 ! queue ! identity name=vid ! fakesink d.audio_0_0200 ! queue ! identity name=aud ! fakesink";
    const env = { ...process.env, GST_DEBUG: "GST_SCHEDULING:5", GST_DEBUG_NO_COLOR: "1" };
    const { stderr } = await run("gst-launch-1.0", ["-q", ...pipeline.split(" ")], { maxBuffer: MAX_BUFFER, env });
    expect(stderr).not.toMatch(/ (WARN|ERROR) /);
    /** 90 kHz ticks of every buffer that came to an element. */
    const seen = (name: string) => {
      const pattern = new RegExp(`<${name}:sink> calling .* pts (\\d+):(\\d+):([\\d.]+),`, "g");
      return [...stderr.matchAll(pattern)].map(([, hours, minutes, seconds]) =>
        Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 90_000),
      );
    };
    const [video, audio] = [seen("vid"), seen("aud")];
    const first = (units.find(({ track }) => track.kind === "video") as AccessUnit).pts - (video[0] as number);
    for (const [kind, times] of [
      ["video", video],
      ["audio", audio],
    ] as const) {
      expectSameTimes(
        times.map((ticks) => ticks + first),
        units.filter(({ track }) => track.kind === kind).map(({ pts }) => pts),
      );
    }
  });

  test("FFmpeg's pictures, which tell no length, come out with their last packet and not a picture later", async () => {
    const file = fileOf("latency");
    const made = ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-t", "8", ...X264];
    await run("ffmpeg", [...made, "-tune", "zerolatency", "-f", "mpegts", file]);
    const stream = await readFile(file);
    /** Packets pushed before each access unit came out. */
    const after: number[] = [];
    const warnings: MediaWarning[] = [];
    const demuxer = new TsDemuxer({
      onTrack: () => undefined,
      onAccessUnit: () => void after.push(packets),
      onWarning: (warning) => void warnings.push(warning),
    });
    /** Packets before the first of each picture. */
    const starts: number[] = [];
    let packets = 0;
    for (let at = 0; at < stream.length; at += 188, packets += 1) {
      const pid = stream.readUInt16BE(at + 1);
      if (pid === 0x4100) starts.push(packets);
      demuxer.push(stream.subarray(at, at + 188));
    }
    const late = after.filter((packet, n) => n >= 12 && packet >= (starts[n + 1] ?? Number.POSITIVE_INFINITY)).length;
    expect(warnings).toEqual([]);
    expect(starts.length).toBe(240);
    // A picture that happens to fill its last packet shows its end only when the next begins: one in 184.
    expect(late).toBeLessThanOrEqual(6);
    expect(after.length).toBeGreaterThanOrEqual(239);
  });
});
