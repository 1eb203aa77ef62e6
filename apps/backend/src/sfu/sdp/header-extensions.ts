import type { types } from "mediasoup";
import type { OfferExtension } from "./offer.ts";

export const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
export const RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
export const REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
export const ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
export const TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const DEPENDENCY_DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/**
 * What a publisher's packets may carry. Without `urn:3gpp:video-orientation` a sender turns its picture itself, which
 * HLS needs and what WebRTC viewers get, whose numbers for it differ.
 */
const RECEIVED = new Set([MID, RID, REPAIRED_RID, ABS_SEND_TIME, TRANSPORT_CC, AUDIO_LEVEL, DEPENDENCY_DESCRIPTOR]);

/** The numbers that mediasoup sends header extensions under; they are the same in every router. */
const SENT: Readonly<Record<string, number>> = {
  [MID]: 1,
  [ABS_SEND_TIME]: 4,
  [TRANSPORT_CC]: 5,
  [AUDIO_LEVEL]: 6,
};

/** The header extensions of an offer that are taken from what its peer sends. */
export function receivedExtensions(offered: readonly OfferExtension[]): types.RtpHeaderExtensionParameters[] {
  return offered
    .filter(({ uri }) => RECEIVED.has(uri))
    .map(({ id, uri }) => ({ id, uri: uri as types.RtpHeaderExtensionUri }));
}

/**
 * The header extensions that its peer can be sent: those that it happens to number as mediasoup does. An answer may not
 * give an offered one another number (RFC 8285 § 6; Chromium turns such an answer down).
 */
export function sentExtensions(offered: readonly OfferExtension[]): types.RtpHeaderExtensionParameters[] {
  return offered
    .filter(({ id, uri }) => SENT[uri] === id)
    .map(({ id, uri }) => ({ id, uri: uri as types.RtpHeaderExtensionUri }));
}
