import { componentsOf } from "../../../document/colour.ts";
import type { VideoFilter } from "../../../document/filter.ts";
import { PASS_VERTEX, Shader } from "./shader.ts";
import {
  BEHIND_FRAGMENT,
  BLUR_FRAGMENT,
  BLUR_TAPS,
  CHROMA_KEY_FRAGMENT,
  COLOUR_FRAGMENT,
  COPY_FRAGMENT,
  PERSON_FRAGMENT,
  PERSON_OVER_FRAGMENT,
} from "./video-filter-shader.ts";

/** A picture on the GPU, premultiplied, first row on top. */
export interface Picture {
  readonly texture: WebGLTexture;
  readonly width: number;
  readonly height: number;
}

interface Target extends Picture {
  readonly framebuffer: WebGLFramebuffer;
}

type Pass = "chroma_key" | "colour" | "blur" | "copy" | "person" | "behind" | "person_over";

/** A Gaussian is cut off at so many standard deviations. */
const REACH = 2.5;
/** Targets kept for the next picture; more are let go. */
const KEPT_TARGETS = 8;

/** Applies video filters to a picture, each by a pass of its own. */
export class FilterPasses implements Disposable {
  readonly #gl: WebGL2RenderingContext;
  readonly #shaders: Readonly<Record<Pass, Shader>>;
  readonly #free: Target[] = [];
  readonly #lent = new Map<WebGLTexture, Target>();

