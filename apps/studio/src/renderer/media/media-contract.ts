import type { ErrorBody } from "@klieg/protocol";
import type { Encoding } from "../../document/encoding.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { CaptureLink } from "./capture/engine-captures.ts";
import type { CompositorProblem } from "./compositor/compositor-message.ts";
import type { CompositorStatistics } from "./compositor/compositor-statistics.ts";
import type { IsolatedSourceStatistics } from "./isolated/isolated-message.ts";
import type { WhipState } from "./whip/whip-state.ts";

/** What media needs of the link to the engine (`StudioLink` is one). */
export interface MediaLink extends CaptureLink {
  /** A message of `studio-program.ts`; its memory belongs to the link from then on. */
  sendMedia(message: Uint8Array<ArrayBuffer>): void;
  /** Bytes that wait to leave. */
  readonly buffered: number;
}

/** What media needs of the mixer (`Mixer` is one). */
export interface MediaMixer {
  update(document: StudioDocument): void;
  setTrack(sourceId: string, track: MediaStreamTrack | undefined): void;
  readonly programTrack: MediaStreamTrack;
  /** Interleaved stereo at 48 kHz; µs on the program clock. */
  onSamples(listener: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void): Disposable;
  /** The same of one source by itself. */
  tap(sourceId: string, listener: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void): Disposable;
}

/** Where the program goes. */
export interface ProgramWays {
  /** To the engine, which sends it by SRT and RTMP and records it. */
  readonly engine: boolean;
  /** Ids of destinations that the page itself sends to by WebRTC. */
  readonly whip: readonly string[];
}

export interface ProgramSettings {
  readonly encoding: Encoding;
  readonly ways: ProgramWays;
}

export interface MediaStatistics extends CompositorStatistics {
  readonly whip: readonly WhipState[];
  /** Of each source that is recorded by itself. */
  readonly isolated: readonly IsolatedSourceStatistics[];
  /** What of drawing and encoding does not work now. */
  readonly problem: CompositorProblem | undefined;
  /** How the encoder failed that was wanted, while another does its work. */
  readonly failedEncoder: ErrorBody["error"] | undefined;
}
