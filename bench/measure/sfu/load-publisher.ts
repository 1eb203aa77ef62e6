import { type AccessUnit, RtpPacketizer } from "@klieg/media";
import { MediaStreamTrack, type RTCPeerConnection } from "werift";
import { exchange, H264_PAYLOAD_TYPE, openBenchPeer } from "./bench-peer.ts";

/** What one that is switched off still sends: often enough not to count as gone. */
const IDLE_EVERY_MS = 1000;

/**
 * A publisher by WHIP that sends the same H.264 over and over in real time, or hardly anything (one keyframe a
 * second) while switched off.
 */
export class LoadPublisher {
  isOn = false;
  readonly #peer: RTCPeerConnection;
  readonly #timer: NodeJS.Timeout;

  private constructor(peer: RTCPeerConnection, timer: NodeJS.Timeout) {
    this.#peer = peer;
    this.#timer = timer;
  }

  /** @param units H.264 with 30 frames a second, one round, from a keyframe on. */
  static async open(url: string, key: string | undefined, units: readonly AccessUnit[]): Promise<LoadPublisher> {
    const peer = openBenchPeer();
    const track = new MediaStreamTrack({ kind: "video" });
    const { sender } = peer.addTransceiver(track, { direction: "sendonly" });
    await exchange(peer, url, key);
    const packetizer = new RtpPacketizer({
      codec: "h264",
      payloadType: H264_PAYLOAD_TYPE,
      ssrc: sender.ssrc,
      cname: "bench",
      timestampBase: 0,
    });
    const [keyframe] = units;
    let frame = 0;
    let idleAt = 0;
    const began = performance.now();
    const timer = setInterval(() => {
      for (;;) {
        const now = performance.now();
        if (now < began + (frame * 1000) / 30) return;
        const unit = publisher.isOn ? units[frame % units.length] : keyframe;
        frame += 1;
        if (unit === undefined) return;
        if (!publisher.isOn && now < idleAt) continue;
        idleAt = now + IDLE_EVERY_MS;
        // The time at which it is sent, which viewers on this machine can compare to.
        const pts = Math.round((performance.timeOrigin + now) * 90);
        packetizer.push({ ...unit, pts, dts: pts }, (packet) => track.writeRtp(packet));
      }
    }, 4);
    const publisher: LoadPublisher = new LoadPublisher(peer, timer);
    return publisher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#peer.close();
  }
}
