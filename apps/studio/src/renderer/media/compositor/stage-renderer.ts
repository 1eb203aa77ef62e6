import { KliegError } from "@klieg/protocol";
import { type Colour, componentsOf } from "../../../document/colour.ts";
import type { VideoFilter } from "../../../document/filter.ts";
import type { Source } from "../../../document/source.ts";
import { NO_CROP, type Point, type Size } from "../../../document/transform.ts";
import { FilterPasses, type Picture } from "./filter-passes.ts";
import { I420Reader } from "./i420-reader.ts";
import type { PictureSource } from "./picture-source.ts";
import type { Layer } from "./scene-layout.ts";
import { LAYER_FRAGMENT, LAYER_VERTEX, Shader } from "./shader.ts";
import { type Masks, SourceTexture } from "./source-texture.ts";

/** A scene ready to be drawn. */
export interface StagePicture {
  readonly layers: readonly Layer[];
  readonly background: Colour;
  /** In which the layers' places are, pixels. */
  readonly canvas: Size;
}

type Pictures = ReadonlyMap<string, PictureSource>;

const NO_FILTERS: readonly VideoFilter[] = [];

/** Draws scenes by WebGL2. It has one canvas, and draws one picture after another into its upper left corner. */
export class StageRenderer implements Disposable {
  readonly canvas: OffscreenCanvas;
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: Shader;
  readonly #passes: FilterPasses;
  readonly #masks: Masks;
  /** Reads what {@link draw} left in the canvas. */
  readonly reader: I420Reader;
  readonly #textures = new Map<string, SourceTexture>();
  readonly #colours = new Map<Colour, WebGLTexture>();
  readonly #filteredColours = new Map<string, FilteredColour>();
  readonly #enabled = new WeakMap<readonly VideoFilter[], readonly VideoFilter[]>();

