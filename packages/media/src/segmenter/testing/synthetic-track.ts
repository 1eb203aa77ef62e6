import type { AccessUnit, AudioTrack, VideoTrack } from "../../access-unit.ts";

/** A picture track whose configuration nobody parses. */
export function videoTrack(id = 0, config = Uint8Array.of(1, 100, 0, 31), frameRate?: number): VideoTrack {
  return {
    kind: "video",
    id,
    codec: "h264",
    config,
    codecString: "avc1.64001f",
    width: 1280,
    height: 720,
    frameRate,
    profile: "High",
  };
}

export function aacTrackAt(sampleRate: 44_100 | 48_000, id = 0): AudioTrack {
  // AAC-LC, frequency index 4 or 3, stereo
  const config = sampleRate === 44_100 ? Uint8Array.of(0x12, 0x10) : Uint8Array.of(0x11, 0x90);
  return { kind: "audio", id, codec: "aac", config, codecString: "mp4a.40.2", sampleRate, channels: 2 };
}

export interface VideoPlan {
  readonly track: VideoTrack;
  readonly frames: number;
  readonly frameRate: number;
  /** Frames from keyframe to keyframe. */
  readonly gop: number;
  /** How many frames a reference frame is shown after those that follow it in decode order. */
  readonly bFrames?: number;
  /** 90 kHz ticks of the first decode time. */
  readonly startTicks?: number;
  /** Timestamps in whole milliseconds, as RTMP has them. */
  readonly milliseconds?: boolean;
  /** Moves the decode time of frame `index`, ms; made to rise again by the generator. */
  readonly jitterMs?: (index: number) => number;
}

/** Access units in decode order. Every `data` is a number of its own, four bytes. */
export function videoUnits(plan: VideoPlan): AccessUnit[] {
  const { track, frames, frameRate, gop, bFrames = 0, startTicks = 0, milliseconds = false } = plan;
  const round = (seconds: number) => (milliseconds ? Math.round(seconds * 1000) * 90 : Math.round(seconds * 90_000));
  const units: AccessUnit[] = [];
  let last = -1;
  for (let i = 0; i < frames; i += 1) {
    const inGop = i % gop;
    // Decode order I P b b P b b …: a reference is shown bFrames later than it would be without reordering, a b earlier.
    const step = bFrames + 1;
    const mini = inGop === 0 ? 0 : (inGop - 1) % step;
    const whole = inGop === 0 || inGop - mini + bFrames < gop;
    const shift = inGop === 0 || !whole ? 0 : mini === 0 ? bFrames : -1;
    const jitter = (plan.jitterMs?.(i) ?? 0) / 1000;
    const dts = Math.max(startTicks + round(i / frameRate + jitter), last + 1);
    last = dts;
    const pts = Math.max(dts, startTicks + round((i + shift + (bFrames > 0 ? 1 : 0)) / frameRate + jitter));
    units.push({ track, dts, pts, keyframe: inGop === 0, data: numbered(i) });
  }
  return units;
}

export interface AudioPlan {
  readonly track: AudioTrack;
  readonly frames: number;
  readonly startTicks?: number;
  readonly milliseconds?: boolean;
  /** Parts in a million that the timestamps run fast. */
  readonly driftPpm?: number;
}

/** AAC frames of 1024 samples. */
export function audioUnits(plan: AudioPlan): AccessUnit[] {
  const { track, frames, startTicks = 0, milliseconds = false, driftPpm = 0 } = plan;
  return Array.from({ length: frames }, (_, i) => {
    const seconds = ((i * 1024) / track.sampleRate) * (1 + driftPpm / 1e6);
    const dts = startTicks + (milliseconds ? Math.round(seconds * 1000) * 90 : Math.round(seconds * 90_000));
    return { track, dts, pts: dts, keyframe: true, data: numbered(i) };
  });
}

function numbered(index: number): Uint8Array {
  return Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index);
}

/** The number that a synthetic access unit carries. */
export function numberOf(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset).getUint32(0);
}
