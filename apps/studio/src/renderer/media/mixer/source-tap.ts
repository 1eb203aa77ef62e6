import type { ProgramClock } from "../program-clock.ts";
import type { StripMessage } from "./mixer-message.ts";
import { ProgramSamples } from "./program-samples.ts";
import type { SampleBlock } from "./sample-blocks.ts";

/** The sound of one source by itself, put on the program's clock as the mix is. */
export class SourceTap {
  readonly #samples: ProgramSamples;
  #node: AudioWorkletNode | undefined;

  /** @param emit as `ProgramSamples` has it. */
  constructor(emit: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void) {
    this.#samples = new ProgramSamples(emit);
  }

  /** Takes the sound of a strip's node from now on, which hands its blocks to {@link push}; undefined: of none. */
  set node(node: AudioWorkletNode | undefined) {
    if (node === this.#node) return;
    this.#node?.port.postMessage({ type: "tap", on: false } satisfies StripMessage);
    this.#node = node;
    node?.port.postMessage({ type: "tap", on: true } satisfies StripMessage);
  }

  push(block: SampleBlock, clock: ProgramClock): void {
    const age = Math.max(0, Date.now() - block.at);
    this.#samples.push(new Float32Array(block.buffer), block.frame, clock.now() - age * 1000);
    this.#node?.port.postMessage({ type: "block", buffer: block.buffer } satisfies StripMessage, [block.buffer]);
  }

  /** To be called now and then while nothing is mixed. @param now µs. */
  fill(now: number): void {
    this.#samples.fill(now);
  }
}
