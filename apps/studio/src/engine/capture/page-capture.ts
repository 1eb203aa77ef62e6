import { type AccessUnit, TICKS_PER_SECOND, type Track } from "@klieg/media";
import {
  CAPTURE_HEADER_BYTES,
  type CaptureFrame,
  type CaptureStatus,
  STUDIO_MEDIA_BYTES,
  writeCaptureFrame,
} from "@klieg/protocol";
import { CaptureFeed, type CaptureFeedOptions, type FeedStatus } from "./capture-feed.ts";

/** The way to the page that a capture is for. */
export interface CapturePage {
  sendMedia(message: Uint8Array<ArrayBuffer>): void;
  /** Bytes that wait to leave. */
  readonly behind: number;
  tellCapture(status: CaptureStatus): void;
}

/** What may wait for the page, bytes: a second or two of pictures. More, and pictures are left out up to a keyframe. */
const MAX_BEHIND = 3 * 1024 * 1024;
/** Sound is small, and a hole in it is heard: it is left out later. */
const MAX_BEHIND_SOUND = 2 * MAX_BEHIND;
/** What was left out is told again at most so often, ms. */
const TELL_DROPS_MS = 1000;

/** One capture of a page: what its feed gives, as messages, as far as the page takes them. */
export class PageCapture implements AsyncDisposable {
  readonly #number: number;
  readonly #page: CapturePage;
  readonly #clock: CaptureFeedOptions["clock"];
  readonly #feed: CaptureFeed;
  /** Whose configuration the page has. */
  readonly #told = new Map<Track["kind"], Track>();
  #waitsForKeyframe = true;
  #dropped = 0;
  #toldDrops: Disposable | undefined;
  #status: FeedStatus | undefined;

  constructor(number: number, page: CapturePage, options: Omit<CaptureFeedOptions, "onStatus" | "onAccessUnit">) {
    this.#number = number;
    this.#page = page;
    this.#clock = options.clock;
    this.#feed = new CaptureFeed({
      ...options,
      onStatus: (status) => {
        this.#status = status;
        this.#tell();
      },
      onAccessUnit: (unit) => this.#send(unit),
    });
  }

  get status(): CaptureStatus {
    return { ...(this.#status ?? this.#feed.status), capture: this.#number, dropped_frames: this.#dropped };
  }

  close(): Promise<void> {
    this.#toldDrops?.[Symbol.dispose]();
    this.#toldDrops = undefined;
    return this.#feed.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #send(unit: AccessUnit): void {
    const { track } = unit;
    if (track.codec !== "h264" && track.codec !== "aac") return;
    const isPicture = track.kind === "video";
    const { behind } = this.#page;
    if (isPicture) {
      if (behind > MAX_BEHIND) this.#waitsForKeyframe = true;
      if (this.#waitsForKeyframe && (!unit.keyframe || behind > MAX_BEHIND / 2)) {
        this.#drop();
        return;
      }
      this.#waitsForKeyframe = false;
    } else if (behind > MAX_BEHIND_SOUND) return;
    if (unit.data.length + CAPTURE_HEADER_BYTES > STUDIO_MEDIA_BYTES) {
      this.#drop();
      return;
    }
    const timestamp = Math.round((unit.dts * 1e6) / TICKS_PER_SECOND);
    const reordering = Math.round(((unit.pts - unit.dts) * 1e6) / TICKS_PER_SECOND);
    if (this.#told.get(track.kind) !== track) {
      this.#told.set(track.kind, track);
      this.#write(
        { kind: isPicture ? "avc_config" : "aac_config", keyframe: false, reordering: 0, timestamp },
        track.config,
      );
    }
    this.#write({ kind: isPicture ? "avc" : "aac", keyframe: unit.keyframe, reordering, timestamp }, unit.data);
  }

  #write(header: Omit<CaptureFrame, "data" | "capture">, data: Uint8Array): void {
    this.#page.sendMedia(writeCaptureFrame({ ...header, capture: this.#number, data }));
  }

  /** Counted from the first picture on that the page had. */
  #drop(): void {
    if (!this.#told.has("video")) return;
    this.#dropped += 1;
    this.#toldDrops ??= this.#clock.after(TELL_DROPS_MS, () => {
      this.#toldDrops = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    // The feed tells of itself while it is being made, too.
    queueMicrotask(() => this.#page.tellCapture(this.status));
  }
}
