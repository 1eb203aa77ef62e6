import type { CreatedRoom, RoomRole } from "@klieg/protocol";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { BackendProcess } from "./backend.ts";
import { until } from "./until.ts";

/** What a tab sends instead of a camera and a microphone: a colour and a tone of its own, by which the others know it. */
export interface RoomTabMedia {
  /** Degrees of the colour wheel. */
  readonly hue: number;
  /** Percent; 80 where it is to be told from others. */
  readonly saturation?: number;
  /** Hz. */
  readonly tone: number;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
}

/** In the page, before anything of its own. */
const WITNESS = `(() => {
  const witness = { violations: [], tracks: [], peers: [] };
  window.roomWitness = witness;
  document.addEventListener("securitypolicyviolation", (event) => {
    witness.violations.push(event.violatedDirective + " " + event.blockedURI);
  });
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...options) { super(...options); witness.peers.push(this); }
  };
})()`;

/** Gives the page a picture and a sound made on the spot, through the very functions that it asks the browser with. */
function fakeCapture(media: RoomTabMedia): string {
  return `(() => {
  const { hue, saturation, tone, width, height, frameRate } = ${JSON.stringify({ saturation: 80, width: 640, height: 360, frameRate: 10, ...media })};
  const { tracks } = window.roomWitness;
  const picture = (hue, saturation, width, height) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    let frame = 0;
    const colour = (lightness) => "hsl(" + hue + " " + saturation + "% " + lightness + "%)";
    const draw = () => {
      frame += 1;
      context.fillStyle = colour(45);
      context.fillRect(0, 0, width, height);
      const nod = Math.sin(frame / frameRate) * height * 0.012;
      // Somebody: shoulders, neck, head.
      context.fillStyle = colour(26);
      context.beginPath();
      context.ellipse(width / 2, height * 1.08, height * 0.42, height * 0.36, 0, 0, 7);
      context.fill();
      context.fillStyle = colour(72);
      context.beginPath();
      context.ellipse(width / 2, height * 0.5 + nod, height * 0.16, height * 0.21, 0, 0, 7);
      context.fill();
    };
    draw();
    setInterval(draw, 1000 / frameRate);
    return canvas.captureStream(frameRate).getVideoTracks()[0];
  };
  const sound = (hertz) => {
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: hertz });
    const out = context.createMediaStreamDestination();
    oscillator.connect(new GainNode(context, { gain: 0.25 })).connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  };
  const devices = navigator.mediaDevices;
  // about:blank has none.
  if (!devices) return;
  devices.getUserMedia = async ({ audio, video }) => {
    const stream = new MediaStream();
    if (video) stream.addTrack(picture(hue, saturation, width, height));
    if (audio) stream.addTrack(sound(tone));
    tracks.push(...stream.getTracks());
    return stream;
  };
  window.fakeScreen = (hertz) => {
    devices.getDisplayMedia = async () => {
      const stream = new MediaStream([picture(hue, 15, 1280, 720)]);
      if (hertz) stream.addTrack(sound(hertz));
      tracks.push(...stream.getTracks());
      return stream;
    };
  };
  const query = navigator.permissions.query.bind(navigator.permissions);
  navigator.permissions.query = async (what) =>
    ["camera", "microphone"].includes(what.name) ? Object.assign(new EventTarget(), { state: "granted" }) : query(what);
})()`;
}

/** What one tab shows and plays of one participant. */
export interface Seen {
  readonly name: string;
  readonly kind: string;
  readonly muted: boolean;
  readonly speaking: boolean;
  readonly large: boolean;
  readonly self: boolean;
  /** Hue of the middle of the picture, degrees, and how full of colour it is, 0 to 1; null where there is no picture. */
  readonly hue: number | null;
  readonly saturation: number | null;
  readonly frames: number;
  /** Of the frames that arrive. */
  readonly width: number;
  /** How loud the page shows them, 0 to 1. */
  readonly level: number;
}

export interface RoomTabOptions extends BrowserContextOptions {
  readonly link: string;
  readonly media?: RoomTabMedia;
}

