import { z } from "zod";
import { ErrorBody } from "./klieg-error.ts";
import { StudioRecordId } from "./studio.ts";

/**
 * Sources that a browser cannot open (STU1, TRN3): the engine has FFmpeg open them, and sends H.264 and AAC to the page on
 * stage, which decodes them and draws them as it does a camera. Requests and the `capture` event are JSON; media are binary
 * messages from engine to page, one for each coded frame: {@link CAPTURE_HEADER_BYTES} bytes, numbers little-endian, then the data.
 *
 * | Offset | Type | Meaning |
 * |---|---|---|
 * | 0 | u8 | kind, {@link CAPTURE_KIND} |
 * | 1 | u8 | bit 0: keyframe |
 * | 2 | u16 | number of the capture, as the page chose it |
 * | 4 | u32 | pictures: by how much it is shown later than it is decoded, µs; else 0 |
 * | 8 | f64 | decode timestamp, µs; begins anew with each `_config` that follows a break |
 */
export const CAPTURE_HEADER_BYTES = 16;

/** Never changed; new ones are added. */
export const CAPTURE_KIND = {
  /** AVCDecoderConfigurationRecord; before the first picture, and whenever it changes. */
  avc_config: 1,
  /** An access unit of H.264, NAL units with 4-byte lengths. */
  avc: 2,
  /** AudioSpecificConfig. */
  aac_config: 3,
  /** A raw AAC frame. */
  aac: 4,
} as const;
export type CaptureKind = keyof typeof CAPTURE_KIND;

/** Captures that one page may have open. */
export const MAX_CAPTURES = 16;
/** Numbers of captures are below this. */
const CAPTURE_NUMBERS = 0x1_0000;

export interface CaptureFrame {
  readonly kind: CaptureKind;
  readonly keyframe: boolean;
  readonly capture: number;
  /** µs. */
  readonly reordering: number;
  /** µs. */
  readonly timestamp: number;
  /** Shares memory with the message. */
  readonly data: Uint8Array<ArrayBuffer>;
}

const KINDS = Object.keys(CAPTURE_KIND) as CaptureKind[];

/** A message of one frame. Copies the data: what FFmpeg's pipe gave may be shared. */
export function writeCaptureFrame(
  frame: Omit<CaptureFrame, "data"> & { readonly data: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(CAPTURE_HEADER_BYTES + frame.data.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, CAPTURE_KIND[frame.kind]);
  view.setUint8(1, frame.keyframe ? 1 : 0);
  view.setUint16(2, frame.capture, true);
  view.setUint32(4, frame.reordering, true);
  view.setFloat64(8, frame.timestamp, true);
  message.set(frame.data, CAPTURE_HEADER_BYTES);
  return message;
}

/** @returns undefined where it is not a message of this kind. */
export function readCaptureFrame(message: Uint8Array<ArrayBuffer>): CaptureFrame | undefined {
  if (message.length <= CAPTURE_HEADER_BYTES) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, CAPTURE_HEADER_BYTES);
  const kind = KINDS[view.getUint8(0) - 1];
  const timestamp = view.getFloat64(8, true);
  if (kind === undefined || !(timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER)) return undefined;
  return {
    kind,
    keyframe: (view.getUint8(1) & 1) === 1,
    capture: view.getUint16(2, true),
    reordering: view.getUint32(4, true),
    timestamp,
    data: message.subarray(CAPTURE_HEADER_BYTES),
  };
}

/** What the engine is to open. */
export const CaptureInput = z.discriminatedUnion("kind", [
  /** An address of the network, or a device of the engine's machine. Its password is kept as the source's `passphrase`. */
  z.object({
    kind: z.literal("stream"),
    url: z.string().min(1).max(2000),
    /** How RTSP has the media come; `auto`: by TCP, by UDP where the other end has no TCP. */
    transport: z.enum(["auto", "tcp", "udp"]),
    /** Looks at the stream for a shorter time before it begins, and holds nothing back. */
    low_latency: z.boolean(),
    hardware_decode: z.boolean(),
  }),
  /** A file of the show. */
  z.object({ kind: z.literal("file"), asset_id: StudioRecordId, loop: z.boolean(), hardware_decode: z.boolean() }),
]);
export type CaptureInput = z.infer<typeof CaptureInput>;

export const CaptureNumber = z
  .int()
  .min(0)
  .max(CAPTURE_NUMBERS - 1);

/** How a capture does. */
export const CaptureStatus = z.object({
  capture: CaptureNumber,
  /**
   * `reconnecting`: it is tried again, `problem` says why; `ended`: a file is over; `failed`: given up until it is asked for
   * anew.
   */
  state: z.enum(["opening", "live", "reconnecting", "ended", "failed"]),
  problem: ErrorBody.shape.error.nullable(),
  /** Epoch ms; null while no attempt is planned. */
  next_attempt_at: z.number().nullable(),
  /** Null before it is known, and where there is none. */
  video: z
    .object({
      /** As FFmpeg names it, e.g. `hevc`. */
      codec: z.string().max(40),
      width: z.int(),
      height: z.int(),
      frame_rate: z.number().nullable(),
      /** Whether it is decoded and encoded again, since a browser would not take it as it is. */
      converted: z.boolean(),
    })
    .nullable(),
  audio: z.object({ codec: z.string().max(40) }).nullable(),
  /** Pictures that were left out because the page did not take them in time, since the beginning. */
  dropped_frames: z.int(),
});
export type CaptureStatus = z.infer<typeof CaptureStatus>;

/** A capture card or camera of the engine's machine. */
export const CaptureDevice = z.object({
  /** To be opened by, e.g. `v4l2:/dev/video0`. */
  url: z.string().max(2000),
  /** For people. */
  name: z.string().max(200),
});
export type CaptureDevice = z.infer<typeof CaptureDevice>;
