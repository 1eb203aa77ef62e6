import type {
  AccessUnit,
  Boundary,
  CmafSegmenter,
  Part,
  SegmentAligner,
  SegmentEnd,
  SegmenterSink,
  SegmentGap,
  SegmentStart,
  Track,
} from "@klieg/media";
import type { RenditionInfo } from "@klieg/protocol";
import type { RenditionEdge } from "../origin/rendition-edge.ts";

export interface RenditionOptions {
  /** Part of its addresses: `source`, `720p`, `audio`. */
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly origin: "source" | "transcode";
  /** Seconds; constant for the stream's life. */
  readonly targetDuration: number;
  /** Seconds; constant for the stream's life. */
  readonly partTarget: number;
  /** Seconds after which a keyframe begins a new segment. */
  readonly segmentTarget: number;
  readonly aligner: SegmentAligner;
  readonly owner: RenditionOwner;
}

/** What a rendition asks of, and tells, the packager. */
export interface RenditionOwner {
  /** A new live edge, whose first segment begins at `first`. */
  openEdge(rendition: Rendition, first: Boundary): RenditionEdge;
  /** Unix ms at which `ticks` of the stream's timeline is due. */
  wallAt(ticks: number): number;
  /** @param endTicks where the part ends on the stream's timeline. */
  onPart(rendition: Rendition, endTicks: number): void;
  /** A segment of one of its renditions is whole. */
  onSegment(): void;
}

/** One rendition in the making: access units in, parts and segments at its live edge out. */
export class Rendition implements SegmenterSink {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly origin: "source" | "transcode";
  /** FFmpeg encoder that makes it. */
  encoder: string | undefined;
  readonly #owner: RenditionOwner;
  readonly #aligner: SegmentAligner;
  readonly #segmenter: CmafSegmenter;
  #edge: RenditionEdge | undefined;
  #track: Track | undefined;
  #init: Uint8Array | undefined;
  /** Address of an init segment that the next segment is the first to use. */
  #nextMap: string | undefined;
  #lastPartEndTicks: number | undefined;

  constructor(options: RenditionOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.origin = options.origin;
    this.#owner = options.owner;
    this.#aligner = options.aligner;
    const { targetDuration, partTarget, segmentTarget } = options;
    this.#segmenter = options.aligner.join(
      // A transcoded picture leads where the source's own is not packaged.
      { targetDuration, partTarget, segmentTarget, mayLead: options.origin === "source" || options.kind === "video" },
      this,
    );
  }

  /** Its live edge; undefined before its first segment. */
  get edge(): RenditionEdge | undefined {
    return this.#edge;
  }

  /** What its current init segment describes. */
  get track(): Track | undefined {
    return this.#track;
  }

  get playable(): boolean {
    return this.#edge?.playable ?? false;
  }

  /** Whether viewers can play it. */
  get shown(): boolean {
    return this.#edge?.shown ?? false;
  }

  get partsPublished(): number {
    return this.#edge?.partsPublished ?? 0;
  }

  /** Requests that wait for something of it to be published. */
  get waiting(): number {
    return this.#edge?.waiting ?? 0;
  }

  /** Where its last part ended on the stream's timeline, 90 kHz ticks. */
  get lastPartEndTicks(): number | undefined {
    return this.#lastPartEndTicks;
  }

  push(unit: AccessUnit): void {
    this.#aligner.push(this.#segmenter, unit);
  }

  /** Publishes what has come; what comes after is a discontinuity. */
  flush(): void {
    this.#segmenter.flush();
  }

  /** Ends the playlist: nothing more will come. */
  end(): void {
    this.#segmenter.flush();
    this.#edge?.end();
  }

  /** @param state how it stands in the packager's eyes. */
  describe(state: RenditionInfo["state"]): RenditionInfo {
    const track = this.#track;
    return {
      name: this.name,
      kind: this.kind,
      origin: this.origin,
      state,
      width: track?.kind === "video" ? track.width : null,
      height: track?.kind === "video" ? track.height : null,
      bandwidth: this.#edge?.peakBitrate ?? 0,
      average_bandwidth: this.#edge?.averageBitrate ?? 0,
      codec_string: track?.codecString ?? null,
      encoder: this.encoder ?? null,
    };
  }

  onInit(init: { readonly bytes: Uint8Array; readonly track: Track }): void {
    this.#track = init.track;
    this.#init = init.bytes;
    this.#nextMap = this.#edge?.addInit(init.bytes);
  }

  onSegmentStart({ boundary, startTicks, independent }: SegmentStart): void {
    let edge = this.#edge;
    if (edge === undefined) {
      edge = this.#owner.openEdge(this, boundary);
      this.#edge = edge;
      if (this.#init !== undefined) this.#nextMap = edge.addInit(this.#init);
    }
    const msn = edge.startSegment({
      programDateTimeMs: this.#owner.wallAt(startTicks),
      discontinuity: boundary.discontinuity,
      independent,
      ...(this.#nextMap === undefined ? {} : { mapUri: this.#nextMap }),
    });
    this.#nextMap = undefined;
    this.#checkNumber(msn, boundary);
  }

  onPart(part: Part): void {
    const endTicks = part.startTicks + part.mediaTicks;
    this.#lastPartEndTicks = endTicks;
    this.#edge?.addPart(part);
    this.#owner.onPart(this, endTicks);
  }

  onSegmentEnd({ durationTicks }: SegmentEnd): void {
    this.#edge?.sealSegment(durationTicks);
    this.#owner.onSegment();
  }

  onGap({ boundary, durationTicks }: SegmentGap): void {
    // A rendition does not begin with a gap: it begins where it has media.
    if (this.#edge === undefined) return;
    const msn = this.#edge.addGapSegment(
      { programDateTimeMs: this.#owner.wallAt(boundary.ticks), discontinuity: boundary.discontinuity },
      durationTicks,
    );
    this.#checkNumber(msn, boundary);
  }

  /** Segments of one number cover the same time in every rendition; all that players do at a switch rests on it. */
  #checkNumber(msn: number, boundary: Boundary): void {
    if (msn !== boundary.index) {
      throw new Error(`rendition ${this.name}: segment ${msn} where the leader has ${boundary.index}`);
    }
  }
}
