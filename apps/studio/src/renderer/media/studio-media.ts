import type { Encoding } from "../../document/encoding.ts";
import type { Transition } from "../../document/scene.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import { Captures } from "./capture/captures.ts";
import { EngineCaptures } from "./capture/engine-captures.ts";
import { Compositor } from "./compositor/compositor.ts";
import type { ViewTarget } from "./compositor/compositor-message.ts";
import { IsolatedSources } from "./isolated/isolated-sources.ts";
import type { MediaLink, MediaMixer, MediaStatistics, ProgramSettings } from "./media-contract.ts";
import type { ProgramClock } from "./program-clock.ts";
import { soundMessage } from "./sound-message.ts";
import { WhipPublisher } from "./whip/whip-publisher.ts";
import type { WhipState } from "./whip/whip-state.ts";

/** What may wait for the link, as time of the program: more, and pictures are left out. s. */
const LONGEST_BACKLOG_S = 1;
/** A keyframe alone is larger than that at low bitrates, bytes. */
const SMALLEST_BACKLOG = 512 * 1024;
/** How often a full link is looked at again, ms. */
const DRAIN_CHECK_MS = 20;

export interface StudioMediaOptions {
  readonly link: MediaLink;
  readonly mixer: MediaMixer;
  /** The one that the mixer has too. */
  readonly clock: ProgramClock;
  /** Address of a file of the show. */
  readonly assetUrl: (path: string) => string;
}

