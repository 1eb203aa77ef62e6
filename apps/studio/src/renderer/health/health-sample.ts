import type { BitrateReason, BroadcastState, ProgramState, RecordingState, ServerHealth } from "@klieg/protocol";
import type { Encoding } from "../../document/encoding.ts";
import type { CaptureState } from "../media/capture/capture.ts";
import type { MediaStatistics } from "../media/media-contract.ts";
import type { Connection } from "./connection.ts";

/** A source that something is wrong with. */
export interface TroubledSource {
  readonly id: string;
  readonly name: string;
  readonly state: CaptureState;
  /** In words, with what to do; empty where there are none. */
  readonly message: string;
  /** Whether the scene on air shows it, or it is heard. */
  readonly onAir: boolean;
}

/** All that is known of the show's health at one moment; what {@link assess} judges. */
export interface HealthSample {
  /** Epoch ms. */
  readonly now: number;
  /** Whether the page has its engine. */
  readonly linked: boolean;
  readonly broadcast: BroadcastState;
  readonly program: ProgramState;
  readonly recording: RecordingState;
  readonly connections: readonly Connection[];
  readonly server: readonly ServerHealth[];
  /** Since when the engine has told no figures, epoch ms; undefined while it does, or need not. */
  readonly silentEngineSince: number | undefined;
  /** undefined where another page, or none, makes the program. */
  readonly media: MediaStatistics | undefined;
  readonly encoding: Encoding;
  /** bits/s that the video encoder is to make now, and why; undefined before the engine told. */
  readonly askedBitrate: number | undefined;
  readonly bitrateReason: BitrateReason | undefined;
  readonly troubledSources: readonly TroubledSource[];
  /** undefined where nobody counts them. */
  readonly viewers: number | undefined;
  /** Whether the page is in a hidden tab or a window that nothing is seen of. */
  readonly hidden: boolean;
  /** Since when nothing is heard in the program, ms; 0 while something is. */
  readonly silentMs: number;
  /** Whether the program was at full scale within the last seconds. */
  readonly clipped: boolean;
}
