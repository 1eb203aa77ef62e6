import type { Size } from "../../../document/transform.ts";
import { PASS_VERTEX, Shader } from "./shader.ts";

const HEAD = `#version 300 es
precision highp float;
precision highp int;
uniform sampler2D picture;
uniform vec2 size;
uniform float across;
out vec4 packed;
`;

/**
 * Four bytes of an I420 picture for each pixel: luma, then both chromas at half size, BT.709 in its limited range. What is
 * drawn stands on its head, as GL has it. For any even size; the two below are for sizes whose rows do not meet in a pixel.
 */
const PACK_FRAGMENT = `${HEAD}
float byteAt(int offset, ivec2 whole) {
  int lumas = whole.x * whole.y;
  if (offset < lumas) {
    int y = offset / whole.x;
    vec3 rgb = texelFetch(picture, ivec2(offset - y * whole.x, whole.y - 1 - y), 0).rgb;
    return (16.0 + 219.0 * dot(rgb, vec3(0.2126, 0.7152, 0.0722))) / 255.0;
  }
  offset -= lumas;
  int chromas = lumas / 4;
  bool red = offset >= chromas;
  if (red) offset -= chromas;
  int width = whole.x / 2;
  int y = offset / width;
  // Between four pixels: the mean of them.
  vec2 middle = vec2(float(2 * (offset - y * width) + 1), size.y - float(2 * y + 1));
  vec3 rgb = texture(picture, middle / size).rgb;
  vec3 weights = red ? vec3(0.5, -0.45415, -0.04585) : vec3(-0.11457, -0.38543, 0.5);
  return (128.0 + 224.0 * dot(rgb, weights)) / 255.0;
}
void main() {
  ivec2 whole = ivec2(size);
  int first = (int(gl_FragCoord.y) * int(across) + int(gl_FragCoord.x)) * 4;
  packed = vec4(byteAt(first, whole), byteAt(first + 1, whole), byteAt(first + 2, whole), byteAt(first + 3, whole));
}`;

/** Luma alone: a row of the target is one of the picture. */
const LUMA_FRAGMENT = `${HEAD}
const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722) * (219.0 / 255.0);
void main() {
  ivec2 at = ivec2(int(gl_FragCoord.x) * 4, int(size.y) - 1 - int(gl_FragCoord.y));
  packed = 16.0 / 255.0 + vec4(
    dot(texelFetch(picture, at, 0).rgb, LUMA),
    dot(texelFetch(picture, at + ivec2(1, 0), 0).rgb, LUMA),
    dot(texelFetch(picture, at + ivec2(2, 0), 0).rgb, LUMA),
    dot(texelFetch(picture, at + ivec2(3, 0), 0).rgb, LUMA)
  );
}`;

/** One chroma alone: a row of the target is two of it. `top` is the target's row where it begins. */
const CHROMA_FRAGMENT = `${HEAD}
uniform vec3 weights;
uniform float top;
void main() {
  float half_ = across / 2.0;
  float right = step(half_, gl_FragCoord.x);
  float column = (floor(gl_FragCoord.x) - right * half_) * 4.0;
  float row = (floor(gl_FragCoord.y) - top) * 2.0 + right;
  vec2 first = vec2(column * 2.0 + 1.0, size.y - row * 2.0 - 1.0) / size;
  float pace = 2.0 / size.x;
  packed = 128.0 / 255.0 + (224.0 / 255.0) * vec4(
    dot(texture(picture, first).rgb, weights),
    dot(texture(picture, first + vec2(pace, 0.0)).rgb, weights),
    dot(texture(picture, first + vec2(pace * 2.0, 0.0)).rgb, weights),
    dot(texture(picture, first + vec2(pace * 3.0, 0.0)).rgb, weights)
  );
}`;

/** BT.709's weights of red, green and blue in either chroma. */
const CB = [-0.11457, -0.38543, 0.5] as const;
const CR = [0.5, -0.45415, -0.04585] as const;

/** Colours of what {@link I420Reader} reads, as WebCodecs says it. */
export const I420_COLOURS: VideoColorSpaceInit = {
  primaries: "bt709",
  transfer: "bt709",
  matrix: "bt709",
  fullRange: false,
};

/** Bytes of an I420 picture without padding; both sides are even. */
export function i420Size({ width, height }: Size): number {
  return (width * height * 3) / 2;
}

