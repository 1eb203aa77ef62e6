import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";

const PAYLOAD_TYPE_RECOVERY_POINT = 6;

/**
 * recovery_frame_cnt of the recovery point message in an SEI NAL unit (H.264 D.1.8): how many frames after
 * this one the picture is right. `undefined` where the NAL unit has no such message or is broken.
 *
 * @param nal the NAL unit with its header, emulation prevention in place.
 */
export function h264RecoveryFrameCount(nal: Uint8Array): number | undefined {
  const rbsp = toRbsp(nal);
  let at = 1;
  while (at + 2 <= rbsp.length) {
    let type = 0;
    while (rbsp[at] === 0xff) {
      type += 255;
      at += 1;
    }
    type += rbsp[at++] ?? 0;
    let size = 0;
    while (rbsp[at] === 0xff) {
      size += 255;
      at += 1;
    }
    size += rbsp[at++] ?? 0;
    if (at + size > rbsp.length) return undefined;
    if (type === PAYLOAD_TYPE_RECOVERY_POINT) {
      try {
        return new BitReader(rbsp, at, at + size).ue();
      } catch (error) {
        if (error instanceof MediaError) return undefined;
        throw error;
      }
    }
    at += size;
  }
  return undefined;
}
