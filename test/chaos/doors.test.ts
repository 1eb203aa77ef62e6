import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Child } from "../harness/child.ts";
import { encode } from "../harness/encoder.ts";
import { type Resources, resourcesOf, settlesTo } from "../harness/process-resources.ts";

/** A stream key of the right form that nobody signed. */
const FORGED = `demo_${"0".repeat(16)}_${"0".repeat(32)}`;

/** Resolves when the socket is closed, however: `once` would reject where the peer reset it. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

describe("SEC5 ING4: what comes to the doors", () => {
  let backend: BackendProcess;
  let before: Resources;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_RECONNECT_GRACE_MS: "1000", KLIEG_ENDED_RETENTION_S: "0" } });
  });
  beforeEach(async () => {
    before = await resourcesOf(backend.child.pid, backend.ports.http);
  });
  afterAll(async () => {
    const { exited } = backend.child;
    await backend[Symbol.asyncDispose]();
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  const isWell = async () => {
    expect((await fetch(`${backend.http}/healthz`)).status).toBe(200);
    await settlesTo(backend.child.pid, backend.ports.http, before);
  };
  const open = async (port: number): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };

  it.each([
    ["a wrong key", "nonsense", "This stream key is not valid"],
    ["a forged key", FORGED, "This stream key is not valid"],
  ])("RTMP refuses %s with words that the encoder shows", async (_name, key, words) => {
    await using encoder = encode({ url: backend.rtmpUrl(key), format: "flv", size: "64x64" });
    await encoder.exited;
    expect(encoder.output).toContain(words);
    await isWell();
  });

  it("RTMP refuses a missing key", async () => {
    await using encoder = encode({ url: `rtmp://127.0.0.1:${backend.ports.rtmp}/live`, format: "flv", size: "64x64" });
    await encoder.exited;
    expect(encoder.output).toContain("No stream key was given");
    await isWell();
  });

  it.each([
    ["wrong", "nonsense"],
    ["forged", FORGED],
    ["missing", ""],
    ["for reading", "#!::m=request,u=x"],
    ["for another channel", "OTHER"],
  ])("SRT refuses a stream id that is %s with a reject code", async (_name, given) => {
    const id = given === "OTHER" ? `#!::r=other,m=publish,u=${backend.key}` : given;
    await using caller = new Child("srt-live-transmit", [
      ...["-loglevel:debug", "-a:no", "-t:10", "file://con"],
      `srt://127.0.0.1:${backend.ports.srt}?streamid=${id}`,
    ]);
    caller.process.stdin.write(randomBytes(1316));
    const [text] = await caller.line(/(?:REJECT|reject|Rejected|ERROR).*/);
    expect(text).toBeTruthy();
    await caller.stop("SIGKILL");
    expect((await backend.channel()).state).toBeNull();
    await isWell();
  });

  it("puts off an encoder whose key is revoked in mid-stream, and refuses it afterwards", async () => {
    const response = await backend.admin("POST", "/v1/channels/demo/keys", { label: "to be revoked" });
    const { id, stream_key: key } = (await response.json()) as { id: string; stream_key: string };
    await using encoder = encode({ url: backend.rtmpUrl(key), format: "flv", size: "64x64" });
    await backend.live();
    expect((await backend.admin("DELETE", `/v1/channels/demo/keys/${id}`)).status).toBe(204);
    await encoder.exited;
    expect(encoder.output).toContain("This stream key was revoked");
    await using again = encode({ url: backend.rtmpUrl(key), format: "flv", size: "64x64" });
    await again.exited;
    expect(again.output).toContain("This stream key was revoked");
    await isWell();
  });

  it("survives random bytes at every door", async () => {
    for (const port of [backend.ports.http, backend.ports.rtmp]) {
      for (const size of [1, 100, 1537, 5000, 200_000]) {
        const socket = await open(port);
        const closed = gone(socket);
        socket.resume();
        socket.write(randomBytes(size));
        socket.end();
        await closed;
      }
    }
    const udp = createSocket("udp4");
    for (let count = 0; count < 2000; count += 1) {
      const bytes = randomBytes(1 + (count % 1400));
      if (count % 2 === 0) bytes[0] = 0x80;
      udp.send(bytes, backend.ports.srt, "127.0.0.1");
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise<void>((resolve) => udp.close(resolve));
    await isWell();
  });

  it("closes connections that stop in mid-handshake, one byte at a time or all at once", {
    timeout: 60_000,
  }, async () => {
    const version = Buffer.from([3]);
    const half = [
      [backend.ports.rtmp, Buffer.alloc(0)],
      [backend.ports.rtmp, version],
      [backend.ports.rtmp, Buffer.concat([version, randomBytes(1000)])],
      [backend.ports.rtmp, Buffer.concat([version, randomBytes(1536)])],
      [backend.ports.http, Buffer.alloc(0)],
      [backend.ports.http, Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n")],
      [backend.ports.http, Buffer.from("PRI")],
      [backend.ports.http, Buffer.from("POST /v1/streams/start HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")],
    ] as const;
    const started = Date.now();
    const drip: NodeJS.Timeout[] = [];
    await Promise.all(
      half.map(async ([port, bytes]) => {
        const socket = await open(port);
        socket.resume();
        if (bytes.length > 0) socket.write(bytes);
        // A slow-loris keeps saying a little so that no idle timer catches it.
        if (bytes.length > 10) drip.push(setInterval(() => socket.writable && socket.write("a"), 1000));
        await gone(socket);
      }),
    );
    for (const timer of drip) clearInterval(timer);
    expect(Date.now() - started).toBeLessThan(45_000);
    await isWell();
  });

  it("answers malformed API requests with rows of the error table", async () => {
    const post = (path: string, body: string, type = "application/json", key?: string) => {
      const headers = { "content-type": type, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
      return fetch(`${backend.http}${path}`, { method: "POST", headers, body });
    };
    const unknown = '{"stream_id":"abcdefgh"}';
    const cases: [Promise<Response>, number, string][] = [
      [post("/v1/streams/start", "{"), 400, "bad_request"],
      [post("/v1/streams/start", "{}"), 401, "stream_key_missing"],
      [post("/v1/streams/start", '{"stream_key":"nope"}'), 401, "stream_key_invalid"],
      [post("/v1/streams/start", "x".repeat(100_000)), 413, "payload_too_large"],
      [post("/v1/streams/start", "<a/>", "text/xml"), 415, "media_unsupported"],
      [post("/v1/streams/stop", unknown), 401, "stream_key_missing"],
      [post("/v1/streams/stop", unknown, "application/json", backend.key), 404, "stream_unknown"],
      [fetch(`${backend.http}/v1/channels/NO!`), 400, "bad_request"],
      [fetch(`${backend.http}/v1/channels/none`), 404, "channel_unknown"],
      [fetch(`${backend.http}/v1/streams/abcdefgh/manifest.m3u8`), 404, "stream_unknown"],
      [fetch(`${backend.http}/v1/channels/demo/live.m3u8`), 404, "stream_not_live"],
      [fetch(`${backend.http}/no/such/thing`), 404, "not_found"],
      [post("/v1/channels", '{"name":"x"}'), 401, "unauthorized"],
      [fetch(`${backend.http}/v1/streams/abcdefgh/source/index.m3u8`, { method: "DELETE" }), 405, "method_not_allowed"],
    ];
    for (const [request, status, code] of cases) {
      const response = await request;
      const body = (await response.json()) as { error: { code: string; message: string; retryable: boolean } };
      expect({ status: response.status, code: body.error.code }).toEqual({ status, code });
      expect(body.error.message.length).toBeGreaterThan(5);
    }
  });
});
