import { type AccessUnit, RtpDemuxer, type RtpStream } from "@klieg/media";
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";

/** H.264 and Opus as a peer offers them that knows nothing else. */
const H264 = new RTCRtpCodecParameters({
  mimeType: "video/H264",
  clockRate: 90_000,
  payloadType: 102,
  rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
  parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
});
const OPUS = new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48_000, channels: 2, payloadType: 111 });

/** A viewer by WHEP that is werift: what it receives, as access units. */
export class WeriftViewer implements AsyncDisposable {
  readonly units: readonly AccessUnit[];
  readonly #peer: RTCPeerConnection;
  readonly #resource: string;

  private constructor(peer: RTCPeerConnection, resource: string, units: readonly AccessUnit[]) {
    this.units = units;
    this.#peer = peer;
    this.#resource = resource;
  }

  /** @param endpoint e.g. `http://127.0.0.1:8080/v1/whep/demo`. */
  static async open(endpoint: string): Promise<WeriftViewer> {
    const peer = new RTCPeerConnection({ codecs: { video: [H264], audio: [OPUS] }, bundlePolicy: "max-bundle" });
    const units: AccessUnit[] = [];
    const demuxer = new RtpDemuxer({ onTrack: () => undefined, onAccessUnit: (unit) => void units.push(unit) });
    peer.onTrack.subscribe((track) => {
      let stream: RtpStream | undefined;
      track.onReceiveRtp.subscribe((packet) => {
        const { kind } = track;
        if (kind !== "video" && kind !== "audio") return;
        const codec =
          kind === "video"
            ? { mimeType: "video/H264", clockRate: 90_000 }
            : { mimeType: "audio/opus", clockRate: 48_000 };
        stream ??= demuxer.addStream({ id: 0, kind, codec, payloadType: packet.header.payloadType });
        stream.push(packet.serialize(), performance.now());
      });
    });
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addTransceiver("audio", { direction: "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: peer.localDescription?.sdp ?? "",
    });
    const answer = await response.text();
    if (response.status !== 201) {
      await peer.close();
      throw new Error(`${response.status} ${answer}`);
    }
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    return new WeriftViewer(peer, new URL(response.headers.get("location") ?? "", endpoint).href, units);
  }

  of(kind: "video" | "audio"): AccessUnit[] {
    return this.units.filter(({ track }) => track.kind === kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await fetch(this.#resource, { method: "DELETE" });
    await this.#peer.close();
  }
}