  /** @throws KliegError `encoder_unavailable` without WebGL2. */
  constructor(canvas: OffscreenCanvas, masks: Masks) {
    const gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      depth: false,
      stencil: false,
      // What is drawn is looked at more than once: by the encoder, and by views.
      preserveDrawingBuffer: true,
      powerPreference: "high-performance",
    });
    if (gl === null)
      throw new KliegError("encoder_unavailable", "This browser has no WebGL 2 to compose pictures with.");
    this.canvas = canvas;
    this.#masks = masks;
    this.#gl = gl;
    this.#layer = new Shader(gl, LAYER_VERTEX, LAYER_FRAGMENT);
    this.#passes = new FilterPasses(gl);
    this.reader = new I420Reader(gl);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
  }

  get lost(): boolean {
    return this.#gl.isContextLost();
  }

  /** What the graphics card calls itself; empty where the browser does not say. */
  get card(): string {
    const info = this.#gl.getExtension("WEBGL_debug_renderer_info");
    return info === null ? "" : String(this.#gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
  }

  /** The canvas exactly as large, as a picture of all of it has to be. */
  resize({ width, height }: Size): void {
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  /**
   * Draws a scene. @param into size of what it is drawn to, pixels. @param shift moves the scene by that share of it, for
   * what slides. @param keep whether what was drawn before stays beside it.
   */
  draw(stage: StagePicture, pictures: Pictures, into: Size, shift = { x: 0, y: 0 }, keep = false): void {
    // The corner of the canvas that people call upper left; GL counts from below.
    const corner = { x: 0, y: this.canvas.height - into.height };
    const at = { x: Math.round(shift.x * into.width), y: corner.y - Math.round(shift.y * into.height) };
    this.#scene(stage, pictures, { size: into, at, clear: keep ? at : corner, flip: -1, framebuffer: null });
  }

  /** Draws a scene over what is there. @param opacity 0 to 1. */
  drawOver(stage: StagePicture, pictures: Pictures, into: Size, opacity: number): void {
    const gl = this.#gl;
    const whole = this.#passes.borrow(into.width, into.height);
    const at = { x: 0, y: 0 };
    this.#scene(stage, pictures, { size: into, at, clear: at, flip: 1, framebuffer: whole.framebuffer });
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, this.canvas.height - into.height, into.width, into.height);
    this.#layer.set("stage", into.width, into.height);
    this.#layer.set("pixel", 1);
    this.#layer.set("flip", -1);
    const { width, height } = into;
    const place = { x: width / 2, y: height / 2, width, height, rotation: 0, mirrored: false };
    this.#place({ ...place, picture: whole, part: NO_CROP, opacity });
    this.#passes.release(whole);
  }

  /** Lets go of what was kept for sources that are not there any more. */
  forget(sourceIds: ReadonlySet<string>): void {
    for (const [id, texture] of this.#textures) {
      if (sourceIds.has(id)) continue;
      texture.release(this.#passes);
      texture[Symbol.dispose]();
      this.#textures.delete(id);
    }
    for (const [id, { picture }] of this.#filteredColours) {
      if (sourceIds.has(id)) continue;
      this.#passes.release(picture);
      this.#filteredColours.delete(id);
    }
  }

  [Symbol.dispose](): void {
    for (const texture of this.#textures.values()) texture[Symbol.dispose]();
    this.#textures.clear();
    for (const texture of this.#colours.values()) this.#gl.deleteTexture(texture);
    this.#colours.clear();
    this.#passes[Symbol.dispose]();
    this.reader[Symbol.dispose]();
    this.#layer[Symbol.dispose]();
    // Not lost by itself where somebody still holds the canvas; a browser has only some sixteen contexts.
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #scene(stage: StagePicture, pictures: Pictures, into: Target): void {
    const gl = this.#gl;
    // Before anything is drawn, since filters draw too.
    const ready = this.#ready(stage, pictures);
    const { width, height } = into.size;
    gl.bindFramebuffer(gl.FRAMEBUFFER, into.framebuffer);
    gl.viewport(into.at.x, into.at.y, width, height);
    const [red, green, blue] = componentsOf(stage.background);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(into.clear.x, into.clear.y, width, height);
    gl.clearColor(red, green, blue, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.disable(gl.SCISSOR_TEST);
    this.#layer.use();
    this.#layer.set("stage", stage.canvas.width, stage.canvas.height);
    this.#layer.set("pixel", stage.canvas.width / width);
    this.#layer.set("flip", into.flip);
    for (const layer of ready) this.#place(layer);
  }

  /** The layers' pictures, copied to the GPU and filtered where they are new. */
  #ready(stage: StagePicture, pictures: Pictures): PlacedPicture[] {
    const ready: PlacedPicture[] = [];
    for (const layer of stage.layers) {
      const picture = this.#pictureOf(layer, pictures);
      if (picture !== undefined) ready.push({ ...layer, picture });
    }
    return ready;
  }

  #pictureOf(layer: Layer, pictures: Pictures): Picture | undefined {
    const { source } = layer;
    const filters = this.#filtersOf(source);
    if (source.kind === "colour") return this.#colourOf(source, filters);
    const pictureSource = pictures.get(source.id);
    if (pictureSource === undefined) return undefined;
    let texture = this.#textures.get(source.id);
    if (texture === undefined) {
      if (pictureSource.picture === undefined) return undefined;
      texture = new SourceTexture(this.#gl);
      this.#textures.set(source.id, texture);
    }
    const seen = pictureSource.width * (1 - layer.part.left - layer.part.right);
    const small = layer.width * 2 < seen;
    const picture = texture.take(pictureSource, filters, this.#passes, small, this.#masks, source.id);
    return texture.empty ? undefined : picture;
  }

  #filtersOf(source: Source): readonly VideoFilter[] {
    if (!("filters" in source) || source.filters.length === 0) return NO_FILTERS;
    let enabled = this.#enabled.get(source.filters);
    if (enabled === undefined) {
      enabled = source.filters.filter((filter) => filter.enabled);
      this.#enabled.set(source.filters, enabled);
    }
    return enabled;
  }

  #colourOf(source: Extract<Source, { kind: "colour" }>, filters: readonly VideoFilter[]): Picture {
    const plain = { texture: this.#colour(source.colour), width: 1, height: 1 };
    const before = this.#filteredColours.get(source.id);
    if (before?.colour === source.colour && before.filters === filters) return before.picture ?? plain;
    this.#passes.release(before?.picture);
    const picture = filters.length === 0 ? undefined : this.#passes.run(plain, filters);
    this.#filteredColours.set(source.id, { colour: source.colour, filters, picture });
    return picture ?? plain;
  }

  #colour(colour: Colour): WebGLTexture {
    let texture = this.#colours.get(colour);
    if (texture === undefined) {
      const gl = this.#gl;
      texture = gl.createTexture();
      const [red, green, blue, alpha] = componentsOf(colour);
      const bytes = Uint8Array.from([red * alpha, green * alpha, blue * alpha, alpha], (share) =>
        Math.round(share * 255),
      );
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      this.#colours.set(colour, texture);
      // A colour that is being picked passes through many.
      if (this.#colours.size > 64) {
        const [oldest] = this.#colours.keys();
        if (oldest !== undefined) {
          gl.deleteTexture(this.#colours.get(oldest) ?? null);
          this.#colours.delete(oldest);
        }
      }
    }
    return texture;
  }

  #place(layer: PlacedPicture): void {
    const gl = this.#gl;
    const shader = this.#layer;
    const angle = (layer.rotation * Math.PI) / 180;
    const { part, picture } = layer;
    gl.bindTexture(gl.TEXTURE_2D, picture.texture);
    shader.set("middle", layer.x, layer.y);
    shader.set("extent", layer.width / 2, layer.height / 2);
    shader.set("turn", Math.cos(angle), Math.sin(angle));
    shader.set("part", part.left, part.top, 1 - part.right, 1 - part.bottom);
    shader.set("inset", 0.5 / picture.width, 0.5 / picture.height);
    shader.set("opacity", layer.opacity);
    shader.set("mirror", layer.mirrored ? 1 : 0);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}

type PlacedPicture = Omit<Layer, "source"> & { readonly picture: Picture };

interface FilteredColour {
  readonly colour: Colour;
  readonly filters: readonly VideoFilter[];
  readonly picture: Picture | undefined;
}

/** Where a scene is drawn to, pixels as GL counts them, from below. */
interface Target {
  readonly size: Size;
  readonly at: Point;
  /** Corner of what is cleared, of the same size. */
  readonly clear: Point;
  /** 1 where the first row is to be the lowest, as in textures. */
  readonly flip: 1 | -1;
  readonly framebuffer: WebGLFramebuffer | null;
}
