import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KliegError } from "@klieg/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amfRecord } from "./amf-value.ts";
import { decodeAmf0 } from "./amf0-decode.ts";
import { RtmpPublishError } from "./publish-error.ts";
import { RtmpPublisher } from "./rtmp-publisher.ts";
import { RtmpServer } from "./rtmp-server.ts";
import { certificate } from "./testing/certificate.ts";
import { type FlvFileTag, readFlvTags } from "./testing/flv-file.ts";
import { isInstalled, Program } from "./testing/program.ts";
import { PublicationRecorder, type RecordedPublication } from "./testing/publication-recorder.ts";

const FFMPEG = isInstalled("ffmpeg", "-version");
const GSTREAMER =
  FFMPEG &&
  isInstalled("gst-inspect-1.0", "--exists", "rtmp2sink") &&
  isInstalled("gst-inspect-1.0", "--exists", "flvmux");
const NGINX_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const NGINX = FFMPEG && existsSync(NGINX_MODULE) && isInstalled("nginx", "-v");

const folder = mkdtempSync(join(tmpdir(), "klieg-rtmp-"));
/** H.264 with B-frames, changing detail, and AAC: 4 s. */
const footage = join(folder, "footage.flv");

beforeAll(async () => {
  if (!FFMPEG) return;
  await ffmpeg(
    ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=48000"],
    [
      "-t",
      "4",
      "-c:v",
      "libx264",
      "-preset",
      "veryfast",
      "-bf",
      "2",
      "-g",
      "60",
      "-b:v",
      "4M",
      "-c:a",
      "aac",
      "-f",
      "flv",
      footage,
    ],
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function ffmpeg(input: string[], output: string[]): Promise<void> {
  await using program = new Program("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...input, ...output]);
  expect([await program.exit(), program.errors]).toEqual([0, ""]);
}

async function serve(recorder: PublicationRecorder): Promise<{ server: RtmpServer; url: string }> {
  const server = new RtmpServer({ onPublish: recorder.authorise });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  return { server, url: `rtmp://127.0.0.1:${port}/live` };
}

const AUDIO = 8;
const VIDEO = 9;
/** nginx writes the audio configuration that it keeps before the one that comes. */
const withoutRepeats = (tags: FlvFileTag[]) => tags.filter((tag, i) => !tags[i - 1]?.body.equals(tag.body));
const comparable = (tags: FlvFileTag[]) =>
  tags.map(({ timestamp, body }) => ({ timestamp, body: body.toString("base64") }));

/** Every audio and video message is the tag of the file: same number, timestamps and bytes. */
function expectSameMedia(publication: RecordedPublication, file: string): void {
  const tags = readFlvTags(file);
  for (const [kind, type] of [
    ["video", VIDEO],
    ["audio", AUDIO],
  ] as const) {
    const expected = comparable(tags.filter((tag) => tag.type === type));
    const got = publication.of(kind).map(({ timestamp, body }) => ({ timestamp, body: body.toString("base64") }));
    expect(expected.length).toBeGreaterThan(100);
    expect(got.length).toBe(expected.length);
    expect(got).toEqual(expected);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Publishes as soon as the program listens. */
async function publishTo(
  program: Program,
  options: Parameters<typeof RtmpPublisher.connect>[0],
): Promise<RtmpPublisher> {
  for (;;) {
    try {
      return await RtmpPublisher.connect(options);
    } catch (error) {
      if (!(error instanceof RtmpPublishError) || error.stage !== "network" || !program.running) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Sends the footage, then ends. */
async function sendFootage(publisher: RtmpPublisher): Promise<FlvFileTag[]> {
  const tags = readFlvTags(footage);
  for (const { type, timestamp, body } of tags) {
    if (type === VIDEO) publisher.sendVideo(timestamp, body);
    else if (type === AUDIO) publisher.sendAudio(timestamp, body);
    else publisher.sendMetadata(amfRecord(decodeAmf0(body)[1]) ?? {});
    if (publisher.bufferedBytes > 1_000_000) await publisher.events.once("drain");
  }
  await publisher.close();
  expect(publisher.closeReason?.by).toBe("owner");
  return tags;
}

describe.skipIf(!FFMPEG)("ffmpeg (ING1, STU3)", () => {
  test.each([[], ["-rtmp_enhanced_codecs", "hvc1"]].slice(0, 1))(
    "publishes: messages, timestamps and bytes are those of its FLV file",
    async () => {
      const recorder = new PublicationRecorder();
      const { server, url } = await serve(recorder);
      await using _ = server;
      await ffmpeg(["-i", footage], ["-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", `${url}/key?a=b`]);
      const publication = await recorder.publication();
      expect(await publication.ended()).toMatchObject({ by: "peer", unpublished: true });
      const copy = join(folder, "copy.flv");
      await ffmpeg(["-i", footage], ["-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", copy]);
      expectSameMedia(publication, copy);
      expect(publication.request).toMatchObject({ app: "live", streamKey: "key", handshake: "digest" });
      expect(publication.metadata).toMatchObject({ width: 640, height: 360, videocodecid: 7, audiocodecid: 10 });
    },
  );

  test("publishes over RTMPS", async () => {
    const recorder = new PublicationRecorder();
    await using server = new RtmpServer({ onPublish: recorder.authorise });
    const { port } = await server.listen({ port: 0, host: "127.0.0.1", tls: certificate() });
    await ffmpeg(["-i", footage], ["-c", "copy", "-f", "flv", `rtmps://127.0.0.1:${port}/live/key`]);
    const publication = await recorder.publication();
    await publication.ended();
    expect(publication.request.secure).toBe(true);
    expect(publication.of("video").length).toBe(readFlvTags(footage).filter((tag) => tag.type === VIDEO).length);
  });

  test("shows its user why it is refused", async () => {
    const { server, url } = await serve(
      new PublicationRecorder(() => {
        throw new KliegError("stream_key_invalid", "This stream key is not known. Copy it again.");
      }),
    );
    await using _ = server;
    await using program = new Program("ffmpeg", ["-re", "-i", footage, "-c", "copy", "-f", "flv", `${url}/wrong`]);
    expect(await program.exit()).not.toBe(0);
    expect(program.errors).toContain("Server error: This stream key is not known. Copy it again.");
  });

  test("shows its user why it is ended while live", async () => {
    const recorder = new PublicationRecorder();
    const { server, url } = await serve(recorder);
    await using _ = server;
    await using program = new Program("ffmpeg", ["-re", "-i", footage, "-c", "copy", "-f", "flv", `${url}/key`]);
    const publication = await recorder.publication();
    await publication.received(20);
    await publication.session.end(new KliegError("resolution_too_high", "At most 320x180 here."));
    await program.exit();
    expect(program.errors).toContain("Server error: At most 320x180 here.");
  });

  test.each(["rtmp_conn=S:x", "rtmp_live=live"])("publishes with %s", async (option) => {
    const recorder = new PublicationRecorder();
    const { server, url } = await serve(recorder);
    await using _ = server;
    const [name = "", value = ""] = option.split("=");
    await ffmpeg(["-i", footage], ["-c", "copy", "-f", "flv", `-${name}`, value, `${url}/key`]);
    expect((await (await recorder.publication()).ended()).unpublished).toBe(true);
  });

  test("publishes footage past the extended timestamp's 4 h 39 min", async () => {
    const recorder = new PublicationRecorder();
    const { server, url } = await serve(recorder);
    await using _ = server;
    const offset = ["-c", "copy", "-output_ts_offset", "16775", "-flvflags", "no_duration_filesize", "-f", "flv"];
    await ffmpeg(["-i", footage], [...offset, `${url}/key`]);
    const copy = join(folder, "late.flv");
    await ffmpeg(["-i", footage], [...offset, copy]);
    const publication = await recorder.publication();
    await publication.ended();
    expectSameMedia(publication, copy);
    expect(publication.of("video").at(-1)?.timestamp).toBeGreaterThan(0xffffff);
  });

  test("as a server takes what the publisher sends", async () => {
    const port = await freePort();
    const received = join(folder, "received.flv");
    const url = `rtmp://127.0.0.1:${port}/live`;
    await using program = new Program("ffmpeg", [
      "-y",
      "-listen",
      "1",
      "-i",
      `${url}/key`,
      "-c",
      "copy",
      "-flvflags",
      "no_duration_filesize",
      received,
    ]);
    const publisher = await publishTo(program, { url, streamKey: "key" });
    await sendFootage(publisher);
    expect(await program.exit()).toBe(0);
    const copy = join(folder, "copy-again.flv");
    await ffmpeg(["-i", footage], ["-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", copy]);
    expect(comparable(readFlvTags(received).filter((tag) => tag.type !== 18))).toEqual(
      comparable(readFlvTags(copy).filter((tag) => tag.type !== 18)),
    );
  });
});

describe.skipIf(!GSTREAMER)("GStreamer (ING1)", () => {
  const sinks = ["rtmp2sink", "rtmpsink"].filter((sink) => isInstalled("gst-inspect-1.0", "--exists", sink));
  test.each(sinks)("publishes with %s", async (sink) => {
    const recorder = new PublicationRecorder();
    const { server, url } = await serve(recorder);
    await using _ = server;
    const file = join(folder, `${sink}.flv`);
    const location = sink === "rtmpsink" ? `${url}/key live=1` : `${url}/key`;
    const pipeline = `filesrc location=${footage} ! flvdemux name=d  d.video ! queue ! h264parse ! m.  d.audio ! queue ! aacparse ! m.
      flvmux name=m streamable=true ! tee name=t  t. ! queue ! filesink location=${file}  t. ! queue ! ${sink} location="${location}" sync=false`;
    await using program = new Program("gst-launch-1.0", ["-q", ...pipeline.trim().split(/\s+/)]);
    expect([await program.exit(), program.errors]).toEqual([0, ""]);
    const publication = await recorder.publication();
    await publication.ended();
    expectSameMedia(publication, file);
  });

  test("names the reason in its error when it is refused", async () => {
    const { server, url } = await serve(
      new PublicationRecorder(() => {
        throw new KliegError("stream_key_revoked", "This stream key was revoked.");
      }),
    );
    await using _ = server;
    const pipeline = `videotestsrc is-live=true ! x264enc tune=zerolatency ! flvmux streamable=true ! rtmp2sink location=${url}/key`;
    await using program = new Program("gst-launch-1.0", pipeline.split(" "));
    expect(await program.exit()).not.toBe(0);
    expect(program.errors).toContain("This stream key was revoked.");
  });
});

describe.skipIf(!NGINX)("nginx's RTMP module (STU3)", () => {
  test.each([false, true])("takes what the publisher sends; digest handshake: %s", async (digest) => {
    const port = await freePort();
    const prefix = mkdtempSync(join(folder, "nginx-"));
    writeFileSync(
      join(prefix, "nginx.conf"),
      `load_module ${NGINX_MODULE}; daemon off; master_process off; pid nginx.pid; error_log stderr notice;
       events {} rtmp { server { listen 127.0.0.1:${port}; application live { live on; record all; record_path ${prefix}; record_unique off; } } }`,
    );
    await using program = new Program("nginx", ["-p", prefix, "-c", join(prefix, "nginx.conf"), "-e", "stderr"]);
    const url = `rtmp://127.0.0.1:${port}/live`;
    const publisher = await publishTo(program, { url, streamKey: "key", digest });
    expect(publisher.handshake).toBe(digest ? "digest" : "simple");
    const sent = await sendFootage(publisher);
    const recorded = readdirSync(prefix).filter((name) => name.endsWith(".flv"));
    expect(recorded).toHaveLength(1);
    const media = (tags: FlvFileTag[], type: number) =>
      comparable(withoutRepeats(tags.filter((tag) => tag.type === type)));
    const received = readFlvTags(join(prefix, recorded[0] as string));
    for (const type of [VIDEO, AUDIO]) expect(media(received, type)).toEqual(media(sent, type));
  });
});
