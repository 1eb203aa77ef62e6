import { KliegError } from "@klieg/protocol";
import { iceServersOf } from "@klieg/room";
import type { MediaLink } from "../media-contract.ts";
import { credentialsOf, restartFragment, withCredentials, withStereo } from "./ice-fragment.ts";
import type { WhipState } from "./whip-state.ts";
import { readWhip, type WhipReading } from "./whip-statistics.ts";

export interface WhipPublisherOptions {
  readonly link: Pick<MediaLink, "request">;
  readonly destinationId: string;
  /** Both stay their owners'. */
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack;
  /** bits/s. */
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  readonly onState: (state: WhipState) => void;
}

const CHECK_MS = 1000;
/** Nothing came back for so long: the path is restarted. Reports come several times a second, ms. */
const LONGEST_SILENCE_MS = 2500;
/** A restart that brings nothing back by then is given up for a new session, ms. */
const RESTARTED_BY_MS = 5000;
/** A session that is not connected by then never will be, ms. */
const CONNECTED_BY_MS = 15_000;
/** Pauses between attempts, ms: the first at once, doubled up to the last. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Sends the program to one destination by WHIP (RFC 9725). The engine has the key and speaks HTTP for it; media goes from
 * here. A path that dies is restarted, a session that dies is followed by another, until it is closed or refused for good.
 */
