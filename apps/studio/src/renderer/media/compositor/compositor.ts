import { type ErrorBody, KliegError } from "@klieg/protocol";
import type { Transition } from "../../../document/scene.ts";
import type { StudioDocument } from "../../../document/studio-document.ts";
import type { ProgramClock } from "../program-clock.ts";
import type { SegmentationState } from "../segmentation/person-masks.ts";
import type {
  CompositorProblem,
  FromCompositor,
  ProgramEncoding,
  ToCompositor,
  ViewTarget,
} from "./compositor-message.ts";
import type { CompositorStatistics, EncoderInUse } from "./compositor-statistics.ts";

/** A picture of a source as its capture hands it on; it belongs to the compositor from then on. */
export type SourcePicture =
  | { readonly kind: "track"; readonly track: MediaStreamTrack }
  | { readonly kind: "still"; readonly still: ImageBitmap; readonly placeholder: boolean };

export interface CompositorEvents {
  /** Messages of `studio-program.ts` while the program is encoded. */
  readonly onMedia: (message: Uint8Array<ArrayBuffer>) => void;
  /** The natural size of a source's picture, pixels. */
  readonly onSize: (sourceId: string, width: number, height: number) => void;
}

/** No view has more pixels on a side. */
const LONGEST_SIDE = 7680;

/** The page's end of the worker that draws and encodes the program. */
export class Compositor implements Disposable {
  readonly #worker: Worker;
  readonly #events: CompositorEvents;
  /** Held while their pictures are followed: the browser ends what nobody holds. */
  readonly #followed = new Map<string, MediaStreamTrackProcessor<VideoFrame>>();
  readonly #tracks = new Map<string, MediaStreamTrack>();
  readonly #observers = new Set<ResizeObserver>();
  readonly #onStatistics = new Set<(statistics: CompositorStatistics) => void>();
  readonly #onProblem = new Set<(problem: CompositorProblem) => void>();
  readonly #onTransition = new Set<(running: boolean) => void>();
  readonly #onSegmentation = new Set<() => void>();
  readonly #onEncoder = new Set<(encoder: EncoderInUse | undefined) => void>();
  readonly #stop = new AbortController();
  #statistics = NO_STATISTICS;
  #problem: CompositorProblem | undefined;
  #failedEncoder: ErrorBody["error"] | undefined;
  #segmentation: SegmentationState | undefined;
  #preview = "";
  #nextView = 1;
  #track: MediaStreamTrack | undefined;
  #inTransition = false;
  #congested = false;

