import { createServer, type Socket } from "node:net";
import { KliegError } from "@klieg/protocol";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { amfObject } from "./amf-value.ts";
import { SERVER_CAPABILITIES } from "./enhanced.ts";
import { RtmpPublishError } from "./publish-error.ts";
import { type PublisherStatus, RtmpPublisher } from "./rtmp-publisher.ts";
import { RtmpServer } from "./rtmp-server.ts";
import { certificate } from "./testing/certificate.ts";
import { PublicationRecorder } from "./testing/publication-recorder.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function serve(recorder: PublicationRecorder, tls?: { cert: Buffer; key: Buffer }): Promise<string> {
  const server = new RtmpServer({ onPublish: recorder.authorise });
  open.push(server);
  const { port } = await server.listen({ port: 0, host: "127.0.0.1", ...(tls === undefined ? {} : { tls }) });
  return `${tls === undefined ? "rtmp" : "rtmps"}://127.0.0.1:${port}/live`;
}

async function publish(options: Parameters<typeof RtmpPublisher.connect>[0]): Promise<RtmpPublisher> {
  const publisher = await RtmpPublisher.connect(options);
  open.push(publisher);
  return publisher;
}

/** A TCP server that does as it is told. */
async function listen(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `rtmp://127.0.0.1:${(server.address() as { port: number }).port}/live`;
}

async function failure(promise: Promise<unknown>): Promise<RtmpPublishError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RtmpPublishError);
  return error as RtmpPublishError;
}

