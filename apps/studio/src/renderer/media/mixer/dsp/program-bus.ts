import { LevelMeter } from "./level-meter.ts";
import { Limiter } from "./limiter.ts";
import { LoudnessMeter } from "./loudness-meter.ts";

/** The whole mix: a limiter keeps what several loud sources add up to below full scale; then it is measured. */
export class ProgramBus {
  readonly meter = new LevelMeter();
  readonly loudness = new LoudnessMeter();
  /** −1 dBFS leaves room for what an encoder adds. Below it nothing is changed. */
  readonly #limiter = new Limiter({ ceiling: -1, release: 100 });

  get reductionDb(): number {
    return this.#limiter.reductionDb;
  }

  process(left: Float32Array, right: Float32Array): void {
    this.#limiter.process(left, right);
    this.meter.measure(left, right);
    this.loudness.measure(left, right);
  }
}
