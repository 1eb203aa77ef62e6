import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { Child } from "./child.ts";

const FEEDBACK = [{ type: "nack" }, { type: "nack", parameter: "pli" }];
const OPUS = new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48_000, channels: 2 });
const VP8 = new RTCRtpCodecParameters({ mimeType: "video/VP8", clockRate: 90_000, rtcpFeedback: FEEDBACK });
const H264 = new RTCRtpCodecParameters({
  mimeType: "video/H264",
  clockRate: 90_000,
  rtcpFeedback: FEEDBACK,
  parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
});

function openPeer(video: RTCRtpCodecParameters[]): RTCPeerConnection {
  return new RTCPeerConnection({
    bundlePolicy: "max-bundle",
    codecs: { video, audio: [OPUS] },
    // It leaves the loopback out by itself.
    iceAdditionalHostAddresses: ["127.0.0.1"],
    iceUseIpv6: false,
  });
}

async function exchange(peer: RTCPeerConnection, url: string, key?: string): Promise<string> {
  await peer.setLocalDescription(await peer.createOffer());
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/sdp", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: peer.localDescription?.sdp ?? "",
  });
  const sdp = await response.text();
  if (response.status !== 201) throw new Error(`${response.status} ${sdp}`);
  await peer.setRemoteDescription({ type: "answer", sdp });
  return new URL(response.headers.get("location") ?? "", url).href;
}

/** A WHIP publisher that is werift (WebRTC in TypeScript, none of ours): VP8 of 320×180 that FFmpeg makes, no sound. */
export async function publishVp8(url: string, key: string): Promise<AsyncDisposable & { state(): string }> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address() as AddressInfo;
  const peer = openPeer([VP8]);
  const track = new MediaStreamTrack({ kind: "video" });
  peer.addTransceiver(track, { direction: "sendonly" });
  socket.on("message", (packet) => track.writeRtp(packet));
  await exchange(peer, url, key);
  const encoder = new Child("ffmpeg", [
    ...["-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-c:v", "libvpx"],
    ...["-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-b:v", "400k"],
    ...["-f", "rtp", `rtp://127.0.0.1:${port}?pkt_size=1200`],
  ]);
  return {
    state: () => peer.connectionState,
    [Symbol.asyncDispose]: async () => {
      await encoder.stop();
      await peer.close();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/** What a viewer that is werift has received. */
export interface WeriftViewer extends AsyncDisposable {
  readonly resource: string;
  readonly peer: RTCPeerConnection;
  /** RTP packets by kind. */
  readonly packets: { video: number; audio: number };
  /** Payload types that came, by kind. */
  readonly payloadTypes: { readonly video: Set<number>; readonly audio: Set<number> };
}

/** A WHEP player that is werift. */
export async function watchWithWerift(url: string): Promise<WeriftViewer> {
  const peer = openPeer([VP8, H264]);
  const packets = { video: 0, audio: 0 };
  const payloadTypes = { video: new Set<number>(), audio: new Set<number>() };
  for (const kind of ["video", "audio"] as const) {
    const transceiver = peer.addTransceiver(kind, { direction: "recvonly" });
    transceiver.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe((packet) => {
        packets[kind] += 1;
        payloadTypes[kind].add(packet.header.payloadType);
      });
    });
  }
  const resource = await exchange(peer, url);
  return { resource, peer, packets, payloadTypes, [Symbol.asyncDispose]: () => peer.close() };
}
