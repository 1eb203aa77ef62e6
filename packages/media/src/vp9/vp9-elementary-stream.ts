import type { VideoTrack } from "../access-unit.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { parseVp9FrameHead, type Vp9FrameHead } from "./frame-header.ts";
import { buildVp9Config, leastVp9Level, parseVp9Config, type Vp9Config, vp9CodecString } from "./vp9-config.ts";

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
   * @param size of the picture that is shown, where it is not that of the first frame: of the highest spatial layer.
   * @throws MediaError
   */
  push(data: Uint8Array, size?: { readonly width: number; readonly height: number }): CodedFrame {
    const { profile, keyframe, picture } = parseVp9FrameHead(data);
    const trackChanged = picture !== undefined && this.#takePicture(profile, { ...picture, ...size });
    return { data, keyframe, trackChanged };
  }

  #takePicture(profile: number, picture: NonNullable<Vp9FrameHead["picture"]>): boolean {
    const config: Vp9Config = this.#config ?? {
      profile,
      level: leastVp9Level(picture.width * picture.height),
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
