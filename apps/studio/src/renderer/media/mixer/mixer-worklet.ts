// Runs on the sound's thread, in an AudioWorkletGlobalScope.
import { ChannelStrip } from "./dsp/channel-strip.ts";
import { Limiter } from "./dsp/limiter.ts";
import { PROGRAM_LIMIT, ProgramBus } from "./dsp/program-bus.ts";
import {
  MIX_MINUS_PROCESSOR,
  type MixMinusMessage,
  PROGRAM_PROCESSOR,
  type ProgramMessage,
  type ProgramReport,
  STRIP_PROCESSOR,
  type StripMessage,
  type StripReport,
} from "./mixer-message.ts";
import { type SampleBlock, SampleBlocks } from "./sample-blocks.ts";

declare const currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Frames that are processed at once. */
const QUANTUM = 128;
/** Frames between two reports of the meters: 50 ms. */
const REPORT_INTERVAL = 2400;

class StripProcessor extends AudioWorkletProcessor {
  readonly #strip = new ChannelStrip();
  readonly #report = new Float64Array(3);
  /** What the strip makes of its source, while somebody wants it by itself. */
  #own: readonly [Float32Array, Float32Array] | undefined;
  #blocks: SampleBlocks | undefined;
  #reportAt = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<StripMessage>) => {
      if (data.type === "settings") this.#strip.set(data.settings);
      else if (data.type === "rnnoise") this.#takeRnnoise(data.module);
      else if (data.type === "tap") this.#tap(data.on);
      else if (data.type === "block") this.#blocks?.reuse(data.buffer);
      else this.#open = false;
    };
  }

  #tap(on: boolean): void {
    const send = (block: SampleBlock) => this.port.postMessage(block satisfies StripReport, [block.buffer]);
    this.#own = on ? [new Float32Array(QUANTUM), new Float32Array(QUANTUM)] : undefined;
    this.#blocks = on ? new SampleBlocks(send) : undefined;
  }

  #takeRnnoise(module: WebAssembly.Module): void {
    try {
      this.#strip.setRnnoise(module);
    } catch (error) {
      this.port.postMessage({ problem: String(error) } satisfies StripReport);
    }
  }

  process([input]: Float32Array[][], [program, monitor]: Float32Array[][]): boolean {
    const [left, right] = program as [Float32Array, Float32Array];
    const [monitorLeft, monitorRight] = monitor as [Float32Array, Float32Array];
    // Without a track there is no channel, and the outputs are silent; the filters and the delay run out.
    if (input?.[0] !== undefined) left.set(input[0]);
    if (input?.[1] !== undefined) right.set(input[1]);
    this.#strip.process(left, right, monitorLeft, monitorRight, this.#own);
    if (this.#own !== undefined) this.#blocks?.gather(this.#own[0], this.#own[1], currentFrame);
    if (currentFrame >= this.#reportAt) {
      this.#reportAt = currentFrame + REPORT_INTERVAL;
      this.#report[0] = this.#strip.meter.takePeakDb();
      this.#report[1] = this.#strip.meter.rmsDb;
      this.#report[2] = this.#strip.reductionDb;
      this.port.postMessage(this.#report satisfies StripReport);
    }
    return this.#open;
  }
}

class ProgramProcessor extends AudioWorkletProcessor {
  readonly #bus = new ProgramBus();
  readonly #report = new Float64Array(6);
  readonly #blocks = new SampleBlocks((block) => this.port.postMessage(block satisfies ProgramReport, [block.buffer]));
  #reportAt = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ProgramMessage>) => {
      if (data.type === "reset_loudness") this.#bus.loudness.reset();
      else if (data.type === "close") this.#open = false;
      else this.#blocks.reuse(data.buffer);
    };
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    const [left, right] = output as [Float32Array, Float32Array];
    if (input?.[0] !== undefined) left.set(input[0]);
    if (input?.[1] !== undefined) right.set(input[1]);
    this.#bus.process(left, right);
    this.#blocks.gather(left, right, currentFrame);
    if (currentFrame >= this.#reportAt) {
      this.#reportAt = currentFrame + REPORT_INTERVAL;
      const { meter, loudness, reductionDb } = this.#bus;
      this.#report[0] = meter.takePeakDb();
      this.#report[1] = meter.rmsDb;
      this.#report[2] = reductionDb;
      this.#report[3] = loudness.momentary;
      this.#report[4] = loudness.shortTerm;
      this.#report[5] = loudness.integrated;
      this.port.postMessage(this.#report satisfies ProgramReport);
    }
    return this.#open;
  }
}

/** The program without guests: limited as the program is, and neither measured nor sent to the engine. */
class MixMinusProcessor extends AudioWorkletProcessor {
  readonly #limiter = new Limiter(PROGRAM_LIMIT);
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<MixMinusMessage>) => {
      if (data.type === "close") this.#open = false;
    };
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    const [left, right] = output as [Float32Array, Float32Array];
    if (input?.[0] !== undefined) left.set(input[0]);
    if (input?.[1] !== undefined) right.set(input[1]);
    this.#limiter.process(left, right);
    return this.#open;
  }
}

registerProcessor(STRIP_PROCESSOR, StripProcessor);
registerProcessor(PROGRAM_PROCESSOR, ProgramProcessor);
registerProcessor(MIX_MINUS_PROCESSOR, MixMinusProcessor);
