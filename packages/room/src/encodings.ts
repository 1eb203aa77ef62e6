import type { RoomSource } from "@klieg/protocol";
import type { types } from "mediasoup-client";

/** How many simulcast layers a camera is sent in, and so how many there are to choose from. */
export const CAMERA_LAYERS = 3;

/** A quarter, half and all of 720p; each with three temporal layers, so that a slow viewer loses frames before sharpness. */
const CAMERA: readonly types.RtpEncodingParameters[] = [
  { rid: "r0", scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: "L1T3" },
  { rid: "r1", scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: "L1T3" },
  { rid: "r2", scaleResolutionDownBy: 1, maxBitrate: 1_700_000, scalabilityMode: "L1T3" },
];

/** One size: letters that are scaled down cannot be read. Fewer frames where the way is narrow. */
const SCREEN: readonly types.RtpEncodingParameters[] = [
  { maxBitrate: 3_000_000, maxFramerate: 30, scalabilityMode: "L1T3" },
];

/** Every browser encodes it in simulcast without help from hardware. */
const PREFERRED_VIDEO = "video/vp8";

type Sending = Pick<types.ProducerOptions, "encodings" | "codecOptions" | "codec">;

/** How a source is sent. @param codecs what both ends can send. */
export function sendingOf(source: RoomSource, codecs: readonly types.RtpCodecCapability[]): Sending {
  switch (source) {
    case "camera":
    case "screen": {
      const codec = codecs.find(({ mimeType }) => mimeType.toLowerCase() === PREFERRED_VIDEO);
      return {
        encodings: (source === "camera" ? CAMERA : SCREEN).map((encoding) => ({ ...encoding })),
        codecOptions: { videoGoogleStartBitrate: source === "camera" ? 800 : 1500 },
        ...(codec ? { codec } : {}),
      };
    }
    case "microphone":
      return {
        encodings: [{ maxBitrate: 48_000 }],
        codecOptions: { opusStereo: false, opusFec: true, opusDtx: true },
      };
    case "screen_audio":
      // Music and films: no gaps of comfort noise.
      return {
        encodings: [{ maxBitrate: 128_000 }],
        codecOptions: { opusStereo: true, opusFec: true, opusDtx: false },
      };
  }
}

/** Heights of a camera's layers, as sent of 720p. */
const LAYER_HEIGHTS = [180, 360] as const;
/** A little larger than it was sent hardly shows. */
const STRETCH = 1.25;

/**
 * The simulcast layer that is as large as it is shown.
 * @param width @param height of the box that it fills, device pixels.
 */
export function spatialLayerFor(width: number, height: number): number {
  // A box of another shape is filled, so its wider side decides.
  const shown = Math.max(height, (width * 9) / 16);
  const layer = LAYER_HEIGHTS.findIndex((sent) => shown <= sent * STRETCH);
  return layer === -1 ? LAYER_HEIGHTS.length : layer;
}
