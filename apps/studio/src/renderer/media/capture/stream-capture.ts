import type { CaptureInput, CaptureStatus, ErrorCode } from "@klieg/protocol";
import type { CaptureProblemKind } from "./capture.ts";
import type { EngineCaptures } from "./engine-captures.ts";
import type { CaptureOutlet, SourceCapture, SourceOf } from "./source-capture.ts";
import { StreamPlayback } from "./stream-playback.ts";

/** What an error of the engine's means for its user. */
const PROBLEMS: Partial<Record<ErrorCode, CaptureProblemKind>> = {
  unreachable: "stream_unreachable",
  timeout: "stream_silent",
  unauthorized: "stream_refused",
  forbidden: "stream_forbidden",
  not_found: "stream_missing",
  conflict: "in_use",
  media_unsupported: "stream_unreadable",
  bad_request: "stream_address",
  not_supported: "engine_only",
  encoder_unavailable: "stream_unreadable",
};

/** What only the engine can open, kept open: an address, a capture card, or a file of which the browser knows no format. */
export class EngineCapture implements Disposable {
  readonly #engine: EngineCaptures;
  readonly #outlet: CaptureOutlet;
  readonly #sourceId: string;
  readonly #input: CaptureInput;
  #playback: StreamPlayback;
  #open: Disposable;
  #status: CaptureStatus | undefined;
  #wasLive = false;
  #converts = false;
  #closed = false;

  constructor(engine: EngineCaptures, outlet: CaptureOutlet, sourceId: string, input: CaptureInput) {
    this.#engine = engine;
    this.#outlet = outlet;
    this.#sourceId = sourceId;
    this.#input = input;
    outlet.report({ state: "opening" });
    this.#playback = this.#newPlayback();
    this.#open = this.#ask();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#open[Symbol.dispose]();
    this.#playback[Symbol.dispose]();
  }

  /** Begins anew; what is shown stays until then. */
  restart(): void {
    this.#open[Symbol.dispose]();
    this.#status = undefined;
    this.#playback.reset();
    this.#open = this.#ask();
  }

  #newPlayback(): StreamPlayback {
    return new StreamPlayback({
      hardwareDecode: this.#input.hardware_decode,
      lowLatency: this.#input.kind === "stream" && this.#input.low_latency,
      onTracks: () => this.#tell(),
      onUndecodable: (detail) => queueMicrotask(() => this.#undecodable(detail)),
    });
  }

  #ask(): Disposable {
    const request = { source_id: this.#sourceId, input: this.#input, convert: this.#converts };
    return this.#engine.open(request, {
      frame: (frame) => this.#playback.push(frame),
      status: (status) => {
        const before = this.#status?.state;
        this.#status = status;
        if (before === "live" && status.state !== "live" && status.state !== "ended") this.#playback.reset();
        this.#tell();
      },
      refused: (error) => this.#fail(this.#problem(error.code), error.message),
      lost: () => {
        this.#status = undefined;
        this.#playback.reset();
        this.#outlet.report({ state: this.#wasLive ? "gone" : "opening" });
      },
    });
  }

  /** The engine is asked to make something else of it, once. */
  #undecodable(detail: string): void {
    if (this.#closed) return;
    if (this.#converts) {
      this.#fail(this.#problem("media_unsupported"), detail);
      return;
    }
    this.#converts = true;
    this.#open[Symbol.dispose]();
    this.#playback[Symbol.dispose]();
    this.#status = undefined;
    this.#playback = this.#newPlayback();
    this.#open = this.#ask();
  }

  #tell(): void {
    const status = this.#status;
    if (status === undefined || this.#closed) return;
    const problem =
      status.problem === null
        ? undefined
        : { kind: this.#problem(status.problem.code), detail: status.problem.message };
    switch (status.state) {
      case "opening":
        if (!this.#wasLive) this.#outlet.report({ state: "opening" });
        return;
      case "live":
      case "ended": {
        const { video, audio } = this.#playback;
        if (video === undefined && audio === undefined) return;
        // Until its picture comes too, what stands in its place stays.
        if (status.video !== null && video === undefined) return;
        this.#wasLive = true;
        const { width = 0, height = 0 } = status.video ?? {};
        const size = width > 0 ? { size: { width, height } } : {};
        this.#outlet.report({ state: "live", video, audio, stream: status, ...size });
        return;
      }
      case "reconnecting":
        this.#outlet.report({ state: this.#wasLive ? "gone" : "failed", problem });
        return;
      case "failed":
        this.#outlet.report({ state: "failed", problem });
    }
  }

  #problem(code: ErrorCode): CaptureProblemKind {
    if (this.#input.kind === "file") return code === "not_found" ? "missing_file" : "unreadable_file";
    return PROBLEMS[code] ?? "unknown";
  }

  #fail(kind: CaptureProblemKind, detail: string): void {
    this.#outlet.report({ state: "failed", problem: { kind, detail } });
  }
}

/** A stream source: an address or a capture card, by way of the engine. */
export class StreamCapture implements SourceCapture {
  readonly #engine: EngineCaptures;
  readonly #outlet: CaptureOutlet;
  #source: SourceOf<"stream">;
  #capture: EngineCapture;

  constructor(source: SourceOf<"stream">, outlet: CaptureOutlet, engine: EngineCaptures) {
    this.#source = source;
    this.#outlet = outlet;
    this.#engine = engine;
    this.#capture = this.#begin();
  }

  update(source: SourceOf<"stream">): void {
    const changed = JSON.stringify(inputOf(source)) !== JSON.stringify(inputOf(this.#source));
    this.#source = source;
    if (changed) this.retry();
  }

  retry(): void {
    this.#capture[Symbol.dispose]();
    this.#capture = this.#begin();
  }

  [Symbol.dispose](): void {
    this.#capture[Symbol.dispose]();
  }

  #begin(): EngineCapture {
    return new EngineCapture(this.#engine, this.#outlet, this.#source.id, inputOf(this.#source));
  }
}

function inputOf({ url, transport, low_latency, hardware_decode }: SourceOf<"stream">): CaptureInput {
  return { kind: "stream", url, transport, low_latency, hardware_decode };
}
