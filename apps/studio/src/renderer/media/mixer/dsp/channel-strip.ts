import type { AudioFilter } from "../../../../document/filter.ts";
import { Compressor } from "./compressor.ts";
import { gainOf } from "./decibel.ts";
import { DelayLine } from "./delay-line.ts";
import { Gate } from "./gate.ts";
import { LevelMeter } from "./level-meter.ts";
import { Limiter } from "./limiter.ts";
import { NoiseSuppressor } from "./noise-suppressor.ts";
import { Ramp } from "./ramp.ts";
import { SAMPLE_RATE, type SoundProcessor, samplesOf } from "./sound-processor.ts";

/** How a strip sounds, and where it is heard. */
export interface StripSettings {
  readonly filters: readonly AudioFilter[];
  /** dB. */
  readonly gain: number;
  /** −1 left to 1 right. */
  readonly pan: number;
  /** ms between what comes in and what goes out; less than the filters themselves take is not to be had. */
  readonly delay: number;
  /** Nobody hears it, wherever it is shown. */
  readonly muted: boolean;
  /** Whether the program has it. */
  readonly inProgram: boolean;
  /** ms that a change of {@link inProgram} takes. */
  readonly fade: number;
  /** Whether the operator hears it. */
  readonly inMonitor: boolean;
}

/** Over how long gain, pan and switches change, ms, so that they do not click. */
const SMOOTH = 10;

type Filter = {
  readonly filter: AudioFilter;
  readonly processor: SoundProcessor & { set?(filter: AudioFilter): void };
};

/** One source's way through the mixer: filters → delay → gain → pan → meter → program and monitor. */
export class ChannelStrip {
  readonly meter = new LevelMeter();
  readonly #delay = new DelayLine();
  readonly #gain = new Ramp(1);
  readonly #panLeft = new Ramp(1);
  readonly #panRight = new Ramp(1);
  readonly #program = new Ramp(0);
  readonly #monitor = new Ramp(0);
  readonly #own = new Ramp(1);
  #filters: Filter[] = [];
  #settings: StripSettings | undefined;
  #rnnoise: WebAssembly.Module | undefined;
  /** The one that was made to see whether it can be. */
  #spareSuppressor: NoiseSuppressor | undefined;

  /** dB that its filters take away now. */
  get reductionDb(): number {
    let sum = 0;
    for (const { processor } of this.#filters) sum += processor.reductionDb;
    return sum;
  }

  /**
   * From now on there is noise suppression; until then, such a filter passes everything.
   *
   * @throws Error where it cannot be had of this module; the strip stays as it was.
   */
  setRnnoise(module: WebAssembly.Module): void {
    this.#spareSuppressor = new NoiseSuppressor(module);
    this.#rnnoise = module;
    if (this.#settings !== undefined) this.set(this.#settings);
  }

  /** Filters that were there before go on where they are. */
  set(settings: StripSettings): void {
    const first = this.#settings === undefined;
    this.#settings = settings;
    const before = this.#filters;
    this.#filters = [];
    for (const filter of settings.filters) {
      if (!filter.enabled) continue;
      const there = before.find((other) => other.filter.id === filter.id && other.filter.kind === filter.kind);
      there?.processor.set?.(filter);
      const processor = there?.processor ?? this.#processorOf(filter);
      if (processor !== undefined) this.#filters.push({ filter, processor });
    }
    const latency = this.#filters.reduce((sum, { processor }) => sum + processor.latency, 0);
    this.#delay.set(Math.max(0, settings.delay - (latency * 1000) / SAMPLE_RATE), !first);
    const smooth = first ? 1 : samplesOf(SMOOTH);
    this.#gain.to(gainOf(settings.gain), smooth);
    // Balance, not the panorama of a mono source: a channel is never louder than it was.
    this.#panLeft.to(settings.pan <= 0 ? 1 : Math.cos((settings.pan * Math.PI) / 2), smooth);
    this.#panRight.to(settings.pan >= 0 ? 1 : Math.cos((settings.pan * Math.PI) / 2), smooth);
    this.#program.to(settings.inProgram ? 1 : 0, Math.max(samplesOf(SMOOTH), samplesOf(settings.fade)));
    this.#monitor.to(settings.inMonitor ? 1 : 0, samplesOf(SMOOTH));
    this.#own.to(settings.muted ? 0 : 1, smooth);
  }

  /**
   * Takes `left` and `right`, which it works on in place, to the program (the same two) and the monitor.
   * @param own gets the sound by itself, wherever it is shown: silence while it is muted.
   */
  process(
    left: Float32Array,
    right: Float32Array,
    monitorLeft: Float32Array,
    monitorRight: Float32Array,
    own?: readonly [Float32Array, Float32Array],
  ): void {
    for (let i = 0; i < left.length; i += 1) {
      // What is not a number would stay in the filters for ever.
      if (!Number.isFinite(left[i])) left[i] = 0;
      if (!Number.isFinite(right[i])) right[i] = 0;
    }
    for (const { processor } of this.#filters) processor.process(left, right);
    this.#delay.process(left, right);
    for (let i = 0; i < left.length; i += 1) {
      const gain = this.#gain.next();
      left[i] = (left[i] as number) * gain * this.#panLeft.next();
      right[i] = (right[i] as number) * gain * this.#panRight.next();
    }
    this.meter.measure(left, right);
    for (let i = 0; own !== undefined && i < left.length; i += 1) {
      const gain = this.#own.next();
      own[0][i] = (left[i] as number) * gain;
      own[1][i] = (right[i] as number) * gain;
    }
    for (let i = 0; i < left.length; i += 1) {
      const monitor = this.#monitor.next();
      monitorLeft[i] = (left[i] as number) * monitor;
      monitorRight[i] = (right[i] as number) * monitor;
      const program = this.#program.next();
      left[i] = (left[i] as number) * program;
      right[i] = (right[i] as number) * program;
    }
  }

  #processorOf(filter: AudioFilter): SoundProcessor | undefined {
    switch (filter.kind) {
      case "gate":
        return new Gate(filter);
      case "compressor":
        return new Compressor(filter);
      case "limiter":
        return new Limiter(filter);
      case "noise_suppression":
        return this.#suppressor();
    }
  }
  #suppressor(): NoiseSuppressor | undefined {
    const spare = this.#spareSuppressor;
    this.#spareSuppressor = undefined;
    return spare ?? (this.#rnnoise === undefined ? undefined : new NoiseSuppressor(this.#rnnoise));
  }
}
