import { createEngine } from "./create-engine.ts";
import type { EngineFactory, PlaylistEngine } from "./engine.ts";
import { byQuality } from "./rendition.ts";

/** A still that takes longer is not worth waiting for, ms. */
const TIMEOUT_MS = 10_000;
/** Stills taken at the same time: the pictures fill in one after another instead of all starving. */
const AT_ONCE = 2;

let taking = 0;
const queue: (() => void)[] = [];

/**
 * Draws the live edge of the playlist at `url` into `canvas`: opens the lowest rendition, decodes one frame and lets go. Resolves to
 * whether there is a picture now; never rejects.
 */
export async function drawLiveStill(
  url: string,
  canvas: HTMLCanvasElement,
  signal: AbortSignal,
  makeEngine: EngineFactory = createEngine,
): Promise<boolean> {
  await turn();
  try {
    return await take(url, canvas, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]), makeEngine);
  } finally {
    taking--;
    queue.shift()?.();
  }
}

async function turn(): Promise<void> {
  if (taking >= AT_ONCE) await new Promise<void>((go) => queue.push(go));
  taking++;
}

async function take(
  url: string,
  canvas: HTMLCanvasElement,
  signal: AbortSignal,
  makeEngine: EngineFactory,
): Promise<boolean> {
  if (signal.aborted) return false;
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  let engine: PlaylistEngine | null = null;
  try {
    return await new Promise<boolean>((resolve) => {
      signal.addEventListener("abort", () => resolve(false), { once: true });
      const look = () => {
        if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking || video.videoWidth === 0) return;
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        canvas.getContext("2d")?.drawImage(video, 0, 0);
        resolve(true);
      };
      for (const type of ["loadeddata", "seeked", "canplay"]) video.addEventListener(type, look, { signal });
      video.addEventListener("error", () => resolve(false), { signal });
      makeEngine({
        video,
        bandwidth: 1_000_000,
        chooseStart: (renditions) => ({
          start: renditions.toSorted(byQuality).findLast((rendition) => rendition.height !== null)?.index ?? null,
          pinned: true,
          cap: null,
        }),
        events: { fault: (fault) => fault.fatal && resolve(false) },
      }).then(
        (made) => {
          engine = made;
          if (!signal.aborted) made.load(url);
        },
        () => resolve(false),
      );
    });
  } finally {
    (engine as PlaylistEngine | null)?.destroy();
  }
}