/** All of the page's media as one: sources into the program, and the program to the engine and to WebRTC. */
export class StudioMedia implements Disposable {
  readonly captures: Captures;
  readonly compositor: Compositor;
  readonly #options: StudioMediaOptions;
  readonly #engineCaptures: EngineCaptures;
  readonly #isolated: IsolatedSources;
  readonly #whip = new Map<string, WhipPublisher>();
  readonly #onWhip = new Set<(states: readonly WhipState[]) => void>();
  readonly #onStatistics = new Set<(statistics: MediaStatistics) => void>();
  readonly #held: Disposable[] = [];
  #program: ProgramSettings | undefined;
  #samples: Disposable | undefined;
  /** bits/s that the engine asked for. */
  #bitrate = 0;
  /** Bytes: an uncompressed picture is large. */
  #longestMessage = 0;
  #drainTimer: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  constructor(options: StudioMediaOptions) {
    this.#options = options;
    const { link, mixer, clock, assetUrl } = options;
    this.compositor = new Compositor(clock, {
      onMedia: (message) => this.#sendPicture(message),
      onSize: (sourceId, width, height) => this.captures.setSize(sourceId, width, height),
    });
    this.#engineCaptures = new EngineCaptures(link);
    this.captures = new Captures({
      assetUrl,
      engine: this.#engineCaptures,
      onPicture: (sourceId, picture) => this.compositor.setPicture(sourceId, picture),
      onSound: (sourceId, track) => mixer.setTrack(sourceId, track),
    });
    this.#isolated = new IsolatedSources({ link, captures: this.captures, mixer, clock });
    this.#held.push(
      this.#isolated,
      link.onEvent((event) => {
        if (event.event === "video_bitrate") this.#setBitrate(event.bitrate);
        else if (event.event === "keyframe_wanted") this.#forceKeyframe(event.isolated);
        else if (event.event === "recording") this.#isolated.follow(event.recording.isolated ?? []);
      }),
      this.compositor.onStatistics(() => {
        const statistics = this.statistics();
        const { render, encode, link: unsent } = statistics.dropped;
        this.#isolated.programLost(render + encode + unsent);
        this.captures.watch(statistics.sources);
        for (const listener of this.#onStatistics) listener(statistics);
      }),
    );
  }

  /** Follows a document: what is captured, drawn and mixed. */
  update(document: StudioDocument): void {
    this.compositor.update(document);
    this.captures.update(document);
    this.#isolated.update(document);
    this.#options.mixer.update(document);
  }

  /** Brings a scene on air by a transition; the document is to name it as its program in the next {@link update}. */
  take(sceneId: string, transition: Transition): void {
    this.compositor.take(transition, sceneId);
  }

  /** Shows something in a canvas that nobody has drawn in, until the answer is disposed. */
  show(target: ViewTarget, canvas: HTMLCanvasElement): Disposable {
    return this.compositor.show(target, canvas);
  }

  /** Sends the program from now on. Called again it goes over to other settings without a gap where it can. */
  startProgram(settings: ProgramSettings): void {
    if (this.#closed) return;
    const before = this.#program;
    this.#program = settings;
    const { encoding, ways } = settings;
    if (before === undefined || before.encoding.video_bitrate !== encoding.video_bitrate) {
      this.#bitrate = encoding.video_bitrate;
    }
    if (ways.engine) this.#encode(encoding);
    else this.#stopEngine();
    for (const [id, publisher] of this.#whip) {
      if (ways.whip.includes(id)) continue;
      publisher[Symbol.dispose]();
      this.#whip.delete(id);
    }
    for (const destinationId of ways.whip) {
      const publisher = this.#whip.get(destinationId);
      if (publisher === undefined) this.#whip.set(destinationId, this.#publish(destinationId, encoding));
      else void publisher.setVideoBitrate(encoding.video_bitrate);
    }
    this.#tellWhip();
  }

  /** Ends it everywhere. Sources and views go on. */
  stopProgram(): void {
    this.#program = undefined;
    this.#stopEngine();
    for (const publisher of this.#whip.values()) publisher[Symbol.dispose]();
    this.#whip.clear();
    this.#tellWhip();
  }

  /** Has a WHIP destination try again now. */
  retryWhip(destinationId: string): void {
    this.#whip.get(destinationId)?.retry();
  }

  whip(): readonly WhipState[] {
    return [...this.#whip.values()].map(({ state }) => state);
  }

  /** Told whenever any of {@link whip} changes. */
  onWhip(listener: (states: readonly WhipState[]) => void): Disposable {
    this.#onWhip.add(listener);
    return { [Symbol.dispose]: () => void this.#onWhip.delete(listener) };
  }

  statistics(): MediaStatistics {
    const { compositor } = this;
    const { problem, failedEncoder } = compositor;
    return {
      ...compositor.statistics(),
      whip: this.whip(),
      isolated: this.#isolated.statistics,
      problem,
      failedEncoder,
    };
  }

  /** Once a second. */
  onStatistics(listener: (statistics: MediaStatistics) => void): Disposable {
    this.#onStatistics.add(listener);
    return { [Symbol.dispose]: () => void this.#onStatistics.delete(listener) };
  }

  /** Lets go of every device, track, canvas and connection. Idempotent. The mixer and the link stay their owners'. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.stopProgram();
    this.#closed = true;
    for (const held of this.#held) held[Symbol.dispose]();
    this.#onWhip.clear();
    this.#onStatistics.clear();
    this.captures[Symbol.dispose]();
    this.#engineCaptures[Symbol.dispose]();
    this.compositor[Symbol.dispose]();
  }

  #encode(encoding: Encoding): void {
    this.compositor.startEncoding({
      encoder: encoding.encoder,
      bitrate: this.#bitrate,
      keyframeInterval: encoding.keyframe_interval,
    });
    this.#samples ??= this.#options.mixer.onSamples((samples, timestamp) => this.#sendSound(samples, timestamp));
  }

  #stopEngine(): void {
    this.compositor.stopEncoding();
    this.#longestMessage = 0;
    this.#samples?.[Symbol.dispose]();
    this.#samples = undefined;
    clearInterval(this.#drainTimer);
    this.#drainTimer = undefined;
    this.compositor.congested = false;
  }

  #setBitrate(bitrate: number): void {
    if (this.#program === undefined) return;
    this.#bitrate = bitrate;
    this.compositor.setBitrate(bitrate);
  }

  #forceKeyframe(isolated: number | undefined): void {
    if (isolated === undefined) this.compositor.forceKeyframe();
    else this.#isolated.forceKeyframe(isolated);
  }

  #sendPicture(message: Uint8Array<ArrayBuffer>): void {
    if (this.#program?.ways.engine !== true) return;
    const { link } = this.#options;
    this.#longestMessage = Math.max(message.length, this.#longestMessage);
    link.sendMedia(message);
    if (!this.#full() || this.#drainTimer !== undefined) return;
    this.compositor.congested = true;
    this.#drainTimer = setInterval(() => {
      if (this.#full()) return;
      clearInterval(this.#drainTimer);
      this.#drainTimer = undefined;
      this.compositor.congested = false;
    }, DRAIN_CHECK_MS);
  }

  #full(): boolean {
    const second = (this.#bitrate / 8) * LONGEST_BACKLOG_S;
    return this.#options.link.buffered > Math.max(SMALLEST_BACKLOG, second, this.#longestMessage * 3);
  }

  /** Sound is small beside the picture, and a hole in it is heard: it is never left out. */
  #sendSound(samples: Int16Array<ArrayBuffer>, timestamp: number): void {
    this.#options.link.sendMedia(soundMessage(samples, timestamp));
  }

  #publish(destinationId: string, encoding: Encoding): WhipPublisher {
    const { link, mixer } = this.#options;
    return new WhipPublisher({
      link,
      destinationId,
      video: this.compositor.programTrack(),
      audio: mixer.programTrack,
      videoBitrate: encoding.video_bitrate,
      audioBitrate: encoding.audio_bitrate,
      onState: () => this.#tellWhip(),
    });
  }

  #tellWhip(): void {
    const states = this.whip();
    for (const listener of this.#onWhip) listener(states);
  }
}
