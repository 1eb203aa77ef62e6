import { KliegError } from "@klieg/protocol";

/** A program of the GPU with its uniforms found once. */
export class Shader implements Disposable {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #uniforms = new Map<string, WebGLUniformLocation | null>();

  /** @throws KliegError `internal` where the GPU's compiler refuses it. */
  constructor(gl: WebGL2RenderingContext, vertex: string, fragment: string) {
    this.#gl = gl;
    const program = gl.createProgram();
    for (const [kind, text] of [
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ] as const) {
      const shader = gl.createShader(kind);
      // Null where the GPU is lost: then nothing is drawn until it is back.
      if (shader === null) continue;
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const log = gl.getProgramInfoLog(program) ?? "";
      gl.deleteProgram(program);
      throw new KliegError("internal", `The graphics card's compiler refused a shader: ${log}`);
    }
    this.#program = program;
  }

  use(): void {
    // biome-ignore lint/correctness/useHookAtTopLevel: WebGL's own name, not a hook of React
    this.#gl.useProgram(this.#program);
  }

  /** Sets a uniform of 1 to 4 floats of the program in use. */
  set(name: string, ...values: readonly number[]): void {
    const at = this.#at(name);
    const [x = 0, y = 0, z = 0, w = 0] = values;
    if (values.length === 1) this.#gl.uniform1f(at, x);
    else if (values.length === 2) this.#gl.uniform2f(at, x, y);
    else if (values.length === 3) this.#gl.uniform3f(at, x, y, z);
    else this.#gl.uniform4f(at, x, y, z, w);
  }

  /** Says which texture unit a sampler looks at. */
  setUnit(name: string, unit: number): void {
    this.#gl.uniform1i(this.#at(name), unit);
  }

  setArray(name: string, values: Float32Array): void {
    this.#gl.uniform1fv(this.#at(name), values);
  }

  [Symbol.dispose](): void {
    this.#gl.deleteProgram(this.#program);
  }

  #at(name: string): WebGLUniformLocation | null {
    let at = this.#uniforms.get(name);
    if (at === undefined) {
      at = this.#gl.getUniformLocation(this.#program, name);
      this.#uniforms.set(name, at);
    }
    return at;
  }
}

/** A rectangle of the canvas that turns about its middle; pixels go down from the top, as in every picture here. */
export const LAYER_VERTEX = `#version 300 es
uniform vec2 stage, middle, extent, turn;
uniform float pixel, flip;
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  at = corner * (extent + pixel);
  vec2 place = middle + vec2(at.x * turn.x - at.y * turn.y, at.x * turn.y + at.y * turn.x);
  gl_Position = vec4((place / stage * 2.0 - 1.0) * vec2(1.0, flip), 0.0, 1.0);
}`;

/** The part of a picture that is seen, premultiplied, with edges that are smooth where they are not on whole pixels. */
export const LAYER_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D picture;
uniform vec4 part;
uniform vec2 extent, inset;
uniform float pixel, opacity, mirror;
in vec2 at;
out vec4 colour;
void main() {
  vec2 share = clamp(at / extent * 0.5 + 0.5, 0.0, 1.0);
  share.x = mix(share.x, 1.0 - share.x, mirror);
  vec2 sampled = clamp(mix(part.xy, part.zw, share), part.xy + inset, part.zw - inset);
  vec2 edge = clamp((extent - abs(at)) / pixel + 0.5, 0.0, 1.0);
  colour = texture(picture, sampled) * (opacity * edge.x * edge.y);
}`;

/** Fills the target: for passes from picture to picture. */
export const PASS_VERTEX = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(at * 2.0 - 1.0, 0.0, 1.0);
}`;
