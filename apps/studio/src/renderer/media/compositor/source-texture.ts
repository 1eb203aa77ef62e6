import { findsPeople, type VideoFilter } from "../../../document/filter.ts";
import type { PersonMasks } from "../segmentation/person-masks.ts";
import { MASK_SIZE } from "../segmentation/segmentation-message.ts";
import type { FilterPasses, Picture } from "./filter-passes.ts";
import type { PictureSource } from "./picture-source.ts";

/** Where people are in the sources' pictures. */
export type Masks = Pick<PersonMasks, "offer" | "mask">;

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
  #mask: WebGLTexture | undefined;
  #maskVersion = 0;
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
   * @param sourceId by which `masks` knows it.
   */
  take(
    source: PictureSource,
    filters: readonly VideoFilter[],
    passes: FilterPasses,
    small: boolean,
    masks: Masks,
    sourceId: string,
  ): Picture {
    const gl = this.#gl;
    const masked = !source.placeholder && filters.some(findsPeople);
    const maskVersion = masked ? this.#followMask(source, masks, sourceId) : 0;
    if (source.version !== this.#version && source.picture !== undefined) {
      this.#copy(source.picture);
      source.copied();
      this.#version = source.version;
    }
    const whole: Picture = { texture: this.#texture, width: this.#width, height: this.#height };
    const wanted = source.placeholder ? [] : filters;
    if (wanted.length > 0) {
      const changed = this.#filteredVersion !== this.#version || this.#filters !== filters;
      if (changed || this.#maskVersion !== maskVersion) {
        passes.release(this.#filtered);
        this.#maskVersion = maskVersion;
        this.#filtered = passes.run(whole, wanted, maskVersion === 0 ? undefined : this.#mask);
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
    this.#gl.deleteTexture(this.#mask ?? null);
  }

  /** Gives back what it borrowed of `passes`. */
  release(passes: FilterPasses): void {
    passes.release(this.#filtered);
    this.#filtered = undefined;
  }

  /** Has new pictures looked at, and brings the newest mask to the GPU. @returns its version; 0 where there is none. */
  #followMask(source: PictureSource, masks: Masks, sourceId: string): number {
    const { picture } = source;
    const before = masks.mask(sourceId);
    if (picture !== undefined && (source.version !== this.#version || before === undefined)) {
      masks.offer(sourceId, picture);
    }
    const mask = masks.mask(sourceId);
    if (mask === undefined) return 0;
    if (mask.version !== this.#maskVersion) this.#copyMask(mask.bytes);
    return mask.version;
  }

  #copyMask(bytes: Uint8Array): void {
    const gl = this.#gl;
    const { width, height } = MASK_SIZE;
    if (this.#mask === undefined) {
      this.#mask = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, this.#mask);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R8, width, height);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    }
    gl.bindTexture(gl.TEXTURE_2D, this.#mask);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RED, gl.UNSIGNED_BYTE, bytes);
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