export class WhipPublisher implements Disposable {
  readonly #options: WhipPublisherOptions;
  #videoBitrate: number;
  #state: WhipState;
  #peer: RTCPeerConnection | undefined;
  #session: string | undefined;
  #answer = "";
  /** Grows with each session, so that what an old one still has to say is not heard. */
  #generation = 0;
  #reading: WhipReading | undefined;
  #heardAt = 0;
  #openedAt = 0;
  #restartedAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: WhipPublisherOptions) {
    this.#options = options;
    this.#videoBitrate = options.videoBitrate;
    this.#state = {
      destinationId: options.destinationId,
      state: "connecting",
      attempt: 0,
      nextAttemptAt: undefined,
      problem: undefined,
      statistics: undefined,
    };
    void this.#open();
  }

  get state(): WhipState {
    return this.#state;
  }

  /** What video may have at most, bits/s; WebRTC goes below it by itself where the network asks for it. */
  async setVideoBitrate(bitrate: number): Promise<void> {
    this.#videoBitrate = bitrate;
    const sender = this.#peer?.getSenders().find(({ track }) => track?.kind === "video");
    if (sender !== undefined) await this.#limit(sender, bitrate);
  }

  /** Tries again now: what is planned for later, or was given up. */
  retry(): void {
    if (this.#closed || this.#state.state === "live" || this.#state.state === "connecting") return;
    clearTimeout(this.#timer);
    void this.#open();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#leave();
    this.#tell({ state: "stopped", nextAttemptAt: undefined, statistics: undefined });
  }

  async #open(): Promise<void> {
    this.#leave();
    const generation = this.#generation;
    const wasLive = this.#state.state === "reconnecting";
    this.#tell({
      state: wasLive ? "reconnecting" : "connecting",
      attempt: this.#state.attempt + 1,
      nextAttemptAt: undefined,
      statistics: undefined,
    });
    const { link, destinationId, video, audio, audioBitrate } = this.#options;
    try {
      const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      this.#peer = peer;
      peer.addEventListener("connectionstatechange", () => {
        if (generation === this.#generation && peer.connectionState === "connected") this.#connected();
      });
      const stream = new MediaStream([video, audio]);
      const picture = peer.addTransceiver(video, {
        direction: "sendonly",
        streams: [stream],
        sendEncodings: [{ maxBitrate: this.#videoBitrate }],
      });
      preferH264(picture);
      peer.addTransceiver(audio, {
        direction: "sendonly",
        streams: [stream],
        sendEncodings: [{ maxBitrate: audioBitrate }],
      });
      const offer = await peer.createOffer();
      const answer = await link.request("whip_offer", { destination_id: destinationId, sdp: offer.sdp ?? "" });
      if (generation !== this.#generation) {
        this.#end(answer.session);
        return;
      }
      this.#session = answer.session;
      this.#answer = withStereo(answer.sdp);
      // Before gathering begins, which the local description sets off (RFC 9725 § 4.6).
      const iceServers = iceServersOf(answer.link);
      if (iceServers.length > 0) peer.setConfiguration({ ...peer.getConfiguration(), iceServers });
      await peer.setLocalDescription(offer);
      await peer.setRemoteDescription({ type: "answer", sdp: this.#answer });
      await this.#limit(picture.sender, this.#videoBitrate);
      if (generation !== this.#generation) return;
      this.#openedAt = performance.now();
      this.#heardAt = this.#openedAt;
      this.#timer = setTimeout(() => void this.#check(), CHECK_MS);
    } catch (error) {
      if (generation === this.#generation) this.#lost(KliegError.from(error));
    }
  }

  #connected(): void {
    this.#heardAt = performance.now();
    this.#restartedAt = undefined;
    this.#tell({ state: "live", attempt: 0, nextAttemptAt: undefined, problem: undefined });
  }

  /** Once a second: what the connection does, and whether it does anything. */
  async #check(): Promise<void> {
    const peer = this.#peer;
    const generation = this.#generation;
    if (peer === undefined) return;
    const reports = await peer.getStats();
    if (generation !== this.#generation) return;
    const now = performance.now();
    const reading = readWhip([...reports.values()], this.#reading, now);
    if (reading.bytesReceived !== this.#reading?.bytesReceived) this.#heardAt = now;
    this.#reading = reading;
    this.#timer = setTimeout(() => void this.#check(), CHECK_MS);
    if (this.#state.state !== "live" && this.#restartedAt === undefined) {
      const failed = peer.connectionState === "failed" || now - this.#openedAt > CONNECTED_BY_MS;
      if (failed) this.#lost(new KliegError("unreachable", "The server answers, but no media gets through to it."));
      return;
    }
    const silent = now - this.#heardAt > LONGEST_SILENCE_MS || peer.connectionState === "failed";
    if (!silent) {
      if (this.#restartedAt !== undefined && peer.connectionState === "connected") this.#connected();
      this.#tell({ statistics: reading.statistics });
    } else if (this.#restartedAt === undefined) {
      this.#restartedAt = now;
      this.#tell({ state: "reconnecting", statistics: reading.statistics });
      await this.#restart(peer, generation);
    } else if (now - this.#restartedAt > RESTARTED_BY_MS) {
      this.#lost(new KliegError("unreachable", "The connection to the server was lost."));
    }
  }

  /** ICE restart: other addresses of either end are tried, the session stays. */
  async #restart(peer: RTCPeerConnection, generation: number): Promise<void> {
    const session = this.#session;
    try {
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      const ours = credentialsOf(peer.localDescription?.sdp ?? "");
      if (session === undefined || ours === undefined) throw new KliegError("unreachable", "There is no session.");
      const fragment = restartFragment(ours);
      const answer = await this.#options.link.request("whip_patch", { session, fragment, restart: true });
      if (generation !== this.#generation) return;
      const theirs = credentialsOf(answer.fragment ?? "");
      if (theirs === undefined) throw new KliegError("unreachable", "The server did not answer to the restart.");
      this.#answer = withCredentials(this.#answer, theirs);
      await peer.setRemoteDescription({ type: "answer", sdp: this.#answer });
    } catch {
      // A session that cannot be restarted is over: another follows, and says what is wrong if it cannot be had.
      if (generation === this.#generation)
        this.#lost(new KliegError("unreachable", "The connection to the server was lost."));
    }
  }

  #lost(problem: KliegError): void {
    this.#leave();
    const body = problem.toBody().error;
    if (!problem.retryable) {
      this.#tell({ state: "failed", nextAttemptAt: undefined, problem: body, statistics: undefined });
      return;
    }
    const wasLive = this.#state.state === "live" || this.#state.state === "reconnecting";
    const { attempt } = this.#state;
    const pause = attempt === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
    // Not all studios at the same moment, when a server comes back.
    const wait = pause * (0.75 + Math.random() / 2);
    this.#tell({
      state: wasLive ? "reconnecting" : "connecting",
      nextAttemptAt: Date.now() + wait,
      problem: body,
      statistics: undefined,
    });
    this.#timer = setTimeout(() => void this.#open(), wait);
  }

  /** Lets go of the present session. */
  #leave(): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#peer?.close();
    this.#peer = undefined;
    this.#reading = undefined;
    this.#restartedAt = undefined;
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#end(session);
  }

  #end(session: string): void {
    // The server notices by itself, later, where this does not reach it.
    this.#options.link.request("whip_end", { session }).catch(() => undefined);
  }

  async #limit(sender: RTCRtpSender, bitrate: number): Promise<void> {
    const parameters = sender.getParameters();
    const [encoding] = parameters.encodings;
    if (encoding === undefined) return;
    encoding.maxBitrate = bitrate;
    // A show that stutters is worse than one that is a little soft.
    (parameters as { degradationPreference?: string }).degradationPreference = "maintain-framerate";
    try {
      await sender.setParameters(parameters);
    } catch (error) {
      // Closed meanwhile: then there is nothing to limit.
      if (!(error instanceof DOMException) || error.name !== "InvalidStateError") throw error;
    }
  }

  #tell(change: Partial<WhipState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onState(this.#state);
  }
}

/** H.264 first, which a backend can pass on to every player as it is; the others stay for those that lack it. */
function preferH264(transceiver: RTCRtpTransceiver): void {
  const { codecs } = RTCRtpSender.getCapabilities("video") ?? { codecs: [] };
  const h264 = ({ mimeType }: { mimeType: string }) => mimeType.toLowerCase() === "video/h264";
  transceiver.setCodecPreferences([...codecs.filter(h264), ...codecs.filter((codec) => !h264(codec))]);
}
