import type { Source } from "../../../document/source.ts";
import type { StudioDocument } from "../../../document/studio-document.ts";
import { strings } from "../../strings/capture.ts";
import type { SourcePicture } from "../compositor/compositor.ts";
import type { Capture, CaptureProblem } from "./capture.ts";
import { DeviceCapture } from "./device-capture.ts";
import type { EngineCaptures } from "./engine-captures.ts";
import { GuestCapture, type GuestTracks } from "./guest-capture.ts";
import { MediaFileCapture } from "./media-file-capture.ts";
import { placeholderPicture } from "./placeholder-picture.ts";
import { ScreenCapture } from "./screen-capture.ts";
import type { CaptureOutlet, CaptureReport, SourceCapture, SourceOf } from "./source-capture.ts";
import { StillCapture } from "./still-capture.ts";
import { StreamCapture } from "./stream-capture.ts";

/** Size of what stands for a picture that never was. */
const UNKNOWN_SIZE = { width: 1280, height: 720 };

export interface CapturesOptions {
  /** Address of a file of the show. */
  readonly assetUrl: (path: string) => string;
  /** What only the engine opens. */
  readonly engine: EngineCaptures;
  /** Told of a source's pictures; they belong to whoever is told. undefined: the source is not there any more. */
  readonly onPicture: (sourceId: string, picture: SourcePicture | undefined) => void;
  /** Told of a source's sound. */
  readonly onSound: (sourceId: string, track: MediaStreamTrack | undefined) => void;
}

interface Held {
  source: Source;
  capture: Capture;
  /** Opens it; undefined for what needs nothing opened, as a colour. */
  readonly opener: SourceCapture | undefined;
  sound: MediaStreamTrack | undefined;
}

/** Every source of the document, captured once however many scenes it is in, and kept going. */
export class Captures implements Disposable {
  readonly #options: CapturesOptions;
  readonly #held = new Map<string, Held>();
  readonly #adopted = new Map<string, MediaStream>();
  readonly #guests = new Map<number, GuestTracks>();
  readonly #listeners = new Set<(sourceId: string) => void>();
  #canvas = UNKNOWN_SIZE;

  constructor(options: CapturesOptions) {
    this.#options = options;
  }