  /** @throws KliegError `internal` where the GPU's compiler refuses a shader. */
  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#shaders = {
      chroma_key: new Shader(gl, PASS_VERTEX, CHROMA_KEY_FRAGMENT),
      colour: new Shader(gl, PASS_VERTEX, COLOUR_FRAGMENT),
      blur: new Shader(gl, PASS_VERTEX, BLUR_FRAGMENT),
      copy: new Shader(gl, PASS_VERTEX, COPY_FRAGMENT),
      person: new Shader(gl, PASS_VERTEX, PERSON_FRAGMENT),
      behind: new Shader(gl, PASS_VERTEX, BEHIND_FRAGMENT),
      person_over: new Shader(gl, PASS_VERTEX, PERSON_OVER_FRAGMENT),
    };
  }

  /**
   * The picture after all of `filters`; undefined where they leave it as it is. {@link release} it when it is not used any more.
   * @param mask where people are; undefined where that is not known: then all is what is behind them.
   */
  run(picture: Picture, filters: readonly VideoFilter[], mask?: WebGLTexture): Picture | undefined {
    const gl = this.#gl;
    gl.disable(gl.BLEND);
    let result: Target | undefined;
    for (const filter of filters) {
      const next = this.#apply(result ?? picture, filter, mask);
      if (next === undefined) continue;
      this.release(result);
      result = next;
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.enable(gl.BLEND);
    return result;
  }

  /** A target of `width` × `height` pixels, kept until it is {@link release}d. */
  borrow(width: number, height: number): Picture & { readonly framebuffer: WebGLFramebuffer } {
    const at = this.#free.findIndex((target) => target.width === width && target.height === height);
    const target = at === -1 ? this.#make(width, height) : this.#free.splice(at, 1)[0];
    if (target === undefined) throw new RangeError("there is no target where one was found");
    this.#lent.set(target.texture, target);
    return target;
  }

  release(picture: Picture | undefined): void {
    const target = picture === undefined ? undefined : this.#lent.get(picture.texture);
    if (target === undefined) return;
    this.#lent.delete(target.texture);
    this.#free.push(target);
    while (this.#free.length > KEPT_TARGETS) this.#drop(this.#free.shift());
  }

  [Symbol.dispose](): void {
    for (const shader of Object.values(this.#shaders)) shader[Symbol.dispose]();
    for (const target of [...this.#free, ...this.#lent.values()]) this.#drop(target);
    this.#free.length = 0;
    this.#lent.clear();
  }

  #apply(picture: Picture, filter: VideoFilter, mask: WebGLTexture | undefined): Target | undefined {
    switch (filter.kind) {
      case "chroma_key": {
        const [red, green, blue] = componentsOf(filter.key);
        return this.#pass("chroma_key", picture, picture.width, picture.height, (shader) => {
          shader.set("key", red, green, blue);
          shader.set("similarity", filter.similarity);
          shader.set("smoothness", filter.smoothness);
          shader.set("spill", filter.spill);
        });
      }
      case "colour":
        return this.#pass("colour", picture, picture.width, picture.height, (shader) => {
          shader.set("gamma", filter.gamma);
          shader.set("contrast", contrastFactor(filter.contrast));
          shader.set("brightness", filter.brightness);
          shader.set("saturation", 1 + filter.saturation);
          shader.set("hue", (filter.hue * Math.PI) / 180);
        });
      case "blur":
        return filter.radius < 0.3 ? undefined : this.#blur(picture, filter.radius);
      case "background_blur":
        if (filter.radius < 0.3) return undefined;
        return mask === undefined ? this.#blur(picture, filter.radius) : this.#blurBehind(picture, filter.radius, mask);
      case "background_removal":
        return mask === undefined ? this.#nothing(picture) : this.#masked("person", picture, mask);
    }
  }

  #blurBehind(picture: Picture, radius: number, mask: WebGLTexture): Target {
    const behind = this.#masked("behind", picture, mask);
    const blurred = this.#blur(behind, radius);
    this.release(behind);
    const whole = this.#masked("person_over", picture, mask, (shader) => {
      this.#bind(2, blurred.texture);
      shader.setUnit("behind", 2);
    });
    this.release(blurred);
    return whole;
  }

  #masked(
    name: "person" | "behind" | "person_over",
    picture: Picture,
    mask: WebGLTexture,
    prepare: (shader: Shader) => void = () => undefined,
  ): Target {
    return this.#pass(name, picture, picture.width, picture.height, (shader) => {
      this.#bind(1, mask);
      shader.setUnit("mask", 1);
      prepare(shader);
    });
  }

  #bind(unit: number, texture: WebGLTexture): void {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.activeTexture(gl.TEXTURE0);
  }

  #nothing({ width, height }: Picture): Target {
    const gl = this.#gl;
    const target = this.borrow(width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    return target;
  }

  /** A wide Gaussian is made of a smaller picture: nothing is left that the smaller one could not show. */
  #blur(picture: Picture, radius: number): Target {
    let small: Target | undefined;
    let deviation = radius;
    while (deviation * REACH > BLUR_TAPS) {
      const from: Picture = small ?? picture;
      const [width, height] = [Math.max(1, Math.round(from.width / 2)), Math.max(1, Math.round(from.height / 2))];
      const next = this.#pass("copy", from, width, height, () => undefined);
      this.release(small);
      small = next;
      deviation /= 2;
    }
    const weights = gaussian(deviation);
    const from: Picture = small ?? picture;
    const across = this.#pass("blur", from, from.width, from.height, (shader) => {
      shader.set("pace", 1 / from.width, 0);
      shader.setArray("weights", weights);
    });
    this.release(small);
    const both = this.#pass("blur", across, across.width, across.height, (shader) => {
      shader.set("pace", 0, 1 / across.height);
      shader.setArray("weights", weights);
    });
    this.release(across);
    return both;
  }

  #pass(name: Pass, from: Picture, width: number, height: number, prepare: (shader: Shader) => void): Target {
    const gl = this.#gl;
    const target = this.borrow(width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
    gl.viewport(0, 0, width, height);
    gl.bindTexture(gl.TEXTURE_2D, from.texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    const shader = this.#shaders[name];
    shader.use();
    prepare(shader);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return target;
  }

  #make(width: number, height: number): Target {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    return { texture, framebuffer, width, height };
  }

  #drop(target: Target | undefined): void {
    if (target === undefined) return;
    this.#gl.deleteFramebuffer(target.framebuffer);
    this.#gl.deleteTexture(target.texture);
  }
}

/** −1 leaves one grey, 0 changes nothing, 1 is four times the contrast. */
function contrastFactor(contrast: number): number {
  return contrast < 0 ? 1 + contrast : 1 + contrast * 3;
}

/** Of the middle tap and of those on either side; all together are one. */
function gaussian(deviation: number): Float32Array {
  const weights = Float32Array.from({ length: BLUR_TAPS + 1 }, (_, i) =>
    i > deviation * REACH + 1 ? 0 : Math.exp((-i * i) / (2 * deviation * deviation)),
  );
  const sum = weights.reduce((total, weight, i) => total + weight * (i === 0 ? 1 : 2), 0);
  return weights.map((weight) => weight / sum);
}
