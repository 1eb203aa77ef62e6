import type { SfuStage } from "./sfu-stage.ts";

/** A source that comes by WebRTC: what it sends can go on to viewers as it is. */
export interface RealtimeSource {
  /** The publication's own stage. Whoever opened it closes it. */
  readonly stage: SfuStage;
  /** Id of its video producer on the stage; undefined where it sends sound alone. */
  readonly video: string | undefined;
  /** Id of its audio producer; undefined where it sends none. */
  readonly audio: string | undefined;
}
