import { LevelMeter } from "./level-meter.ts";
import { Limiter, type LimiterSettings } from "./limiter.ts";
import { LoudnessMeter } from "./loudness-meter.ts";

/** −1 dBFS leaves room for what an encoder adds. Below it nothing is changed. */
export const PROGRAM_LIMIT: LimiterSettings = { ceiling: -1, release: 100 };

/** The whole mix: a limiter keeps what several loud sources add up to below full scale; then it is measured. */
export class ProgramBus {
  readonly meter = new LevelMeter();
  readonly loudness = new LoudnessMeter();
  readonly #limiter = new Limiter(PROGRAM_LIMIT);

  get reductionDb(): number {
    return this.#limiter.reductionDb;
  }

  process(left: Float32Array, right: Float32Array): void {
    this.#limiter.process(left, right);
    this.meter.measure(left, right);
    this.loudness.measure(left, right);
  }
}
