import { StreamInfo, type WhepMedia, type WhepState } from "@klieg/protocol";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { bundledPackage } from "../harness/bundled-package.ts";
import { openChromium } from "../harness/chromium.ts";
import { encode } from "../harness/encoder.ts";
import { GstreamerWebRtc } from "../harness/gstreamer-webrtc.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { RELAYED_ADDRESS, RtcRelay } from "../harness/rtc-relay.ts";
import { until } from "../harness/until.ts";
import { type RtcSession, WebRtcPage } from "../harness/webrtc-page.ts";
import { watchWithWerift } from "../harness/werift-peer.ts";

requirePackages(
  "chromium",
  "ffmpeg",
  "gstreamer1.0-nice",
  "gstreamer1.0-plugins-bad",
  "gstreamer1.0-libav",
  "gir1.2-gst-plugins-bad-1.0",
  "python3-gi",
);

const LAYERS = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  { rid: "f", maxBitrate: 1_200_000 },
];
/** Of a smaller one Chromium sends fewer layers. */
const PICTURE = { width: 960, height: 540, detail: 100 };

describe("RTC1: WHEP", () => {
  let backend: BackendProcess;
  let browser: Browser;
  let publisher: WebRtcPage;
  let viewer: WebRtcPage;
  beforeAll(async () => {
    [backend, browser] = await Promise.all([BackendProcess.start(), openChromium()]);
    publisher = await WebRtcPage.open(browser);
    viewer = await WebRtcPage.open(browser);
    await publisher.publish({ url: `${backend.http}/v1/whip`, key: backend.key, codec: "video/H264" });
  });
  afterAll(async () => {
    await publisher[Symbol.asyncDispose]();
    await viewer[Symbol.asyncDispose]();
    await browser.close();
    await backend[Symbol.asyncDispose]();
  });

  const whep = (channel = "demo") => `${backend.http}/v1/whep/${channel}`;
  const stateOf = async ({ resource }: { resource: string }): Promise<WhepState> => (await fetch(resource)).json();
  const videoOf = async (session: RtcSession) =>
    (await stateOf(session)).media.find(({ kind }) => kind === "video") as WhepMedia;
  const frames = (session: RtcSession, more: number) =>
    until(async () => (await viewer.received(session)).frames >= more, {
      what: `${more} frames`,
      diagnose: () => backend.child.output.slice(-4000),
    });

  it("werift plays, under the payload types that it offered", async () => {
    await using peer = await watchWithWerift(whep());
    await until(() => peer.packets.video > 60 && peer.packets.audio > 50, { what: "packets of both kinds" });
    const offered = (kind: string, name: string) =>
      Number(
        new RegExp(`a=rtpmap:(\\d+) ${name}`, "i").exec(section(peer.peer.localDescription?.sdp ?? "", kind))?.[1],
      );
    expect([...peer.payloadTypes.video]).toEqual([offered("video", "H264")]);
    expect([...peer.payloadTypes.audio]).toEqual([offered("audio", "opus")]);
    expect((await fetch(peer.resource, { method: "DELETE" })).status).toBe(200);
    expect((await fetch(peer.resource)).status).toBe(410);
  });

  it("GStreamer's webrtcbin plays and decodes", async () => {
    await using player = GstreamerWebRtc.watch(whep());
    await until(() => player.events.some(({ frames = 0, samples = 0 }) => frames > 40 && samples > 48_000), {
      what: "decoded picture and sound",
      diagnose: () => player.child.output.slice(-3000),
    });
  });

  it("whip-whep plays", async () => {
    await viewer.page.addScriptTag({ content: await bundledPackage("whip-whep/whep.js", "whipWhepPlayer") });
    const played = await viewer.page.evaluate(async (endpoint) => {
      // @ts-expect-error Defined by the script.
      const client = new whipWhepPlayer.WHEPClient();
      const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      peer.addTransceiver("audio", { direction: "recvonly" });
      peer.addTransceiver("video", { direction: "recvonly" });
      await client.view(peer, endpoint);
      await window.rtc.connected(peer);
      for (let tries = 0; tries < 100; tries += 1) {
        for (const stat of (await peer.getStats()).values()) {
          if (stat.type === "inbound-rtp" && stat.kind === "video" && stat.framesDecoded > 20) {
            await client.stop();
            return stat.framesDecoded;
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error("no picture");
    }, whep());
    expect(played).toBeGreaterThan(20);
  });

  it("an RTMP broadcast is played too, as it is", async () => {
    const key = await backend.openChannel("rtmp");
    await using encoder = encode({ url: backend.rtmpUrl(key), format: "flv", extra: ["-profile:v", "high"] });
    const { id } = await backend.live("rtmp");
    const session = await viewer.watch({ url: whep("rtmp") });
    await frames(session, 30);
    await until(async () => (await viewer.received(session)).audioEnergy > 0.001, { what: "its sound as Opus" });
    expect(await viewer.received(session)).toMatchObject({ codec: "video/H264", width: 640 });
    expect(encoder.running).toBe(true);

    // ING5: hidden, it is there for its owner alone.
    const hidden = await fetch(`${backend.http}/v1/streams/${id}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ preview: true }),
    });
    const { preview_access: own } = StreamInfo.parse(await hidden.json());
    expect((await fetch(session.resource)).status).toBe(410);
    await viewer.close(session);
    await expect(viewer.watch({ url: whep("rtmp") })).rejects.toThrow("stream_not_live");
    const owner = await viewer.watch({ url: backend.http + own?.whep });
    await frames(owner, 10);
    await viewer.close(owner);
  });

  it("tells its state, pauses, resumes, and counts viewers as they come and go", async () => {
    const session = await viewer.watch({ url: whep() });
    await frames(session, 10);
    const events = new EventReader(`${session.resource}/events`);
    await until(() => events.of("active").length > 0, { what: "the state at the beginning" });
    const other = await viewer.watch({ url: whep() });
    await until(() => events.of("viewers").some(({ count }) => count === 2), { what: "two viewers told" });
    expect(await stateOf(session)).toMatchObject({ state: "active", paused: false, viewers: 2, channel: "demo" });
    const metrics = await (await fetch(`${backend.http}/metrics`)).text();
    expect(metrics).toMatch(/klieg_webrtc_viewers\{channel="demo",stream="\w+"\} 2/);
    const paused = await (await fetch(`${session.resource}/pause`, { method: "POST" })).json();
    expect(paused).toMatchObject({ paused: true });
    const at = (await viewer.received(session)).packets;
    await frames(other, 40);
    expect((await viewer.received(session)).packets - at).toBeLessThan(30);
    await fetch(`${session.resource}/resume`, { method: "POST" });
    await frames(session, 40);
    await viewer.close(other);
    await until(() => events.of("viewers").at(-1)?.count === 1, { what: "one viewer left" });
    expect((await fetch(session.resource, { method: "DELETE" })).status).toBe(200);
    await until(() => events.ended, { what: "the events ended" });
    expect((await fetch(session.resource)).status).toBe(410);
    await viewer.close(session);
  });

  it("survives an ICE restart", async () => {
    const session = await viewer.watch({ url: whep() });
    await frames(session, 10);
    await viewer.restartIce(session);
    const { frames: at } = await viewer.received(session);
    await frames(session, at + 30);
    await viewer.close(session);
  });

  it("tells viewers to come again when the source is another, and that it is over when the stream is", async () => {
    const key = await backend.openChannel("changing");
    const first = await publisher.publish({ url: `${backend.http}/v1/whip`, key });
    const session = await viewer.watch({ url: whep("changing") });
    await frames(session, 10);
    const events = new EventReader(`${session.resource}/events`);
    await until(() => events.of("viewers").length > 0, { what: "events" });
    const second = await publisher.publish({ url: `${backend.http}/v1/whip`, key });
    await until(() => events.of("reconnect").length > 0, { what: "to come again" });
    expect((await fetch(session.resource)).status).toBe(410);
    const again = await viewer.watch({ url: whep("changing") });
    await frames(again, 10);
    const more = new EventReader(`${again.resource}/events`);
    await until(() => more.of("viewers").length > 0, { what: "events" });
    const { live_stream_id: id } = await backend.channel("changing");
    if (id !== null) {
      await fetch(`${backend.http}/v1/streams/stop`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ stream_id: id }),
      });
      await until(() => more.of("ended").length > 0, { what: "that it is over" });
    }
    for (const peer of [first, second]) await publisher.close(peer);
    for (const peer of [session, again]) await viewer.close(peer);
  });

  it("holds on to the layer that a viewer pins, of simulcast and of SVC", async () => {
    const key = await backend.openChannel("pinned");
    const layered = { url: `${backend.http}/v1/whip`, key, media: PICTURE } as const;
    for (const publication of [
      { ...layered, codec: "video/VP8", simulcast: LAYERS },
      {
        ...layered,
        url: `${layered.url}?scalability_mode=L3T3_KEY`,
        codec: "video/VP9",
        scalabilityMode: "L3T3_KEY",
        maxBitrate: 1_500_000,
      },
    ]) {
      const sending = await publisher.publish(publication);
      const session = await viewer.watch({ url: whep("pinned") });
      const width = (wanted: number) =>
        until(async () => (await viewer.received(session)).width === wanted, {
          what: `${publication.codec} ${wanted} wide`,
          timeoutMs: 25_000,
          diagnose: () => backend.child.output.slice(-2000),
        });
      await width(960);
      const pin = async (layer: object) => {
        const response = await fetch(`${session.resource}/layers`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(layer),
        });
        return { status: response.status, body: await response.json() };
      };
      expect((await pin({ spatial_layer: 0 })).status).toBe(200);
      await width(240);
      expect((await videoOf(session)).pinned).toEqual({ spatial_layer: 0, temporal_layer: null });
      expect((await pin(publication.codec === "video/VP8" ? { rid: "h" } : { spatial_layer: 1 })).status).toBe(200);
      await width(480);
      expect((await pin({ spatial_layer: 5 })).body.error.code).toBe("bad_request");
      expect((await pin({ auto: true })).status).toBe(200);
      await width(960);
      await viewer.close(session);
      await publisher.close(sending);
    }
  });
});

describe("RTC1: WHEP over a network that narrows", () => {
  it("sends the layer that the network carries, down within seconds and up again", async () => {
    await using backend = await BackendProcess.start({
      env: { KLIEG_RTC_WORKERS: "1", KLIEG_ANNOUNCED_ADDRESS: RELAYED_ADDRESS },
    });
    await using relay = await RtcRelay.open({ port: backend.ports.rtc ?? 0 });
    const browser = await openChromium();
    try {
      await using publisher = await WebRtcPage.open(browser);
      await using viewer = await WebRtcPage.open(browser);
      await publisher.publish({
        url: `${backend.http}/v1/whip`,
        key: backend.key,
        codec: "video/VP8",
        simulcast: LAYERS,
        media: PICTURE,
      });
      const session = await viewer.watch({ url: `${backend.http}/v1/whep/demo` });
      const width = (wanted: number, timeoutMs: number) =>
        until(async () => (await viewer.received(session)).width === wanted, {
          what: `a picture ${wanted} wide`,
          timeoutMs,
          diagnose: () => backend.child.output.slice(-2000),
        });
      await width(960, 20_000);
      // It may send 1.2 Mb/s of the best layer, and 0.3 of the next.
      await until(
        async () => {
          const state: WhepState = await (await fetch(session.resource)).json();
          return state.media.some(({ layers }) => (layers[0]?.bitrate ?? 0) > 700_000);
        },
        { what: "the best layer near its best", timeoutMs: 40_000 },
      );
      // Towards the viewer alone: the publisher's network stays as it is.
      relay.set({}, { bitrate: 550_000, queueMs: 200 });
      await width(480, 15_000);
      // What fits, flows.
      const { frames } = await viewer.received(session);
      await until(async () => (await viewer.received(session)).frames >= frames + 15, {
        what: "a picture that moves",
        timeoutMs: 5000,
      });
      relay.set({});
      await width(960, 40_000);
    } finally {
      await browser.close();
    }
  });
});

/** Server-sent events as they come. */
class EventReader {
  ended = false;
  readonly #events: { readonly type: string; readonly data: { readonly count?: number; readonly reason?: string } }[] =
    [];

  constructor(url: string) {
    void this.#read(url);
  }

  of(type: string) {
    return this.#events.filter((event) => event.type === type).map(({ data }) => data);
  }

  async #read(url: string): Promise<void> {
    const response = await fetch(url);
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [, type, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        if (type !== undefined && data !== undefined) this.#events.push({ type, data: JSON.parse(data) });
        text = text.slice(end + 2);
      }
    }
    this.ended = true;
  }
}

/** The lines of one media section. */
function section(sdp: string, kind: string): string {
  const from = sdp.indexOf(`m=${kind}`);
  const next = sdp.indexOf("\nm=", from + 1);
  return sdp.slice(from, next === -1 ? undefined : next);
}
