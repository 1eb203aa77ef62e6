import { setImmediate } from "node:timers/promises";
import { ManualClock } from "@klieg/base";
import { TsDemuxer } from "@klieg/media";
import type { DestinationHealth } from "@klieg/protocol";
import { type SrtConnection, SrtListener } from "@klieg/srt";
import { MemoryNetwork } from "@klieg/srt/testing";
import { ProgramFeed, type ProgramSource } from "../../program/program-feed.ts";
import { configFrame, pictureFrame, soundConfigFrame, soundFrame } from "../../testing/program-frames.ts";
import { DestinationPublisher } from "../destination-publisher.ts";
import { SrtOutput } from "../srt-output.ts";
import { VideoRate } from "../video-rate.ts";

export interface UplinkOptions {
  /** bits/s that the operator chose. */
  readonly videoBitrate: number;
  /** bits/s of the network at first. */
  readonly capacity: number;
  /** One way, without a queue, ms. */
  readonly delayMs: number;
  /** What may wait at the narrowest place, bytes. */
  readonly queueBytes: number;
  readonly latencyMs?: number;
  /** Share of datagrams lost whatever is sent. */
  readonly loss?: number;
  readonly seed?: number;
  /** bits/s that the encoder makes at least, whatever it is asked for; default none. */
  readonly leastMade?: number;
  /** A keyframe is so many times as large as another picture; default 4. */
  readonly keyframeWeight?: number;
}

/** What a time on air was like. */
export interface Stretch {
  /** bits/s of the video encoder, ten a second. */
  readonly targets: readonly number[];
  /** Pictures that were left out, and packets that were given up, in it. */
  readonly droppedFrames: number;
  readonly packetsDropped: number;
  /** Pictures that the other end took apart. */
  readonly pictures: number;
  readonly average: number;
  readonly last: number;
}

const PORT = 9000;
const SAMPLE_MS = 100;
const FRAME_MS = 1000 / 30;
const GOP = 60;
const SOUND_MS = 1024 / 48;
/** An encoder's rate control goes over to another rate about so fast, ms. */
const ENCODER_LAG_MS = 400;
const AUDIO_BITRATE = 128_000;

