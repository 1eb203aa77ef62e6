import type { Browser, Page } from "playwright-core";
import { CLOCK_STRIP } from "../../scripts/demo/clock-strip.ts";
import { PageServer } from "./page-server.ts";
import { until } from "./until.ts";

export interface WhipPageOptions {
  /** The door, e.g. `http://127.0.0.1:8080/v1/whip`. */
  readonly endpoint: string;
  readonly key: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** Video, bits/s; of all layers together. */
  readonly bitrate?: number;
  /** Three layers (`q`, `h`, `f`), each twice as wide as the one before. */
  readonly simulcast?: boolean;
  /** Preferred video codec, e.g. `H264`; the browser's own preference by default. */
  readonly codec?: string;
  /** A tone beside the picture; true by default. */
  readonly sound?: boolean;
  /** The address that the browser reaches the page by; 127.0.0.1 by default. */
  readonly host?: string;
}

/** What the publishing page says of itself. */
export interface WhipPageState {
  /** Sessions opened so far. */
  readonly sessions: number;
  /** ICE restarts asked for so far. */
  readonly restarts: number;
  readonly connection: RTCPeerConnectionState;
  /** RTP packets sent in the present session. */
  readonly packetsSent: number;
  /** What went wrong last; empty where nothing did. */
  readonly problem: string;
}

/**
 * Another site's page in Chromium that publishes a picture with the wall clock in it (see clock-strip.ts) and a tone, by plain
 * RTCPeerConnection, and follows its WHIP resource as a good client does: a path that brings nothing back for a second
 * is restarted (RFC 9725 § 4.3.3), and a resource that is gone is replaced by another at once.
 */
export class WhipPage implements AsyncDisposable {
  readonly page: Page;
  readonly #site: PageServer;

  private constructor(page: Page, site: PageServer) {
    this.page = page;
    this.#site = site;
  }

  /** Resolves when the first session is connected. */
  static async open(browser: Browser, options: WhipPageOptions): Promise<WhipPage> {
    const site = await PageServer.start({}, options.host);
    const context = await browser.newContext();
    const page = await context.newPage();
    const whip = new WhipPage(page, site);
    try {
      await page.goto(site.page("/publish", "<p>Publishing</p>"));
      await page.evaluate(publish, {
        endpoint: options.endpoint,
        key: options.key,
        width: options.width ?? 640,
        height: options.height ?? 360,
        frameRate: options.frameRate ?? 30,
        bitrate: options.bitrate ?? 1_200_000,
        simulcast: options.simulcast ?? false,
        codec: options.codec ?? "",
        sound: options.sound ?? true,
        strip: CLOCK_STRIP,
      });
      await whip.becomes("publishing", ({ connection }) => connection === "connected");
      return whip;
    } catch (error) {
      await whip[Symbol.asyncDispose]();
      throw error;
    }
  }

  state(): Promise<WhipPageState> {
    return this.page.evaluate(() => (globalThis as unknown as { kliegWhip: WhipPageState }).kliegWhip);
  }

  /** Resolves once the page is as wanted. */
  async becomes(what: string, wanted: (state: WhipPageState) => boolean, timeoutMs = 15_000): Promise<WhipPageState> {
    let last: WhipPageState | undefined;
    return until(
      async () => {
        last = await this.state();
        return wanted(last) ? last : undefined;
      },
      { what, timeoutMs, diagnose: () => JSON.stringify(last) },
    );
  }

  /**
   * Has the browser send a smaller picture, as it does by itself where its network or its processor is too slow.
   * @param by how many times less wide.
   */
  async scaleDown(by: number): Promise<void> {
    await this.page.evaluate(
      (times) => (globalThis as unknown as { kliegWhipScale: (by: number) => Promise<void> }).kliegWhipScale(times),
      by,
    );
  }

