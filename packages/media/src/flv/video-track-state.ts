import type { VideoTrack } from "../access-unit.ts";
import { Av1ElementaryStream } from "../av1/av1-elementary-stream.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { h264ElementaryStream } from "../h264/h264-elementary-stream.ts";
import { hevcElementaryStream } from "../hevc/hevc-elementary-stream.ts";
import type { NalElementaryStream } from "../nal/nal-elementary-stream.ts";
import { Vp9ElementaryStream } from "../vp9/vp9-elementary-stream.ts";

/** One video track of an FLV stream, whatever its codec. */
export interface VideoTrackState {
  readonly fourCc: string;
  /** CodedFrames begin with a composition time offset. */
  readonly hasCompositionTime: boolean;
  readonly track: VideoTrack | undefined;
  /** Takes a configuration record; answers whether the track changed. @throws MediaError */
  configure(record: Uint8Array): boolean;
  /** @throws MediaError */
  push(data: Uint8Array, sync: boolean): CodedFrame;
}

/** `undefined` for a FourCC that is not taken in. */
export function videoTrackState(fourCc: string, trackId: number): VideoTrackState | undefined {
  switch (fourCc) {
    case "avc1":
      return nalTrack(fourCc, h264ElementaryStream(trackId));
    case "hvc1":
      return nalTrack(fourCc, hevcElementaryStream(trackId));
    case "av01": {
      const stream = new Av1ElementaryStream(trackId);
      return plainTrack(fourCc, stream, (data) => stream.push(data));
    }
    case "vp09": {
      const stream = new Vp9ElementaryStream(trackId);
      return plainTrack(fourCc, stream, (data) => stream.push(data));
    }
    default:
      return undefined;
  }
}

function nalTrack(fourCc: string, stream: NalElementaryStream): VideoTrackState {
  return {
    fourCc,
    hasCompositionTime: true,
    get track() {
      return stream.track;
    },
    configure: (record) => stream.configure(record),
    push: (data, sync) => stream.pushLengthPrefixed(data, sync),
  };
}

function plainTrack(
  fourCc: string,
  stream: { readonly track: VideoTrack | undefined; configure(record: Uint8Array): boolean },
  push: (data: Uint8Array) => CodedFrame,
): VideoTrackState {
  return {
    fourCc,
    hasCompositionTime: false,
    get track() {
      return stream.track;
    },
    configure: (record) => stream.configure(record),
    push,
  };
}
