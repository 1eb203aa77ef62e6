import { once } from "node:events";
import { createServer, get, type IncomingMessage, type RequestOptions, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RequestCounts } from "../insight/request-counts.ts";
import { PackagedStream } from "../testing/packaged-stream.ts";
import { MediaDoor } from "./media-door.ts";

describe("DLV1: the origin over HTTP", () => {
  let subject: PackagedStream;
  let server: Server;
  let port = 0;
  let base = "";
  const counts = new RequestCounts();

  beforeEach(async () => {
    subject = new PackagedStream();
    const { stream } = subject;
    const media = new MediaDoor({
      live: {
        get: (id) => (id === stream.id ? subject : undefined),
        latestOfChannel: (channel) => (channel === "demo" ? subject : undefined),
        ofPreview: (token) => (token === subject.audience.previewToken ? subject : undefined),
      },
      counts,
      logger: subject.logger,
    });
    server = createServer((incoming, response) => {
      if (incoming.url?.startsWith("/channel/")) media.answerChannel(incoming.url.slice(9), incoming, response);
      else if (!media.handle(incoming, response)) response.writeHead(418).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    base = `/v1/streams/${stream.id}`;
    subject.connect();
    await subject.send(9);
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await subject[Symbol.asyncDispose]();
  });

  async function ask(path: string, options: RequestOptions = {}) {
    const [response] = (await once(request({ port, path, agent: false, ...options }).end(), "response")) as [
      IncomingMessage,
    ];
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  }

  /** Until so many requests wait for something of the picture. */
  async function untilWaiting(count: number) {
    const source = subject.packager.renditions.find(({ name }) => name === "source");
    while (source?.waiting !== count) await new Promise((resolve) => setImmediate(resolve));
  }

  it("leaves what is not media to others", async () => {
    for (const path of ["/", base, `${base}/health`, "/v1/channels"]) expect((await ask(path)).status).toBe(418);
  });

  it("serves playlists fresh, with a tag, packed for who takes that", async () => {
    const plain = await ask(`${base}/source/index.m3u8`);
    expect(plain).toMatchObject({ status: 200, headers: { "content-type": "application/vnd.apple.mpegurl" } });
    expect(plain.headers["cache-control"]).toBe("public, max-age=1");
    expect(plain.headers["access-control-allow-origin"]).toBe("*");
    const packed = await ask(`${base}/source/index.m3u8`, { headers: { "accept-encoding": "br, gzip" } });
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(gunzipSync(packed.body)).toEqual(plain.body);
    expect(
      (await ask(`${base}/source/index.m3u8`, { headers: { "accept-encoding": "gzip;q=0" } })).headers,
    ).not.toHaveProperty("content-encoding");
    const again = await ask(`${base}/source/index.m3u8`, { headers: { "if-none-match": String(plain.headers.etag) } });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  });

  it("gives segments for ever, whole or in ranges", async () => {
    const whole = await ask(`${base}/source/1.m4s`);
    expect(whole.headers["cache-control"]).toContain("immutable");
    expect(whole.headers["content-length"]).toBe(String(whole.body.length));
    const range = await ask(`${base}/source/1.m4s`, { headers: { range: "bytes=10-1999" } });
    expect(range.status).toBe(206);
    expect(range.headers["content-range"]).toBe(`bytes 10-1999/${whole.body.length}`);
    expect(range.body).toEqual(whole.body.subarray(10, 2000));
    expect((await ask(`${base}/source/1.m4s`, { headers: { range: "bytes=999999-" } })).status).toBe(416);
    const head = await ask(`${base}/source/1.m4s`, { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(head.headers["content-length"]).toBe(String(whole.body.length));
    const parts = await Promise.all([6, 7, 8, 9, 10, 11].map((serial) => ask(`${base}/source/part-${serial}.m4s`)));
    expect(Buffer.concat(parts.map(({ body }) => body))).toEqual(whole.body);
  });

  it("holds a blocking reload until its part is there, and lets caches keep the answer", async () => {
    const waiting = ask(`${base}/source/index.m3u8?_HLS_msn=4&_HLS_part=5`);
    await once(server, "request");
    const source = subject.packager.renditions.find(({ name }) => name === "source");
    expect(source?.waiting).toBe(1);
    await subject.send(1.5);
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("public, max-age=24");
    expect(answer.body.toString()).toContain("4.m4s");
    expect(source?.waiting).toBe(0);
  });

  it("holds a request for the hinted part, and gives exactly that part", async () => {
    const text = (await ask(`${base}/source/index.m3u8`)).body.toString();
    const hint = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(text)?.[1];
    const waiting = ask(`${base}/source/${hint}`);
    await once(server, "request");
    await subject.send(0.5);
    const hinted = await waiting;
    expect(hinted.status).toBe(200);
    expect((await ask(`${base}/source/${hint}`)).body).toEqual(hinted.body);
  });

  it("forgets a viewer that goes away while it waits", async () => {
    const client = get({ port, path: `${base}/source/index.m3u8?_HLS_msn=5`, agent: false });
    client.on("error", () => undefined);
    await once(server, "request");
    const source = subject.packager.renditions.find(({ name }) => name === "source");
    expect(source?.waiting).toBe(1);
    client.destroy();
    while (source?.waiting !== 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("gives up on a blocking reload within three target durations", async () => {
    const waiting = ask(`${base}/source/index.m3u8?_HLS_msn=5`);
    await once(server, "request");
    subject.clock.advance(12_000);
    expect(await waiting).toMatchObject({ status: 503, headers: { "cache-control": "no-store" } });
  });

  it("serves the channel's stable address with paths that work from there", async () => {
    const text = (await ask("/channel/demo")).body.toString();
    expect(text).toContain(`../../streams/${subject.stream.id}/source/index.m3u8`);
    expect((await ask("/channel/none")).status).toBe(404);
  });

  it.each([
    ["/source/index.m3u8?_HLS_part=1", 400, "bad_request"],
    ["/source/index.m3u8?_HLS_msn=x", 400, "bad_request"],
    ["/source/index.m3u8?_HLS_msn=-1", 400, "bad_request"],
    ["/source/index.m3u8?_HLS_msn=99", 400, "blocking_reload_too_far"],
    ["/source/index.m3u8?_HLS_msn=4&_HLS_part=99", 400, "blocking_reload_too_far"],
    ["/none/index.m3u8", 404, "not_found"],
    ["/source/999.m4s", 404, "not_found"],
    ["/source/part-999.m4s", 404, "not_found"],
    ["/source/init-9.mp4", 404, "not_found"],
    ["/source/../../secret", 404, "not_found"],
    ["/%2e%2e/index.m3u8", 404, "not_found"],
    ["/source/", 404, "not_found"],
    ["/", 404, "not_found"],
  ])("answers %s with a row of the error table", async (path, status, code) => {
    const answer = await ask(base + path);
    expect({ status: answer.status, ...JSON.parse(answer.body.toString()) }).toMatchObject({ status, error: { code } });
  });

  it("only lets media be read, and lets other sites read it", async () => {
    expect((await ask(`${base}/manifest.m3u8`, { method: "POST" })).status).toBe(405);
    expect(await ask(`${base}/manifest.m3u8`, { method: "OPTIONS" })).toMatchObject({
      status: 204,
      headers: { "access-control-allow-origin": "*" },
    });
  });

  describe("ING5: a stream that nobody may see but its owner", () => {
    const preview = () => `/v1/previews/${subject.audience.previewToken}`;
    const files = ["manifest.m3u8", "source/index.m3u8", "source/1.m4s", "source/part-3.m4s", "source/init-0.mp4"];

    it("is not there, but for who has its token", async () => {
      subject.audience.change({ preview: true });
      for (const file of files) {
        const hidden = await ask(`${base}/${file}`);
        const missing = await ask(`/v1/streams/nonenonenone2345/${file}`);
        expect([hidden.status, hidden.body.toString()]).toEqual([404, missing.body.toString()]);
        const seen = await ask(`${preview()}/${file}`);
        expect([seen.status, seen.headers["cache-control"]]).toEqual([200, "private, no-store"]);
        expect((await ask(`/v1/previews/x${subject.audience.previewToken.slice(1)}/${file}`)).status).toBe(404);
      }
      const hidden = await ask("/channel/demo");
      expect([hidden.status, hidden.body.toString()]).toEqual([404, (await ask("/channel/none")).body.toString()]);
      expect((await ask(`${preview()}/health`)).status).toBe(418);
    });

    it("gives nothing to who waited when it was hidden", async () => {
      const waiting = ["index.m3u8?_HLS_msn=5", "index.m3u8?_HLS_msn=4&_HLS_part=5"].map((path) =>
        ask(`${base}/source/${path}`),
      );
      const owners = ask(`${preview()}/source/index.m3u8?_HLS_msn=4&_HLS_part=5`);
      await untilWaiting(3);
      subject.audience.change({ visibility: "private" });
      await subject.send(4);
      for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(404);
      expect((await owners).status).toBe(200);
    });

    it("shows nothing from before it became public, to nobody", async () => {
      subject.audience.change({ preview: true });
      await subject.send(2.5);
      const before = (await ask(`${preview()}/source/index.m3u8`)).body.toString();
      const named = [...before.matchAll(/^(\d+\.m4s)$|URI="(part-\d+\.m4s)"/gm)].map((match) => match[1] ?? match[2]);
      expect(named.length).toBeGreaterThan(10);
      subject.audience.change({ preview: false });
      subject.packager.showFromNow();
      const waiting = ask(`${base}/source/index.m3u8?_HLS_msn=5`);
      await untilWaiting(1);
      for (const name of [...named, "index.m3u8", "index.m3u8?_HLS_msn=5&_HLS_part=1"]) {
        expect([name, (await ask(`${base}/source/${name}`)).status]).toEqual([name, 404]);
      }
      expect((await ask(`${base}/manifest.m3u8`)).status).toBe(404);
      // Its owner goes on watching.
      expect((await ask(`${preview()}/source/index.m3u8`)).status).toBe(200);
      await subject.send(4);
      expect((await waiting).status).toBe(404);
      const after = (await ask(`${base}/source/index.m3u8`)).body.toString();
      expect(/MEDIA-SEQUENCE:(\d+)/.exec(after)?.[1]).toBe("6");
      for (const name of named) expect(after).not.toContain(`"${name}"`);
      expect((await ask(`${base}/manifest.m3u8`)).status).toBe(200);
      expect((await ask(`${base}/source/6.m4s`)).status).toBe(200);
      for (const name of named) expect([name, (await ask(`${base}/source/${name}`)).status]).toEqual([name, 404]);
    });
  });

  it("STU4: knows how many players follow it", async () => {
    expect(subject.packager.followers).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      const waiting = [1, 2, 3].map(() => ask(`${base}/source/index.m3u8?_HLS_msn=${4 + round}`));
      const sound = ask(`${base}/audio/index.m3u8?_HLS_msn=${4 + round}`);
      await untilWaiting(3);
      await subject.send(2);
      await Promise.all([...waiting, sound]);
      expect(subject.packager.followers).toBe(3);
    }
    await subject.send(7);
    expect(subject.packager.followers).toBe(0);
  });

  it("counts what it answered", async () => {
    const of = (kind: string, status: string) =>
      [...counts.entries()].find((entry) => entry.kind === kind && entry.status === status)?.count ?? 0;
    const before = of("init", "200");
    await ask(`${base}/source/init-0.mp4`);
    expect(of("init", "200")).toBe(before + 1);
  });
});
