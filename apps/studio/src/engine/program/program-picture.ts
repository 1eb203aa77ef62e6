import { type AccessUnit, h264TrackFromConfig, type VideoTrack } from "@klieg/media";
import { KliegError, type ProgramFrame } from "@klieg/protocol";
import { checkedAvcPicture } from "./avc-picture.ts";
import { fromPage, pageTicks } from "./media-time.ts";

export interface ProgramPictureOptions {
  /** Timestamps are the page's, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** Nothing can be decoded until a keyframe comes. */
  readonly onKeyframeWanted: () => void;
}

/** The picture of one page: H.264 as it comes. */
export class ProgramPicture {
  readonly #options: ProgramPictureOptions;
  #track: VideoTrack | undefined;
  #wantsKeyframe = true;

  constructor(options: ProgramPictureOptions) {
    this.#options = options;
  }

  /** @throws KliegError */
  take(frame: ProgramFrame): void {
    if (frame.kind === "avc_config") {
      this.#track = fromPage("A configuration", () => h264TrackFromConfig(0, frame.data));
      this.#wantsKeyframe = true;
      return;
    }
    const track = this.#track;
    if (track === undefined) throw new KliegError("media_malformed", "A picture came before its configuration.");
    if (this.#wantsKeyframe && !frame.keyframe) {
      this.#options.onKeyframeWanted();
      return;
    }
    const data = fromPage("A picture", () => checkedAvcPicture(frame.data, frame.keyframe));
    this.#wantsKeyframe = false;
    const ticks = pageTicks(frame.timestamp);
    this.#options.onAccessUnit({ track, dts: ticks, pts: ticks, keyframe: frame.keyframe, data });
  }

  /** What follows is another page's. */
  reset(): void {
    this.#track = undefined;
    this.#wantsKeyframe = true;
  }
}