  /** Ends the session as a good client does. */
  async stop(): Promise<void> {
    await this.page.evaluate(() => (globalThis as unknown as { kliegWhipStop: () => Promise<void> }).kliegWhipStop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    await this.#site[Symbol.asyncDispose]();
  }
}

interface PublishOptions extends Required<Omit<WhipPageOptions, "host">> {
  readonly strip: typeof CLOCK_STRIP;
}

/** Runs in the page. */
async function publish(options: PublishOptions): Promise<void> {
  const { width, height, frameRate, strip } = options;
  const LONGEST_SILENCE_MS = 1000;
  // Chromium itself takes two seconds to use the addresses of another network.
  const RESTARTED_BY_MS = 4000;
  const CHECK_MS = 200;

  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  document.body.append(canvas);
  const context = canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
  let frame = 0;
  const draw = () => {
    frame += 1;
    const hue = (frame * 2) % 360;
    context.fillStyle = `hsl(${hue} 40% 40%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = `hsl(${(hue + 180) % 360} 60% 60%)`;
    for (let box = 0; box < 6; box += 1) {
      const at = ((frame * (box + 2) * 2) % (width + 80)) - 80;
      context.fillRect(at, height * (0.25 + box * 0.11), 80, height * 0.07);
    }
    const now = Date.now();
    const cell = (width * strip.width) / strip.bits;
    const row = (height * strip.height) / 2;
    for (let bit = 0; bit < strip.bits; bit += 1) {
      const one = Math.floor(now / 2 ** (strip.bits - 1 - bit)) % 2 === 1;
      const x = Math.round(width * strip.left + bit * cell);
      const next = Math.round(width * strip.left + (bit + 1) * cell);
      context.fillStyle = one ? "#eee" : "#111";
      context.fillRect(x, height * strip.top, next - x, row);
      context.fillStyle = one ? "#111" : "#eee";
      context.fillRect(x, height * strip.top + row, next - x, row);
    }
  };
  draw();
  setInterval(draw, 1000 / frameRate);
  const stream = canvas.captureStream(frameRate);
  const [video] = stream.getVideoTracks();
  if (video === undefined) throw new Error("the canvas gives no track");
  const sound = new AudioContext();
  const destination = sound.createMediaStreamDestination();
  if (options.sound) {
    const tone = sound.createOscillator();
    const level = sound.createGain();
    level.gain.value = 0.2;
    tone.connect(level).connect(destination);
    tone.start();
  }

  const state = { sessions: 0, restarts: 0, connection: "new" as RTCPeerConnectionState, packetsSent: 0, problem: "" };
  (globalThis as unknown as { kliegWhip: typeof state }).kliegWhip = state;
  let stopped = false;
  let peer = new RTCPeerConnection();
  let resource = "";
  let answer = "";

  const credentials = (sdp: string) => ({
    ufrag: /^a=ice-ufrag:(.+?)\r?$/m.exec(sdp)?.[1] ?? "",
    password: /^a=ice-pwd:(.+?)\r?$/m.exec(sdp)?.[1] ?? "",
  });

  const open = async () => {
    peer.close();
    peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const encodings = options.simulcast
      ? [
          { rid: "q", scaleResolutionDownBy: 4, maxBitrate: options.bitrate * 0.1 },
          { rid: "h", scaleResolutionDownBy: 2, maxBitrate: options.bitrate * 0.25 },
          { rid: "f", scaleResolutionDownBy: 1, maxBitrate: options.bitrate * 0.65 },
        ]
      : [{ maxBitrate: options.bitrate }];
    const transceiver = peer.addTransceiver(video, {
      direction: "sendonly",
      streams: [stream],
      sendEncodings: encodings,
    });
    if (options.codec !== "") {
      const { codecs } = RTCRtpSender.getCapabilities("video") ?? { codecs: [] };
      const wanted = (name: string) => name.toLowerCase() === `video/${options.codec.toLowerCase()}`;
      const others = /\/(rtx|red|ulpfec)$/i;
      transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => wanted(mimeType) || others.test(mimeType)));
    }
    if (options.sound) {
      const [track] = destination.stream.getAudioTracks();
      if (track !== undefined) peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    }
    await peer.setLocalDescription();
    const response = await fetch(options.endpoint, {
      method: "POST",
      headers: { "content-type": "application/sdp", authorization: `Bearer ${options.key}` },
      body: peer.localDescription?.sdp ?? "",
    });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    resource = new URL(response.headers.get("location") ?? "", options.endpoint).href;
    answer = await response.text();
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    state.sessions += 1;
  };

  /** @returns false where the resource is gone. */
  const restart = async () => {
    state.restarts += 1;
    const offer = await peer.createOffer({ iceRestart: true });
    await peer.setLocalDescription(offer);
    const { ufrag, password } = credentials(offer.sdp ?? "");
    const response = await fetch(resource, {
      method: "PATCH",
      headers: { "content-type": "application/trickle-ice-sdpfrag", "if-match": "*" },
      body: `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${password}\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n`,
    });
    if (!response.ok) return false;
    const theirs = credentials(await response.text());
    answer = answer
      .replaceAll(/^a=ice-ufrag:.*?(\r?)$/gm, `a=ice-ufrag:${theirs.ufrag}$1`)
      .replaceAll(/^a=ice-pwd:.*?(\r?)$/gm, `a=ice-pwd:${theirs.password}$1`);
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    return true;
  };

  /** Bytes that came in, which reports on what was sent do several times a second. */
  const received = async () => {
    let bytes = 0;
    state.packetsSent = 0;
    for (const report of (await peer.getStats()).values()) {
      if (report.type === "transport") bytes += report.bytesReceived ?? 0;
      if (report.type === "outbound-rtp") state.packetsSent += report.packetsSent ?? 0;
    }
    return bytes;
  };

  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const follow = async () => {
    let bytes = -1;
    let heardAt = 0;
    let restarted = false;
    let pause = 100;
    for (;;) {
      await wait(CHECK_MS);
      if (stopped) return;
      try {
        if (resource === "") {
          await open();
          [bytes, heardAt, restarted, pause] = [-1, performance.now(), false, 100];
        }
        state.connection = peer.connectionState;
        const now = await received();
        if (now !== bytes) [bytes, heardAt] = [now, performance.now()];
        if (peer.connectionState === "connected" && performance.now() - heardAt < LONGEST_SILENCE_MS) {
          restarted = false;
          state.problem = "";
          continue;
        }
        if (performance.now() - heardAt < LONGEST_SILENCE_MS) continue;
        if (restarted) {
          if (performance.now() - heardAt > LONGEST_SILENCE_MS + RESTARTED_BY_MS) resource = "";
          continue;
        }
        restarted = true;
        if (!(await restart())) resource = "";
      } catch (error) {
        state.problem = String(error);
        resource = "";
        await wait(pause);
        pause = Math.min(2000, pause * 2);
      }
    }
  };
  (globalThis as unknown as { kliegWhipScale: (by: number) => Promise<void> }).kliegWhipScale = async (by) => {
    for (const sender of peer.getSenders()) {
      if (sender.track?.kind !== "video") continue;
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = by;
      await sender.setParameters(parameters);
    }
  };
  (globalThis as unknown as { kliegWhipStop: () => Promise<void> }).kliegWhipStop = async () => {
    stopped = true;
    peer.close();
    if (resource !== "") await fetch(resource, { method: "DELETE" });
  };
  void follow();
}
