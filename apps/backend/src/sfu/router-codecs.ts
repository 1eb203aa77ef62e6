import type { types } from "mediasoup";

/** H.264 `profile-level-id`s that routers take, each a codec of its own to WebRTC (RFC 6184 § 8.1). */
const H264_PROFILES = {
  constrainedBaseline: "42e01f",
  baseline: "42001f",
  main: "4d001f",
  high: "64001f",
  constrainedHigh: "640c1f",
} as const;

function h264(profileLevelId: string, packetizationMode: 0 | 1): types.RouterRtpCodecCapability {
  return {
    kind: "video",
    mimeType: "video/H264",
    clockRate: 90_000,
    parameters: {
      "packetization-mode": packetizationMode,
      "profile-level-id": profileLevelId,
      "level-asymmetry-allowed": 1,
    },
  };
}

/** What every router can carry, most wanted first: H.264 goes on into LL-HLS as it is. */
export const ROUTER_CODECS: readonly types.RouterRtpCodecCapability[] = [
  { kind: "audio", mimeType: "audio/opus", clockRate: 48_000, channels: 2 },
  h264(H264_PROFILES.high, 1),
  h264(H264_PROFILES.constrainedHigh, 1),
  h264(H264_PROFILES.main, 1),
  h264(H264_PROFILES.constrainedBaseline, 1),
  h264(H264_PROFILES.baseline, 1),
  h264(H264_PROFILES.constrainedBaseline, 0),
  { kind: "video", mimeType: "video/AV1", clockRate: 90_000 },
  { kind: "video", mimeType: "video/VP9", clockRate: 90_000, parameters: { "profile-id": 0 } },
  { kind: "video", mimeType: "video/VP9", clockRate: 90_000, parameters: { "profile-id": 2 } },
  { kind: "video", mimeType: "video/VP8", clockRate: 90_000 },
];
