import { SEGMENTATION_FILES } from "./segmentation-files.ts";
import type { FromSegmentation, ToSegmentation } from "./segmentation-message.ts";

/** Where the people of one source's pictures are. */
export interface PersonMask {
  /** Grows with each new mask. */
  readonly version: number;
  /** Of `MASK_SIZE`, rows from above; 255 where there surely is somebody. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How the search for people does. `failed`: it is tried again; meanwhile nobody is found. */
export type SegmentationState =
  | { readonly state: "opening" | "running" }
  | { readonly state: "failed"; readonly message: string };

export interface PersonMasksEvents {
  readonly onState: (state: SegmentationState) => void;
}

/** The worker as it is used here; tests bring another. */
export type SegmentationWorker = Pick<Worker, "postMessage" | "terminate"> & {
  onmessage: ((event: MessageEvent<FromSegmentation>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
};

/** A search that failed is tried again after so long, ms. */
const AGAIN_MS = 10_000;
/** A worker that does not answer in this time hangs, ms: loading the model takes a slow machine seconds. */
const HANGS_MS = 20_000;

/** Pictures further apart than that were not followed: where somebody was then says nothing, ms. */
const FOLLOWED_MS = 1000;

interface Searched {
  offeredAt: number;
  mask: PersonMask | undefined;
  /** Whether one of its pictures is being looked at: others are left out meanwhile. */
  busy: boolean;
  /** A mask's memory, to be used again. */
  spare: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Finds people in the pictures of sources, in a worker of its own that is only there while somebody asks. A mask is that of
 * a picture or two before: what is drawn never waits for it.
 */
export class PersonMasks implements Disposable {
  readonly #events: PersonMasksEvents;
  readonly #openWorker: () => SegmentationWorker;
  readonly #sources = new Map<string, Searched>();
  #worker: SegmentationWorker | undefined;
  #ready = false;
  #versions = 0;
  #generation = 0;
  #againTimer: ReturnType<typeof setTimeout> | undefined;
  #hangsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: PersonMasksEvents, openWorker: () => SegmentationWorker = openSegmentationWorker) {
    this.#events = events;
    this.#openWorker = openWorker;
  }

  /** Grows when it is worth offering again what was not taken. */
  get generation(): number {
    return this.#generation;
  }

  /** The newest mask of a source; undefined before its first, and while nobody is looked for. */
  mask(sourceId: string): PersonMask | undefined {
    return this.#sources.get(sourceId)?.mask;
  }

  /** Has a new picture of a source looked at, unless another is; the picture stays its caller's. */
  offer(sourceId: string, picture: VideoFrame | ImageBitmap): void {
    const now = performance.now();
    let searched = this.#sources.get(sourceId);
    if (searched === undefined) {
      searched = { offeredAt: now, mask: undefined, busy: false, spare: undefined };
      this.#sources.set(sourceId, searched);
    }
    if (now - searched.offeredAt > FOLLOWED_MS) {
      searched.mask = undefined;
      this.#send({ type: "forget", source: sourceId });
    }
    searched.offeredAt = now;
    if (this.#againTimer !== undefined) return;
    if (this.#worker === undefined) this.#open();
    if (!this.#ready || searched.busy) return;
    searched.busy = true;
    const again = searched.spare;
    searched.spare = undefined;
    // A still is copied as a frame is: by reference, where the browser can.
    const copy = picture instanceof VideoFrame ? picture.clone() : new VideoFrame(picture, { timestamp: 0 });
    this.#send({ type: "picture", source: sourceId, picture: copy, again }, [copy, ...(again ? [again.buffer] : [])]);
    this.#awaitAnswer();
  }

  /** Only these sources are asked for any more; without any the worker goes. */
  keep(sourceIds: ReadonlySet<string>): void {
    for (const id of [...this.#sources.keys()]) {
      if (sourceIds.has(id)) continue;
      this.#sources.delete(id);
      this.#send({ type: "forget", source: id });
    }
    if (this.#sources.size === 0) this.#close();
  }

  [Symbol.dispose](): void {
    this.#sources.clear();
    this.#close();
  }

  #open(): void {
    this.#events.onState({ state: "opening" });
    const worker = this.#openWorker();
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = ({ message }) => this.#failed(message);
    this.#send({ type: "open", ...SEGMENTATION_FILES });
    this.#awaitAnswer();
  }

  #receive(message: FromSegmentation): void {
    clearTimeout(this.#hangsTimer);
    switch (message.type) {
      case "ready":
        this.#ready = true;
        this.#generation += 1;
        this.#events.onState({ state: "running" });
        break;
      case "mask": {
        const searched = this.#sources.get(message.source);
        if (searched === undefined) return;
        searched.busy = false;
        searched.spare = searched.mask?.bytes;
        this.#versions += 1;
        searched.mask = { version: this.#versions, bytes: message.mask };
        break;
      }
      case "failed":
        this.#failed(message.message);
        break;
    }
    if ([...this.#sources.values()].some(({ busy }) => busy)) this.#awaitAnswer();
  }

  /** Old masks would show what was hidden, as soon as anybody moves: there are none until there are new ones. */
  #failed(message: string): void {
    this.#close();
    for (const searched of this.#sources.values()) {
      searched.mask = undefined;
      searched.busy = false;
    }
    this.#events.onState({ state: "failed", message });
    this.#generation += 1;
    this.#againTimer = setTimeout(() => {
      this.#againTimer = undefined;
      this.#generation += 1;
    }, AGAIN_MS);
  }

  #awaitAnswer(): void {
    clearTimeout(this.#hangsTimer);
    this.#hangsTimer = setTimeout(() => this.#failed("it does not answer"), HANGS_MS);
  }

  #send(message: ToSegmentation, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #close(): void {
    clearTimeout(this.#againTimer);
    clearTimeout(this.#hangsTimer);
    this.#againTimer = undefined;
    this.#ready = false;
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

function openSegmentationWorker(): SegmentationWorker {
  return new Worker(new URL("./segmentation-worker.ts", import.meta.url), { name: "segmentation" });
}
