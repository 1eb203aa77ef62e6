import type { Socket } from "node:dgram";
import type { RTCPeerConnection, UdpTransport } from "werift";
import { exchange, openBenchPeer } from "./bench-peer.ts";
import { ArrivalLog, transportFeedback } from "./transport-feedback.ts";

/** What has come in since it was last asked for. */
export interface Received {
  packets: number;
  bytes: number;
  /** Sequence numbers that never came. */
  missing: number;
  /** By how much packets came later than the quickest one, ms, each rounded down to a power of two; how many did. */
  readonly lateness: number[];
}

export function nothingReceived(): Received {
  return { packets: 0, bytes: 0, missing: 0, lateness: Array.from({ length: LATENESS_CLASSES }, () => 0) };
}

/** Below 1 ms, below 2 ms, 4 ms … 1024 ms, and above. */
export const LATENESS_CLASSES = 12;
const PROBATION_SSRC = 1234;
const TRANSPORT_CC =
  /^a=extmap:(\d+)[^\r\n]* http:\/\/www\.ietf\.org\/id\/draft-holmer-rmcat-transport-wide-cc-extensions-01/m;

/**
 * A viewer that costs next to nothing: ICE, consent, DTLS and SRTCP are a real stack's, but RTP is counted and dropped
 * as it comes from the socket, before it is decrypted. It answers with transport-wide feedback, as browsers do.
 */
export class LoadViewer {
  readonly #peer: RTCPeerConnection;
  readonly #received: Received;
  readonly #arrivals = new ArrivalLog();
  readonly #extension: number;
  #highest = -1;
  /** Of the first packet and then the quickest, from being sent to coming in, 90 kHz ticks from an arbitrary zero. */
  #quickest: number | undefined;
  #feedbacks = 0;

  private constructor(peer: RTCPeerConnection, received: Received) {
    this.#peer = peer;
    this.#received = received;
    this.#extension = Number(TRANSPORT_CC.exec(peer.remoteDescription?.sdp ?? "")?.[1] ?? 0);
    if (this.#extension === 0) throw new Error("the answer has no transport-wide congestion control");
    this.#takeSocket();
  }

  /** @param received where it counts what comes in; many may share it. */
  static async open(url: string, received: Received): Promise<LoadViewer> {
    const peer = openBenchPeer();
    peer.addTransceiver("video", { direction: "recvonly" });
    await exchange(peer, url);
    return new LoadViewer(peer, received);
  }

  /** Tells the sender which packets have come and when (draft-holmer-rmcat-transport-wide-cc-extensions-01). */
  report(): void {
    const packet = transportFeedback(this.#arrivals, this.#feedbacks);
    if (packet === undefined) return;
    this.#feedbacks += 1;
    const [dtls] = this.#peer.dtlsTransports;
    dtls?.sendRtcp([{ serialize: () => packet } as never]);
  }

  close(): Promise<void> {
    return this.#peer.close();
  }

  #takeSocket(): void {
    const transport = (
      this.#peer.iceTransports[0]?.connection.nominated?.protocol as { transport?: UdpTransport } | undefined
    )?.transport;
    if (transport === undefined) throw new Error("no pair of candidates was nominated");
    const { socket } = transport as unknown as { socket: Socket };
    socket.removeAllListeners("message");
    socket.on("message", (data, { address, port }) => {
      const first = data[0] ?? 0;
      const second = data[1] ?? 0;
      const isRtp = first >= 128 && first < 192 && (second < 192 || second > 223);
      if (isRtp) this.#onRtp(data);
      // RTCP is dropped as well: a sender report changes nothing here.
      else if (first < 128) transport.onData(data, [address, port]);
    });
  }

  #onRtp(packet: Buffer): void {
    // Padding by which mediasoup probes the bandwidth has an SSRC of its own (1234 in every transport).
    if (packet.readUInt32BE(8) === PROBATION_SSRC) {
      this.#arrivals.add(this.#transportSequence(packet), performance.now());
      return;
    }
    const now = performance.now();
    const received = this.#received;
    received.packets += 1;
    received.bytes += packet.length;
    const sequence = packet.readUInt16BE(2);
    if (this.#highest >= 0) {
      const ahead = (sequence - this.#highest) & 0xff_ff;
      if (ahead < 0x80_00) {
        received.missing += Math.max(0, ahead - 1);
        this.#highest = sequence;
      } else received.missing -= 1;
    } else this.#highest = sequence;
    this.#arrivals.add(this.#transportSequence(packet), now);
    // The publisher's timestamps are the times at which it sends, on the clock of this machine.
    const transit = (Math.round(now * 90) - packet.readUInt32BE(4)) | 0;
    this.#quickest ??= transit;
    const behind = (transit - this.#quickest) | 0;
    if (behind < 0) this.#quickest = transit;
    const late = Math.max(0, behind) / 90;
    const at = late < 1 ? 0 : Math.min(LATENESS_CLASSES - 1, 1 + Math.floor(Math.log2(late)));
    received.lateness[at] = (received.lateness[at] ?? 0) + 1;
  }

  /** @returns the transport-wide sequence number; -1 where the packet has none (RFC 8285 § 4.2). */
  #transportSequence(packet: Buffer): number {
    if ((packet.readUInt8(0) & 0x10) === 0) return -1;
    let at = 16;
    const end = at + packet.readUInt16BE(14) * 4;
    while (at < end) {
      const head = packet.readUInt8(at);
      if (head === 0) {
        at += 1;
        continue;
      }
      if (head >> 4 === this.#extension) return packet.readUInt16BE(at + 1);
      at += 2 + (head & 0x0f);
    }
    return -1;
  }
}
