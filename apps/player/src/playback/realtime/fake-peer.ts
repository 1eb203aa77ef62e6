const OFFER = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=mid:0",
  "a=ice-ufrag:ours",
  "a=ice-pwd:ourPassword",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=mid:1",
  "a=rtpmap:111 opus/48000/2",
  "a=fmtp:111 minptime=10",
  "",
].join("\r\n");

/** A peer connection for tests: what it receives, and how it is doing, is set by hand. */
export class FakePeer extends EventTarget {
  readonly asked: string[] = [];
  readonly receivers = [
    { track: { kind: "video" }, jitterBufferTarget: null as number | null },
    { track: { kind: "audio" }, jitterBufferTarget: null as number | null },
  ];
  connectionState: RTCPeerConnectionState = "new";
  configuration: RTCConfiguration;
  packets = 0;
  freezes = 0;

  constructor(configuration: RTCConfiguration) {
    super();
    this.configuration = configuration;
  }

  addTransceiver(kind: string): void {
    this.asked.push(`receive ${kind}`);
  }

  getTransceivers() {
    return this.receivers.map((receiver) => ({ currentDirection: "recvonly", receiver }));
  }

  getReceivers() {
    return this.receivers;
  }

  async createOffer(options?: RTCOfferOptions) {
    if (options?.iceRestart) this.asked.push("restart ICE");
    return { type: "offer", sdp: OFFER };
  }

  getConfiguration(): RTCConfiguration {
    return this.configuration;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  async setLocalDescription(): Promise<void> {
    this.asked.push("local");
  }

  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.asked.push(`remote ${/a=ice-ufrag:(\S+)/.exec(sdp)?.[1]}`);
  }

  async getStats() {
    const video = { id: "V", type: "inbound-rtp", kind: "video", packetsReceived: this.packets };
    return new Map([["V", { ...video, freezeCount: this.freezes }]]);
  }

  enter(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }

  close(): void {
    this.asked.push("close");
    this.connectionState = "closed";
  }

  /** As a link wants it. */
  get peer(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }
}
