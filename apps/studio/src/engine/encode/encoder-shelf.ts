import {
  type FfmpegBinary,
  hardwareCandidates,
  type Rung,
  runFfmpeg,
  SOFTWARE_H264,
  speedTestArguments,
  TRIAL_FRAME_RATE,
  tryEncoder,
  type VideoEncoder,
} from "@klieg/ffmpeg";
import { type EncoderTest, KliegError, type ListedEncoder } from "@klieg/protocol";
import { encoderLabel } from "./encoder-label.ts";

export interface EncoderShelfOptions {
  /** Undefined: there is none, so no encoders. */
  readonly ffmpeg: FfmpegBinary | undefined;
  readonly cores: number;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform;
  /** GPU render nodes; default: those in /dev/dri. */
  readonly renderNodes?: readonly string[];
  /** For one test encode, ms. Default 8000. */
  readonly timeoutMs?: number;
}

/** What is asked of an encoder's speed. */
export interface SpeedQuestion {
  /** As it is listed, or `auto`: the first that works. */
  readonly encoder: string;
  readonly width: number;
  readonly height: number;
  readonly frame_rate: number;
}

/** The first encoder to use, and what takes over when it fails. */
export interface ShelvedChoice {
  readonly encoder: VideoEncoder;
  readonly software: VideoEncoder;
}

interface Tried {
  readonly listed: ListedEncoder;
  readonly encoder: VideoEncoder | undefined;
}

/** One at a time: more is not asked of an encoder here. */
const TRIAL_RUNGS: readonly Rung[] = [
  { name: "270p", width: 480, height: 270, frameRate: TRIAL_FRAME_RATE, frameRateDivisor: 1, bitrate: 1_000_000 },
];
const SPEED_TEST_S = 2;
/** An encoder slower than about two pictures a second is not waited for, ms. */
const SPEED_TIMEOUT_MS = 45_000;
/** Bits a pixel of the speed test. */
const BITS_PER_PIXEL = 0.07;

/** The H.264 encoders of this machine's FFmpeg, each proved by a real test encode (STU2, TRN3). */
export class EncoderShelf {
  readonly #options: EncoderShelfOptions;
  #tried: Promise<readonly Tried[]> | undefined;

  constructor(options: EncoderShelfOptions) {
    this.#options = options;
  }

  /** FFmpeg; undefined: there is none. */
  get path(): string | undefined {
    return this.#options.ffmpeg?.path;
  }

  get cores(): number {
    return this.#options.cores;
  }

  /** All that the platform can have, hardware first; tried when this is first asked, which takes seconds. */
  async list(): Promise<ListedEncoder[]> {
    return (await this.#all()).map(({ listed }) => listed);
  }

  /**
   * Measures how fast an encoder is here.
   * @throws KliegError `encoder_unavailable` where it does not work, in words.
   */
  async test(question: SpeedQuestion): Promise<EncoderTest> {
    const { ffmpeg, cores } = this.#options;
    const encoder = await this.#named(question.encoder);
    const { width, height, frame_rate: frameRate } = question;
    const bitrate = Math.round(width * height * frameRate * BITS_PER_PIXEL);
    const even = (pixels: number) => pixels - (pixels % 2);
    const rung = { name: "test", width: even(width), height: even(height), frameRate, frameRateDivisor: 1, bitrate };
    const args = speedTestArguments(encoder, rung, SPEED_TEST_S, cores);
    const run = await runFfmpeg((ffmpeg as FfmpegBinary).path, args, SPEED_TIMEOUT_MS);
    const label = encoderLabel(encoder.name);
    if (run.outcome === "timed_out") {
      throw new KliegError("encoder_unavailable", `${label} is far too slow for this, or hangs.`);
    }
    const seconds = run.outcome === "exited" ? Number(/bench:.* rtime=([\d.]+)s/.exec(run.stderr)?.[1] ?? "0") : 0;
    if (run.outcome !== "exited" || run.code !== 0 || !(seconds > 0)) {
      throw new KliegError("encoder_unavailable", `${label} failed in the test.`);
    }
    const made = (SPEED_TEST_S * frameRate) / seconds;
    return { encoder: encoder.name, hardware: encoder.hardware, frame_rate: made, speed: made / frameRate };
  }

  /**
   * What to encode with.
   * @param wanted as it is listed, or `auto`. One that does not work is passed over: a show must go on.
   * @throws KliegError `encoder_unavailable` where not even software works.
   */
  async choose(wanted: string): Promise<ShelvedChoice> {
    const all = await this.#all();
    const software = all.find(({ encoder }) => encoder?.hardware === false)?.encoder;
    if (software === undefined) {
      throw new KliegError("encoder_unavailable", "There is no FFmpeg on this machine that can encode H.264.");
    }
    const named = all.find(({ listed, encoder }) => listed.name === wanted && encoder !== undefined)?.encoder;
    const first = all.find(({ encoder }) => encoder !== undefined)?.encoder;
    return { encoder: named ?? first ?? software, software };
  }

  async #named(name: string): Promise<VideoEncoder> {
    const all = await this.#all();
    const found =
      name === "auto"
        ? all.find(({ encoder }) => encoder !== undefined)
        : all.find(({ listed }) => listed.name === name);
    if (found === undefined) throw new KliegError("encoder_unavailable", `There is no encoder ${name} here.`);
    if (found.encoder !== undefined) return found.encoder;
    throw new KliegError("encoder_unavailable", `${found.listed.label} ${found.listed.reason ?? "does not work"}.`);
  }

  #all(): Promise<readonly Tried[]> {
    this.#tried ??= this.#tryAll();
    return this.#tried;
  }

  /** One after another: two at once would take the GPU, or the cores, from each other. */
  async #tryAll(): Promise<readonly Tried[]> {
    const { ffmpeg, cores, timeoutMs, platform, renderNodes } = this.#options;
    if (ffmpeg === undefined) return [];
    const where = {
      ...(platform === undefined ? {} : { platform }),
      ...(renderNodes === undefined ? {} : { renderNodes }),
    };
    const software = SOFTWARE_H264.map((name) => ({ name, device: undefined }));
    const tried = new Map<string, Tried>();
    for (const { name, device } of [...(await hardwareCandidates(where)), ...software]) {
      // The second GPU is tried only where the first does not do.
      if (tried.get(name)?.encoder !== undefined) continue;
      const limit = timeoutMs === undefined ? {} : { timeoutMs };
      const { encoder, trial } = await tryEncoder(ffmpeg, name, device, { cores, rungs: TRIAL_RUNGS, ...limit });
      const hardware = !SOFTWARE_H264.some((known) => known === name);
      const reason = trial.outcome === "ok" ? null : trial.reason;
      tried.set(name, {
        listed: { name, hardware, label: encoderLabel(name), works: encoder !== undefined, reason },
        encoder,
      });
    }
    return [...tried.values()];
  }
}
