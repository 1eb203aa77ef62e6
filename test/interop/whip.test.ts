import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { bundledPackage } from "../harness/bundled-package.ts";
import { Child, run } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { GstreamerWebRtc } from "../harness/gstreamer-webrtc.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";
import { type RtcSession, WebRtcPage } from "../harness/webrtc-page.ts";
import { publishVp8 } from "../harness/werift-peer.ts";

requirePackages(
  "chromium",
  "ffmpeg",
  "gstreamer1.0-nice",
  "gstreamer1.0-plugins-bad",
  "gstreamer1.0-plugins-ugly",
  "gir1.2-gst-plugins-bad-1.0",
  "python3-gi",
);

const FFMPEG_PUBLISHER = join(import.meta.dirname, "../harness/ffmpeg-whip-publisher.ts");
const LAYERS = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 400_000 },
  { rid: "f", maxBitrate: 1_200_000 },
];

describe("ING3: WHIP", () => {
  let backend: BackendProcess;
  let browser: Browser;
  let publisher: WebRtcPage;
  let viewer: WebRtcPage;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "klieg-whip-"));
    [backend, browser] = await Promise.all([BackendProcess.start(), openChromium()]);
    publisher = await WebRtcPage.open(browser);
    viewer = await WebRtcPage.open(browser);
  });
  afterAll(async () => {
    await publisher[Symbol.asyncDispose]();
    await viewer[Symbol.asyncDispose]();
    await browser.close();
    await backend[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const whip = () => `${backend.http}/v1/whip`;
  const whep = (channel: string) => `${backend.http}/v1/whep/${channel}`;

  /** Watches until picture and sound have come. */
  async function seen(channel: string, options: { frames?: number; sound?: boolean } = {}) {
    const session = await until(() => viewer.watch({ url: whep(channel) }), { what: `${channel} to be watched` });
    const received = await until(
      async () => {
        const state = await viewer.received(session);
        const heard = options.sound === false || state.audioEnergy > 0.001;
        return state.frames >= (options.frames ?? 20) && heard ? state : undefined;
      },
      { what: `picture and sound of ${channel}`, diagnose: () => backend.child.output.slice(-4000) },
    );
    await viewer.close(session);
    return received;
  }

  it.each(["H264", "VP8", "VP9", "AV1"])(
    "Chromium publishes %s by plain RTCPeerConnection, into WHEP and LL-HLS",
    async (codec) => {
      const channel = `chromium-${codec.toLowerCase()}`;
      const key = await backend.openChannel(channel);
      const session = await publisher.publish({ url: whip(), key, codec: `video/${codec}` });
      const received = await seen(channel);
      expect(received).toMatchObject({ codec: `video/${codec}`, state: "connected" });
      const live = await backend.live(channel);
      expect(live).toMatchObject({
        ingest: { protocol: "whip", encoder: /^Chrome \d+$/ },
        video: { codec: codec.toLowerCase() },
      });
      const gone = await fetch(session.resource, { method: "DELETE" });
      expect(gone.status).toBe(200);
      await until(async () => (await backend.stream(live.id)).state === "interrupted", { what: "the encoder gone" });
      expect((await fetch(session.resource, { method: "DELETE" })).status).toBe(410);
      await publisher.close(session);
    },
  );

  it("Chromium publishes three simulcast layers, all of which arrive", async () => {
    const key = await backend.openChannel("simulcast");
    const session = await publisher.publish({
      url: whip(),
      key,
      codec: "video/VP8",
      simulcast: LAYERS,
      media: { width: 960, height: 540 },
    });
    const watching = await viewer.watch({ url: whep("simulcast") });
    const state = await until(
      async () => {
        const { media } = await (await fetch(watching.resource)).json();
        const layers: { rid: string; bitrate: number }[] = media.find(
          (each: { kind: string }) => each.kind === "video",
        ).layers;
        return layers.every(({ bitrate }) => bitrate > 20_000) ? layers : undefined;
      },
      { what: "three layers", timeoutMs: 30_000 },
    );
    expect(state.map(({ rid }) => rid)).toEqual(["f", "h", "q"]);
    await until(async () => (await viewer.received(watching)).width === 960, { what: "the best layer" });
    await viewer.close(watching);
    await publisher.close(session);
  });

  it("a second encoder takes over, the first is told why", async () => {
    const key = await backend.openChannel("takeover");
    const first = await publisher.publish({ url: whip(), key });
    await seen("takeover");
    const second = await viewer.publish({ url: whip(), key });
    await until(() => publisher.ended(first), { what: "the first put off" });
    const answer = await fetch(first.resource, { method: "DELETE" });
    expect([answer.status, (await answer.json()).error.message]).toEqual([
      410,
      "Another encoder has taken over with the same stream key.",
    ]);
    await publisher.close(first);
    await viewer.close(second);
  });

  it("a revoked key ends the publication, and opens none", async () => {
    const key = await backend.openChannel("revoked");
    const session = await publisher.publish({ url: whip(), key });
    const { keys } = await (await backend.admin("GET", "/v1/channels/revoked/keys")).json();
    await backend.admin("DELETE", `/v1/channels/revoked/keys/${keys[0].id}`);
    await until(() => publisher.ended(session), { what: "the publication ended" });
    const again = await fetch(session.resource, { method: "DELETE" });
    expect((await again.json()).error).toMatchObject({ code: "gone", message: "This stream key was revoked." });
    const post = await fetch(whip(), {
      method: "POST",
      headers: { "content-type": "application/sdp", authorization: `Bearer ${key}` },
      body: session.offer,
    });
    expect([post.status, post.headers.get("www-authenticate")]).toEqual([403, 'Bearer realm="stream key"']);
    await publisher.close(session);
  });

  it("RFC 9725 § 4.3: trickles and restarts ICE, by the entity tag", async () => {
    const key = await backend.openChannel("restart");
    const session = await publisher.publish({ url: whip(), key });
    const patch = (body: string, headers: Record<string, string>) =>
      fetch(session.resource, {
        method: "PATCH",
        headers: { "content-type": "application/trickle-ice-sdpfrag", ...headers },
        body,
      });
    const ufrag = /a=ice-ufrag:(\S+)/.exec(session.offer)?.[1];
    const pwd = /a=ice-pwd:(\S+)/.exec(session.offer)?.[1];
    const fragment = `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n`;
    expect((await patch(fragment, { "if-match": session.etag })).status).toBe(204);
    expect((await patch(fragment, {})).status).toBe(428);
    expect((await patch(fragment, { "if-match": '"another"' })).status).toBe(412);
    const restarted = await publisher.restartIce(session);
    expect(restarted.etag).not.toBe(session.etag);
    expect((await patch(fragment, { "if-match": session.etag })).status).toBe(412);
    // Media goes on with the new credentials.
    const before = (await publisher.sent(session)).layers[0]?.frames ?? 0;
    await seen("restart", { frames: 40 });
    const after = await publisher.sent(session);
    expect(after.state).toBe("connected");
    expect(after.layers[0]?.frames).toBeGreaterThan(before);
    await publisher.close(session);
  });

  it("@eyevinn/whip-web-client publishes", async () => {
    const key = await backend.openChannel("eyevinn");
    await publisher.page.addScriptTag({ content: await bundledPackage("@eyevinn/whip-web-client", "eyevinn") });
    await publisher.page.evaluate(
      async ({ endpoint, key }) => {
        // @ts-expect-error Defined by the script.
        const client = new eyevinn.WHIPClient({ endpoint, opts: { authkey: key, noTrickleIce: false } });
        await client.setIceServersFromEndpoint();
        await client.ingest(window.rtc.media());
        Object.assign(window, { client });
      },
      { endpoint: whip(), key },
    );
    expect((await seen("eyevinn")).width).toBeGreaterThan(0);
    // @ts-expect-error Put there above.
    await publisher.page.evaluate(() => window.client.destroy());
    const { state } = await backend.channel("eyevinn");
    expect(["interrupted", "live"]).toContain(state);
  });

  it("whip-whep publishes", async () => {
    const key = await backend.openChannel("whip-whep");
    await publisher.page.addScriptTag({ content: await bundledPackage("whip-whep/whip.js", "whipWhep") });
    const state = await publisher.page.evaluate(
      async ({ endpoint, key }) => {
        // @ts-expect-error Defined by the script.
        const client = new whipWhep.WHIPClient();
        const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
        for (const track of window.rtc.media().getTracks()) peer.addTransceiver(track, { direction: "sendonly" });
        await client.publish(peer, endpoint, key);
        await window.rtc.connected(peer);
        Object.assign(window, { client });
        return peer.connectionState;
      },
      { endpoint: whip(), key },
    );
    expect(state).toBe("connected");
    await seen("whip-whep", { frames: 40 });
    // @ts-expect-error Put there above.
    await publisher.page.evaluate(() => window.client.stop());
  });

  it("FFmpeg 8 publishes with its WHIP muxer", async () => {
    const key = await backend.openChannel("ffmpeg");
    const clip = join(folder, "clip.mkv");
    await run("ffmpeg", [
      ...["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "20", "-pix_fmt", "yuv420p"],
      ...["-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-g", "30", "-b:v", "800k"],
      ...["-c:a", "libopus", "-ac", "2", clip],
    ]);
    await using encoder = new Child(process.execPath, [FFMPEG_PUBLISHER, clip, whip(), key]);
    await encoder.line(/^publishing$/);
    expect(await seen("ffmpeg", { frames: 60 })).toMatchObject({ codec: "video/H264", width: 640 });
    const live = await backend.live("ffmpeg");
    expect(live).toMatchObject({
      ingest: { encoder: expect.stringMatching(/^Lavf\/62/) },
      video: { width: 640, height: 360 },
    });
    encoder.process.stdin.end();
    expect((await encoder.exited).code).toBe(0);
    await until(async () => (await backend.stream(live.id)).state === "interrupted", { what: "the encoder gone" });
  });

  it("GStreamer publishes with webrtcbin", async () => {
    const key = await backend.openChannel("gstreamer");
    await using encoder = GstreamerWebRtc.publish(whip(), key);
    await encoder.connected();
    expect(await seen("gstreamer", { frames: 60 })).toMatchObject({ codec: "video/H264", width: 640 });
    expect(await backend.live("gstreamer")).toMatchObject({
      video: { width: 640, height: 360 },
      audio: { codec: "opus" },
    });
  });

  it("werift publishes VP8", async () => {
    const key = await backend.openChannel("werift");
    await using peer = await publishVp8(whip(), key);
    expect(await seen("werift", { frames: 30, sound: false })).toMatchObject({ codec: "video/VP8", width: 320 });
    expect(peer.state()).toBe("connected");
  });

  it("an encoder that vanishes leaves the stream in its reconnect grace within seconds, and may come back", async () => {
    const key = await backend.openChannel("vanishing");
    const page = await WebRtcPage.open(browser);
    await page.publish({ url: whip(), key });
    const live = await backend.live("vanishing");
    const began = performance.now();
    await page[Symbol.asyncDispose]();
    await until(async () => (await backend.stream(live.id)).state === "interrupted", { what: "the encoder missed" });
    expect(performance.now() - began).toBeLessThan(9000);
    const again: RtcSession = await publisher.publish({ url: whip(), key });
    await until(async () => (await backend.stream(live.id)).state === "live", { what: "the same stream again" });
    await publisher.close(again);
  });
});