  /** Opens what the document has anew, closes what it has no more, and follows what was edited. */
  update(document: StudioDocument): void {
    this.#canvas = document.canvas;
    const wanted = new Map(document.sources.map((source) => [source.id, source]));
    for (const id of [...this.#held.keys()]) if (!wanted.has(id)) this.#close(id);
    const onAir = new Set(
      document.scenes
        .find(({ id }) => id === document.program)
        ?.items.flatMap((item) => (item.visible ? [item.source] : [])),
    );
    for (const source of document.sources) {
      const held = this.#held.get(source.id);
      if (held === undefined || held.source.kind !== source.kind) {
        if (held !== undefined) this.#close(source.id);
        this.#open(source);
      } else if (held.source !== source) {
        held.source = source;
        this.#edited(held, source);
      }
      const opener = this.#held.get(source.id)?.opener;
      if (opener instanceof MediaFileCapture) opener.onAir = onAir.has(source.id);
    }
  }

  /** What there is of a source now; undefined where the document has none of that id. */
  get(sourceId: string): Capture | undefined {
    return this.#held.get(sourceId)?.capture;
  }

  /** Told the id of a source of which anything changed. */
  onChanged(listener: (sourceId: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Tries again what failed, was refused or is gone. For a screen it is {@link pick}. */
  retry(sourceId: string): void {
    this.#held.get(sourceId)?.opener?.retry();
  }

  /** Has the user choose a screen, window or tab; to be called from a click. @returns false where they did not. */
  async pick(sourceId: string): Promise<boolean> {
    const opener = this.#held.get(sourceId)?.opener;
    return opener instanceof ScreenCapture && (await opener.pick());
  }

  /**
   * Hands over a stream that is open already, as of a dialog's live preview, for a source that is in the document or comes in
   * the next {@link update}. It belongs to the source from then on.
   */
  adopt(sourceId: string, stream: MediaStream): void {
    const opener = this.#held.get(sourceId)?.opener;
    if (opener instanceof ScreenCapture || opener instanceof DeviceCapture) opener.adopt(stream);
    else this.#adopted.set(sourceId, stream);
  }

  /** Who sits in a seat of the room now: every source that shows the seat follows. */
  setGuest(seat: number, tracks: GuestTracks | undefined): void {
    if (tracks === undefined) this.#guests.delete(seat);
    else this.#guests.set(seat, tracks);
    for (const { source, opener } of this.#held.values()) {
      if (source.kind === "guest" && source.seat === seat && opener instanceof GuestCapture) opener.tracks = tracks;
    }
  }

  /**
   * Opens a stream that is not in the document, to see what comes from it.
   * @param onChange told of it whenever anything of it changes. Ends when the answer is disposed.
   */
  tryOut(source: SourceOf<"stream">, onChange: (capture: Capture) => void): Disposable {
    const outlet: CaptureOutlet = {
      report: (report) => onChange(captureOf(source.id, report, report.size ?? { width: 0, height: 0 })),
      // A stream's pictures are in its track.
      picture: () => undefined,
    };
    return new StreamCapture(source, outlet, this.#options.engine);
  }

  /** Plays a media file from its beginning. */
  restart(sourceId: string): void {
    const opener = this.#held.get(sourceId)?.opener;
    if (opener instanceof MediaFileCapture) opener.restart();
  }

  /** Once a second: pictures that each source sent in it. A camera that should send some and does not is opened anew. */
  watch(rates: readonly { readonly sourceId: string; readonly frameRate: number }[]): void {
    for (const { sourceId, frameRate } of rates) {
      const opener = this.#held.get(sourceId)?.opener;
      if (opener instanceof DeviceCapture) opener.watch(frameRate);
    }
  }

  /** The compositor found a source's pictures to have another size, pixels. */
  setSize(sourceId: string, width: number, height: number): void {
    const held = this.#held.get(sourceId);
    if (held === undefined || held.capture.state !== "live") return;
    if (held.capture.width === width && held.capture.height === height) return;
    this.#change(held, { ...held.capture, width, height });
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    for (const id of [...this.#held.keys()]) this.#close(id);
    for (const stream of this.#adopted.values()) for (const track of stream.getTracks()) track.stop();
    this.#adopted.clear();
    this.#guests.clear();
  }

  #open(source: Source): void {
    const { id } = source;
    let held: Held | undefined;
    const early: CaptureReport[] = [];
    const outlet: CaptureOutlet = {
      report: (report) => {
        if (held === undefined) early.push(report);
        else if (this.#held.get(id) === held) this.#report(held, report);
      },
      picture: (picture) => {
        if (held !== undefined && this.#held.get(id) === held) this.#options.onPicture(id, picture);
        else if (picture.kind === "still") picture.still.close();
      },
    };
    const opener = this.#opener(source, outlet);
    held = {
      source,
      opener,
      sound: undefined,
      capture: {
        sourceId: id,
        state: "opening",
        problem: undefined,
        video: undefined,
        audio: undefined,
        stream: undefined,
        width: 0,
        height: 0,
      },
    };
    this.#held.set(id, held);
    for (const report of early) this.#report(held, report);
    if (source.kind === "colour") this.#report(held, { state: "live", size: this.#canvas });
  }

  #opener(source: Source, outlet: CaptureOutlet): SourceCapture | undefined {
    const stream = this.#adopted.get(source.id);
    this.#adopted.delete(source.id);
    switch (source.kind) {
      case "camera":
      case "microphone":
        return new DeviceCapture(source, outlet, stream);
      case "screen":
        return new ScreenCapture(source, outlet, stream);
      case "image":
      case "text":
        return new StillCapture(source, outlet, this.#options.assetUrl);
      case "media_file":
        return new MediaFileCapture(source, outlet, this.#options.assetUrl, this.#options.engine);
      case "stream":
        return new StreamCapture(source, outlet, this.#options.engine);
      case "guest":
        return new GuestCapture(outlet, this.#guests.get(source.seat));
      case "colour":
        return undefined;
    }
  }

  #edited(held: Held, source: Source): void {
    const { opener } = held;
    if (source.kind === "guest" && opener instanceof GuestCapture) opener.tracks = this.#guests.get(source.seat);
    else opener?.update(source);
  }

  #report(held: Held, report: CaptureReport): void {
    const { capture, source } = held;
    const live = report.state === "live";
    // Kept while it is gone: its place in the scenes is measured by it.
    const size = report.size ?? { width: capture.width, height: capture.height };
    if (report.video !== undefined) {
      this.#options.onPicture(source.id, { kind: "track", track: report.video });
    } else if (source.kind !== "microphone" && source.kind !== "colour" && (!live || source.kind === "guest")) {
      const { width, height } = size.width > 0 ? size : UNKNOWN_SIZE;
      const still = placeholderPicture(source.kind === "guest" ? "guest" : "camera", report.state, width, height);
      this.#options.onPicture(source.id, { kind: "still", still, placeholder: true });
    }
    if (held.sound !== report.audio) {
      held.sound = report.audio;
      this.#options.onSound(source.id, report.audio);
    }
    this.#change(held, captureOf(source.id, report, size));
  }

  #change(held: Held, capture: Capture): void {
    held.capture = capture;
    for (const listener of this.#listeners) listener(capture.sourceId);
  }

  #close(sourceId: string): void {
    const held = this.#held.get(sourceId);
    if (held === undefined) return;
    this.#held.delete(sourceId);
    held.opener?.[Symbol.dispose]();
    this.#options.onPicture(sourceId, undefined);
    if (held.sound !== undefined) this.#options.onSound(sourceId, undefined);
    for (const listener of this.#listeners) listener(sourceId);
  }
}

function captureOf(sourceId: string, report: CaptureReport, size: Pick<Capture, "width" | "height">): Capture {
  const { state, problem: reported, video, audio, stream } = report;
  const problem: CaptureProblem | undefined =
    reported === undefined
      ? undefined
      : { kind: reported.kind, message: strings.problems[reported.kind], detail: reported.detail ?? "" };
  return { sourceId, state, problem, video, audio, stream, width: size.width, height: size.height };
}