/** A room's page in a browser context of its own, with everything that it complains of. */
export class RoomTab implements AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[] = [];
  /** Every request that the page sent over the room's socket. */
  readonly requests: Readonly<Record<string, unknown>>[] = [];
  /** What went over the socket lately, for when something goes wrong. */
  readonly #traffic: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        this.requests.push(JSON.parse(String(payload)));
        this.#note(`> ${payload}`);
      });
      socket.on("framereceived", ({ payload }) => {
        if (!String(payload).startsWith('{"event":"levels"')) this.#note(`< ${payload}`);
      });
    });
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => this.complaints.push(`exception: ${error.stack ?? error.message}`));
  }

  static async open(browser: Browser, { link, media, ...options }: RoomTabOptions): Promise<RoomTab> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    await page.addInitScript({ content: WITNESS });
    if (media) await page.addInitScript({ content: fakeCapture(media) });
    const tab = new RoomTab(page);
    await page.goto(link);
    return tab;
  }

  /** From the lobby into the room. */
  async join(name: string): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Join", exact: true }).click();
    await this.stage("in");
  }

  /** Resolves once the room is at this stage. */
  async stage(stage: string, timeoutMs = 15_000): Promise<void> {
    await this.page
      .locator(`.room[data-stage="${stage}"]`)
      .waitFor({ timeout: timeoutMs })
      .catch((error: unknown) => {
        throw new Error(`${error}\n${this.story()}`);
      });
  }

  /** Every tile on stage, with what its picture looks like. */
  seen(): Promise<Seen[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>(".tile")].map((tile) => {
        const video = tile.querySelector("video");
        const { hue, saturation } = colourOf(video);
        return {
          name: tile.querySelector(".tile-name")?.textContent ?? "",
          kind: tile.dataset.kind ?? "",
          muted: tile.dataset.muted === "true",
          speaking: tile.dataset.speaking === "true",
          large: tile.dataset.large === "true",
          self: tile.dataset.self === "true",
          hue,
          saturation,
          frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
          width: video?.videoWidth ?? 0,
          level: Number(tile.style.getPropertyValue("--level")),
        };
        function colourOf(picture: HTMLVideoElement | null) {
          if (!picture || picture.videoWidth === 0) return { hue: null, saturation: null };
          const canvas = new OffscreenCanvas(1, 1);
          const context = canvas.getContext("2d");
          if (!context) throw new Error("no canvas");
          const { videoWidth: width, videoHeight: height } = picture;
          // Above the head that nods.
          context.drawImage(picture, width / 8, height / 6, 4, 4, 0, 0, 1, 1);
          const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
          const most = Math.max(red, green, blue);
          const range = most - Math.min(red, green, blue);
          if (range < 8) return { hue: 0, saturation: 0 };
          const sixth =
            most === red
              ? (green - blue) / range
              : most === green
                ? 2 + (blue - red) / range
                : 4 + (red - green) / range;
          return { hue: (sixth * 60 + 360) % 360, saturation: range / most };
        }
      }),
    );
  }

  /** Resolves once the tiles are as wanted. */
  async sees(what: string, wanted: (tiles: Seen[]) => boolean, timeoutMs = 15_000): Promise<Seen[]> {
    let last: Seen[] = [];
    return until(
      async () => {
        last = await this.seen();
        return wanted(last) ? last : undefined;
      },
      {
        what,
        timeoutMs,
        everyMs: 100,
        diagnose: () => `${last.map((tile) => JSON.stringify(tile)).join("\n")}\n${this.story()}`,
      },
    );
  }

  /**
   * The tones that arrive and are played, Hz, by what WebRTC delivered: each incoming audio track is looked at by itself.
   * Those below -50 dBFS are not there.
   */
  hears(): Promise<number[]> {
    return this.page.evaluate(async () => {
      const { peers } = (globalThis as unknown as { roomWitness: { peers: RTCPeerConnection[] } }).roomWitness;
      const tracks = peers
        .filter(({ connectionState }) => connectionState === "connected")
        .flatMap((peer) => peer.getReceivers())
        .map(({ track }) => track)
        .filter(({ kind, readyState, muted }) => kind === "audio" && readyState === "live" && !muted);
      const context = new AudioContext({ sampleRate: 48_000 });
      const analysers = tracks.map((track) => {
        const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        return analyser;
      });
      await new Promise((resolve) => setTimeout(resolve, 350));
      const tones = analysers.flatMap((analyser) => {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        const loudest = bins.indexOf(Math.max(...bins));
        return (bins[loudest] ?? -200) > -50 ? [Math.round((loudest * 48_000) / 8192)] : [];
      });
      await context.close();
      return tones.sort((a, b) => a - b);
    });
  }

  /** Everything in the accessibility tree that can be operated, and has no name. */
  async namelessControls(): Promise<string[]> {
    const cdp = await this.page.context().newCDPSession(this.page);
    const { nodes } = await cdp.send("Accessibility.getFullAXTree");
    await cdp.detach();
    return nodes.flatMap(({ ignored, role, name }) =>
      !ignored && OPERABLE.has(role?.value) && String(name?.value ?? "").trim() === "" ? [String(role?.value)] : [],
    );
  }

  /** What the page complained of, and what went over its socket lately. */
  story(): string {
    return [...this.complaints, ...this.#traffic].join("\n");
  }

  /** Violations of the content security policy. */
  violations(): Promise<string[]> {
    return this.page.evaluate(
      () => (globalThis as unknown as { roomWitness: { violations: string[] } }).roomWitness.violations,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }

  #note(line: string): void {
    this.#traffic.push(line.slice(0, 240));
    if (this.#traffic.length > 80) this.#traffic.shift();
  }
}

const OPERABLE = new Set(["button", "combobox", "link", "menuitem", "menuitemradio", "radio", "textbox"]);

/** A room of the backend, and links into it. */
export class TestRoom {
  readonly #backend: BackendProcess;
  readonly #created: CreatedRoom;

  private constructor(backend: BackendProcess, created: CreatedRoom) {
    this.#backend = backend;
    this.#created = created;
  }

  static async open(backend: BackendProcess, title: string, channel?: string): Promise<TestRoom> {
    const response = await backend.admin("POST", "/v1/rooms", { title, ...(channel ? { channel } : {}) });
    if (response.status !== 201) throw new Error(`room: ${response.status} ${await response.text()}`);
    return new TestRoom(backend, (await response.json()) as CreatedRoom);
  }

  get id(): string {
    return this.#created.room.id;
  }

  /** Of the room's first host. */
  get hostLink(): string {
    return `${this.#backend.http}/room/${this.id}#invite=${this.#created.invite.token}`;
  }

  async link(role: RoomRole, expiresInS = 3600): Promise<string> {
    const response = await this.#backend.admin("POST", `/v1/rooms/${this.id}/invites`, {
      role,
      expires_in_s: expiresInS,
    });
    if (!response.ok) throw new Error(`invite: ${response.status} ${await response.text()}`);
    const { token } = (await response.json()) as { token: string };
    return `${this.#backend.http}/room/${this.id}#invite=${token}`;
  }
}
