import { createRequire } from "node:module";
import type { CreatedRoom, RoomRole, RoomSource } from "@klieg/protocol";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import type { BackendProcess } from "./backend.ts";
import { until } from "./until.ts";

/** In the page: a participant that is nothing but mediasoup-client and a WebSocket. */
const SCRIPT = `
window.participant = class {
  events = []; consumers = new Map(); producers = new Map(); closed = null;
  #pending = new Map(); #id = 0; #consuming = Promise.resolve();
  static async join(url, request) {
    const self = new window.participant();
    self.socket = new WebSocket(url);
    self.socket.addEventListener("message", ({ data }) => self.#hear(JSON.parse(data)));
    self.socket.addEventListener("close", ({ code, reason }) => { self.closed = { code, reason }; });
    await new Promise((resolve, reject) => {
      self.socket.addEventListener("open", resolve);
      self.socket.addEventListener("error", () => reject(new Error("no WebSocket")));
    });
    self.joined = await self.ask("join", request);
    self.device = await mediasoup.Device.factory();
    await self.device.load({ routerRtpCapabilities: self.joined.router_rtp_capabilities });
    self.receiving = await self.#transport("recv");
    for (const { id } of self.joined.producers) self.#consume(id);
    return self;
  }
  ask(type, request = {}) {
    const id = ++this.#id;
    this.socket.send(JSON.stringify({ id, type, ...request }));
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }
  async produce(source, track, options = {}) {
    this.sending ??= this.#transport("send");
    const producer = await (await this.sending).produce({ track, appData: { source }, stopTracks: false, ...options });
    this.producers.set(source, producer);
    return producer.id;
  }
  #hear(message) {
    if ("event" in message) {
      this.events.push(message);
      if (message.event === "producer_added") this.#consume(message.producer.id);
      if (message.event === "consumer_closed") this.consumers.delete(message.consumer_id);
      return;
    }
    const { resolve, reject } = this.#pending.get(message.id);
    if (message.ok) resolve(message.data);
    else reject(new Error(message.error.code + ": " + message.error.message));
  }
  async #transport(direction) {
    const made = await this.ask("create_transport", direction === "recv"
      ? { direction, rtp_capabilities: this.device.recvRtpCapabilities ?? this.device.rtpCapabilities } : { direction });
    const options = { id: made.id, iceParameters: made.ice_parameters, iceCandidates: made.ice_candidates,
      dtlsParameters: made.dtls_parameters, iceServers: made.ice_servers };
    const transport = direction === "send" ? this.device.createSendTransport(options) : this.device.createRecvTransport(options);
    transport.on("connect", ({ dtlsParameters }, done, failed) =>
      this.ask("connect_transport", { transport_id: made.id, dtls_parameters: dtlsParameters }).then(() => done(), failed));
    transport.on("produce", ({ rtpParameters, appData }, done, failed) =>
      this.ask("produce", { transport_id: made.id, source: appData.source, rtp_parameters: rtpParameters })
        .then(({ producer }) => done({ id: producer.id }), failed));
    return transport;
  }
  #consume(producerId) {
    this.#consuming = this.#consuming.then(async () => {
      const transport = this.receiving;
      const { consumer: made } = await this.ask("consume", { transport_id: transport.id, producer_id: producerId });
      const consumer = await transport.consume({ id: made.id, producerId, kind: made.kind, rtpParameters: made.rtp_parameters });
      const element = document.createElement(made.kind);
      element.autoplay = true; element.playsInline = true; element.muted = made.kind === "video";
      element.srcObject = new MediaStream([consumer.track]);
      document.body.append(element);
      this.consumers.set(made.id, { consumer, element, producerId, kind: made.kind });
      await this.ask("resume_consumer", { consumer_id: made.id });
    }).catch((error) => this.events.push({ event: "failed", message: String(error) }));
  }
  /** What arrives of one producer. */
  async received(producerId) {
    for (const { consumer, element, producerId: id, kind } of this.consumers.values()) {
      if (id !== producerId) continue;
      for (const stat of (await consumer.getStats()).values()) {
        if (stat.type === "inbound-rtp") return { kind, frames: stat.framesDecoded ?? 0, width: element.videoWidth ?? 0,
          energy: stat.totalAudioEnergy ?? 0, packets: stat.packetsReceived };
      }
    }
    return null;
  }
};
/** A moving picture with a colour of its own. */
window.picture = ({ hue = 0, width = 640, height = 360, frameRate = 15, flash = false }) => {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  let frame = 0;
  const draw = () => {
    frame += 1;
    context.fillStyle = flash && window.flashing ? "white" : "hsl(" + hue + " 80% 45%)";
    context.fillRect(0, 0, width, height);
    context.fillStyle = "hsl(" + hue + " 80% 60%)";
    context.fillRect((frame * 7) % width, height * 0.8, width / 12, height / 8);
  };
  setInterval(draw, 1000 / frameRate);
  draw();
  window.drawNow = draw;
  return canvas.captureStream(frameRate).getVideoTracks()[0];
};
window.tone = ({ hertz = 440, gain = 0.25 }) => {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: hertz });
  const volume = new GainNode(context, { gain });
  const out = context.createMediaStreamDestination();
  oscillator.connect(volume).connect(out);
  oscillator.start();
  window.volume = volume;
  window.audioContext = context;
  return out.stream.getAudioTracks()[0];
};
`;

let bundled: Promise<string> | undefined;

/** mediasoup-client as a script that defines `mediasoup`. */
function mediasoupClient(): Promise<string> {
  bundled ??= build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      lib: {
        entry: createRequire(import.meta.url).resolve("mediasoup-client"),
        formats: ["iife"],
        name: "mediasoup",
        fileName: "mediasoup",
      },
    },
  }).then((built) => {
    const [output] = [built].flat();
    if (output === undefined || !("output" in output)) throw new Error("mediasoup-client was not bundled");
    return output.output[0].code;
  });
  return bundled;
}

