import { randomBytes } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { resourcesOf } from "../harness/process-resources.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";
import { WebRtcPage } from "../harness/webrtc-page.ts";

requirePackages("chromium");

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";

describe("ING3 RTC1: bad input at the WebRTC doors", () => {
  let backend: BackendProcess;
  let browser: Browser;
  let page: WebRtcPage;
  let sending: string;
  let receiving: string;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_RTC_WORKERS: "1" } });
    browser = await openChromium();
    page = await WebRtcPage.open(browser);
    [sending, receiving] = await page.page.evaluate(async () => {
      const offers: string[] = [];
      for (const direction of ["sendonly", "recvonly"] as const) {
        const peer = new RTCPeerConnection();
        for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction });
        await peer.setLocalDescription();
        offers.push(peer.localDescription?.sdp ?? "");
        peer.close();
      }
      return offers as [string, string];
    });
  });
  afterAll(async () => {
    await page[Symbol.asyncDispose]();
    await browser.close();
    await backend[Symbol.asyncDispose]();
  });

  const send = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${backend.http}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      code: text.startsWith("{") ? (JSON.parse(text).error?.code as string | undefined) : undefined,
    };
  };
  const publish = (body: string, headers: Record<string, string> = {}) =>
    send("POST", "/v1/whip", body, { "content-type": SDP, authorization: `Bearer ${backend.key}`, ...headers });
  const watch = (body: string, headers: Record<string, string> = {}, channel = "demo") =>
    send("POST", `/v1/whep/${channel}`, body, { "content-type": SDP, ...headers });

  it("each is a clear error of the table", async () => {
    const answers = {
      "not SDP": await publish("hello"),
      "no version": await publish(sending.replace("v=0\r\n", "")),
      "nothing that sends": await publish(receiving),
      "no fingerprint": await publish(sending.replaceAll(/a=fingerprint.*\r\n/g, "")),
      "no BUNDLE": await publish(sending.replace(/a=group:BUNDLE.*\r\n/, "")),
      "codecs of nobody": await publish(sending.replaceAll(/(opus|VP8|VP9|AV1|H264)\//g, "THEORA/")),
      "a bomb of lines": await publish(sending + "a=rid:1 send\r\n".repeat(4000)),
      "a bomb of bytes": await publish(sending + "a=x\r\n".repeat(30_000)),
      JSON: await publish(JSON.stringify({ sdp: sending }), { "content-type": "application/json" }),
      "no type": await publish(sending, { "content-type": "" }),
      "an answer in JSON": await publish(sending, { accept: "application/json" }),
      "no key": await publish(sending, { authorization: "" }),
      "a wrong key": await publish(sending, { authorization: "Bearer wrong-key" }),
      "a forged key": await publish(sending, { authorization: `Bearer ${backend.key.slice(0, -4)}0000` }),
      "a mode that there is not": await send("POST", "/v1/whip?scalability_mode=L9T9", sending, {
        "content-type": SDP,
        authorization: `Bearer ${backend.key}`,
      }),
      GET: await send("GET", "/v1/whip"),
      "a channel that there is not": await watch(receiving, {}, "nobody"),
      "a channel that is not live": await watch(receiving),
      "a channel's name that is none": await watch(receiving, {}, "..%2f..%2f"),
      "PUT for WHEP": await send("PUT", "/v1/whep/demo", receiving, { "content-type": SDP }),
    };
    expect(
      Object.fromEntries(Object.entries(answers).map(([name, { status, code }]) => [name, `${status} ${code}`])),
    ).toEqual({
      "not SDP": "400 sdp_invalid",
      "no version": "400 sdp_invalid",
      "nothing that sends": "400 sdp_invalid",
      "no fingerprint": "400 sdp_invalid",
      "no BUNDLE": "400 sdp_invalid",
      "codecs of nobody": "415 codec_not_allowed",
      "a bomb of lines": "400 sdp_invalid",
      "a bomb of bytes": "413 payload_too_large",
      JSON: "415 media_unsupported",
      "no type": "415 media_unsupported",
      "an answer in JSON": "406 not_acceptable",
      "no key": "401 stream_key_missing",
      "a wrong key": "401 stream_key_invalid",
      "a forged key": "401 stream_key_invalid",
      "a mode that there is not": "400 bad_request",
      GET: "405 method_not_allowed",
      "a channel that there is not": "404 channel_unknown",
      "a channel that is not live": "404 stream_not_live",
      "a channel's name that is none": "400 bad_request",
      "PUT for WHEP": "405 method_not_allowed",
    });
    expect(answers["a channel that is not live"].headers.get("retry-after")).toBe("2");
    expect(answers.GET.headers.get("allow")).toBe("OPTIONS, POST");
  });

  test.each([
    ["one that was never given", () => randomBytes(18).toString("base64url")],
    ["a path out of here", () => "..%2f..%2fhealthz"],
    ["a long one", () => "a".repeat(150)],
    ["an empty one", () => "%00"],
  ])("a forged resource is not found: %s", async (_, id) => {
    for (const door of ["/v1/whip", "/v1/whep/demo"]) {
      for (const [method, body] of [["DELETE"], ["PATCH", "a=end-of-candidates\r\n"]] as const) {
        const { status } = await send(
          method,
          `${door}/${id()}`,
          body,
          body === undefined ? {} : { "content-type": FRAGMENT },
        );
        expect(status).toBe(404);
      }
    }
  });

  it("pages of other origins may ask, and read what they need", async () => {
    for (const path of ["/v1/whip", "/v1/whep/demo"]) {
      const preflight = await send("OPTIONS", path, undefined, {
        origin: "https://studio.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
      expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
      expect(preflight.headers.get("accept-post")).toBe(SDP);
      const plain = await send("OPTIONS", path);
      expect([plain.status, plain.headers.get("accept-post")]).toEqual([204, SDP]);
    }
    const posted = await publish(sending, { origin: "https://studio.example" });
    expect(posted.status).toBe(201);
    const exposed = posted.headers.get("access-control-expose-headers");
    for (const name of ["Location", "ETag", "Link"]) expect(exposed).toContain(name);
    expect((await send("DELETE", posted.headers.get("location") ?? "")).status).toBe(200);
  });

  it("SEC5: who tries keys is slowed down, and others with him at that address alone", async () => {
    const codes = new Set<string | undefined>();
    for (let tries = 0; tries < 60; tries += 1) {
      codes.add((await publish(sending, { authorization: `Bearer guess-${tries}-guess` })).code);
    }
    expect([...codes]).toEqual(["stream_key_invalid", "rate_limited"]);
  });

  it("thousands of half-open sessions: refused beyond a limit, and then nothing is left of them", async () => {
    // A backend of its own, without the limit on addresses in the way: each request is from another one.
    await using crowded = await BackendProcess.start({ env: { KLIEG_RTC_WORKERS: "1", KLIEG_TRUSTED_PROXIES: "1" } });
    const keys = await Promise.all(Array.from({ length: 40 }, (_, index) => crowded.openChannel(`channel-${index}`)));
    const post = async (index: number) => {
      const response = await fetch(`${crowded.http}/v1/whip`, {
        method: "POST",
        headers: {
          "content-type": SDP,
          authorization: `Bearer ${keys[index % keys.length]}`,
          "x-forwarded-for": `10.0.${index >> 8}.${index & 255}`,
        },
        body: sending,
      });
      const text = await response.text();
      return response.status === 201 ? "201" : `${response.status} ${JSON.parse(text).error.code}`;
    };
    const flood = async (from: number, count: number) => {
      const counts: Record<string, number> = {};
      for (let at = from; at < from + count; at += 50) {
        const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => post(at + index)));
        for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
      }
      return counts;
    };
    // One that comes and goes, so that the media worker is up.
    expect(await post(9999)).toBe("201");
    const resources = async () => {
      const backend = await resourcesOf(crowded.child.pid, crowded.ports.http);
      const [worker = 0] = backend.children;
      return { backend, worker: await resourcesOf(worker, crowded.ports.http) };
    };
    const before = await resources();
    const counts = await flood(0, 3000);
    expect(counts["201"]).toBe(127);
    expect((counts["201"] ?? 0) + (counts["503 overloaded"] ?? 0) + (counts["429 rate_limited"] ?? 0)).toBe(3000);
    const publishers = async () =>
      Number(/klieg_webrtc_publishers (\d+)/.exec(await (await fetch(`${crowded.http}/metrics`)).text())?.[1]);
    expect(await publishers()).toBe(128);
    await until(async () => (await publishers()) === 0, {
      what: "sessions that did not connect gone",
      timeoutMs: 25_000,
    });
    const after = await resources();
    expect(after.backend.children).toEqual(before.backend.children);
    expect(after.backend.sockets).toBeLessThanOrEqual(before.backend.sockets);
    expect(after.worker.sockets).toBe(before.worker.sockets);
    expect(after.worker.rss - before.worker.rss).toBeLessThan(20 * 2 ** 20);
    expect(after.backend.rss - before.backend.rss).toBeLessThan(120 * 2 ** 20);
    // As good as new.
    expect(await flood(5000, 100)).toEqual({ "201": 100 });
    expect(crowded.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
