import { KliegError } from "@klieg/protocol";
import { findsPeople } from "../../../document/filter.ts";
import type { Scene } from "../../../document/scene.ts";
import type { Source } from "../../../document/source.ts";
import type { StudioDocument } from "../../../document/studio-document.ts";
import { filling, NO_CROP, type Size } from "../../../document/transform.ts";
import { type ProgramClock, programClock } from "../program-clock.ts";
import { PersonMasks } from "../segmentation/person-masks.ts";
import type { CompositorProblem, FromCompositor, ToCompositor } from "./compositor-message.ts";
import type { SourceStatistics } from "./compositor-statistics.ts";
import { i420Size } from "./i420-reader.ts";
import { type Mix, OnAir } from "./on-air.ts";
import { Pacer } from "./pacer.ts";
import { PictureSource } from "./picture-source.ts";
import { ProgramOutput } from "./program-output.ts";
import { type Layer, layersOf } from "./scene-layout.ts";
import { type StagePicture, StageRenderer } from "./stage-renderer.ts";
import { View } from "./view.ts";

/** Pictures of scenes' thumbnails are so far apart, µs. */
const THUMBNAIL_PAUSE = 200_000;
/** Views are left out of a picture when the program alone has taken this share of the time there is, but never this often in a row. */
const BUSY_SHARE = 0.6;
const VIEWS_LEFT_OUT = 4;
const STATISTICS_MS = 1000;
/** A context that was lost is given so long to come back by itself; then another canvas is tried, again and again. ms. */
const RESTORE_MS = 2000;
/** How often it is looked whether the GPU has a picture ready, ms. */
const READ_CHECK_MS = 2;

/** Where a scene that slides in is at first: so many of its own sizes to the left, and above. */
const COMES_FROM = {
  left: { x: 1, y: 0 },
  right: { x: -1, y: 0 },
  top: { x: 0, y: 1 },
  bottom: { x: 0, y: -1 },
} as const;

type Post = (message: FromCompositor, transfer?: readonly Transferable[]) => void;

/** All that the compositor's worker does: takes pictures in, draws scenes at the program's pace, and hands them on. */
export class CompositorThread {
  readonly #post: Post;
  readonly #pictures = new Map<string, PictureSource>();
  readonly #views = new Map<number, View>();
  readonly #onAir = new OnAir();
  readonly #output: ProgramOutput;
  readonly #masks: PersonMasks;
  #clock: ProgramClock = programClock();
  #renderer: StageRenderer | undefined;
  /** Ends when another canvas takes the place of the one that is drawn in. */
  #canvasGone = new AbortController();
  #restoreTimer: ReturnType<typeof setTimeout> | undefined;
  #pacer: Pacer | undefined;
  #statisticsTimer: ReturnType<typeof setInterval> | undefined;
  #document: StudioDocument | undefined;
  #documentVersion = 0;
  #scenes = new Map<string, Scene>();
  #sources = new Map<string, Source>();
  #stages = new Map<string, StagePicture>();
  #seen = true;
  #viewsLeftOut = 0;
  /** Names what of the program was drawn last, and what the canvas has now. */
  #programState = "";
  #painted = "";
  /** The picture of the program that is being read from the GPU. */
  #reading: { readonly timestamp: number; readonly size: number } | undefined;
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  #i420 = new Uint8Array(0);
  #inTransition = false;

  #pictureCount = 0;
  #renderMs = 0;
  #longestRenderMs = 0;
  #missed = 0;

