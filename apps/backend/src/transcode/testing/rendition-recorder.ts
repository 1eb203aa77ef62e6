import type { AccessUnit } from "@klieg/media";
import type { TranscodedRendition } from "../rendition-stitcher.ts";
import type { TranscodeSink } from "../transcoder-events.ts";

/** Keeps what a transcoder makes, by the name of the rendition. */
export class RenditionRecorder implements TranscodeSink {
  readonly units = new Map<string, AccessUnit[]>();
  readonly #waiting = new Set<{ readonly met: () => boolean; readonly resolve: () => void }>();

  onAccessUnit(rendition: TranscodedRendition, unit: AccessUnit): void {
    const units = this.units.get(rendition.name) ?? [];
    this.units.set(rendition.name, units);
    units.push(unit);
    for (const waiter of this.#waiting) {
      if (!waiter.met()) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  of(name: string): AccessUnit[] {
    return this.units.get(name) ?? [];
  }

  /** Presentation times of a rendition. */
  times(name: string): number[] {
    return this.of(name).map(({ pts }) => pts);
  }

  keyframes(name: string): number[] {
    return this.of(name).flatMap(({ keyframe, pts }) => (keyframe ? [pts] : []));
  }

  /** Resolves when `met` holds; asked after each access unit. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ met, resolve });
    return promise;
  }
}

/** Presentation times of the video, in order. */
export function videoTimes(units: readonly AccessUnit[]): number[] {
  return units.flatMap(({ track, pts }) => (track.kind === "video" ? [pts] : [])).toSorted((a, b) => a - b);
}

/** Presentation times of the video's keyframes. */
export function videoKeyframes(units: readonly AccessUnit[]): number[] {
  return units.flatMap(({ track, pts, keyframe }) => (track.kind === "video" && keyframe ? [pts] : []));
}
