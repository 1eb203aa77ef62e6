import { connect } from "node:net";
import { ManualClock } from "@klieg/base";
import { FuzzRandom } from "@klieg/base/fuzz";
import { KliegError } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { amfObject } from "./amf-value.ts";
import { encodeAmf0 } from "./amf0-encode.ts";
import { MESSAGE, USER_CONTROL } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";
import { RtmpServer, type RtmpServerEvents, type RtmpServerOptions } from "./rtmp-server.ts";
import { PublicationRecorder } from "./testing/publication-recorder.ts";
import { RawEncoder } from "./testing/raw-encoder.ts";

let clock: ManualClock;
let server: RtmpServer;
let disconnected: RtmpServerEvents["disconnected"][];

async function serve(recorder: PublicationRecorder, options: Partial<RtmpServerOptions> = {}): Promise<number> {
  clock = new ManualClock();
  disconnected = [];
  server = new RtmpServer({ onPublish: recorder.authorise, clock, ...options });
  server.events.on("disconnected", (event) => disconnected.push(event));
  return (await server.listen({ port: 0, host: "127.0.0.1" })).port;
}

/** An encoder that has sent publish, with what it was answered. */
async function publish(port: number, key = "key"): Promise<{ encoder: RawEncoder; status: Record<string, unknown> }> {
  const encoder = new RawEncoder(port);
  await encoder.connect();
  encoder.command(1, "publish", 3, null, key, "live");
  return { encoder, status: { ...(await encoder.status()) } };
}

const nextDisconnect = async () => disconnected[0] ?? (await server.events.once("disconnected"));

let recorder: PublicationRecorder;
beforeEach(() => {
  recorder = new PublicationRecorder();
});
afterEach(async () => {
  await server.close();
  expect(server.connections).toBe(0);
  expect(clock.pending).toBe(0);
  for (const publication of recorder.publications) expect(publication.ends).toHaveLength(1);
});