export interface RoomPeerOptions {
  readonly room: string;
  readonly token: string;
  readonly name: string;
  readonly resumeToken?: string;
}

/** Somebody in a room who has none of our pages: Chromium, mediasoup-client, and the messages. */
export class RoomPeer implements AsyncDisposable {
  readonly page: Page;
  readonly id: string;
  readonly resumeToken: string;

  private constructor(page: Page, joined: { id: string; resumeToken: string }) {
    this.page = page;
    this.id = joined.id;
    this.resumeToken = joined.resumeToken;
  }

  /** @throws where it is not let in, with the error's code. */
  static async join(browser: Browser, backend: BackendProcess, options: RoomPeerOptions): Promise<RoomPeer> {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      // Of the backend's own origin, and none of its pages.
      await page.goto(`${backend.http}/healthz`);
      await page.addScriptTag({ content: await mediasoupClient() });
      await page.addScriptTag({ content: SCRIPT });
      const joined = await page.evaluate(
        async ([url, request]) => {
          window.me = await window.participant.join(url, request);
          return { id: window.me.joined.self.id, resumeToken: window.me.joined.resume_token };
        },
        [
          `${backend.http.replace("http", "ws")}/v1/rooms/${options.room}`,
          {
            token: options.token,
            name: options.name,
            ...(options.resumeToken === undefined ? {} : { resume_token: options.resumeToken }),
          },
        ] as const,
      );
      return new RoomPeer(page, joined);
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  ask(type: string, request: object = {}): Promise<unknown> {
    return this.page.evaluate(([type, request]) => window.me.ask(type, request), [type, request] as const);
  }

  /** @returns the producer's id. */
  sendPicture(
    source: RoomSource,
    picture: { hue: number; width?: number; height?: number; frameRate?: number; flash?: boolean },
    options: { encodings?: object[]; codec?: string } = {},
  ): Promise<string> {
    return this.page.evaluate(
      ([source, picture, { encodings, codec }]) => {
        const found = window.me.device.rtpCapabilities.codecs.find(({ mimeType }) => mimeType === codec);
        return window.me.produce(source, window.picture(picture), {
          ...(encodings === undefined ? {} : { encodings }),
          ...(found === undefined ? {} : { codec: found }),
        });
      },
      [source, picture, options] as const,
    );
  }

  sendTone(hertz: number, gain?: number): Promise<string> {
    return this.page.evaluate(
      (tone) => window.me.produce("microphone", window.tone(tone)),
      gain === undefined ? { hertz } : { hertz, gain },
    );
  }

  /** Resolves once an event of that name, with these fields, has been told. */
  told(event: string, fields: object = {}, timeoutMs = 10_000): Promise<Record<string, unknown>> {
    return until(
      () =>
        this.page.evaluate(
          ([event, fields]) =>
            window.me.events.findLast(
              (one) =>
                one.event === event &&
                Object.entries(fields).every(([key, value]) => JSON.stringify(one[key]) === JSON.stringify(value)),
            ),
          [event, fields] as const,
        ),
      { what: `${event} ${JSON.stringify(fields)}`, timeoutMs },
    );
  }

  /** Resolves once so much of a producer has arrived. */
  receives(producerId: string, wanted: { frames?: number; energy?: number; width?: number }): Promise<void> {
    let last: unknown;
    return until(
      async () => {
        const got = await this.page.evaluate((id) => window.me.received(id), producerId);
        last = got;
        return (
          got !== null &&
          got.frames >= (wanted.frames ?? 0) &&
          got.energy > (wanted.energy ?? -1) &&
          got.width >= (wanted.width ?? 0)
        );
      },
      { what: `${producerId}: ${JSON.stringify(wanted)}`, diagnose: () => JSON.stringify(last) },
    ).then(() => undefined);
  }

  closed(): Promise<{ code: number; reason: string } | null> {
    return this.page.evaluate(() => window.me.closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

/** Opens a room and makes invites to it. */
export async function openRoom(backend: BackendProcess, authorization = `Bearer ${backend.key}`) {
  const post = async (path: string, token: string, body: object) => {
    const response = await fetch(`${backend.http}${path}`, {
      method: "POST",
      headers: { authorization: token, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const made = (await post("/v1/rooms", authorization, { title: "Class" })) as CreatedRoom;
  return {
    id: made.room.id,
    hostToken: made.invite.token,
    link: made.invite.link,
    tokenFor: async (role: RoomRole) => {
      const path = `/v1/rooms/${made.room.id}/invites`;
      return ((await post(path, `Bearer ${made.invite.token}`, { role })) as { token: string }).token;
    },
  };
}

interface PageParticipant {
  readonly joined: { self: { id: string }; resume_token: string };
  readonly events: ({ event: string } & Record<string, unknown>)[];
  readonly device: { rtpCapabilities: { codecs: { mimeType: string }[] } };
  readonly closed: { code: number; reason: string } | null;
  readonly consumers: Map<string, { readonly producerId: string }>;
  ask(type: string, request?: object): Promise<unknown>;
  produce(source: string, track: MediaStreamTrack, options?: object): Promise<string>;
  received(producerId: string): Promise<{ frames: number; width: number; energy: number } | null>;
}

declare global {
  interface Window {
    me: PageParticipant;
    participant: { join(url: string, request: object): Promise<PageParticipant> };
    picture(options: object): MediaStreamTrack;
    tone(options: object): MediaStreamTrack;
  }
}
