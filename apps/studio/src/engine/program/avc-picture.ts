import { H264_NAL, h264NalType, MediaError, NalSpans } from "@klieg/media";

const spans = new NalSpans();

/**
 * Looks at an access unit of H.264 that a page sent, before anybody is given it: its lengths must hold, it must have a
 * picture in it, and one that is called a keyframe must be one. Parameter sets and delimiters, which the configuration
 * carries already, are left out.
 * @returns `data` itself where nothing had to be left out.
 * @throws MediaError
 */
export function checkedAvcPicture(data: Uint8Array, keyframe: boolean): Uint8Array {
  spans.scanLengthPrefixed(data, 4);
  let slices = 0;
  let idr = 0;
  let extra = 0;
  for (let i = 0; i < spans.count; i += 1) {
    const type = h264NalType(data[spans.start(i)] as number);
    if (type === H264_NAL.SLICE || type === H264_NAL.SLICE_IDR) slices += 1;
    if (type === H264_NAL.SLICE_IDR) idr += 1;
    if (isExtra(type)) extra += 1;
  }
  if (slices === 0) throw new MediaError("malformed", "access unit without a picture");
  if (keyframe && idr === 0) throw new MediaError("malformed", "keyframe without an IDR picture");
  return extra === 0 ? data : without(data);
}

function isExtra(type: number): boolean {
  return type === H264_NAL.SPS || type === H264_NAL.PPS || type === H264_NAL.ACCESS_UNIT_DELIMITER;
}

function without(data: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [];
  for (let i = 0; i < spans.count; i += 1) {
    if (!isExtra(h264NalType(data[spans.start(i)] as number)))
      kept.push(data.subarray(spans.start(i) - 4, spans.end(i)));
  }
  return Buffer.concat(kept);
}
