import type { ProgramFrame } from "@klieg/protocol";

/** avcC of 320 × 180, as x264 writes it. */
const CONFIG = Buffer.from("0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8", "hex");

const NOTHING = { upload: 0, isolated: 0, width: 320, height: 180, sampleRate: 0, channels: 0 };

export function configFrame(): ProgramFrame {
  return { ...NOTHING, kind: "avc_config", keyframe: false, timestamp: 0, data: Uint8Array.from(CONFIG) };
}

/** A picture that is well-formed, and nothing more. @param bytes of its slice. */
export function pictureFrame(timestampUs: number, keyframe: boolean, bytes = 100): ProgramFrame {
  const data = new Uint8Array(4 + bytes);
  new DataView(data.buffer).setUint32(0, bytes);
  data[4] = keyframe ? 0x65 : 0x41;
  return { ...NOTHING, kind: "avc", keyframe, timestamp: timestampUs, data };
}

/** AAC-LC, 48 kHz, stereo. */
export function soundConfigFrame(): ProgramFrame {
  return { ...NOTHING, kind: "aac_config", keyframe: false, timestamp: 0, data: Uint8Array.of(0x11, 0x90) };
}

export function soundFrame(timestampUs: number): ProgramFrame {
  return { ...NOTHING, kind: "aac", keyframe: false, timestamp: timestampUs, data: Uint8Array.of(0x21, 0, 1, 2) };
}