describe("publishing (ING1)", () => {
  test("the authoriser is told everything, the handler gets every message", async () => {
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.connect({
      app: "live?region=eu",
      flashVer: "FMLE/3.0 (test)",
      fourCcList: ["hvc1", "av01", 7, "too long"],
      videoFourCcInfoMap: amfObject({ hvc1: 4, "*": 1, av01: "no" }),
      capsEx: 6,
    });
    encoder.command(1, "publish", 3, null, "sec%2Fret?backup=1", "live");
    expect(await encoder.status()).toMatchObject({ level: "status", code: "NetStream.Publish.Start" });
    const publication = await recorder.publication();
    const { query, signal, remotePort, ...request } = publication.request;
    expect(request).toEqual({
      app: "live",
      streamKey: "sec/ret",
      publishType: "live",
      tcUrl: "rtmp://127.0.0.1/live",
      encoder: "FMLE/3.0 (test)",
      remoteAddress: "127.0.0.1",
      secure: false,
      handshake: "simple",
      enhanced: { fourCcList: ["hvc1", "av01"], video: { hvc1: 4, "*": 1 }, audio: {}, capsEx: 6 },
    });
    expect([...query]).toEqual([
      ["backup", "1"],
      ["region", "eu"],
    ]);
    expect(remotePort).toBe(encoder.socket.localPort);
    expect(signal.aborted).toBe(false);

    const video = Buffer.alloc(100_000, 1);
    encoder.send(4, MESSAGE.dataAmf0, 1, 0, encodeAmf0("@setDataFrame", "onMetaData", amfObject({ width: 640 })));
    encoder.send(6, MESSAGE.video, 1, 40, video);
    encoder.send(5, MESSAGE.audio, 1, 21, Buffer.from("audio"));
    encoder.send(5, MESSAGE.audio, 1, 42, Buffer.alloc(0));
    encoder.send(4, MESSAGE.dataAmf0, 1, 50, encodeAmf0("onCuePoint", amfObject({ name: "ad" })));
    await publication.received(4);
    expect(publication.metadata).toEqual(amfObject({ width: 640 }));
    expect(publication.of("video")).toEqual([{ kind: "video", timestamp: 40, body: video }]);
    expect(publication.of("audio")).toEqual([{ kind: "audio", timestamp: 21, body: Buffer.from("audio") }]);
    expect(publication.data).toEqual([{ name: "onCuePoint", values: [amfObject({ name: "ad" })] }]);
    expect(publication.session.stats).toMatchObject({
      videoMessages: 1,
      audioMessages: 1,
      dataMessages: 2,
      ignoredMessages: 1,
    });

    encoder.command(0, "FCUnpublish", 4, null, "secret");
    expect(await encoder.status()).toMatchObject({ code: "NetStream.Unpublish.Success" });
    expect(await publication.ended()).toMatchObject({ by: "peer", unpublished: true });
    expect(signal.aborted).toBe(true);
  });

  test("connect is answered with what the server knows of Enhanced RTMP", async () => {
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.ready;
    encoder.command(0, "connect", 1, amfObject({ app: "live", objectEncoding: 3 }));
    const { values } = await encoder.next("_result");
    for (const value of values) {
      expect(value).toMatchObject({
        fourCcList: ["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", ".mp3"],
        videoFourCcInfoMap: { hvc1: 4, av01: 4 },
        audioFourCcInfoMap: { Opus: 4 },
        capsEx: 6,
      });
    }
    expect(values[1]).toMatchObject({ code: "NetConnection.Connect.Success", objectEncoding: 3 });
  });

  test("a connection may publish again after deleteStream", async () => {
    const port = await serve(recorder);
    const { encoder } = await publish(port, "first");
    await using _ = encoder;
    encoder.command(0, "deleteStream", 4, null, 1);
    expect(await encoder.status()).toMatchObject({ code: "NetStream.Unpublish.Success" });
    encoder.command(0, "createStream", 5, null);
    expect((await encoder.next("_result")).values[1]).toBe(2);
    encoder.command(2, "publish", 6, null, "second", "live");
    expect(await encoder.status()).toMatchObject({ code: "NetStream.Publish.Start" });
    encoder.send(6, MESSAGE.video, 2, 0, Buffer.from("v"));
    const second = await recorder.publication(1);
    await second.received(1);
    expect(recorder.publications[0]?.ends[0]).toMatchObject({ by: "peer", unpublished: true });
    encoder.socket.end();
    expect(await second.ended()).toMatchObject({ by: "peer", unpublished: false });
  });

  test("aggregate messages are split, chunk size 1 is obeyed, pings are answered, commands acknowledged", async () => {
    const port = await serve(recorder);
    const { encoder } = await publish(port);
    await using _ = encoder;
    const publication = await recorder.publication();
    encoder.number(MESSAGE.setChunkSize, 1);
    encoder.writer.chunkSize = 1;
    const part = Buffer.concat([
      Buffer.from("090000010000000000000000000000".slice(0, 22), "hex"),
      Buffer.from("v"),
      Buffer.alloc(4),
    ]);
    encoder.send(6, MESSAGE.aggregate, 1, 500, Buffer.concat([part, part]));
    await publication.received(2);
    expect(publication.of("video").map((message) => message.timestamp)).toEqual([500, 500]);
    for (const name of ["releaseStream", "FCPublish", "_checkbw", "getStreamLength"]) {
      encoder.command(0, name, 9, null, "key");
      expect((await encoder.next("_result")).transactionId).toBe(9);
    }
    encoder.command(0, "somethingElse", 10, null);
    const ping = Buffer.alloc(6);
    ping.writeUInt16BE(USER_CONTROL.pingRequest, 0);
    encoder.send(2, MESSAGE.userControl, 0, 0, ping);
    encoder.command(0, "createStream", 11, null);
    expect((await encoder.next("_result")).transactionId).toBe(11);
  });

  test("nothing is read while the authoriser decides, and nothing is lost", async () => {
    const decision = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<() => number>();
    recorder = new PublicationRecorder((_, session) => {
      asked.resolve(() => session.stats.bytesReceived);
      return decision.promise;
    });
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.connect();
    encoder.command(1, "publish", 3, null, "key", "live");
    const bytesReceived = await asked.promise;
    const count = 200;
    for (let i = 0; i < count; i++) encoder.send(6, MESSAGE.video, 1, i * 40, Buffer.alloc(100_000, i));
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(encoder.socket.writableLength).toBeGreaterThan(0);
    expect(bytesReceived()).toBeLessThan(200_000);
    decision.resolve();
    const publication = await recorder.publication();
    await publication.received(count);
    expect(
      publication.delivered.every(
        ({ body, timestamp }, i) => body.length === 100_000 && body[50_000] === i % 256 && timestamp === i * 40,
      ),
    ).toBe(true);
  });

  test("the owner may hold the encoder back", async () => {
    const port = await serve(recorder);
    const { encoder } = await publish(port);
    await using _ = encoder;
    const publication = await recorder.publication();
    publication.events.on("delivered", ({ timestamp }) => {
      if (timestamp === 0) publication.session.pause();
    });
    for (const timestamp of [0, 1, 2]) encoder.send(6, MESSAGE.video, 1, timestamp, Buffer.from("v"));
    await publication.received(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(publication.delivered).toHaveLength(1);
    publication.session.resume();
    await publication.received(3);
  });
});

describe("refusals that the encoder's user can read (ING4)", () => {
  test("by the authoriser", async () => {
    const failing = new PublicationRecorder(({ streamKey }) => {
      if (streamKey === "bug") throw new Error("secret detail");
      throw new KliegError("stream_key_revoked", "This stream key was revoked.");
    });
    const port = await serve(failing);
    const { encoder, status } = await publish(port);
    await using _ = encoder;
    expect(status).toEqual({
      level: "error",
      code: "NetStream.Publish.Denied",
      description: "This stream key was revoked.",
    });
    await encoder.closed;
    expect((await nextDisconnect()).reason).toMatchObject({ by: "owner", error: { code: "stream_key_revoked" } });
    const bug = await publish(port, "bug");
    await using __ = bug.encoder;
    expect(bug.status).toMatchObject({ level: "error", description: "Something failed on the server." });
  });

  test("even to an encoder that sends media without waiting for the answer", async () => {
    const decision = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    recorder = new PublicationRecorder(() => {
      asked.resolve();
      return decision.promise;
    });
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.connect();
    encoder.command(1, "publish", 3, null, "key", "live");
    for (let i = 0; i < 50; i++) encoder.send(6, MESSAGE.video, 1, i, Buffer.alloc(100_000));
    await asked.promise;
    decision.reject(new KliegError("stream_key_invalid", "No such key."));
    expect(await encoder.status()).toMatchObject({ level: "error", description: "No such key." });
  });

  test("by the owner of a live publication, and by a handler that throws", async () => {
    const port = await serve(recorder);
    const live = await publish(port);
    await using _ = live.encoder;
    const first = await recorder.publication();
    const ended = first.session.end(new KliegError("taken_over", "Another encoder has taken over."));
    expect(await live.encoder.status()).toEqual(
      amfObject({
        level: "error",
        code: "NetStream.Publish.BadName",
        description: "Another encoder has taken over.",
      }),
    );
    await ended;
    expect(first.ends).toMatchObject([{ by: "owner", unpublished: false, error: { code: "taken_over" } }]);

    const throwing = await publish(port);
    await using __ = throwing.encoder;
    const second = await recorder.publication(1);
    second.onVideo = () => {
      throw new KliegError("media_malformed", "The video cannot be read.");
    };
    throwing.encoder.send(6, MESSAGE.video, 1, 0, Buffer.from("v"));
    expect(await throwing.encoder.status()).toMatchObject({
      code: "NetStream.Publish.Rejected",
      description: "The video cannot be read.",
    });
  });

  test("to players", async () => {
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.connect();
    encoder.command(1, "play", 3, null, "key");
    expect(await encoder.status()).toMatchObject({ level: "error", code: "NetStream.Play.Failed" });
    await encoder.closed;
  });

  test("to a second publication on the same connection", async () => {
    const port = await serve(recorder);
    const { encoder } = await publish(port);
    await using _ = encoder;
    encoder.command(1, "publish", 4, null, "other", "live");
    expect(await encoder.status()).toMatchObject({ level: "error", code: "NetStream.Publish.BadName" });
  });

  test("when the server shuts down", async () => {
    const port = await serve(recorder);
    const { encoder } = await publish(port);
    await using _ = encoder;
    const closed = server.close();
    expect(await encoder.status()).toMatchObject({ level: "error", code: "NetStream.Publish.Rejected" });
    await closed;
    await expect(server.listen({ port: 0 })).rejects.toThrow(/closed/);
  });

  test("when the authoriser takes too long; what it answers later is closed at once", async () => {
    const decision = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    recorder = new PublicationRecorder((request) => {
      asked.resolve();
      request.signal.addEventListener("abort", () => aborted.resolve());
      return decision.promise;
    });
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.connect();
    encoder.command(1, "publish", 3, null, "key", "live");
    await asked.promise;
    clock.advance(10_000);
    expect(await encoder.status()).toMatchObject({ level: "error", code: "NetStream.Publish.Rejected" });
    await aborted.promise;
    decision.resolve();
    expect(await (await recorder.publication()).ended()).toMatchObject({ by: "self", error: { code: "timeout" } });
  });
});

describe("peers that mean no good (SEC5)", () => {
  test("time out at every stage", async () => {
    const port = await serve(recorder);
    await using silent = new RawEncoder(port);
    await silent.connect();
    clock.advance(15_000);
    expect(await silent.status()).toMatchObject({ level: "error", code: "NetStream.Publish.Rejected" });
    expect((await nextDisconnect()).reason).toMatchObject({ by: "self", message: "Nothing was published in time." });

    disconnected = [];
    const slow = connect({ port, host: "127.0.0.1" });
    const connected = Promise.withResolvers<void>();
    slow
      .on("error", () => undefined)
      .once("connect", () => slow.write(Buffer.from([3, 0, 0]), () => connected.resolve()));
    await connected.promise;
    while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(7_999);
    expect(disconnected).toHaveLength(0);
    clock.advance(1);
    expect((await nextDisconnect()).reason).toMatchObject({ by: "self", error: { code: "handshake_timeout" } });

    disconnected = [];
    const { encoder } = await publish(port);
    await using _ = encoder;
    const publication = await recorder.publication();
    clock.advance(29_000);
    encoder.send(6, MESSAGE.video, 1, 0, Buffer.from("v"));
    await publication.received(1);
    clock.advance(29_000);
    expect(publication.ends).toHaveLength(0);
    clock.advance(31_000);
    expect(await encoder.status()).toMatchObject({
      code: "NetStream.Publish.Rejected",
      description: "No audio or video came for 30 s.",
    });
  });

  test("a held-back encoder does not time out", async () => {
    const port = await serve(recorder);
    const { encoder } = await publish(port);
    await using _ = encoder;
    const publication = await recorder.publication();
    publication.session.pause();
    clock.advance(300_000);
    expect(publication.ends).toHaveLength(0);
  });

  test("are told what is wrong with their bytes once they have connected, and closed", async () => {
    const port = await serve(recorder);
    const cases: [(encoder: RawEncoder) => void, RegExp, string][] = [
      [(encoder) => encoder.number(MESSAGE.setChunkSize, 0), /chunk size 0/, "NetStream.Publish.Rejected"],
      [
        (encoder) => encoder.socket.write(Buffer.from("c9", "hex")),
        /chunk stream 9 begins with type 3/,
        "NetStream.Publish.Rejected",
      ],
      [
        (encoder) => encoder.socket.write(Buffer.from("09000000ffffff0901000000", "hex")),
        /announces 16777215 bytes/,
        "NetStream.Publish.Rejected",
      ],
      [
        (encoder) => encoder.send(3, MESSAGE.commandAmf0, 0, 0, Buffer.from("0affffffff", "hex")),
        /ends within a value/,
        "NetStream.Publish.Rejected",
      ],
      [(encoder) => encoder.command(0, 5), /without a name/, "NetStream.Publish.Rejected"],
      [(encoder) => encoder.command(0, "connect", 1, null), /connect comes twice/, "NetStream.Publish.Rejected"],
    ];
    for (const [misbehave, description, code] of cases) {
      await using encoder = new RawEncoder(port);
      await encoder.connect();
      misbehave(encoder);
      const status = await encoder.status();
      expect(status.level).toBe("error");
      expect(status.code).toBe(code);
      expect(status.description).toMatch(description);
      await encoder.closed;
    }
    expect(recorder.publications).toHaveLength(0);
  });

  test("are closed without a word when they do not speak RTMP", async () => {
    const port = await serve(recorder);
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\x06rtmpe", "\x16\x03\x01tls"]) {
      disconnected = [];
      const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(bytes, "latin1"));
      socket.on("error", () => undefined);
      expect((await nextDisconnect()).reason.error).toBeInstanceOf(RtmpProtocolError);
    }
    disconnected = [];
    await using hasty = new RawEncoder(port);
    await hasty.ready;
    hasty.command(0, "publish", 1, null, "key");
    await hasty.closed;
    expect((await nextDisconnect()).reason.message).toBe('"publish" before connect');
  });

  test("noise after a good start, at every stage, leaves nothing behind", async () => {
    const port = await serve(recorder, { limits: { maxConnectionsPerIp: 100 } });
    const random = new FuzzRandom(7);
    const noise = () => Buffer.from(random.bytes(3000));
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        await using encoder = new RawEncoder(port);
        await encoder.ready;
        if (i % 3 > 0) await encoder.connect();
        if (i % 3 > 1) {
          encoder.command(1, "publish", 3, null, "key", "live");
          await encoder.status();
        }
        encoder.socket.end(noise());
        await encoder.closed;
      }),
    );
    while (server.connections > 0) await server.events.once("disconnected");
    expect(disconnected).toHaveLength(60);
    expect(recorder.publications).toHaveLength(20);
  });

  test("half a handshake and away leaves nothing behind", async () => {
    const port = await serve(recorder);
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.end(Buffer.alloc(700, 3)));
    expect((await nextDisconnect()).reason.by).toBe("peer");
  });

  test("large messages are refused before the key is checked, whatever their type", async () => {
    const port = await serve(recorder);
    await using encoder = new RawEncoder(port);
    await encoder.connect();
    encoder.socket.write(Buffer.from("0900000004000109010000".padEnd(24, "0"), "hex"));
    expect(await encoder.status()).toMatchObject({
      level: "error",
      description: expect.stringMatching(/262145 bytes/),
    });
  });

  test("too many connections are turned away", async () => {
    const port = await serve(recorder, { limits: { maxConnectionsPerIp: 2 } });
    await using one = new RawEncoder(port);
    await using two = new RawEncoder(port);
    await Promise.all([one.ready, two.ready]);
    const refused = server.events.once("refused");
    await using three = new RawEncoder(port);
    await three.closed;
    expect(await refused).toEqual({ remoteAddress: "127.0.0.1", reason: "more than 2 connections from 127.0.0.1" });
    await one[Symbol.asyncDispose]();
    while (server.connections > 1) await server.events.once("disconnected");
    await using four = new RawEncoder(port);
    await four.ready;
  });

  test("who asks and does not read the answers is dropped", async () => {
    const port = await serve(recorder, { limits: { maxWriteBacklog: 1000 } });
    await using encoder = new RawEncoder(port);
    await encoder.connect();
    encoder.socket.pause();
    const parts: Buffer[] = [];
    const question = encodeAmf0("getStreamLength", 9, null, "key");
    for (let i = 0; i < 2000; i++)
      encoder.writer.write(3, MESSAGE.commandAmf0, 0, 0, question, (part) => parts.push(part));
    const flood = Buffer.concat(parts);
    const ask = () => void (encoder.socket.destroyed || encoder.socket.write(flood, () => setImmediate(ask)));
    ask();
    expect((await nextDisconnect()).reason.error).toMatchObject({ code: "peer_not_reading" });
    encoder.socket.destroy();
  });
});