  constructor(clock: ProgramClock, events: CompositorEvents) {
    this.#events = events;
    this.#worker = new Worker(new URL("./compositor-worker.ts", import.meta.url), {
      type: "module",
      name: "compositor",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromCompositor>) => this.#receive(data);
    this.#worker.onerror = ({ message }) => {
      const error = new KliegError("internal", `The compositor stopped: ${message}`);
      this.#tellProblem({ kind: "worker", error: error.toBody().error });
    };
    this.#send({ type: "begin", epoch: clock.epoch });
    const seen = () => this.#send({ type: "seen", seen: document.visibilityState === "visible" });
    document.addEventListener("visibilitychange", seen, { signal: this.#stop.signal });
    seen();
  }

  /** Draws by a document from the next picture on. Another `program` than before cuts, unless {@link take} brought it on air. */
  update(document: StudioDocument): void {
    this.#preview = document.preview;
    this.#send({ type: "document", document });
  }

  /**
   * Brings a scene on air by a transition, from the next picture on. The document is to name it as `program` too, in the
   * next {@link update}.
   */
  take(transition: Transition, sceneId = this.#preview): void {
    this.#send({ type: "take", scene: sceneId, transition });
  }

  /** Whether a transition is under way. */
  get inTransition(): boolean {
    return this.#inTransition;
  }

  /** Shows the pictures of a track, or a still, as those of a source; undefined where it has none. */
  setPicture(sourceId: string, picture: SourcePicture | undefined): void {
    if (picture?.kind === "track") {
      if (this.#tracks.get(sourceId) === picture.track) return;
      this.#tracks.set(sourceId, picture.track);
      this.#follow(sourceId, picture.track);
      return;
    }
    this.#followed.delete(sourceId);
    this.#tracks.delete(sourceId);
    if (picture === undefined) {
      this.#send({ type: "no_picture", source: sourceId });
    } else {
      const { still, placeholder } = picture;
      this.#send({ type: "still", source: sourceId, still, placeholder }, [still]);
    }
  }

  /**
   * Shows something in a canvas until the answer is disposed. A canvas can be shown in once in its life: make a new one for
   * each time. Where it is laid out, it has as many pixels as the screen shows of it; else it keeps what it has.
   */
  show(target: ViewTarget, canvas: HTMLCanvasElement): Disposable {
    const view = this.#nextView;
    this.#nextView += 1;
    const offscreen = canvas.transferControlToOffscreen();
    this.#send({ type: "show", view, target, canvas: offscreen }, [offscreen]);
    const observer = new ResizeObserver(([entry]) => {
      const box = entry?.devicePixelContentBoxSize[0];
      if (box === undefined || box.inlineSize === 0 || box.blockSize === 0) return;
      const [width, height] = [Math.min(LONGEST_SIDE, box.inlineSize), Math.min(LONGEST_SIDE, box.blockSize)];
      this.#send({ type: "resize", view, width, height });
    });
    observer.observe(canvas, { box: "device-pixel-content-box" });
    this.#observers.add(observer);
    return {
      [Symbol.dispose]: () => {
        if (!this.#observers.delete(observer)) return;
        observer.disconnect();
        this.#send({ type: "hide", view });
      },
    };
  }

  /** Encodes the program from now on, or with other settings; messages go to `onMedia`. */
  startEncoding(encoding: ProgramEncoding): void {
    this.#send({ type: "encode", encoding });
  }

  stopEncoding(): void {
    this.#send({ type: "encode", encoding: undefined });
  }

  /** bits/s, from the next picture on. */
  setBitrate(bitrate: number): void {
    this.#send({ type: "bitrate", bitrate });
  }

  /** Makes the next picture a keyframe. */
  forceKeyframe(): void {
    this.#send({ type: "keyframe" });
  }

  /** Whether the link to the engine is full: pictures are left out, and counted, until it is not. */
  set congested(congested: boolean) {
    if (congested === this.#congested) return;
    this.#congested = congested;
    this.#send({ type: "congested", congested });
  }

  /** The program's pictures for WebRTC. The same track every time, until this is disposed. */
  programTrack(): MediaStreamTrack {
    if (this.#track === undefined) {
      const generator = new MediaStreamTrackGenerator({ kind: "video" });
      const frames = generator.writable as WritableStream<VideoFrame>;
      this.#send({ type: "track", frames }, [frames]);
      this.#track = generator;
    }
    return this.#track;
  }

  statistics(): CompositorStatistics {
    return this.#statistics;
  }

  /** What is wrong now, if anything is that lasts. */
  get problem(): CompositorProblem | undefined {
    return this.#problem;
  }

  /** How the encoder failed that was wanted, while another does its work. */
  get failedEncoder(): ErrorBody["error"] | undefined {
    return this.#failedEncoder;
  }

  /** How the search for people does; undefined before any filter needed it. */
  get segmentation(): SegmentationState | undefined {
    return this.#segmentation;
  }

  /** Told whenever {@link segmentation} is another. */
  onSegmentation(listener: () => void): Disposable {
    return subscribed(this.#onSegmentation, listener);
  }

  /** Once a second. */
  onStatistics(listener: (statistics: CompositorStatistics) => void): Disposable {
    return subscribed(this.#onStatistics, listener);
  }

  onProblem(listener: (problem: CompositorProblem) => void): Disposable {
    return subscribed(this.#onProblem, listener);
  }

  onTransition(listener: (running: boolean) => void): Disposable {
    return subscribed(this.#onTransition, listener);
  }

  /** Told when another encoder works, or none. */
  onEncoder(listener: (encoder: EncoderInUse | undefined) => void): Disposable {
    return subscribed(this.#onEncoder, listener);
  }

  [Symbol.dispose](): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#track?.stop();
    this.#followed.clear();
    this.#tracks.clear();
    for (const observer of this.#observers) observer.disconnect();
    this.#observers.clear();
    for (const listeners of [
      this.#onStatistics,
      this.#onProblem,
      this.#onTransition,
      this.#onEncoder,
      this.#onSegmentation,
    ]) {
      listeners.clear();
    }
    // It lets go of devices' pictures and the GPU, and ends itself.
    this.#worker.postMessage({ type: "close" } satisfies ToCompositor);
  }

  #follow(sourceId: string, track: MediaStreamTrack): void {
    const processor = new MediaStreamTrackProcessor({ track: track as MediaStreamVideoTrack });
    this.#followed.set(sourceId, processor);
    const frames = processor.readable;
    this.#send({ type: "frames", source: sourceId, frames }, [frames]);
  }

  #send(message: ToCompositor, transfer: Transferable[] = []): void {
    if (!this.#stop.signal.aborted) this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromCompositor): void {
    switch (message.type) {
      case "media":
        this.#events.onMedia(message.message);
        break;
      case "size":
        this.#events.onSize(message.source, message.width, message.height);
        break;
      case "statistics":
        this.#statistics = message.statistics;
        for (const listener of this.#onStatistics) listener(message.statistics);
        break;
      case "transition":
        this.#inTransition = message.running;
        for (const listener of this.#onTransition) listener(message.running);
        break;
      case "encoder":
        if (message.encoder !== undefined && this.#problem?.kind === "encoder") this.#problem = undefined;
        this.#failedEncoder = message.insteadOf;
        for (const listener of this.#onEncoder) listener(message.encoder);
        break;
      case "problem":
        this.#tellProblem(message.problem);
        break;
      case "segmentation":
        this.#segmentation = message.segmentation;
        for (const listener of this.#onSegmentation) listener();
        break;
      case "restored":
        if (this.#problem?.kind === "gpu_lost") this.#problem = undefined;
        // A window in which nothing moves has no next picture by itself: a new reader is given the last one.
        for (const [sourceId, track] of this.#tracks) this.#follow(sourceId, track);
        break;
      case "closed":
        break;
    }
  }

  #tellProblem(problem: CompositorProblem): void {
    if (problem.kind !== "encoder_changed") this.#problem = problem;
    for (const listener of this.#onProblem) listener(problem);
  }
}

function subscribed<Listener>(listeners: Set<Listener>, listener: Listener): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

const NO_STATISTICS: CompositorStatistics = {
  renderFrameRate: 0,
  wantedFrameRate: 0,
  renderMs: 0,
  longestRenderMs: 0,
  sources: [],
  dropped: { render: 0, encode: 0, link: 0 },
  encoderQueue: 0,
  encodeMs: 0,
  wantedBitrate: 0,
  encodedBitrate: 0,
  encodedFrameRate: 0,
  encoder: undefined,
};