describe("publisher (STU3, ING1)", () => {
  test.each([false, true])("what it sends is delivered; digest handshake: %s", async (digest) => {
    const recorder = new PublicationRecorder();
    const url = await serve(recorder);
    const publisher = await publish({ url, streamKey: "key?x=1", digest, enhanced: SERVER_CAPABILITIES });
    expect(publisher.handshake).toBe(digest ? "digest" : "simple");
    expect(publisher.serverCapabilities).toEqual(SERVER_CAPABILITIES);
    const publication = await recorder.publication();
    expect(publication.request).toMatchObject({
      app: "live",
      streamKey: "key",
      handshake: publisher.handshake,
      enhanced: SERVER_CAPABILITIES,
    });

    publisher.sendMetadata({ width: 1920, encoder: "Klieg" });
    const video = [
      Buffer.alloc(1),
      Buffer.alloc(59_999, 1),
      Buffer.alloc(60_000, 2),
      Buffer.alloc(60_001, 3),
      Buffer.alloc(5_000_000, 4),
    ];
    video.forEach((body, i) => {
      publisher.sendVideo(i * 40 + 0xffffff - 60, body);
      publisher.sendAudio(i * 40 + 7, Buffer.of(i));
    });
    publisher.sendAudio(100, Buffer.of(9)); // time running backwards
    await publication.received(12);
    expect(publication.metadata).toEqual(amfObject({ width: 1920, encoder: "Klieg" }));
    expect(publication.of("video").map(({ timestamp, body }) => [timestamp, body.length, body.at(-1)])).toEqual(
      video.map((body, i) => [i * 40 + 0xffffff - 60, body.length, body.at(-1)]),
    );
    expect(publication.of("audio").map(({ timestamp, body }) => [timestamp, body[0]])).toEqual([
      ...video.map((_, i) => [i * 40 + 7, i]),
      [100, 9],
    ]);
    await vi.waitFor(() => expect(publisher.acknowledgedBytes).toBeGreaterThan(2_500_000), { interval: 5 });

    await publisher.close();
    expect(await publication.ended()).toMatchObject({ by: "peer", unpublished: true });
    expect(publisher.closeReason).toEqual({ by: "owner", message: "closed by its owner" });
    publisher.sendVideo(0, Buffer.of(1));
  });

  test("time goes on over the wrap at 2^32 ms (ING1)", async () => {
    const recorder = new PublicationRecorder();
    const publisher = await publish({ url: await serve(recorder), streamKey: "key" });
    const times = [2 ** 32 - 50, 2 ** 32 - 10, 2 ** 32 + 30, 2 ** 32 + 70];
    for (const time of times) publisher.sendVideo(time, Buffer.of(1));
    const publication = await recorder.publication();
    await publication.received(4);
    expect(publication.of("video").map(({ timestamp }) => timestamp)).toEqual(times);
  });

  test("any sequence of messages arrives as it was sent", async () => {
    const recorder = new PublicationRecorder();
    const url = await serve(recorder);
    const message = fc.record({
      video: fc.boolean(),
      timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 50 })),
      length: fc.integer({ min: 1, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 9000 }),
        async (messages, chunkSize) => {
          const index = recorder.publications.length;
          await using publisher = await RtmpPublisher.connect({ url, streamKey: "key", chunkSize });
          for (const { video, timestamp, length } of messages) {
            if (video) publisher.sendVideo(timestamp, Buffer.alloc(length, length));
            else publisher.sendAudio(timestamp, Buffer.alloc(length, length));
          }
          const publication = await recorder.publication(index);
          await publication.received(messages.length);
          expect(
            publication.delivered.map(({ kind, timestamp, body }) => ({
              video: kind === "video",
              timestamp,
              length: body.length,
              last: body.at(-1),
            })),
          ).toEqual(messages.map(({ length, ...rest }) => ({ ...rest, length, last: length % 256 })));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("RTMPS: publishes to a certificate that it trusts, and to no other", async () => {
    const recorder = new PublicationRecorder();
    const tls = certificate();
    const url = await serve(recorder, tls);
    const publisher = await publish({ url, streamKey: "key", tls: { ca: tls.cert } });
    publisher.sendVideo(0, Buffer.alloc(300_000, 7));
    const publication = await recorder.publication();
    await publication.received(1);
    expect(publication.request).toMatchObject({ secure: true, remoteAddress: "127.0.0.1" });
    const error = await failure(RtmpPublisher.connect({ url, streamKey: "key" }));
    expect(error).toMatchObject({ stage: "network", message: expect.stringContaining("self-signed certificate") });
    const plain = await failure(RtmpPublisher.connect({ url: url.replace("rtmps", "rtmp"), streamKey: "key" }));
    expect(plain.stage).toBe("handshake");
  });

  test("is told in the server's words why it is refused", async () => {
    const url = await serve(
      new PublicationRecorder(() => {
        throw new KliegError("stream_key_invalid", "This stream key is not known.");
      }),
    );
    expect(await failure(RtmpPublisher.connect({ url, streamKey: "key" }))).toMatchObject({
      stage: "publish",
      serverCode: "NetStream.Publish.Denied",
      serverDescription: "This stream key is not known.",
    });
  });

  test("is told why it is ended while live", async () => {
    const recorder = new PublicationRecorder();
    const publisher = await publish({ url: await serve(recorder), streamKey: "key" });
    const statuses: PublisherStatus[] = [];
    publisher.events.on("status", (status) => statuses.push(status));
    const closed = publisher.events.once("closed");
    await (await recorder.publication()).session.end(new KliegError("bitrate_too_high", "At most 20 Mb/s."));
    expect(await closed).toMatchObject({
      by: "peer",
      error: { stage: "live", serverCode: "NetStream.Publish.Rejected", serverDescription: "At most 20 Mb/s." },
    });
    expect(statuses).toMatchObject([{ level: "error", description: "At most 20 Mb/s." }]);
  });

  test("says what is wrong with servers that are none", async () => {
    const mute = await listen(() => undefined);
    expect(await failure(RtmpPublisher.connect({ url: mute, streamKey: "key", timeoutMs: 50 }))).toMatchObject({
      stage: "handshake",
      message: expect.stringContaining("in time"),
    });
    const http = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await failure(RtmpPublisher.connect({ url: http, streamKey: "key" }))).toMatchObject({
      stage: "handshake",
      message: expect.stringContaining("not RTMP"),
    });
    const hasty = await listen((socket) => socket.destroy());
    expect((await failure(RtmpPublisher.connect({ url: hasty, streamKey: "key" }))).stage).toBe("handshake");
    const closed = await listen(() => undefined);
    await open.pop()?.[Symbol.asyncDispose]();
    expect((await failure(RtmpPublisher.connect({ url: closed, streamKey: "key" }))).stage).toBe("network");
  });

  test("gives up when its owner does, and on a server that does not read", async () => {
    const mute = await listen(() => undefined);
    const abort = new AbortController();
    const pending = RtmpPublisher.connect({ url: mute, streamKey: "key", signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await expect(pending).rejects.toThrow("changed my mind");

    const recorder = new PublicationRecorder();
    const publisher = await publish({ url: await serve(recorder), streamKey: "key", maxBufferedBytes: 1_000_000 });
    (await recorder.publication()).session.pause();
    const closed = publisher.events.once("closed");
    const body = Buffer.alloc(100_000);
    while (publisher.closeReason === undefined && publisher.bufferedBytes <= 1_000_000) {
      if (!publisher.sendVideo(0, body)) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await closed).toMatchObject({ by: "self", error: { message: expect.stringContaining("unread") } });
  });
});
