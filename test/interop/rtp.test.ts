import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type AccessUnit,
  AV1_OBU,
  RtpDemuxer,
  RtpPacket,
  RtpPacketizer,
  type RtpPayloadCodec,
  type RtpStream,
  readSenderReports,
  type Track,
} from "@klieg/media";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Child, run } from "../harness/child.ts";
import { ffmpeg, ffmpegComplaints, type ProbedUnit, probeUnits } from "../harness/ffmpeg-units.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { framedPackets, framePackets, type OutgoingStream, PacketInbox, PacketOutbox } from "../harness/rtp-peer.ts";

requirePackages("ffmpeg", "gstreamer1.0-tools", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad");

const AV1_PEER = path.join(import.meta.dirname, "../harness/av1-rtp-peer.ts");
const PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-t", "2", "-pix_fmt", "yuv420p"];
const SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "2", "-ac", "2"];

interface Kind {
  readonly codec: RtpPayloadCodec;
  readonly media: "audio" | "video";
  readonly mimeType: string;
  /** In a session description. */
  readonly map: string;
  readonly clockRate: number;
  readonly file: string;
  readonly encode: readonly string[];
}

const VIDEO = { media: "video", clockRate: 90_000 } as const;
const H264: Kind = {
  ...{ ...VIDEO, codec: "h264", mimeType: "video/H264", map: "H264/90000", file: "h264.mp4" },
  encode: [...PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "20", "-b:v", "800k"],
};
const VP8: Kind = {
  ...{ ...VIDEO, codec: "vp8", mimeType: "video/VP8", map: "VP8/90000", file: "vp8.webm" },
  encode: [...PICTURE, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "20", "-b:v", "800k"],
};
const VP9: Kind = {
  ...{ ...VIDEO, codec: "vp9", mimeType: "video/VP9", map: "VP9/90000", file: "vp9.webm" },
  encode: [...PICTURE, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "20", "-b:v", "800k"],
};
const AV1: Kind = {
  ...{ ...VIDEO, codec: "av1", mimeType: "video/AV1", map: "AV1/90000", file: "av1.mp4" },
  encode: [...PICTURE, "-c:v", "libsvtav1", "-preset", "12", "-g", "20", "-b:v", "800k"],
};
const OPUS: Kind = {
  ...{ codec: "opus", media: "audio", mimeType: "audio/opus", map: "opus/48000/2", clockRate: 48_000 },
  ...{ file: "opus.webm", encode: [...SOUND, "-c:a", "libopus", "-b:a", "64k"] },
};
const KINDS = [H264, VP8, VP9, OPUS] as const;

