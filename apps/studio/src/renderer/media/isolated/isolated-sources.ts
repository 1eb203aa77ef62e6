import type { IsolatedState } from "@klieg/protocol";
import type { Source } from "../../../document/source.ts";
import type { StudioDocument } from "../../../document/studio-document.ts";
import type { Captures } from "../capture/captures.ts";
import type { MediaLink, MediaMixer } from "../media-contract.ts";
import type { ProgramClock } from "../program-clock.ts";
import { soundMessage } from "../sound-message.ts";
import type { FromIsolated, IsolatedSourceStatistics, ToIsolated } from "./isolated-message.ts";
import { Relief } from "./relief.ts";

export interface IsolatedSourcesOptions {
  readonly link: Pick<MediaLink, "sendMedia" | "buffered">;
  readonly captures: Pick<Captures, "get" | "onChanged">;
  readonly mixer: Pick<MediaMixer, "tap">;
  readonly clock: ProgramClock;
}

interface Sent {
  readonly state: IsolatedState;
  /** What its pictures come from. */
  track: MediaStreamTrack | undefined;
  /** Held while they do: the browser ends what nobody holds. */
  processor: MediaStreamTrackProcessor<VideoFrame> | undefined;
  readonly tap: Disposable | undefined;
}

/** So much may wait for the link before pictures of single sources are left out: the program's come later. Bytes. */
const LONGEST_BACKLOG = 256 * 1024;
const DRAIN_CHECK_MS = 20;
/** What a guest's picture grows to, who begins small. */
const GUEST_SIZE = { width: 1280, height: 720 };

/**
 * Sends to the engine what it records of single sources (STU8): pictures by encoders of their own, in a worker of their own,
 * and sound as the mixer makes it. The engine says which; whatever becomes of them, the program goes first.
 */
export class IsolatedSources implements Disposable {
  readonly #options: IsolatedSourcesOptions;
  readonly #sent = new Map<number, Sent>();
  readonly #relief = new Relief();
  readonly #changes: Disposable;
  /** From the first source on: what is on its way from a track when a source ends is taken and closed there. */
  #worker: Worker | undefined;
  #sources = new Map<string, Source>();
  #canvas = { width: 1280, height: 720 };
  #frameRate = 30;
  #statistics: readonly IsolatedSourceStatistics[] = [];
  #drainTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: IsolatedSourcesOptions) {
    this.#options = options;
    this.#changes = options.captures.onChanged((sourceId) => {
      for (const sent of this.#sent.values()) if (sent.state.source === sourceId) this.#followTrack(sent);
    });
  }

  /** As of the last second; of nothing while nothing is sent. */
  get statistics(): readonly IsolatedSourceStatistics[] {
    return this.#statistics;
  }

  /** To be told of the document, for what is begun from then on. */
  update(document: StudioDocument): void {
    this.#sources = new Map(document.sources.map((source) => [source.id, source]));
    this.#canvas = document.canvas;
    this.#frameRate = document.canvas.frame_rate;
  }

  /** Sends what the engine records now. */
  follow(states: readonly IsolatedState[]): void {
    const wanted = new Map(states.filter(({ state }) => state !== "failed").map((state) => [state.number, state]));
    for (const [number, sent] of this.#sent) if (!wanted.has(number)) this.#stop(number, sent);
    for (const [number, state] of wanted) if (!this.#sent.has(number)) this.#start(number, state);
    if (this.#sent.size > 0) return;
    this.#endDrain();
    this.#tell({ type: "congested", congested: false });
    this.#relief.reset();
    this.#tell({ type: "relief", every: this.#relief.every });
    this.#statistics = [];
  }

  /** Makes the next picture of a source a keyframe. */
  forceKeyframe(number: number): void {
    this.#tell({ type: "keyframe", number });
  }

  /** How the program did over the last second: where it lost pictures, these give way. @param lost pictures, since the start. */
  programLost(lost: number): void {
    if (this.#sent.size === 0 || !this.#relief.look(lost)) return;
    this.#tell({ type: "relief", every: this.#relief.every });
  }

  [Symbol.dispose](): void {
    this.#changes[Symbol.dispose]();
    this.follow([]);
    this.#tell({ type: "close" });
    this.#worker = undefined;
  }

  #start(number: number, state: IsolatedState): void {
    const { link, mixer, clock } = this.#options;
    const tap = state.sound
      ? mixer.tap(state.source, (samples, timestamp) => link.sendMedia(soundMessage(samples, timestamp, number)))
      : undefined;
    const sent: Sent = { state, track: undefined, processor: undefined, tap };
    this.#sent.set(number, sent);
    if (!state.picture) return;
    if (this.#worker === undefined) {
      this.#worker = new Worker(new URL("./isolated-worker.ts", import.meta.url), { type: "module", name: "isolated" });
      this.#worker.onmessage = ({ data }: MessageEvent<FromIsolated>) => this.#receive(data);
      this.#worker.onerror = (event) => this.#failed(event.message);
      this.#tell({ type: "begin", epoch: clock.epoch });
    }
    const guest = this.#sources.get(state.source)?.kind === "guest";
    const { width, height } = this.#canvas;
    this.#tell({
      ...{ type: "open", number, frameRate: this.#frameRate, canvas: { width, height } },
      least: guest ? GUEST_SIZE : undefined,
    });
    this.#followTrack(sent);
  }

  #stop(number: number, { tap }: Sent): void {
    this.#sent.delete(number);
    tap?.[Symbol.dispose]();
    this.#tell({ type: "shut", number });
  }

  #followTrack(sent: Sent): void {
    const { source, number, picture } = sent.state;
    if (!picture) return;
    const capture = this.#options.captures.get(source);
    const track = capture?.state === "live" ? capture.video : undefined;
    if (track === sent.track) return;
    sent.track = track;
    sent.processor = undefined;
    if (track === undefined || track.readyState === "ended") {
      this.#tell({ type: "frames", number, frames: undefined });
      return;
    }
    sent.processor = new MediaStreamTrackProcessor({ track: track as MediaStreamVideoTrack });
    const frames = sent.processor.readable;
    this.#tell({ type: "frames", number, frames }, [frames]);
  }

  #receive(message: FromIsolated): void {
    if (message.type === "media") {
      this.#options.link.sendMedia(message.message);
      this.#watchLink();
      return;
    }
    this.#statistics = message.sources.flatMap(({ number, ...statistics }) => {
      const source = this.#sent.get(number)?.state.source;
      return source === undefined ? [] : [{ source, ...statistics }];
    });
  }

  #watchLink(): void {
    const { link } = this.#options;
    if (this.#drainTimer !== undefined || link.buffered <= LONGEST_BACKLOG) return;
    this.#tell({ type: "congested", congested: true });
    this.#drainTimer = setInterval(() => {
      if (link.buffered > LONGEST_BACKLOG) return;
      this.#endDrain();
      this.#tell({ type: "congested", congested: false });
    }, DRAIN_CHECK_MS);
  }

  #endDrain(): void {
    clearInterval(this.#drainTimer);
    this.#drainTimer = undefined;
  }

  /** The worker ended by itself; what is recorded stays, and its pictures stand still. */
  #failed(problem: string): void {
    this.#statistics = [...this.#sent.values()].map(({ state: { source } }) => ({
      ...{ source, frameRate: 0, dropped: 0, encoder: undefined, hardware: false, problem },
    }));
  }

  #tell(message: ToIsolated, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }
}
