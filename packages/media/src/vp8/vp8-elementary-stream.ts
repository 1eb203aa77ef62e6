import type { VideoTrack } from "../access-unit.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { buildVp9Config, leastVp9Level, type Vp9Config } from "../vp9/vp9-config.ts";
import { parseVp8FrameHead } from "./frame-header.ts";

/** Tells keyframes of one VP8 stream and keeps its track, which every keyframe describes. */
export class Vp8ElementaryStream {
  readonly #trackId: number;
  #track: VideoTrack | undefined;

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  /** Known once a keyframe was seen. */
  get track(): VideoTrack | undefined {
    return this.#track;
  }

  /**
   * @param data one frame.
   * @throws MediaError
   */
  push(data: Uint8Array): CodedFrame {
    const { profile, keyframe, picture } = parseVp8FrameHead(data);
    const trackChanged = picture !== undefined && this.#takePicture(profile, picture);
    return { data, keyframe, trackChanged };
  }

  #takePicture(profile: number, { width, height }: { width: number; height: number }): boolean {
    const known = this.#track;
    if (known?.width === width && known.height === height && known.config[4] === profile) return false;
    this.#track = vp8Track(this.#trackId, profile, width, height);
    return true;
  }
}

/** VP8 is always 4:2:0 with 8 bits; it has no levels, so that of a VP9 picture of the same size stands in. */
function vp8Track(id: number, profile: number, width: number, height: number): VideoTrack {
  const config: Vp9Config = {
    profile,
    level: leastVp9Level(width * height),
    bitDepth: 8,
    chromaSubsampling: 1,
    fullRange: false,
    colourPrimaries: 2,
    transferCharacteristics: 2,
    matrixCoefficients: 2,
  };
  return {
    kind: "video",
    id,
    codec: "vp8",
    config: buildVp9Config(config),
    codecString: `vp08.${[profile, config.level, 8].map((n) => n.toString().padStart(2, "0")).join(".")}`,
    width,
    height,
    frameRate: undefined,
    profile: `Profile ${profile}`,
  };
}
