import type { VideoTrack } from "../access-unit.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { parseVp9FrameHead, type Vp9FrameHead } from "./frame-header.ts";
import { buildVp9Config, parseVp9Config, type Vp9Config, vp9CodecString } from "./vp9-config.ts";

/** Tells keyframes of one VP9 stream and keeps its track: vpcC lacks the picture's size, so it takes a keyframe as well. */
export class Vp9ElementaryStream {
  readonly #trackId: number;
  #config: Vp9Config | undefined;
  #track: VideoTrack | undefined;

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  /** Known once a keyframe was seen. */
  get track(): VideoTrack | undefined {
    return this.#track;
  }

  /** Takes a vpcC record. The track changes with the next keyframe. @throws MediaError */
  configure(record: Uint8Array): false {
    this.#config = parseVp9Config(record);
    return false;
  }

  /**
   * @param data one frame or superframe.
   * @throws MediaError
   */
  push(data: Uint8Array): CodedFrame {
    const head = parseVp9FrameHead(data);
    const trackChanged = head.picture !== undefined && this.#takePicture(head.profile, head.picture);
    return { data, keyframe: head.keyframe, trackChanged };
  }

  #takePicture(profile: number, picture: NonNullable<Vp9FrameHead["picture"]>): boolean {
    const config: Vp9Config = this.#config ?? {
      profile,
      level: vp9Level(picture.width * picture.height),
      bitDepth: picture.bitDepth,
      chromaSubsampling: picture.chromaSubsampling,
      fullRange: picture.fullRange,
      colourPrimaries: 2,
      transferCharacteristics: 2,
      matrixCoefficients: 2,
    };
    const { width, height } = picture;
    const record = buildVp9Config(config);
    const known = this.#track;
    if (known?.width === width && known.height === height && equalBytes(known.config, record)) return false;
    this.#track = {
      kind: "video",
      id: this.#trackId,
      codec: "vp9",
      config: record,
      codecString: vp9CodecString(config),
      width,
      height,
      frameRate: undefined,
      profile: `Profile ${config.profile}`,
    };
    return true;
  }
}

/** The lowest level whose picture may be so large (VP9 levels, max luma picture size): a guess where nobody tells. */
function vp9Level(pixels: number): number {
  const levels = [
    [36_864, 10],
    [73_728, 11],
    [122_880, 20],
    [245_760, 21],
    [552_960, 30],
    [983_040, 31],
    [2_228_224, 41],
    [8_912_896, 51],
  ] as const;
  return levels.find(([max]) => pixels <= max)?.[1] ?? 61;
}
