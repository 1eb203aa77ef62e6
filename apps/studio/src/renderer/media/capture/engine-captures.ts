import {
  type CaptureFrame,
  type CaptureStatus,
  KliegError,
  readCaptureFrame,
  type StudioAnswerOf,
  type StudioEvent,
  type StudioRequestInput,
  type StudioRequestType,
} from "@klieg/protocol";

/** What is needed of the link to the engine. */
export interface CaptureLink {
  request<T extends StudioRequestType>(type: T, input: StudioRequestInput<T>): Promise<StudioAnswerOf<T>>;
  onEvent(listener: (event: StudioEvent) => void): Disposable;
  /** Messages of `studio-capture.ts`. */
  onMedia(listener: (message: Uint8Array<ArrayBuffer>) => void): Disposable;
  /** `open`: the engine is there. After each time that it was not, it knows of nothing that this page had asked for. */
  readonly state: { readonly state: string };
  onState(listener: (state: { readonly state: string }) => void): Disposable;
}

export type EngineCaptureRequest = Omit<StudioRequestInput<"open_capture">, "capture">;

/** Who has the engine capture something. */
export interface EngineCaptureSink {
  status(status: CaptureStatus): void;
  frame(frame: CaptureFrame): void;
  /** The engine did not begin: it cannot, or may not. */
  refused(error: KliegError): void;
  /** The engine is gone; when it is back it is asked again. */
  lost(): void;
}

/** Numbers of captures are below this (`studio-capture.ts`). */
const NUMBERS = 0x1_0000;

/** What this page has the engine capture: asked for again whenever the engine was gone. */
export class EngineCaptures implements Disposable {
  readonly #link: CaptureLink;
  readonly #open = new Map<number, { readonly request: EngineCaptureRequest; readonly sink: EngineCaptureSink }>();
  readonly #held: Disposable[];
  #next = 0;
  #isThere: boolean;

  constructor(link: CaptureLink) {
    this.#link = link;
    this.#isThere = link.state.state === "open";
    this.#held = [
      link.onMedia((message) => {
        const frame = readCaptureFrame(message);
        if (frame !== undefined) this.#open.get(frame.capture)?.sink.frame(frame);
      }),
      link.onEvent((event) => {
        if (event.event === "capture") this.#open.get(event.status.capture)?.sink.status(event.status);
      }),
      link.onState(({ state }) => this.#follow(state === "open")),
    ];
  }

  /** Begins to capture; ends when the answer is disposed. */
  open(request: EngineCaptureRequest, sink: EngineCaptureSink): Disposable {
    while (this.#open.has(this.#next)) this.#next = (this.#next + 1) % NUMBERS;
    const number = this.#next;
    this.#next = (this.#next + 1) % NUMBERS;
    this.#open.set(number, { request, sink });
    if (this.#isThere) void this.#ask(number);
    return {
      [Symbol.dispose]: () => {
        if (!this.#open.delete(number) || !this.#isThere) return;
        // An engine that is not there has nothing open.
        this.#link.request("close_capture", { capture: number }).catch(() => undefined);
      },
    };
  }

  [Symbol.dispose](): void {
    for (const held of this.#held) held[Symbol.dispose]();
    this.#open.clear();
  }

  #follow(isThere: boolean): void {
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    for (const [number, { sink }] of this.#open) {
      if (isThere) void this.#ask(number);
      else sink.lost();
    }
  }

  async #ask(number: number): Promise<void> {
    const open = this.#open.get(number);
    if (open === undefined) return;
    try {
      await this.#link.request("open_capture", { ...open.request, capture: number });
    } catch (error) {
      // One that was lost meanwhile is asked for again.
      if (this.#open.get(number) === open && this.#isThere) open.sink.refused(KliegError.from(error));
    }
  }
}
