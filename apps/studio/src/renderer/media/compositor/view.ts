import type { Size } from "../../../document/transform.ts";
import type { ViewTarget } from "./compositor-message.ts";

/** A canvas of the page that something is shown in. */
export class View {
  readonly target: ViewTarget;
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D | null;
  /** What of its target it shows; differs as soon as it is to be drawn again. */
  #drawn = "";
  /** When it was drawn, µs on the program clock. */
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(target: ViewTarget, canvas: OffscreenCanvas) {
    this.target = target;
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  get size(): Size {
    return this.#canvas;
  }

  resize(width: number, height: number): void {
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#drawn = "";
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  /** Nothing is in it any more: it is to be drawn with the next picture. */
  forget(): void {
    this.#drawn = "";
  }

  /** Whether it is to be drawn now. @param state names what is to be seen. @param pause µs that it waits between two pictures. */
  wants(state: string, now: number, pause: number): boolean {
    return this.#drawn !== state && now - this.#drawnAt >= pause;
  }

  /** Shows a picture, or its upper left corner of a size, over all of the canvas. */
  draw(picture: OffscreenCanvas | VideoFrame, corner: Size, state: string, now: number): void {
    const { width, height } = this.#canvas;
    this.#context?.drawImage(picture, 0, 0, corner.width, corner.height, 0, 0, width, height);
    this.#drawn = state;
    this.#drawnAt = now;
  }
}
