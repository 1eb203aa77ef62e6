import type { RtpParameters } from "@klieg/protocol";

/** What a browser that sends Opus says of it. */
export function opusParameters(ssrc: number): RtpParameters {
  return {
    codecs: [
      {
        mimeType: "audio/opus",
        payloadType: 111,
        clockRate: 48_000,
        channels: 2,
        parameters: { minptime: 10, useinbandfec: 1 },
      },
    ],
    headerExtensions: [{ uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", id: 1 }],
    encodings: [{ ssrc }],
    rtcp: { cname: "somebody" },
  };
}

/** What a browser that sends VP8 in three layers says of it. */
export function simulcastParameters(): RtpParameters {
  return {
    mid: "0",
    codecs: [{ mimeType: "video/VP8", payloadType: 96, clockRate: 90_000, parameters: {} }],
    headerExtensions: [
      { uri: "urn:ietf:params:rtp-hdrext:sdes:mid", id: 4 },
      { uri: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", id: 10 },
    ],
    encodings: ["q", "h", "f"].map((rid) => ({ rid, scalabilityMode: "L1T3" })),
    rtcp: { cname: "somebody" },
  };
}
