import { availableParallelism } from "node:os";
import type { VideoEncoder } from "@klieg/ffmpeg";
import {
  chooseEncoder,
  type EncoderTrial,
  type FfmpegBinary,
  type FfmpegRejection,
  findFfmpeg,
  NoEncoderError,
  runFfmpeg,
} from "@klieg/ffmpeg";
import type { Logger } from "../ports/logger.ts";

export interface TranscodeEngineOptions {
  readonly logger: Logger;
  /** `KLIEG_FFMPEG`. */
  readonly ffmpegPath?: string | undefined;
  /** Whether hardware encoders are tried. Default true. */
  readonly hardware?: boolean;
  /** Processor cores that there are. Default: those that this process may use. */
  readonly cores?: number;
  /** The part of them that all transcodes together may keep busy. Default a half: viewers are served from the rest. */
  readonly share?: number;
  /** As in {@link findFfmpeg}. */
  readonly searchPath?: string;
  readonly installer?: boolean;
  /** Time limit of a test encode, ms. */
  readonly trialTimeoutMs?: number;
  readonly platform?: NodeJS.Platform;
  readonly renderNodes?: readonly string[];
}

/** What the machine transcodes with, for the API. */
export interface TranscodeEngineInfo {
  readonly ffmpeg: { readonly path: string; readonly version: string; readonly origin: string } | null;
  readonly encoder: string | null;
  readonly hardware: boolean;
  readonly trials: readonly EncoderTrial[];
  /** Why there is no transcoding, in words; null where there is. */
  readonly problem: string | null;
}

/** Cores set aside for one transcode, until disposed. */
export interface CoreReservation extends Disposable {
  /** Cores that are free for this transcode: its own and those that nobody has. */
  readonly available: number;
  /** Sets aside `cores` instead of what was before. */
  take(cores: number): void;
}

/** Failures of the hardware encoder, in however many broadcasts, after which it is not trusted until the next start. */
const HARDWARE_FAILURES_ALLOWED = 3;

/**
 * What this machine transcodes with: the FFmpeg and the encoder that were found at the start, and the cores that all
 * transcodes share. One for the backend.
 */
export class TranscodeEngine {
  /** Undefined where no FFmpeg can be used. */
  readonly binary: FfmpegBinary | undefined;
  /** What encodes where the hardware fails. */
  readonly software: VideoEncoder | undefined;
  readonly trials: readonly EncoderTrial[];
  readonly rejected: readonly FfmpegRejection[];
  /** Why there is no transcoding, in words. */
  readonly problem: string | undefined;
  /** Pixels a second that one core encodes in software at `veryfast`. */
  readonly pixelsPerCoreSecond: number;
  readonly cores: number;
  /** Path of a `setpriv` that can tie FFmpeg's life to the backend's. */
  readonly setpriv: string | undefined;
  readonly #logger: Logger;
  readonly #share: number;
  readonly #reserved = new Map<symbol, number>();
  #encoder: VideoEncoder | undefined;
  #hardwareFailures = 0;

  private constructor(options: TranscodeEngineOptions, found: Found) {
    this.binary = found.binary;
    this.software = found.software;
    this.trials = found.trials;
    this.rejected = found.rejected;
    this.problem = found.problem;
    this.pixelsPerCoreSecond = found.pixelsPerCoreSecond;
    this.setpriv = found.setpriv;
    this.cores = options.cores ?? availableParallelism();
    this.#logger = options.logger;
    this.#share = options.share ?? 0.5;
    this.#encoder = found.encoder;
  }

  /** Looks for FFmpeg and tries its encoders; says in the log what it found. Never rejects for what it did not find. */
  static async start(options: TranscodeEngineOptions): Promise<TranscodeEngine> {
    const [found, setpriv] = await Promise.all([find(options), findSetpriv()]);
    const engine = new TranscodeEngine(options, { ...found, setpriv });
    engine.#report();
    return engine;
  }

  /** What encodes new transcodes; undefined where there is no transcoding. */
  get encoder(): VideoEncoder | undefined {
    return this.#encoder;
  }

  describe(): TranscodeEngineInfo {
    const { binary } = this;
    return {
      ffmpeg: binary === undefined ? null : { path: binary.path, version: binary.version, origin: binary.origin },
      encoder: this.#encoder?.name ?? null,
      hardware: this.#encoder?.hardware ?? false,
      trials: this.trials,
      problem: this.problem ?? null,
    };
  }

