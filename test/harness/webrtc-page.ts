import type { Browser, Page } from "playwright-core";
import { PageServer } from "./page-server.ts";

/**
 * A page of another web site that publishes and watches with nothing but `fetch` and `RTCPeerConnection`. Its picture is
 * a canvas that moves, its sound a tone.
 */
const SCRIPT = String.raw`
const state = { peers: new Map() };
window.rtc = {
  /** A moving picture and a tone. */
  media({ width = 640, height = 360, frameRate = 30, audio = true, detail = 40 } = {}) {
    const canvas = document.createElement("canvas");
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext("2d");
    let frame = 0;
    const timer = setInterval(() => {
      frame += 1;
      context.fillStyle = "hsl(" + (frame * 3) % 360 + " 60% 40%)";
      context.fillRect(0, 0, width, height);
      for (let i = 0; i < detail; i += 1) {
        context.fillStyle = "hsl(" + (i * 47 + frame * 5) % 360 + " 80% 60%)";
        context.fillRect((i * 97 + frame * (1 + i % 5)) % width, (i * 61 + frame) % height, width / 12, height / 12);
      }
    }, 1000 / frameRate);
    const stream = canvas.captureStream(frameRate);
    if (audio) {
      const context = new AudioContext();
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      gain.gain.value = 0.2;
      const out = context.createMediaStreamDestination();
      oscillator.connect(gain).connect(out);
      oscillator.start();
      stream.addTrack(out.stream.getAudioTracks()[0]);
    }
    state.timer = timer;
    return stream;
  },
  async exchange(peer, url, key) {
    await peer.setLocalDescription();
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/sdp", ...(key ? { authorization: "Bearer " + key } : {}) },
      body: peer.localDescription.sdp,
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(response.status + " " + text);
    await peer.setRemoteDescription({ type: "answer", sdp: text });
    const session = {
      resource: new URL(response.headers.get("location"), url).href,
      etag: response.headers.get("etag"),
      link: response.headers.get("link"),
      answer: text,
      offer: peer.localDescription.sdp,
    };
    state.peers.set(session.resource, peer);
    return session;
  },
  connected(peer) {
    if (peer.connectionState === "connected") return Promise.resolve();
    return new Promise((resolve, reject) => peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "connected") resolve();
      else if (peer.connectionState === "failed") reject(new Error("the connection failed"));
    }));
  },
  async publish({ url, key, codec, simulcast, scalabilityMode, maxBitrate, media = {} }) {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const stream = rtc.media(media);
    for (const track of stream.getTracks()) {
      const encodings = track.kind !== "video" ? undefined
        : simulcast ?? (scalabilityMode || maxBitrate ? [{ scalabilityMode, maxBitrate }] : undefined);
      const transceiver = peer.addTransceiver(track, { direction: "sendonly", streams: [stream], ...(encodings ? { sendEncodings: encodings } : {}) });
      if (track.kind === "video" && codec) {
        const { codecs } = RTCRtpSender.getCapabilities("video");
        const wanted = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === codec.toLowerCase());
        const rtx = codecs.filter(({ mimeType }) => mimeType === "video/rtx");
        transceiver.setCodecPreferences([...wanted, ...rtx]);
      }
    }
    const session = await rtc.exchange(peer, url, key);
    for (const sender of peer.getSenders()) {
      // A machine that has much else to do would make the picture smaller, and with it all of its layers.
      const parameters = sender.getParameters();
      parameters.degradationPreference = "maintain-resolution";
      await sender.setParameters(parameters);
    }
    await rtc.connected(peer);
    return session;
  },
  async watch({ url, video = true, audio = true, codec }) {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const element = document.createElement("video");
    element.autoplay = true; element.playsInline = true;
    document.body.append(element);
    const received = new MediaStream();
    element.srcObject = received;
    peer.addEventListener("track", ({ track }) => received.addTrack(track));
    if (audio) peer.addTransceiver("audio", { direction: "recvonly" });
    if (video) {
      const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
      if (codec) {
        const { codecs } = RTCRtpReceiver.getCapabilities("video");
        transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType.toLowerCase() === codec.toLowerCase()));
      }
    }
    const session = await rtc.exchange(peer, url);
    state.peers.set(session.resource + " element", element);
    await rtc.connected(peer);
    return session;
  },
  peer(resource) { return state.peers.get(resource); },
  /** What is received: frames, size, sound. */
  async received(resource) {
    const peer = state.peers.get(resource);
    const answer = { frames: 0, width: 0, height: 0, codec: "", packets: 0, audioEnergy: 0, nacks: 0, freezes: 0, state: peer.connectionState };
    const stats = await peer.getStats();
    for (const stat of stats.values()) {
      if (stat.type !== "inbound-rtp") continue;
      if (stat.kind === "audio") { answer.audioEnergy = stat.totalAudioEnergy ?? 0; continue; }
      answer.frames = stat.framesDecoded ?? 0;
      answer.width = stat.frameWidth ?? 0;
      answer.height = stat.frameHeight ?? 0;
      answer.packets = stat.packetsReceived ?? 0;
      answer.nacks = stat.nackCount ?? 0;
      answer.freezes = stat.freezeCount ?? 0;
      answer.bytes = stat.bytesReceived ?? 0;
      answer.codec = stats.get(stat.codecId)?.mimeType ?? "";
    }
    return answer;
  },
  async sent(resource) {
    const peer = state.peers.get(resource);
    const stats = await peer.getStats();
    const layers = [];
    let codec = "";
    for (const stat of stats.values()) {
      if (stat.type !== "outbound-rtp" || stat.kind !== "video") continue;
      layers.push({ rid: stat.rid ?? null, frames: stat.framesEncoded, width: stat.frameWidth ?? 0, mode: stat.scalabilityMode ?? null, bytes: stat.bytesSent });
      codec = stats.get(stat.codecId)?.mimeType ?? codec;
    }
    return { state: peer.connectionState, codec, layers };
  },
  /** RFC 9725 § 4.3.3. */
  async restartIce(resource) {
    const peer = state.peers.get(resource);
    const offer = await peer.createOffer({ iceRestart: true });
    await peer.setLocalDescription(offer);
    const credential = (text, name) => new RegExp("a=ice-" + name + ":(.*)\\r\\n").exec(text)[1];
    const body = "a=ice-ufrag:" + credential(offer.sdp, "ufrag") + "\r\na=ice-pwd:" + credential(offer.sdp, "pwd") + "\r\n";
    const response = await fetch(resource, {
      method: "PATCH",
      headers: { "content-type": "application/trickle-ice-sdpfrag", "if-match": "*" },
      body,
    });
    const fragment = await response.text();
    if (response.status !== 200) throw new Error(response.status + " " + fragment);
    const answer = peer.remoteDescription.sdp
      .replaceAll(/a=ice-ufrag:.*\r\n/g, "a=ice-ufrag:" + credential(fragment, "ufrag") + "\r\n")
      .replaceAll(/a=ice-pwd:.*\r\n/g, "a=ice-pwd:" + credential(fragment, "pwd") + "\r\n");
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    await rtc.connected(peer);
    return { etag: response.headers.get("etag"), fragment };
  },
  /** Whether the other end has said goodbye: the connection's own state shows it seconds later, by its silence. */
  ended(resource) {
    const peer = state.peers.get(resource);
    return peer.getTransceivers().some(({ sender, receiver }) => (sender.transport ?? receiver.transport)?.state === "closed");
  },
  close(resource) { state.peers.get(resource).close(); },
};
`;

