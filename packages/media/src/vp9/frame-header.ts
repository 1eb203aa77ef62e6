import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";

/** What a VP9 uncompressed header says up to the frame size (VP9 6.2). */
export interface Vp9FrameHead {
  readonly profile: number;
  readonly keyframe: boolean;
  readonly shown: boolean;
  /** Only of keyframes. */
  readonly picture:
    | {
        readonly bitDepth: 8 | 10 | 12;
        readonly width: number;
        readonly height: number;
        /** color_space, VP9 table 7.2.2. */
        readonly colourSpace: number;
        readonly fullRange: boolean;
        /** chromaSubsampling as vpcC numbers it: 1 4:2:0 (colocated), 2 4:2:2, 3 4:4:4. 4:4:0 is not among them. */
        readonly chromaSubsampling: number;
      }
    | undefined;
}

const CS_RGB = 7;

/**
 * The head of the first frame in a VP9 frame or superframe.
 * @throws MediaError
 */
export function parseVp9FrameHead(data: Uint8Array): Vp9FrameHead {
  const reader = new BitReader(data);
  if (reader.u(2) !== 2) throw new MediaError("malformed", "no VP9 frame marker");
  const low = reader.u(1);
  const profile = low + 2 * reader.u(1);
  if (profile === 3) reader.skip(1);
  if (reader.flag()) return { profile, keyframe: false, shown: true, picture: undefined }; // show_existing_frame
  const keyframe = !reader.flag();
  const shown = reader.flag();
  reader.skip(1); // error_resilient_mode
  if (!keyframe) return { profile, keyframe, shown, picture: undefined };
  if (reader.u(24) !== 0x498342) throw new MediaError("malformed", "no VP9 sync code");
  const bitDepth = profile >= 2 ? (reader.flag() ? 12 : 10) : 8;
  const colourSpace = reader.u(3);
  let fullRange = true;
  let chromaSubsampling = 3;
  if (colourSpace !== CS_RGB) {
    fullRange = reader.flag();
    chromaSubsampling = 1;
    if (profile === 1 || profile === 3) {
      const x = reader.flag();
      reader.flag(); // subsampling_y
      chromaSubsampling = x ? 2 : 3;
      reader.skip(1);
    }
  } else if (profile === 1 || profile === 3) {
    reader.skip(1);
  }
  const width = reader.u(16) + 1;
  const height = reader.u(16) + 1;
  return { profile, keyframe, shown, picture: { bitDepth, width, height, colourSpace, fullRange, chromaSubsampling } };
}