  /** A hardware encoder failed in a broadcast. After three times new broadcasts begin with software. */
  reportHardwareFailure(encoder: VideoEncoder, reason: string): void {
    if (!encoder.hardware || this.#encoder !== encoder) return;
    this.#hardwareFailures += 1;
    if (this.#hardwareFailures < HARDWARE_FAILURES_ALLOWED) return;
    this.#encoder = this.software;
    this.#logger.error(
      { encoder: encoder.name, software: this.software?.name, reason },
      "the hardware encoder keeps failing; software encodes from now on",
    );
  }

  /** A place among the transcodes that share the cores; nothing is set aside yet. */
  reserve(): CoreReservation {
    const key = Symbol();
    const { cores } = this;
    const share = this.#share;
    const reserved = this.#reserved;
    return {
      get available() {
        let others = 0;
        for (const [other, taken] of reserved) if (other !== key) others += taken;
        return Math.max(0, cores * share - others);
      },
      take(wanted) {
        reserved.set(key, wanted);
      },
      [Symbol.dispose]() {
        reserved.delete(key);
      },
    };
  }

  #report(): void {
    for (const { path, origin, reason } of this.rejected) {
      // One that was asked for by name is missed; the others are only looked for.
      const level = origin === "KLIEG_FFMPEG" ? "warn" : "debug";
      this.#logger[level]({ path, origin, reason }, "this FFmpeg cannot be used");
    }
    for (const trial of this.trials) {
      if (trial.outcome !== "ok" && trial.outcome !== "missing")
        this.#logger.info({ ...trial }, "an encoder did not pass its test");
    }
    const { binary } = this;
    if (binary === undefined || this.#encoder === undefined) {
      this.#logger.error({ problem: this.problem }, "there is no transcoding: only the source rendition is made");
      return;
    }
    this.#logger.info(
      {
        ffmpeg: binary.path,
        version: binary.version,
        origin: binary.origin,
        encoder: this.#encoder.name,
        hardware: this.#encoder.hardware,
        cores: this.cores,
        megapixelsPerCoreSecond: Math.round(this.pixelsPerCoreSecond / 1e6),
      },
      "transcoding is ready",
    );
  }
}

interface Found {
  readonly binary: FfmpegBinary | undefined;
  readonly encoder: VideoEncoder | undefined;
  readonly software: VideoEncoder | undefined;
  readonly trials: readonly EncoderTrial[];
  readonly rejected: readonly FfmpegRejection[];
  readonly problem: string | undefined;
  readonly pixelsPerCoreSecond: number;
  readonly setpriv: string | undefined;
}

async function find(options: TranscodeEngineOptions): Promise<Omit<Found, "setpriv">> {
  const nothing = { encoder: undefined, software: undefined, trials: [], pixelsPerCoreSecond: 0 };
  const { binary, rejected } = await findFfmpeg({
    configured: options.ffmpegPath,
    searchPath: options.searchPath,
    ...(options.installer === undefined ? {} : { installer: options.installer }),
  });
  if (binary === undefined) {
    const reasons = rejected.map(({ path, reason }) => `${path} ${reason}`).join("; ");
    return { ...nothing, binary: undefined, rejected, problem: `no FFmpeg can be used: ${reasons}` };
  }
  try {
    const choice = await chooseEncoder(binary, {
      cores: options.cores ?? availableParallelism(),
      ...(options.hardware === undefined ? {} : { hardware: options.hardware }),
      ...(options.platform === undefined ? {} : { platform: options.platform }),
      ...(options.renderNodes === undefined ? {} : { renderNodes: options.renderNodes }),
      ...(options.trialTimeoutMs === undefined ? {} : { timeoutMs: options.trialTimeoutMs }),
    });
    return { ...choice, binary, rejected, problem: undefined };
  } catch (error) {
    if (!(error instanceof NoEncoderError)) throw error;
    return { ...nothing, binary, rejected, trials: error.trials, problem: error.message };
  }
}

/** util-linux's setpriv knows how to have the kernel kill FFmpeg with the backend; others of that name do not. */
async function findSetpriv(): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  for (const path of ["/usr/bin/setpriv", "/bin/setpriv"]) {
    const run = await runFfmpeg(path, ["--pdeathsig", "KILL", "--", "true"], 2000);
    if (run.outcome === "exited" && run.code === 0) return path;
  }
  return undefined;
}