export interface RtcSession {
  readonly resource: string;
  readonly etag: string;
  readonly link: string | null;
  readonly answer: string;
  readonly offer: string;
}

export interface Received {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly codec: string;
  readonly packets: number;
  readonly bytes: number;
  readonly audioEnergy: number;
  readonly freezes: number;
  readonly state: string;
}

export interface Sent {
  readonly state: string;
  readonly codec: string;
  readonly layers: readonly {
    readonly rid: string | null;
    readonly frames: number;
    readonly width: number;
    readonly mode: string | null;
    readonly bytes: number;
  }[];
}

export interface PublishOptions {
  readonly url: string;
  readonly key: string;
  /** MIME type; by default whatever the browser offers. */
  readonly codec?: string;
  readonly simulcast?: readonly object[];
  readonly scalabilityMode?: string;
  readonly maxBitrate?: number;
  readonly media?: {
    readonly width?: number;
    readonly height?: number;
    readonly audio?: boolean;
    readonly detail?: number;
  };
}

/** A page that publishes and watches by plain `RTCPeerConnection`, from an origin that is not the backend's. */
export class WebRtcPage implements AsyncDisposable {
  readonly page: Page;
  readonly #site: PageServer;

  private constructor(page: Page, site: PageServer) {
    this.page = page;
    this.#site = site;
  }

  /** @param host the address that the browser reaches the page by. */
  static async open(
    browser: Browser,
    packageFiles: Readonly<Record<string, string>> = {},
    host?: string,
  ): Promise<WebRtcPage> {
    const site = await PageServer.start(packageFiles, host);
    const page = await browser.newPage();
    await page.goto(site.page("/rtc", `<script>${SCRIPT}</script>`));
    return new WebRtcPage(page, site);
  }

  publish(options: PublishOptions): Promise<RtcSession> {
    return this.page.evaluate((given) => window.rtc.publish(given), options);
  }

  watch(options: { url: string; video?: boolean; audio?: boolean; codec?: string }): Promise<RtcSession> {
    return this.page.evaluate((given) => window.rtc.watch(given), options);
  }

  received({ resource }: RtcSession): Promise<Received> {
    return this.page.evaluate((given) => window.rtc.received(given), resource);
  }

  sent({ resource }: RtcSession): Promise<Sent> {
    return this.page.evaluate((given) => window.rtc.sent(given), resource);
  }

  restartIce({ resource }: RtcSession): Promise<{ etag: string; fragment: string }> {
    return this.page.evaluate((given) => window.rtc.restartIce(given), resource);
  }

  ended({ resource }: RtcSession): Promise<boolean> {
    return this.page.evaluate((given) => window.rtc.ended(given), resource);
  }

  close({ resource }: RtcSession): Promise<void> {
    return this.page.evaluate((given) => window.rtc.close(given), resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
    await this.#site[Symbol.asyncDispose]();
  }
}

declare global {
  interface Window {
    rtc: {
      publish(options: PublishOptions): Promise<RtcSession>;
      watch(options: object): Promise<RtcSession>;
      received(resource: string): Promise<Received>;
      sent(resource: string): Promise<Sent>;
      restartIce(resource: string): Promise<{ etag: string; fragment: string }>;
      ended(resource: string): boolean;
      media(): MediaStream;
      connected(peer: RTCPeerConnection): Promise<void>;
      close(resource: string): void;
      peer(resource: string): RTCPeerConnection;
    };
  }
}
