import type { Size } from "../../../document/transform.ts";
import { PASS_VERTEX, Shader } from "./shader.ts";

/**
 * Four bytes of an I420 picture for each pixel: luma, then both chromas at half size, BT.709 in its limited range. What is
 * drawn stands on its head, as GL has it.
 */
const PACK_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform sampler2D picture;
uniform vec2 size;
uniform float across;
out vec4 packed;
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
  readonly #shader: Shader;
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
    this.#shader = new Shader(gl, PASS_VERTEX, PACK_FRAGMENT);
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
    const rows = this.#rows;
    gl.viewport(0, 0, width, rows);
    gl.disable(gl.BLEND);
    this.#shader.use();
    this.#shader.set("size", width, height);
    this.#shader.set("across", width);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.enable(gl.BLEND);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
    gl.readPixels(0, 0, width, rows, gl.RGBA, gl.UNSIGNED_BYTE, 0);
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
    this.#shader[Symbol.dispose]();
    gl.deleteTexture(this.#copy);
    gl.deleteTexture(this.#packed);
    gl.deleteFramebuffer(this.#framebuffer);
    gl.deleteBuffer(this.#buffer);
  }

  /** Rows of packed pixels, as wide as the picture: one of four bytes each. */
  get #rows(): number {
    return Math.ceil((this.#height * 3) / 8);
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
    for (const [texture, format, kind, rows] of [
      // The canvas has no alpha, so neither has a copy of it.
      [this.#copy, gl.RGB8, gl.RGB, height],
      [this.#packed, gl.RGBA8, gl.RGBA, this.#rows],
    ] as const) {
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, format, width, rows, 0, kind, gl.UNSIGNED_BYTE, null);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#packed, 0);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, width * this.#rows * 4, gl.STREAM_READ);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  }
}
