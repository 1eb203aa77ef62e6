import { answerAfterRestart, iceFragmentOf, withFullSound, withServersExtensions } from "./session-description.ts";
import { type Fetcher, WhepError, WhepResource } from "./whep-resource.ts";

export type PeerFactory = (configuration: RTCConfiguration) => RTCPeerConnection;

export interface WhepConnectionOptions {
  /** Absolute URL to offer at. */
  readonly endpoint: string;
  readonly fetcher: Fetcher;
  readonly createPeer: PeerFactory;
  /** Gives up while it is being opened. */
  readonly signal: AbortSignal;
}

/** One session at the WHEP door with the peer connection that receives it. */
export class WhepConnection implements Disposable {
  readonly peer: RTCPeerConnection;
  readonly resource: WhepResource;
  /** What is received. */
  readonly stream: MediaStream;
  readonly hasVideo: boolean;
  #answer: string;
  #closed = false;

  private constructor(peer: RTCPeerConnection, resource: WhepResource, answer: string) {
    this.peer = peer;
    this.resource = resource;
    this.#answer = answer;
    const tracks = peer
      .getTransceivers()
      .filter(({ currentDirection }) => currentDirection === "recvonly")
      .map(({ receiver }) => receiver.track);
    this.stream = new MediaStream(tracks);
    this.hasVideo = tracks.some(({ kind }) => kind === "video");
  }

  /**
   * Offers, and takes the answer; media may flow as soon as this resolves. No candidate of ours is sent: the door is ICE-lite and
   * learns them from the connectivity checks (RFC 8445 § 2.5).
   * @throws WhepError; or the signal's reason once it is aborted.
   */
  static async open({ endpoint, fetcher, createPeer, signal }: WhepConnectionOptions): Promise<WhepConnection> {
    const peer = createPeer({ bundlePolicy: "max-bundle" });
    let resource: WhepResource | null = null;
    try {
      peer.addTransceiver("video", { direction: "recvonly" });
      peer.addTransceiver("audio", { direction: "recvonly" });
      const offer = await offerOf(peer);
      const posted = await WhepResource.post(endpoint, offer, signal, fetcher);
      resource = posted.resource;
      signal.throwIfAborted();
      // Before gathering begins, which the local description sets off (RFC 9725 § 4.6).
      if (posted.iceServers.length > 0) {
        peer.setConfiguration({ ...peer.getConfiguration(), iceServers: [...posted.iceServers] });
      }
      await describe(peer, offer, posted.answer);
      signal.throwIfAborted();
      return new WhepConnection(peer, resource, posted.answer);
    } catch (error) {
      void end(peer, resource);
      throw error;
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Gets new paths through the network for the same session. @throws WhepError where the door does not take part. */
  async restartIce(signal: AbortSignal): Promise<void> {
    const offer = await offerOf(this.peer, { iceRestart: true });
    await this.peer.setLocalDescription({ type: "offer", sdp: offer });
    const fragment = await this.resource.restartIce(iceFragmentOf(offer), signal);
    const answer = answerAfterRestart(this.#answer, fragment);
    if (answer === null) throw new WhepError("malformed", null, "The answer to an ICE restart has no credentials.");
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
    this.#answer = answer;
  }

  /** Ends the session; also while the page goes away. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void end(this.peer, this.resource);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

async function offerOf(peer: RTCPeerConnection, options: RTCOfferOptions = {}): Promise<string> {
  const { sdp } = await peer.createOffer(options);
  return withServersExtensions(withFullSound(sdp ?? ""));
}

/** The peer's own farewell (DTLS) would end the session before the door hears of it, so the door comes first. */
async function end(peer: RTCPeerConnection, resource: WhepResource | null): Promise<void> {
  await resource?.delete();
  peer.close();
}

async function describe(peer: RTCPeerConnection, offer: string, answer: string): Promise<void> {
  await peer.setLocalDescription({ type: "offer", sdp: offer });
  try {
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
  } catch (cause) {
    throw new WhepError("malformed", null, "The browser does not take the answer.", { cause });
  }
}
