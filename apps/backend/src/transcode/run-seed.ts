import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import type { RecentMedia } from "./recent-media.ts";
import type { SourceTracks } from "./source-tracks.ts";
import { continues } from "./transcode-plan.ts";
import { PROBED_FRAMES, type RunPlan } from "./transcode-run.ts";

/** What a run is begun with. */
export interface RunSeed {
  readonly units: readonly AccessUnit[];
  /** What is presented up to here has been made already, 90 kHz ticks; undefined where nothing is to be left out. */
  readonly after: number | undefined;
}

/** An FFmpeg that comes back may have so much to catch up with; with more, it begins at a keyframe after. */
const CATCH_UP = 3 * TICKS_PER_SECOND;
/** A source too slow for {@link PROBED_FRAMES} soon is begun with after so much of it. */
const ENOUGH = TICKS_PER_SECOND / 2;
/** Sound alone is transcoded when no video has come for so much of it. */
const SOUND_ALONE = TICKS_PER_SECOND;

/**
 * Whether FFmpeg can be started with these access units: it looks at the first few frames before it begins.
 * @param hasVideo whether they begin with a keyframe of video.
 */
export function isEnough(units: readonly AccessUnit[], hasVideo: boolean, tracks: SourceTracks): boolean {
  const first = units[0];
  const last = units.at(-1);
  if (first === undefined || last === undefined) return false;
  const span = last.dts - first.dts;
  if (tracks.video === undefined) return span >= SOUND_ALONE;
  if (!hasVideo) return false;
  if (span >= ENOUGH) return true;
  if (tracks.wantsAac && tracks.sound === undefined) return false;
  // A frame rate that nobody has declared is measured.
  const wanted = tracks.hasFrameRate ? PROBED_FRAMES : PROBED_FRAMES * 2;
  let frames = 0;
  for (const { track } of units) if (track.kind === "video") frames += 1;
  return frames >= wanted;
}

/**
 * What a run begins with: where the last one stopped, if that is not too long ago, else a keyframe after it.
 * @param before what the run before it was to make, and up to which presentation time it has made what `plan` makes.
 */
export function seedOf(
  recent: RecentMedia,
  plan: RunPlan,
  before: { readonly plan: RunPlan | undefined; readonly made: number | undefined },
): RunSeed {
  const { units } = recent;
  const { made } = before;
  const first = units[0];
  const last = units.at(-1);
  const resumes =
    made !== undefined &&
    first !== undefined &&
    last !== undefined &&
    first.track.kind === "video" &&
    first.pts <= made &&
    last.dts - made <= CATCH_UP &&
    before.plan !== undefined &&
    continues(plan, before.plan);
  if (resumes) return { units, after: made };
  return { units: recent.after(made ?? -1, CATCH_UP), after: undefined };
}
