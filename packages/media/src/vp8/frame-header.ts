import { MediaError } from "../media-error.ts";

/** What the uncompressed data chunk at the beginning of a VP8 frame says (RFC 6386 § 9.1). */
export interface Vp8FrameHead {
  /** version: the profile, 0 to 3. */
  readonly profile: number;
  readonly keyframe: boolean;
  readonly shown: boolean;
  /** Only of keyframes; pixels. */
  readonly picture: { readonly width: number; readonly height: number } | undefined;
}

/** @throws MediaError */
export function parseVp8FrameHead(data: Uint8Array): Vp8FrameHead {
  if (data.length < 3) throw new MediaError("truncated", "VP8 frame shorter than its tag");
  const tag = data[0] as number;
  const profile = (tag >> 1) & 7;
  if (profile > 3) throw new MediaError("unsupported", `VP8 version ${profile}`);
  const shown = ((tag >> 4) & 1) === 1;
  if ((tag & 1) === 1) return { profile, keyframe: false, shown, picture: undefined };
  if (data.length < 10) throw new MediaError("truncated", "VP8 keyframe shorter than its header");
  if (data[3] !== 0x9d || data[4] !== 0x01 || data[5] !== 0x2a) throw new MediaError("malformed", "no VP8 start code");
  const width = (data[6] as number) | (((data[7] as number) & 0x3f) << 8);
  const height = (data[8] as number) | (((data[9] as number) & 0x3f) << 8);
  if (width === 0 || height === 0) throw new MediaError("malformed", "VP8 picture without a size");
  return { profile, keyframe: true, shown, picture: { width, height } };
}
