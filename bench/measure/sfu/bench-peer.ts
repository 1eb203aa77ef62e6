import {
  RTCPeerConnection,
  RTCRtpCodecParameters,
  useAbsSendTime,
  useRepairedRtpStreamId,
  useSdesMid,
  useSdesRTPStreamId,
  useTransportWideCC,
} from "werift";

/** H.264 as both SFUs are offered it; the payload type is the bare SFU's own too. */
export const H264_PAYLOAD_TYPE = 102;
const H264 = {
  mimeType: "video/H264",
  clockRate: 90_000,
  payloadType: H264_PAYLOAD_TYPE,
  parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
};

/** Numbered from 1 on in this order: so they have the numbers under which mediasoup sends them. */
const EXTENSIONS = [
  useSdesMid(),
  useSdesRTPStreamId(),
  useRepairedRtpStreamId(),
  useAbsSendTime(),
  useTransportWideCC(),
];
const CONNECT_LIMIT_MS = 20_000;

/** A werift peer that knows H.264 alone, with what browsers have of feedback. */
export function openBenchPeer(): RTCPeerConnection {
  const rtcpFeedback = [{ type: "nack" }, { type: "nack", parameter: "pli" }, { type: "transport-cc" }];
  return new RTCPeerConnection({
    bundlePolicy: "max-bundle",
    codecs: { video: [new RTCRtpCodecParameters({ ...H264, rtcpFeedback })], audio: [] },
    headerExtensions: { video: EXTENSIONS, audio: [] },
    // It leaves the loopback out by itself.
    iceAdditionalHostAddresses: ["127.0.0.1"],
    iceUseIpv6: false,
  });
}

/** Offers to a WHIP or WHEP endpoint and takes its answer. */
export async function exchange(peer: RTCPeerConnection, url: string, key?: string): Promise<void> {
  const hasCandidate = peer.onIceCandidate.asPromise();
  // It ends when a STUN server on the internet has answered, or has not; this end's own address is enough.
  const gathered = peer.setLocalDescription(await peer.createOffer());
  await Promise.race([hasCandidate, gathered]);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/sdp", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: peer.localDescription?.sdp ?? "",
  });
  const sdp = await response.text();
  if (response.status !== 201) throw new Error(`${url} answered ${response.status}: ${sdp}`);
  await peer.setRemoteDescription({ type: "answer", sdp });
  if (peer.connectionState !== "connected") {
    await peer.connectionStateChange.watch((state) => state === "connected", CONNECT_LIMIT_MS);
  }
}