let folder: string;
/** What ffprobe reads from the files. */
const probed = new Map<Kind, ProbedUnit[]>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "klieg-rtp-"));
  for (const kind of [...KINDS, AV1]) {
    await run("ffmpeg", ["-nostdin", "-v", "error", ...kind.encode, fileOf(kind)]);
    probed.set(kind, await probeUnits(fileOf(kind)));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function fileOf({ file }: Kind): string {
  return path.join(folder, file);
}

function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** What comes out of a demultiplexer. */
class Received {
  readonly units: AccessUnit[] = [];
  readonly tracks: Track[] = [];
  readonly warnings: string[] = [];
  readonly demuxer = new RtpDemuxer({
    onTrack: (track) => this.tracks.push(track),
    onAccessUnit: (unit) => this.units.push(unit),
    onWarning: ({ code, message }) => this.warnings.push(`${code}: ${message}`),
  });

  add(
    { media, mimeType, clockRate }: Kind,
    packets: readonly Buffer[],
    parameters: Record<string, string> = {},
  ): RtpStream {
    const { payloadType } = new RtpPacket().read(packets[0] ?? Buffer.alloc(0));
    return this.demuxer.addStream({ id: 0, kind: media, codec: { mimeType, clockRate, parameters }, payloadType });
  }
}

/** Format parameters of a session description's first media section. */
function formatParameters(sessionDescription: string): Record<string, string> {
  const [, list = ""] = /^a=fmtp:\d+ (.*)$/m.exec(sessionDescription) ?? [];
  return Object.fromEntries(
    list
      .trim()
      .split(/; ?/)
      .filter((entry) => entry.includes("="))
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

/** Reads packets as of one stream. They must give what ffprobe reads from the file: bytes, keyframes, times. */
function expectFile(kind: Kind, packets: readonly Buffer[], parameters: Record<string, string> = {}): AccessUnit[] {
  const received = new Received();
  const stream = received.add(kind, packets, parameters);
  for (const packet of packets) stream.push(packet, 0);
  received.demuxer.close();
  const wanted = probed.get(kind) ?? [];
  expect(received.warnings).toEqual([]);
  expect(received.units.map(({ data }) => sha256(data))).toEqual(wanted.map(({ hash }) => hash));
  expect(received.units.map(({ keyframe }) => keyframe)).toEqual(wanted.map(({ keyframe }) => keyframe));
  // The file's first Opus packet is moved by the pre-skip; WebM has whole milliseconds.
  const origin = kind.codec === "opus" ? 1 : 0;
  const since = (all: readonly { pts: number }[]) => all.slice(origin).map(({ pts }) => pts - (all[origin]?.pts ?? 0));
  const times = since(received.units);
  since(wanted).forEach((seconds, i) => {
    expect(Math.abs((times[i] ?? 0) - seconds * 90_000)).toBeLessThan(91);
  });
  expect(received.tracks).toHaveLength(1);
  const picture = { width: 320, height: 180 };
  expect(received.tracks[0]).toMatchObject({
    codec: kind.codec,
    ...(kind.media === "video" ? picture : { channels: 2 }),
  });
  expect(stream.statistics).toMatchObject({ packets: packets.length, lost: 0, unusable: 0, droppedAccessUnits: 0 });
  return received.units;
}

/** The file's access units as GStreamer sends them and we read them. */
async function unitsOf(kind: Kind): Promise<AccessUnit[]> {
  return kind === AV1 ? av1Units() : expectFile(kind, await gstreamerPackets(kind));
}

async function gstreamerPackets({ codec, file }: Kind): Promise<Buffer[]> {
  const demuxer = file.endsWith(".mp4") ? ["qtdemux", "!", "h264parse"] : ["matroskademux"];
  const options = { h264: ["config-interval=-1"], vp8: ["picture-id-mode=15-bit"] }[codec as string] ?? [];
  const framed = path.join(folder, `${codec}.gst`);
  await run("gst-launch-1.0", [
    ...["-q", "filesrc", `location=${path.join(folder, file)}`, "!", ...demuxer, "!"],
    ...[`rtp${codec}pay`, "mtu=1200", ...options, "!", "rtpstreampay", "!", "filesink", `location=${framed}`],
  ]);
  return framedPackets(await readFile(framed));
}

async function av1Units(): Promise<AccessUnit[]> {
  await using inbox = await PacketInbox.open();
  await run(process.execPath, [AV1_PEER, "send", fileOf(AV1), inbox.url]);
  await inbox.settled();
  return expectFile(AV1, inbox.rtp);
}

/** Our packets of the units. */
function packetsOf({ codec }: Kind, units: readonly AccessUnit[]): Buffer[] {
  const packetizer = new RtpPacketizer({ codec, payloadType: 96, ssrc: 77 });
  const packets: Buffer[] = [];
  for (const unit of units) packetizer.push(unit, (packet) => packets.push(Buffer.from(packet)));
  return packets;
}

describe("ING3: RTP of others gives the access units that ffprobe reads from the file", () => {
  test.each(KINDS)("FFmpeg's $codec", async (kind) => {
    await using inbox = await PacketInbox.open();
    const description = path.join(folder, `${kind.codec}.sdp`);
    const args = ["-i", fileOf(kind), "-c", "copy", "-strict", "experimental", "-sdp_file", description, "-f", "rtp"];
    await ffmpeg([...args, inbox.url]);
    await inbox.settled();
    // H.264 from an MP4 file has its parameter sets in the session description alone.
    const units = expectFile(kind, inbox.rtp, formatParameters(await readFile(description, "utf8")));
    expect(units.length).toBeGreaterThanOrEqual(60);
    const [report] = inbox.rtcp.flatMap((packet) => readSenderReports(packet));
    expect(Math.abs((report?.ntpMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test.each(KINDS)("GStreamer's $codec", async (kind) => {
    expectFile(kind, await gstreamerPackets(kind));
  });

  test("FFmpeg 8's av1", async () => {
    expect(await av1Units()).toHaveLength(60);
  });
});

describe("ING3: Chromium's spatial layers of VP9", () => {
  const recorded = path.join(import.meta.dirname, "../../packages/media/fixtures/chromium-vp9-svc.rtp");

  test("are the same pictures to every decoder, and those that Chromium meant", async () => {
    const packets = framedPackets(await readFile(recorded));
    const received = new Received();
    const stream = received.add(VP9, packets);
    for (const packet of packets) stream.push(packet, 0);
    const ours = received.units.map(({ data }) => data);
    const decoded = async (name: string, frames: readonly Uint8Array[], decoder: readonly string[]) => {
      const file = path.join(folder, name);
      await writeFile(file, ivf("VP90", frames));
      const hashes = await ffmpeg([...decoder, "-i", file, ...TO_HASHES, "-"]);
      return hashesIn(hashes.toString()).map(({ hash }) => hash);
    };
    // libvpx shows one picture of a superframe, though all of its frames say that they are to be shown.
    const meant = await decoded("meant.ivf", superframesAsSent(packets), ["-c:v", "libvpx-vp9"]);
    expect(meant).toHaveLength(21);
    expect(await decoded("ours.ivf", ours, ["-c:v", "libvpx-vp9"])).toEqual(meant);
    expect(await decoded("ours.ivf", ours, ["-c:v", "vp9"])).toEqual(meant);
    expect(await ffmpegComplaints(path.join(folder, "ours.ivf"))).toBe("");
  });
});

describe("RTC3: our RTP is read by others", () => {
  test.each(KINDS)("GStreamer's depayloader gives the same $codec", async (kind) => {
    const { codec, media, clockRate, map } = kind;
    const framed = path.join(folder, `${codec}.ours`);
    await writeFile(framed, framePackets(packetsOf(kind, await unitsOf(kind))));
    const out = path.join(folder, `${codec}.units`);
    await mkdir(out);
    const encoding = map.split("/", 1)[0]?.toUpperCase();
    const caps = `application/x-rtp-stream,media=${media},clock-rate=${clockRate},encoding-name=${encoding},payload=96`;
    const avc = codec === "h264" ? ["video/x-h264,stream-format=avc,alignment=au", "!"] : [];
    const args = [
      ...[
        "-q",
        "filesrc",
        `location=${framed}`,
        "!",
        caps,
        "!",
        "rtpstreamdepay",
        "!",
        `rtp${codec}depay`,
        "!",
        ...avc,
      ],
      ...["multifilesink", `location=${out}/%06d`],
    ];
    await using depayloader = new Child("gst-launch-1.0", args, { env: { GST_DEBUG: "2" } });
    expect((await depayloader.exited).code).toBe(0);
    expect(depayloader.output).toBe("");
    const names = (await readdir(out)).sort();
    const hashes = await Promise.all(names.map(async (name) => sha256(await readFile(path.join(out, name)))));
    expect(hashes).toEqual(probed.get(kind)?.map(({ hash }) => hash));
  });

  test.each(KINDS)("FFmpeg decodes our $codec without a warning", async (kind) => {
    const units = await unitsOf(kind);
    const stream: OutgoingStream = { media: kind.media, payloadType: 96, map: kind.map, ssrc: 77 };
    const { hashes, complaints } = await receiveWithFfmpeg([stream], async (outbox) => {
      for (const packet of packetsOf(kind, units)) await outbox.send(0, packet);
    });
    expect(complaints).toBe("");
    const wanted = hashesIn((await ffmpeg(["-i", fileOf(kind), ...TO_HASHES, "-"])).toString());
    expect(wanted).toHaveLength(units.length);
    expect(hashes.map(({ hash }) => hash)).toEqual(wanted.map(({ hash }) => hash));
  });

  test("FFmpeg 8 reads our av1", async () => {
    const units = await unitsOf(AV1);
    await using outbox = await PacketOutbox.open([{ media: "video", payloadType: 96, map: AV1.map, ssrc: 77 }]);
    const description = path.join(folder, "ours.av1.sdp");
    await writeFile(description, outbox.sessionDescription);
    await using receiver = new Child(process.execPath, [AV1_PEER, "receive", description]);
    await outbox.listened(() => receiver.output);
    for (const packet of packetsOf(AV1, units)) await outbox.send(0, packet);
    await outbox.goodbye();
    expect((await receiver.exited).code).toBe(0);
    const hashes = receiver.lines.map((line) => /^packet \S+ (\S+)$/.exec(line)?.[1] ?? line);
    // It puts the temporal delimiter back.
    const delimiter = Buffer.of(AV1_OBU.TEMPORAL_DELIMITER * 8 + 2, 0);
    expect(hashes).toEqual(units.map(({ data }) => sha256(Buffer.concat([delimiter, data]))));
  });
});

describe("RTC3 ING3: sender reports put sound and picture together", () => {
  test("FFmpeg's, though its sound arrives late", async () => {
    await using picture = await PacketInbox.open();
    await using sound = await PacketInbox.open();
    // The picture begins 300 ms after the sound.
    const output = (map: string, url: string) => ["-map", map, "-c", "copy", "-f", "rtp", url];
    const inputs = ["-i", fileOf(OPUS), "-itsoffset", "0.3", "-i", fileOf(VP8)];
    await ffmpeg([...inputs, ...output("0", sound.url), ...output("1", picture.url)]);
    await Promise.all([picture.settled(), sound.settled()]);
    const received = new Received();
    const heard = received.add(OPUS, sound.rtp, { "sprop-stereo": "1" });
    const seen = received.add(VP8, picture.rtp);
    for (const report of sound.rtcp.flatMap((packet) => readSenderReports(packet))) heard.onSenderReport(report);
    for (const report of picture.rtcp.flatMap((packet) => readSenderReports(packet))) seen.onSenderReport(report);
    // By arrival alone the picture would lie 1.7 s too early.
    picture.rtp.slice(0, 8).forEach((packet, i) => {
      seen.push(packet, 1000 + 33 * i);
    });
    for (const packet of sound.rtp) heard.push(packet, 2400);
    for (const packet of picture.rtp.slice(8)) seen.push(packet, 2400);
    expect(received.warnings).toEqual([]);
    const pictures = received.units.filter(({ track }) => track.kind === "video");
    const sounds = received.units.filter(({ track }) => track.kind === "audio");
    const lastPicture = ((pictures.at(-1)?.pts ?? 0) - (sounds[0]?.pts ?? 0)) / 90_000;
    // FFmpeg opens one output after the other, and begins to count then.
    expect(Math.abs(lastPicture - (0.3 + 59 / 30))).toBeLessThan(0.1);
    expect(pictures.every(({ dts }, i) => i === 0 || dts > (pictures[i - 1]?.dts ?? 0))).toBe(true);
  });

  test("ours, for FFmpeg", async () => {
    const kinds = [OPUS, VP8] as const;
    const units = await Promise.all(kinds.map((kind) => unitsOf(kind)));
    const offsets = [0, 0.3 * 90_000];
    const streams = kinds.map(({ media, map }, i) => ({ media, map, payloadType: 96 + i, ssrc: 77 + i }));
    const { hashes, complaints } = await receiveWithFfmpeg(streams, async (outbox) => {
      const packetizers = kinds.map(
        ({ codec }, i) => new RtpPacketizer({ codec, payloadType: 96 + i, ssrc: 77 + i, cname: "klieg" }),
      );
      const nowMs = Date.now();
      for (const [i, packetizer] of packetizers.entries()) {
        // One moment of the wall clock; the second stream's report is of half a second later.
        const report = packetizer.senderReport(nowMs + 500 * i, 900_000 + 45_000 * i);
        await outbox.send(i, report, true);
      }
      await outbox.read();
      for (const [i, packetizer] of packetizers.entries()) {
        const origin = units[i]?.[0]?.pts ?? 0;
        for (const unit of units[i] ?? []) {
          const pts = 900_000 + unit.pts - origin + (offsets[i] ?? 0);
          const packets: Buffer[] = [];
          packetizer.push({ ...unit, pts }, (packet) => packets.push(Buffer.from(packet)));
          for (const packet of packets) await outbox.send(i, packet);
        }
      }
    });
    expect(complaints).toBe("");
    const first = (stream: number) => hashes.find((packet) => packet.stream === stream)?.pts ?? Number.NaN;
    expect(first(1) - first(0)).toBeCloseTo(0.3, 2);
    expect(hashes).toHaveLength(units.flat().length);
  });
});

/** An IVF file of frames that follow one another by a 30th of a second. */
function ivf(fourCc: string, frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(32);
  header.write(`DKIF\0\0\x20\0${fourCc}`, "latin1");
  header.writeUInt16LE(480, 12);
  header.writeUInt16LE(270, 14);
  header.writeUInt32LE(30, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(frames.length, 24);
  const parts = frames.flatMap((frame, i) => {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(frame.length, 0);
    head.writeUInt32LE(i, 4);
    return [head, frame];
  });
  return Buffer.concat([header, ...parts]);
}

/** Superframes of the layer frames in RTP packets, bit for bit: descriptors have a picture id of two bytes and a layer byte. */
function superframesAsSent(packets: readonly Buffer[]): Buffer[] {
  const pictures: Buffer[] = [];
  let frames: Buffer[][] = [];
  for (const packet of packets) {
    const { payload, marker } = new RtpPacket().read(packet);
    const first = payload[0] ?? 0;
    const flexible = (first & 0x10) !== 0;
    const inter = (first & 0x40) !== 0;
    expect(first & 0xa0).toBe(0xa0);
    let at = 4;
    if (!flexible) at += 1;
    else if (inter) while (((payload[at++] ?? 0) & 1) === 1);
    if ((first & 0x02) !== 0) {
      const structure = payload[at++] ?? 0;
      if ((structure & 0x10) !== 0) at += 4 * ((structure >> 5) + 1);
      if ((structure & 0x08) !== 0)
        for (let n = payload[at++] ?? 0; n > 0; n -= 1) at += 1 + (((payload[at] ?? 0) >> 2) & 3);
    }
    if ((first & 0x08) !== 0) frames.push([]);
    frames.at(-1)?.push(Buffer.from(payload.subarray(at)));
    if (!marker) continue;
    const whole = frames.map((parts) => Buffer.concat(parts));
    const sizes = whole.flatMap(({ length }) => [length & 0xff, length >> 8]);
    const index = 0xc8 | (whole.length - 1);
    pictures.push(Buffer.concat([...whole, Buffer.from([index, ...sizes, index])]));
    frames = [];
  }
  return pictures;
}

/** A decoded picture, or an Opus packet as it is. */
interface Hashed {
  readonly stream: number;
  /** s */
  readonly pts: number;
  readonly hash: string;
}

/** Options that make FFmpeg decode pictures and write the hashes of what it read. */
const TO_HASHES = ["-map", "0", "-fps_mode", "passthrough", "-c:a", "copy", "-f", "framehash", "-hash", "sha256"];

/** What FFmpeg's writer of hashes says. */
function hashesIn(text: string): Hashed[] {
  const timeBases = [...text.matchAll(/^#tb \d+: (\d+)\/(\d+)$/gm)].map(([, n, d]) => Number(n) / Number(d));
  return [...text.matchAll(/^(\d+), *-?\d+, *(-?\d+), *\d+, *\d+, *([0-9a-f]+)/gm)].map(([, stream, pts, hash]) => ({
    stream: Number(stream),
    pts: Number(pts) * (timeBases[Number(stream)] ?? 0),
    hash: hash as string,
  }));
}

/** What FFmpeg reads and decodes of streams that `send` sends, and what it complains of. */
async function receiveWithFfmpeg(
  streams: readonly OutgoingStream[],
  send: (outbox: PacketOutbox) => Promise<void>,
): Promise<{ hashes: Hashed[]; complaints: string }> {
  await using outbox = await PacketOutbox.open(streams);
  const name = streams.map(({ map }) => map.replaceAll("/", "-")).join("-");
  const description = path.join(folder, `ours.${name}.sdp`);
  const hashFile = path.join(folder, `ours.${name}.hashes`);
  await writeFile(description, outbox.sessionDescription);
  const args = ["-nostdin", "-v", "warning", "-protocol_whitelist", "file,udp,rtp", "-i", description];
  await using receiver = new Child("ffmpeg", [...args, ...TO_HASHES, hashFile]);
  await outbox.listened(() => receiver.output);
  await send(outbox);
  await outbox.goodbye();
  expect((await receiver.exited).code, receiver.output).toBe(0);
  const usual = /RTP\/VP9 support is still experimental/;
  const complaints = receiver.lines.filter((line) => !usual.test(line)).join("\n");
  return { hashes: hashesIn(await readFile(hashFile, "utf8")), complaints };
}
