import type { Clock } from "@klieg/base";
import { type AccessUnit, h264TrackFromConfig, type VideoTrack } from "@klieg/media";
import { KliegError, type ProgramFrame } from "@klieg/protocol";
import type { EncoderShelf } from "../encode/encoder-shelf.ts";
import { PictureEncoder } from "../encode/picture-encoder.ts";
import { checkedAvcPicture } from "./avc-picture.ts";
import { fromPage, pageTicks } from "./media-time.ts";

/** How pictures are encoded that come uncompressed. */
export interface PictureEncoding {
  /** As the shelf lists it, or `auto`. */
  readonly encoder: string;
  /** bits/s. */
  readonly bitrate: number;
  /** s. */
  readonly keyframeInterval: number;
}

export interface ProgramPictureOptions {
  readonly clock: Clock;
  readonly shelf: EncoderShelf | undefined;
  /** Timestamps are the page's, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** Nothing can be decoded until a keyframe comes. */
  readonly onKeyframeWanted: () => void;
  readonly onProblem: (problem: KliegError) => void;
}

interface OwnEncoder {
  readonly own: PictureEncoder;
  readonly width: number;
  readonly height: number;
}

/** Pixels; what H.264 encoders of all makes can do. */
const LEAST_SIDE = 64;
const MOST_SIDE = 4096;

/** The picture of one page: H.264 as it comes, or made of uncompressed pictures. */
export class ProgramPicture {
  readonly #options: ProgramPictureOptions;
  #encoding: PictureEncoding;
  #track: VideoTrack | undefined;
  #wantsKeyframe = true;
  #encoder: OwnEncoder | undefined;
  #toldWithoutFfmpeg = false;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ProgramPictureOptions, encoding: PictureEncoding) {
    this.#options = options;
    this.#encoding = encoding;
  }

  /** An encoder that runs follows the bit rate; another encoder or interval begins a new one. */
  configure(encoding: PictureEncoding): void {
    const { encoder, keyframeInterval } = this.#encoding;
    this.#encoding = encoding;
    if (encoder !== encoding.encoder || keyframeInterval !== encoding.keyframeInterval) this.#leaveEncoder();
    this.#encoder?.own.setBitrate(encoding.bitrate);
  }

  /** @throws KliegError */
  take(frame: ProgramFrame): void {
    if (frame.kind === "i420") {
      this.#takeUncompressed(frame);
      return;
    }
    if (frame.kind === "avc_config") {
      this.#leaveEncoder();
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
    this.#leaveEncoder();
  }

  async close(): Promise<void> {
    this.reset();
    await Promise.all(this.#closing);
  }

  #takeUncompressed(frame: ProgramFrame): void {
    const { width, height, data } = frame;
    const fits = [width, height].every((side) => side >= LEAST_SIDE && side <= MOST_SIDE && side % 2 === 0);
    if (!fits || data.length !== (width * height * 3) / 2) {
      const words = `An uncompressed picture of ${width} × ${height} in ${data.length} bytes cannot be encoded.`;
      throw new KliegError("media_malformed", words);
    }
    if (this.#encoder !== undefined && (this.#encoder.width !== width || this.#encoder.height !== height)) {
      this.#leaveEncoder();
    }
    this.#encoder ??= this.#openEncoder(width, height);
    this.#encoder?.own.push(data, pageTicks(frame.timestamp));
  }

  #openEncoder(width: number, height: number): OwnEncoder | undefined {
    const { clock, shelf, onAccessUnit, onProblem } = this.#options;
    const tell = (words: string) => onProblem(new KliegError("encoder_unavailable", words));
    if (shelf?.path === undefined) {
      if (!this.#toldWithoutFfmpeg)
        tell("There is no FFmpeg to encode the picture. Install FFmpeg, then start the studio again.");
      this.#toldWithoutFfmpeg = true;
      return undefined;
    }
    const { encoder, bitrate, keyframeInterval } = this.#encoding;
    const own: PictureEncoder = new PictureEncoder({
      path: shelf.path,
      cores: shelf.cores,
      clock,
      choose: () => shelf.choose(encoder),
      width,
      height,
      bitrate,
      keyframeInterval,
      onAccessUnit: (unit) => {
        if (this.#encoder?.own === own) onAccessUnit(unit);
      },
      onProblem: (words) => tell(`${words}.`),
    });
    return { own, width, height };
  }

  #leaveEncoder(): void {
    const encoder = this.#encoder?.own;
    this.#encoder = undefined;
    if (encoder === undefined) return;
    const closing = encoder.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
