import type { Browser, Page } from "playwright-core";
import { PageServer } from "./page-server.ts";
import { readPictureClock } from "./picture-clock.ts";
import { until } from "./until.ts";

/** When something began to be seen, or heard, ms of the page's clock. */
export interface Onsets {
  /** The middle of the picture turned bright. */
  readonly flashes: number[];
  /** The sound set in. */
  readonly beeps: number[];
}

/** What the watching page says of itself. */
export interface WhepPageState {
  readonly connection: RTCPeerConnectionState;
  readonly framesDecoded: number;
  readonly keyFramesDecoded: number;
  readonly width: number;
  readonly height: number;
  readonly codec: string;
  /** Of the sound received so far: what it would take to be silent is 0. */
  readonly audioEnergy: number;
  readonly freezes: number;
  /** Packets missing for good. */
  readonly packetsLost: number;
  /** From the answer to the first decoded frame, ms; undefined before that. */
  readonly firstFrameMs: number | undefined;
}

/**
 * Another site's page in Chromium that watches by WHEP with nothing but `fetch` and RTCPeerConnection. It reads the clock
 * in the picture (see picture-clock.ts), and notes flashes and beeps.
 */
export class WhepPage implements AsyncDisposable {
  readonly page: Page;
  readonly #site: PageServer;

  private constructor(page: Page, site: PageServer) {
    this.page = page;
    this.#site = site;
  }

  /** Resolves when it is connected. @param endpoint e.g. `http://127.0.0.1:8080/v1/whep/demo`. */
  static async open(browser: Browser, endpoint: string): Promise<WhepPage> {
    const site = await PageServer.start();
    const context = await browser.newContext();
    const page = await context.newPage();
    const whep = new WhepPage(page, site);
    try {
      await readPictureClock(page);
      await page.goto(site.page("/watch", "<video autoplay playsinline></video>"));
      await page.evaluate(watch, endpoint);
      await whep.becomes("connected", ({ connection }) => connection === "connected");
      return whep;
    } catch (error) {
      await whep[Symbol.asyncDispose]();
      throw error;
    }
  }

  state(): Promise<WhepPageState> {
    return this.page.evaluate(() =>
      (globalThis as unknown as { kliegWhep: { state(): Promise<WhepPageState> } }).kliegWhep.state(),
    );
  }

  /** Ends the session as a good client does. */
  async stop(): Promise<void> {
    await this.page.evaluate(() =>
      (globalThis as unknown as { kliegWhep: { stop(): Promise<void> } }).kliegWhep.stop(),
    );
  }

  /** Since the last call. */
  takeOnsets(): Promise<Onsets> {
    return this.page.evaluate(() =>
      (globalThis as unknown as { kliegWhep: { takeOnsets(): Onsets } }).kliegWhep.takeOnsets(),
    );
  }

  /** Resolves once the page is as wanted. */
  async becomes(what: string, wanted: (state: WhepPageState) => boolean, timeoutMs = 15_000): Promise<WhepPageState> {
    let last: WhepPageState | undefined;
    return until(
      async () => {
        last = await this.state();
        return wanted(last) ? last : undefined;
      },
      { what, timeoutMs, diagnose: () => JSON.stringify(last) },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    await this.#site[Symbol.asyncDispose]();
  }
}

/** Runs in the page. */
async function watch(endpoint: string): Promise<void> {
  /** Mean of the middle of the picture, 0 to 255, and of the sound, 0 to 1. */
  const BRIGHT = 128;
  const LOUD = 0.03;
  const LISTEN_EVERY_MS = 5;

  const video = document.querySelector("video") as HTMLVideoElement;
  const media = new MediaStream();
  video.srcObject = media;
  const onsets: Onsets = { flashes: [], beeps: [] };

  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  let bright = true;
  const look = (now: number, frame: VideoFrameCallbackMetadata) => {
    const { width, height } = frame;
    context.drawImage(video, width / 4, height / 4, width / 2, height / 2, 0, 0, 8, 8);
    const { data } = context.getImageData(0, 0, 8, 8);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += data[at] ?? 0;
    const isBright = sum / 64 > BRIGHT;
    if (isBright && !bright) onsets.flashes.push(Math.max(now, frame.expectedDisplayTime));
    bright = isBright;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);

  const listen = (track: MediaStreamTrack) => {
    const audio = new AudioContext({ latencyHint: "interactive" });
    const analyser = audio.createAnalyser();
    analyser.fftSize = 256;
    audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let loudAt = performance.now();
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      if (samples.every((sample) => Math.abs(sample) < LOUD)) return;
      const now = performance.now();
      // A tone crosses zero: silence is what lasts.
      if (now - loudAt > 200) onsets.beeps.push(now);
      loudAt = now;
    }, LISTEN_EVERY_MS);
  };

  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  peer.addEventListener("track", ({ track }) => {
    media.addTrack(track);
    if (track.kind === "audio") listen(track);
  });
  peer.addTransceiver("audio", { direction: "recvonly" });
  peer.addTransceiver("video", { direction: "recvonly" });
  await peer.setLocalDescription();
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: peer.localDescription?.sdp ?? "",
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  const resource = new URL(response.headers.get("location") ?? "", endpoint).href;
  await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
  const answeredAt = performance.now();
  let firstFrameMs: number | undefined;
  video.requestVideoFrameCallback((now) => {
    firstFrameMs = now - answeredAt;
  });

  const state = async (): Promise<WhepPageState> => {
    const stats = await peer.getStats();
    let [picture, sound]: (RTCInboundRtpStreamStats | undefined)[] = [];
    for (const stat of stats.values()) {
      if (stat.type !== "inbound-rtp") continue;
      if (stat.kind === "video") picture = stat;
      else sound = stat;
    }
    return {
      connection: peer.connectionState,
      framesDecoded: picture?.framesDecoded ?? 0,
      keyFramesDecoded: picture?.keyFramesDecoded ?? 0,
      width: picture?.frameWidth ?? 0,
      height: picture?.frameHeight ?? 0,
      codec: picture?.codecId === undefined ? "" : (stats.get(picture.codecId)?.mimeType ?? ""),
      audioEnergy: sound?.totalAudioEnergy ?? 0,
      freezes: picture?.freezeCount ?? 0,
      packetsLost: (picture?.packetsLost ?? 0) + (sound?.packetsLost ?? 0),
      firstFrameMs,
    };
  };
  const takeOnsets = () => ({ flashes: onsets.flashes.splice(0), beeps: onsets.beeps.splice(0) });
  const stop = async () => {
    await fetch(resource, { method: "DELETE" });
    peer.close();
  };
  Object.assign(globalThis, { kliegWhep: { state, takeOnsets, stop } });
}