/** The studio's own publisher, over our SRT at both ends and a narrow network, in simulated time: hours in seconds. */
export class SimulatedUplink implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly network: MemoryNetwork;
  readonly publisher: DestinationPublisher;
  readonly rate: VideoRate;
  readonly closes: string[] = [];
  readonly #options: UplinkOptions;
  readonly #feed = new ProgramFeed({ clock: this.clock, ffmpeg: undefined });
  readonly #source: ProgramSource;
  readonly #listener: SrtListener;
  readonly #started: number;
  #output: SrtOutput | undefined;
  #far: SrtConnection | undefined;
  #pictures = 0;
  #frame = 0;
  #sound = 0;
  #sinceKeyframe = 0;
  #wantsKeyframe = false;
  #made: number;
  #sampleAt = 0;

  static async open(options: UplinkOptions): Promise<SimulatedUplink> {
    const uplink = new SimulatedUplink(options);
    await uplink.#listener.listen({ port: PORT });
    uplink.publisher.begin();
    for (let turns = 0; uplink.publisher.phase !== "live"; turns += 1) {
      if (turns > 5000) throw new Error(`it is ${uplink.publisher.phase} after 5 s`);
      uplink.clock.advance(1);
      uplink.#feedUntil(uplink.clock.now() - uplink.#started);
      await setImmediate();
    }
    return uplink;
  }

  private constructor(options: UplinkOptions) {
    this.#options = options;
    const { clock } = this;
    const { delayMs, loss = 0, seed = 1, capacity, queueBytes, latencyMs = 300, videoBitrate } = options;
    this.network = new MemoryNetwork(clock, { delayMs, loss, seed });
    this.network.bottleneck = { to: PORT, bitrate: capacity, queueBytes };
    this.#listener = new SrtListener({
      clock,
      openPort: this.network.open,
      latencyMs: 120,
      delivery: "prompt",
      onConnection: () => {
        const demuxer = new TsDemuxer({
          onTrack: () => undefined,
          onAccessUnit: ({ track }) => {
            if (track.kind === "video") this.#pictures += 1;
          },
        });
        return {
          handler: {
            onOpen: (connection) => {
              this.#far = connection;
            },
            onData: (payload) => demuxer.push(payload),
            onClose: ({ message }) => void this.closes.push(`server: ${message}`),
          },
        };
      },
    });
    this.rate = new VideoRate({ videoBitrate, audioBitrate: AUDIO_BITRATE });
    this.#made = videoBitrate;
    this.#feed.events.on("keyframe_wanted", () => {
      this.#wantsKeyframe = true;
    });
    const target = { host: "127.0.0.1", port: PORT, streamId: "key", passphrase: undefined, latencyMs };
    this.publisher = new DestinationPublisher({
      id: "one",
      clock,
      feed: this.#feed,
      limits: this.rate.limits,
      random: () => 0.5,
      onState: () => {
        const { problem } = this.publisher?.state ?? {};
        if (problem !== null && problem !== undefined && this.closes.at(-1) !== problem.message)
          this.closes.push(problem.message);
      },
      open: async (events, signal) => {
        this.#output = await SrtOutput.connect(target, events, { clock, signal, openPort: this.network.open });
        return this.#output;
      },
    });
    this.#source = this.#feed.openSource();
    this.#source.push(configFrame());
    this.#source.push(soundConfigFrame());
    this.#started = clock.now();
    this.#source.push(pictureFrame(0, true));
    this.#frame = 1;
  }

  set capacity(bitrate: number) {
    const { queueBytes } = this.#options;
    this.network.bottleneck = { to: PORT, bitrate, queueBytes };
  }

  health(): DestinationHealth {
    return this.publisher.health(this.clock.now());
  }

  get far(): SrtConnection | undefined {
    return this.#far;
  }

  /** Sends for `ms`. */
  run(ms: number): Stretch {
    const targets: number[] = [];
    const before = { dropped: this.#droppedFrames, packets: this.#packetsDropped, pictures: this.#pictures };
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      this.clock.advance(5);
      const now = this.clock.now();
      this.#feedUntil(now - this.#started);
      if (now < this.#sampleAt) continue;
      this.#sampleAt = now + SAMPLE_MS;
      this.publisher.sample(now);
      const { rate } = this.publisher;
      const told = this.rate.update(rate === undefined ? [] : [rate]);
      if (told !== undefined) this.#feed.followNetwork(told.bitrate);
      targets.push(this.rate.target.bitrate);
    }
    return {
      targets,
      droppedFrames: this.#droppedFrames - before.dropped,
      packetsDropped: this.#packetsDropped - before.packets,
      pictures: this.#pictures - before.pictures,
      average: targets.reduce((sum, target) => sum + target, 0) / targets.length,
      last: targets.at(-1) ?? 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = (async () => {
      await this.publisher.close();
      await this.#feed.close();
      await this.#listener.close();
    })();
    let closed = false;
    void closing.finally(() => {
      closed = true;
    });
    while (!closed) {
      this.clock.advance(5);
      await setImmediate();
    }
    await closing;
  }

  get #droppedFrames(): number {
    return this.publisher.health(this.clock.now()).dropped_frames;
  }

  get #packetsDropped(): number {
    return this.#far?.statistics().packetsReceiveDropped ?? 0;
  }

  #feedUntil(elapsed: number): void {
    for (; this.#frame * FRAME_MS <= elapsed; this.#frame += 1) {
      const asked = Math.max(this.rate.target.bitrate, this.#options.leastMade ?? 0);
      this.#made += ((asked - this.#made) * FRAME_MS) / ENCODER_LAG_MS;
      const keyframe = this.#sinceKeyframe >= GOP || this.#wantsKeyframe;
      this.#wantsKeyframe = false;
      this.#sinceKeyframe = keyframe ? 1 : this.#sinceKeyframe + 1;
      const { keyframeWeight = 4 } = this.#options;
      const mean = ((this.#made * FRAME_MS) / 8000) * (GOP / (GOP - 1 + keyframeWeight));
      const bytes = Math.round(keyframe ? mean * keyframeWeight : mean);
      this.#source.push(pictureFrame(Math.round(this.#frame * FRAME_MS * 1000), keyframe, bytes));
    }
    for (; this.#sound * SOUND_MS <= elapsed; this.#sound += 1) {
      this.#source.push(soundFrame(Math.round(this.#sound * SOUND_MS * 1000)));
    }
  }
}
