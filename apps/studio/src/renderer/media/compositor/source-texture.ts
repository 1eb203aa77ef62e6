import type { VideoFilter } from "../../../document/filter.ts";
import type { FilterPasses, Picture } from "./filter-passes.ts";
import type { PictureSource } from "./picture-source.ts";

/** A source's picture on the GPU, filtered: copied and filtered once for each new picture, however often it is drawn. */
export class SourceTexture implements Disposable {
  readonly #gl: WebGL2RenderingContext;
  readonly #texture: WebGLTexture;
  #version = -1;
  #width = 0;
  #height = 0;
  #filters: readonly VideoFilter[] | undefined;
  #filteredVersion = -1;
  #filtered: Picture | undefined;
  #mipmaps = -1;

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  }

  /**
   * The picture as it is now. @param filters enabled ones, in their order.
   * @param small whether it is drawn at less than half its size.
   */
  take(source: PictureSource, filters: readonly VideoFilter[], passes: FilterPasses, small: boolean): Picture {
    const gl = this.#gl;
    if (source.version !== this.#version && source.picture !== undefined) {
      this.#copy(source.picture);
      source.copied();
      this.#version = source.version;
    }
    const whole: Picture = { texture: this.#texture, width: this.#width, height: this.#height };
    const wanted = source.placeholder ? [] : filters;
    if (wanted.length > 0) {
      if (this.#filteredVersion !== this.#version || this.#filters !== filters) {
        passes.release(this.#filtered);
        this.#filtered = passes.run(whole, wanted);
        this.#filteredVersion = this.#version;
        this.#filters = filters;
      }
      return this.#filtered ?? whole;
    }
    passes.release(this.#filtered);
    this.#filtered = undefined;
    this.#filters = undefined;
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    if (small && this.#mipmaps !== this.#version) {
      gl.generateMipmap(gl.TEXTURE_2D);
      this.#mipmaps = this.#version;
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, small ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
    return whole;
  }

  /** Whether a picture has been copied at all. */
  get empty(): boolean {
    return this.#version === -1;
  }

  [Symbol.dispose](): void {
    this.#gl.deleteTexture(this.#texture);
  }

  /** Gives back what it borrowed of `passes`. */
  release(passes: FilterPasses): void {
    passes.release(this.#filtered);
    this.#filtered = undefined;
  }

  #copy(picture: VideoFrame | ImageBitmap): void {
    const gl = this.#gl;
    const frame = picture instanceof VideoFrame;
    const width = frame ? picture.displayWidth : picture.width;
    const height = frame ? picture.displayHeight : picture.height;
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    // Anew even where the size is the same: of video, browsers copy whole textures fast, and parts of them by a detour.
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    this.#width = width;
    this.#height = height;
  }
}