/** Reads what is drawn in the canvas as I420: converted on the GPU, and fetched while others work. */
export class I420Reader implements Disposable {
  readonly #gl: WebGL2RenderingContext;
  readonly #any: Shader;
  readonly #luma: Shader;
  readonly #chroma: Shader;
  readonly #copy: WebGLTexture;
  readonly #packed: WebGLTexture;
  readonly #framebuffer: WebGLFramebuffer;
  readonly #buffer: WebGLBuffer;
  #width = 0;
  #height = 0;
  #fence: WebGLSync | null = null;

  /** @throws KliegError `internal` where the GPU's compiler refuses the shader. */
  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#any = new Shader(gl, PASS_VERTEX, PACK_FRAGMENT);
    this.#luma = new Shader(gl, PASS_VERTEX, LUMA_FRAGMENT);
    this.#chroma = new Shader(gl, PASS_VERTEX, CHROMA_FRAGMENT);
    this.#copy = gl.createTexture();
    this.#packed = gl.createTexture();
    this.#framebuffer = gl.createFramebuffer();
    this.#buffer = gl.createBuffer();
  }

  /** Begins to read all of the canvas. What was begun before and not {@link read} is lost. */
  begin(size: Size): void {
    const gl = this.#gl;
    this.#drop();
    this.#fit(size);
    const { width, height } = size;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindTexture(gl.TEXTURE_2D, this.#copy);
    gl.copyTexSubImage2D(gl.TEXTURE_2D, 0, 0, 0, 0, 0, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
    gl.disable(gl.BLEND);
    const { width: across, height: rows } = this.#target;
    if (this.#aligned) {
      this.#pass(this.#luma, 0, height);
      for (const [i, weights] of [CB, CR].entries()) {
        const top = height + (i * height) / 4;
        this.#pass(this.#chroma, top, height / 4, (shader) => {
          shader.set("weights", ...weights);
          shader.set("top", top);
        });
      }
    } else {
      this.#pass(this.#any, 0, rows);
    }
    gl.enable(gl.BLEND);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
    gl.readPixels(0, 0, across, rows, gl.RGBA, gl.UNSIGNED_BYTE, 0);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    this.#fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
  }

  /** Whether what was begun can be {@link read} without waiting for the GPU. */
  get ready(): boolean {
    const gl = this.#gl;
    if (this.#fence === null) return false;
    const state = gl.clientWaitSync(this.#fence, 0, 0);
    return state !== gl.TIMEOUT_EXPIRED;
  }

  /** Reads what was begun, and waits for it if it has to. @param into as large as {@link i420Size} says. */
  read(into: Uint8Array<ArrayBuffer>): void {
    const gl = this.#gl;
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, into);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    this.#drop();
  }

  [Symbol.dispose](): void {
    const gl = this.#gl;
    this.#drop();
    for (const shader of [this.#any, this.#luma, this.#chroma]) shader[Symbol.dispose]();
    gl.deleteTexture(this.#copy);
    gl.deleteTexture(this.#packed);
    gl.deleteFramebuffer(this.#framebuffer);
    gl.deleteBuffer(this.#buffer);
  }

  /** Whether rows of each plane begin at whole pixels of the target. */
  get #aligned(): boolean {
    return this.#width % 8 === 0 && this.#height % 4 === 0;
  }

  /** Size of the packed picture, pixels of four bytes: as many as it takes, and up to a row more. */
  get #target(): Size {
    const [width, height] = [this.#width, this.#height];
    return this.#aligned
      ? { width: width / 4, height: (height * 3) / 2 }
      : { width, height: Math.ceil((height * 3) / 8) };
  }

  /** Fills rows of the packed picture. */
  #pass(shader: Shader, top: number, rows: number, prepare: (shader: Shader) => void = () => undefined): void {
    const gl = this.#gl;
    const { width } = this.#target;
    gl.viewport(0, top, width, rows);
    shader.use();
    shader.set("size", this.#width, this.#height);
    shader.set("across", width);
    prepare(shader);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  #drop(): void {
    this.#gl.deleteSync(this.#fence);
    this.#fence = null;
  }

  #fit({ width, height }: Size): void {
    if (width === this.#width && height === this.#height) return;
    const gl = this.#gl;
    this.#width = width;
    this.#height = height;
    const target = this.#target;
    for (const [texture, format, kind, across, rows] of [
      // The canvas has no alpha, so neither has a copy of it.
      [this.#copy, gl.RGB8, gl.RGB, width, height],
      [this.#packed, gl.RGBA8, gl.RGBA, target.width, target.height],
    ] as const) {
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, format, across, rows, 0, kind, gl.UNSIGNED_BYTE, null);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#packed, 0);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, target.width * target.height * 4, gl.STREAM_READ);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  }
}