  constructor(post: Post) {
    this.#post = post;
    this.#output = new ProgramOutput({
      onMessage: (message) => post({ type: "media", message }, [message.buffer]),
      onEncoder: (encoder, insteadOf) => post({ type: "encoder", encoder, insteadOf }),
      onProblem: (problem) => this.#problem(problem),
    });
    this.#masks = new PersonMasks({ onState: (segmentation) => post({ type: "segmentation", segmentation }) });
  }

  receive(message: ToCompositor): void {
    switch (message.type) {
      case "begin":
        this.#begin(message.epoch);
        break;
      case "document":
        this.#follow(message.document);
        break;
      case "take":
        this.#onAir.take(message.scene, message.transition, this.#clock.now());
        break;
      case "frames":
        this.#picture(message.source).follow(message.frames);
        break;
      case "still":
        this.#picture(message.source).show(message.still, message.placeholder);
        break;
      case "no_picture":
        this.#forget(message.source);
        break;
      case "show":
        this.#views.set(message.view, new View(message.target, message.canvas));
        break;
      case "resize":
        this.#views.get(message.view)?.resize(message.width, message.height);
        break;
      case "hide":
        this.#views.delete(message.view);
        break;
      case "seen":
        this.#seen = message.seen;
        break;
      case "encode":
        this.#output.encode(message.encoding, this.#shape(), this.#renderer?.card ?? "");
        break;
      case "bitrate":
        this.#output.setBitrate(message.bitrate);
        break;
      case "keyframe":
        this.#output.forceKeyframe();
        break;
      case "congested":
        this.#output.congested = message.congested;
        break;
      case "track":
        this.#output.feed(message.frames);
        break;
      case "close":
        this.#close();
        break;
    }
  }

  #begin(epoch: number): void {
    this.#clock = programClock(epoch);
    try {
      this.#openCanvas();
    } catch (error) {
      this.#problem({ kind: "no_webgl", error: KliegError.from(error).toBody().error });
    }
    this.#pacer = new Pacer(this.#clock, 30, (timestamp, missed) => this.#draw(timestamp, missed));
    this.#statisticsTimer = setInterval(() => this.#tell(), STATISTICS_MS);
  }

  /** @throws KliegError where there is no WebGL, or not now. */
  #openCanvas(): void {
    this.#canvasGone.abort();
    this.#canvasGone = new AbortController();
    const { signal } = this.#canvasGone;
    const canvas = new OffscreenCanvas(16, 16);
    canvas.addEventListener("webglcontextlost", (event) => this.#lost(event), { signal });
    canvas.addEventListener("webglcontextrestored", () => this.#restored(canvas), { signal });
    this.#render(canvas);
  }

  #render(canvas: OffscreenCanvas): void {
    this.#renderer = undefined;
    const renderer = new StageRenderer(canvas, this.#masks);
    this.#renderer = renderer;
    this.#programState = "";
    this.#painted = "";
    if (this.#document !== undefined) renderer.resize(this.#document.canvas);
  }

  /** The last picture is repeated meanwhile; what was being read is lost. */
  #lost(event: Event): void {
    event.preventDefault();
    clearTimeout(this.#readTimer);
    this.#reading = undefined;
    const error = new KliegError(
      "encoder_unavailable",
      "The graphics card was reset. Pictures come back when it does.",
    );
    this.#problem({ kind: "gpu_lost", error: error.toBody().error });
    this.#awaitRestoring();
  }

  /** A browser that lost its whole GPU process does not always give a context back, but a new one. */
  #awaitRestoring(): void {
    clearTimeout(this.#restoreTimer);
    this.#restoreTimer = setTimeout(() => {
      try {
        this.#openCanvas();
        if (this.#renderer?.lost === false) this.#drawAnew();
        else this.#awaitRestoring();
      } catch {
        // Not yet: its user knows that the card was reset.
        this.#awaitRestoring();
      }
    }, RESTORE_MS);
  }

  #restored(canvas: OffscreenCanvas): void {
    try {
      this.#render(canvas);
      this.#drawAnew();
    } catch {
      this.#awaitRestoring();
    }
  }

  #drawAnew(): void {
    clearTimeout(this.#restoreTimer);
    for (const view of this.#views.values()) view.forget();
    this.#post({ type: "restored" });
  }

  #close(): void {
    this.#pacer?.[Symbol.dispose]();
    clearInterval(this.#statisticsTimer);
    clearTimeout(this.#readTimer);
    clearTimeout(this.#restoreTimer);
    this.#canvasGone.abort();
    this.#masks[Symbol.dispose]();
    this.#output[Symbol.dispose]();
    for (const picture of this.#pictures.values()) picture[Symbol.dispose]();
    this.#pictures.clear();
    this.#views.clear();
    this.#renderer?.[Symbol.dispose]();
    this.#renderer = undefined;
    this.#post({ type: "closed" });
  }

  #follow(document: StudioDocument): void {
    const before = this.#document;
    this.#document = document;
    this.#documentVersion += 1;
    this.#scenes = new Map(document.scenes.map((scene) => [scene.id, scene]));
    this.#sources = new Map(document.sources.map((source) => [source.id, source]));
    this.#stages.clear();
    this.#onAir.follow(document.program);
    this.#renderer?.forget(new Set(this.#sources.keys()));
    const masked = document.sources.filter((source) => "filters" in source && source.filters.some(findsPeople));
    this.#masks.keep(new Set(masked.map(({ id }) => id)));
    const { width, height, frame_rate } = document.canvas;
    const pacer = this.#pacer;
    if (pacer !== undefined) pacer.frameRate = frame_rate;
    const shapeChanged =
      before === undefined ||
      before.canvas.width !== width ||
      before.canvas.height !== height ||
      before.canvas.frame_rate !== frame_rate;
    if (!shapeChanged) return;
    clearTimeout(this.#readTimer);
    this.#reading = undefined;
    this.#programState = "";
    this.#painted = "";
    this.#renderer?.resize(document.canvas);
    this.#output.reshape(this.#shape());
  }

  #shape(): { width: number; height: number; frameRate: number } {
    const { width, height, frame_rate } = this.#document?.canvas ?? { width: 1280, height: 720, frame_rate: 30 };
    return { width, height, frameRate: frame_rate };
  }

  #picture(sourceId: string): PictureSource {
    let picture = this.#pictures.get(sourceId);
    if (picture === undefined) {
      picture = new PictureSource((width, height) => {
        this.#stages.clear();
        this.#post({ type: "size", source: sourceId, width, height });
      });
      this.#pictures.set(sourceId, picture);
    }
    return picture;
  }

  #forget(sourceId: string): void {
    this.#pictures.get(sourceId)?.[Symbol.dispose]();
    this.#pictures.delete(sourceId);
    this.#stages.clear();
    // What shows it has to be drawn again without it.
    this.#documentVersion += 1;
  }

  #draw(timestamp: number, missed: number): void {
    this.#missed += missed;
    this.#pictureCount += 1;
    const document = this.#document;
    const renderer = this.#renderer;
    if (document === undefined) return;
    const started = performance.now();
    this.#finishReading();
    const mix = this.#onAir.mixAt(timestamp);
    if ((mix !== undefined) !== this.#inTransition) {
      this.#inTransition = mix !== undefined;
      this.#post({ type: "transition", running: this.#inTransition });
    }
    if (renderer !== undefined && !renderer.lost) this.#drawProgram(renderer, document, mix, timestamp);
    else this.#output.repeat(timestamp);
    const programMs = performance.now() - started;
    this.#renderMs += programMs;
    this.#longestRenderMs = Math.max(this.#longestRenderMs, programMs);
    const budget = 1000 / document.canvas.frame_rate;
    if (!this.#seen || renderer === undefined || renderer.lost || this.#views.size === 0) return;
    if (missed + (programMs > budget * BUSY_SHARE ? 1 : 0) > 0 && this.#viewsLeftOut < VIEWS_LEFT_OUT) {
      this.#viewsLeftOut += 1;
      return;
    }
    this.#viewsLeftOut = 0;
    for (const view of this.#views.values()) this.#drawView(renderer, document, view, mix, timestamp);
  }

  #drawProgram(renderer: StageRenderer, document: StudioDocument, mix: Mix | undefined, timestamp: number): void {
    const stage = this.#stage(this.#onAir.scene);
    const shown = this.#seen && [...this.#views.values()].some(({ target }) => target === "program");
    if (stage === undefined || !(this.#output.wanted || shown)) {
      this.#output.forget();
      this.#programState = "";
      return;
    }
    const state = mix === undefined ? this.#stateOf(this.#onAir.scene, stage) : `mix ${timestamp}`;
    const same = state === this.#programState;
    this.#programState = state;
    if (!this.#output.wanted) {
      this.#output.forget();
      if (!same) this.#paintProgram(renderer, document, mix, stage);
      return;
    }
    if (same && this.#output.repeat(timestamp)) return;
    if (!same || this.#painted !== state) this.#paintProgram(renderer, document, mix, stage);
    renderer.reader.begin(document.canvas);
    this.#reading = { timestamp, size: i420Size(document.canvas) };
    this.#readTimer = setTimeout(() => this.#readWhenReady(), READ_CHECK_MS);
  }

  #paintProgram(renderer: StageRenderer, document: StudioDocument, mix: Mix | undefined, stage: StagePicture): void {
    this.#painted = this.#programState;
    const into = document.canvas;
    const old = mix === undefined ? undefined : this.#stage(mix.from);
    if (mix === undefined || old === undefined) {
      renderer.draw(stage, this.#pictures, into);
    } else if (mix.transition.kind === "slide") {
      const { x, y } = COMES_FROM[mix.transition.from];
      renderer.draw(old, this.#pictures, into, { x: x * mix.progress, y: y * mix.progress });
      const left = mix.progress - 1;
      renderer.draw(stage, this.#pictures, into, { x: x * left, y: y * left }, true);
    } else {
      renderer.draw(old, this.#pictures, into);
      renderer.drawOver(stage, this.#pictures, into, mix.progress);
    }
  }

  #readWhenReady(): void {
    if (this.#reading === undefined) return;
    if (this.#renderer?.lost === false && !this.#renderer.reader.ready) {
      this.#readTimer = setTimeout(() => this.#readWhenReady(), READ_CHECK_MS);
    } else {
      this.#finishReading();
    }
  }

  /** Hands on the picture that is being read, and waits for it if it has to. */
  #finishReading(): void {
    clearTimeout(this.#readTimer);
    const reading = this.#reading;
    this.#reading = undefined;
    const renderer = this.#renderer;
    if (reading === undefined || renderer === undefined || renderer.lost) return;
    const started = performance.now();
    if (this.#i420.length !== reading.size) this.#i420 = new Uint8Array(reading.size);
    renderer.reader.read(this.#i420);
    this.#output.take(this.#i420, reading.timestamp);
    this.#renderMs += performance.now() - started;
  }

  #drawView(renderer: StageRenderer, document: StudioDocument, view: View, mix: Mix | undefined, now: number): void {
    const { target } = view;
    const scene = target === "preview" ? document.preview : target;
    const whole = document.canvas;
    if (target === "program" || (scene === this.#onAir.scene && mix === undefined && target === "preview")) {
      const stage = this.#stage(this.#onAir.scene);
      if (stage === undefined) return;
      // What is on air may not be drawn otherwise, where only the preview is looked at.
      if (mix === undefined) this.#programState ||= this.#stateOf(this.#onAir.scene, stage);
      const state = this.#programState;
      if (!view.wants(state, now, 0)) return;
      if (this.#painted !== state) this.#paintProgram(renderer, document, mix, stage);
      view.draw(renderer.canvas, whole, state, now);
      return;
    }
    const sourceId = target.startsWith("source:") ? target.slice("source:".length) : undefined;
    const stage = sourceId === undefined ? this.#stage(scene) : this.#sourceStage(sourceId, view.size, document);
    if (stage === undefined) return;
    const pause = sourceId === undefined && target !== "preview" ? THUMBNAIL_PAUSE : 0;
    const state = this.#stateOf(target, stage);
    if (!view.wants(state, now, pause)) return;
    // No larger than the program's canvas, which everything is drawn in.
    const scale = Math.min(1, whole.width / view.size.width, whole.height / view.size.height);
    const into: Size = {
      width: Math.max(1, Math.round(view.size.width * scale)),
      height: Math.max(1, Math.round(view.size.height * scale)),
    };
    renderer.draw(stage, this.#pictures, into);
    this.#painted = "";
    view.draw(renderer.canvas, into, state, now);
  }

  /** Names what is to be seen of a scene: another name as soon as any of its pictures is a new one. */
  #stateOf(name: string, stage: StagePicture): string {
    let versions = 0;
    for (const { source } of stage.layers) {
      versions += (this.#pictures.get(source.id)?.version ?? 0) + (this.#masks.mask(source.id)?.version ?? 0);
    }
    return `${name} ${this.#documentVersion} ${this.#masks.generation} ${stage.layers.length} ${versions}`;
  }

  #stage(sceneId: string): StagePicture | undefined {
    const document = this.#document;
    const scene = this.#scenes.get(sceneId);
    if (document === undefined || scene === undefined) return undefined;
    let stage = this.#stages.get(sceneId);
    if (stage === undefined) {
      const layers = layersOf(scene, this.#sources, document.canvas, (id) => this.#pictures.get(id));
      stage = { layers, background: document.canvas.background, canvas: document.canvas };
      this.#stages.set(sceneId, stage);
    }
    return stage;
  }

  /** One source alone, as large as it fits. */
  #sourceStage(sourceId: string, size: Size, document: StudioDocument): StagePicture | undefined {
    const source = this.#sources.get(sourceId);
    const picture = this.#pictures.get(sourceId);
    if (source === undefined) return undefined;
    const natural = source.kind === "colour" ? size : picture;
    if (natural === undefined || natural.width === 0) return undefined;
    const { x, y, width, height } = filling(size);
    const scale = Math.min(width / natural.width, height / natural.height);
    const layer: Layer = {
      source,
      opacity: 1,
      x,
      y,
      width: natural.width * scale,
      height: natural.height * scale,
      rotation: 0,
      mirrored: false,
      part: NO_CROP,
    };
    return { layers: [layer], background: document.canvas.background, canvas: size };
  }

  #tell(): void {
    const seconds = STATISTICS_MS / 1000;
    const sources: SourceStatistics[] = [];
    for (const [sourceId, picture] of this.#pictures) {
      sources.push({ sourceId, frameRate: picture.takeArrived() / seconds });
    }
    const pictures = this.#pictureCount;
    this.#post({
      type: "statistics",
      statistics: {
        ...this.#output.takeStatistics(seconds),
        renderFrameRate: pictures / seconds,
        wantedFrameRate: this.#shape().frameRate,
        renderMs: pictures === 0 ? 0 : this.#renderMs / pictures,
        longestRenderMs: this.#longestRenderMs,
        sources,
        dropped: { render: this.#missed, ...this.#output.dropped },
      },
    });
    this.#pictureCount = 0;
    this.#renderMs = 0;
    this.#longestRenderMs = 0;
  }

  #problem(problem: CompositorProblem): void {
    this.#post({ type: "problem", problem });
  }
}
