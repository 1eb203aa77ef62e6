import type { AccessUnit, CmafSegmenter, JoinOptions, SegmentAligner, SegmenterSink, Track } from "@klieg/media";

/** Only when a frame comes matters, and whether it is a keyframe. */
const NO_DATA = new Uint8Array(0);

const NOTHING: SegmenterSink = {
  onInit: () => undefined,
  onSegmentStart: () => undefined,
  onPart: () => undefined,
  onSegmentEnd: () => undefined,
  onGap: () => undefined,
};

/**
 * Decides where segments begin by a video track that is not packaged itself, because no player could play it: the
 * renditions that are made of it have their keyframes where it has its own. A change of its configuration is no concern
 * of theirs.
 */
export class Pacemaker {
  readonly #aligner: SegmentAligner;
  readonly #segmenter: CmafSegmenter;
  #track: Track | undefined;

  constructor(aligner: SegmentAligner, options: Omit<JoinOptions, "mayLead">) {
    this.#aligner = aligner;
    this.#segmenter = aligner.join({ ...options, mayLead: true }, NOTHING);
  }

  push(unit: AccessUnit): void {
    this.#track ??= unit.track;
    this.#aligner.push(this.#segmenter, { ...unit, track: this.#track, data: NO_DATA });
  }

  /** The source is gone: what comes after is a discontinuity. */
  flush(): void {
    this.#segmenter.flush();
  }

  /** Leaves the lead to others. */
  leave(): void {
    this.#aligner.leave(this.#segmenter);
  }
}
