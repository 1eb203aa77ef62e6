import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { MASK_SIZE, type ToSegmentation } from "./segmentation-message.ts";

const { width, height } = MASK_SIZE;
const PIXELS = width * height;
/** Share of the mask before in the next one: edges flicker less, and trail a little. */
const KEPT = 0.3;

type Files = Omit<Extract<ToSegmentation, { type: "open" }>, "type">;

/** What the runtime's script, compiled by Emscripten, looks at before it starts. */
interface RuntimeOptions {
  locateFile(): string;
  print(): void;
  printErr(): void;
}

/**
 * Tells people from what is behind them: MediaPipe's selfie segmentation (landscape model: MobileNetV3 of some 100 000
 * weights) by LiteRT on the CPU.
 */
export class PersonSegmentation {
  readonly #model: CompiledModel;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #input = new Float32Array(PIXELS * 3);
  /** The last mask of each source, 0 to 1. */
  readonly #before = new Map<string, Float32Array>();

  private constructor(model: CompiledModel, context: OffscreenCanvasRenderingContext2D) {
    this.#model = model;
    this.#context = context;
  }

  /** @throws Error where a file is missing, or the browser's WebAssembly has no SIMD. */
  static async open({ runtime, wasm, model }: Files): Promise<PersonSegmentation> {
    const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
    if (context === null) throw new Error("there is no canvas to scale pictures in");
    // Its file is not called what the script believes; and it says much that is nobody's business.
    const options: RuntimeOptions = { locateFile: () => wasm, print: () => undefined, printErr: () => undefined };
    Object.assign(globalThis, { Module: options });
    await loadLiteRt(runtime);
    const compiled = await loadAndCompile(model, { accelerator: "wasm" });
    return new PersonSegmentation(compiled, context);
  }

  /**
   * How sure it is at each pixel that there is a person; closes the picture.
   * @param into is written to, where it is given. @throws Error where the model does not run.
   */
  async mask(
    source: string,
    picture: VideoFrame | ImageBitmap,
    into = new Uint8Array(PIXELS),
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#look(picture);
    const input = new Tensor(this.#input, [1, height, width, 3]);
    let output: Tensor | undefined;
    try {
      [output] = await this.#model.run(input);
      if (output === undefined) throw new Error("the model gave no mask");
      const now = output.toTypedArray();
      if (now.length !== PIXELS) throw new Error(`the model's mask has ${now.length} pixels instead of ${PIXELS}`);
      this.#settle(source, now as Float32Array, into);
      return into;
    } finally {
      input.delete();
      output?.delete();
    }
  }

  /** Its next picture has nothing to do with its last. */
  forget(source: string): void {
    this.#before.delete(source);
  }

  #look(picture: VideoFrame | ImageBitmap): void {
    const context = this.#context;
    context.drawImage(picture, 0, 0, width, height);
    // Devices have only a few pictures to lend.
    picture.close();
    const { data } = context.getImageData(0, 0, width, height);
    const input = this.#input;
    for (let pixel = 0, from = 0, to = 0; pixel < PIXELS; pixel += 1, from += 4, to += 3) {
      input[to] = (data[from] ?? 0) / 255;
      input[to + 1] = (data[from + 1] ?? 0) / 255;
      input[to + 2] = (data[from + 2] ?? 0) / 255;
    }
  }

  #settle(source: string, now: Float32Array, into: Uint8Array): void {
    let before = this.#before.get(source);
    const kept = before === undefined ? 0 : KEPT;
    before ??= new Float32Array(PIXELS);
    this.#before.set(source, before);
    for (let i = 0; i < PIXELS; i += 1) {
      const share = (before[i] ?? 0) * kept + (now[i] ?? 0) * (1 - kept);
      before[i] = share;
      into[i] = Math.round(share * 255);
    }
  }
}
