import { audioOf } from "../../../document/source.ts";
import type { StudioDocument } from "../../../document/studio-document.ts";
import type { StripSettings } from "./dsp/channel-strip.ts";

/**
 * What a document says of how its sources sound, by source id; sources without sound are left out.
 *
 * - The program has a source while its scene shows it and it is not muted; the scene's transition says how it comes and goes.
 * - The operator hears what is monitored in the scenes of program and preview, without what is muted; while any source is
 *   solo, these alone, whatever else is said of them: so a muted one can be listened to before it is heard by everybody.
 */
export function stripSettings(document: StudioDocument): Map<string, StripSettings> {
  const onAir = shownIn(document, document.program);
  const prepared = shownIn(document, document.preview);
  const anySolo = document.sources.some((source) => audioOf(source)?.solo === true);
  const scene = document.scenes.find(({ id }) => id === document.program);
  const transition = scene?.transition ?? document.transition;
  const fade = transition.kind === "cut" ? 0 : transition.duration;
  const settings = new Map<string, StripSettings>();
  for (const source of document.sources) {
    const audio = audioOf(source);
    if (audio === undefined) continue;
    const heard = audio.monitored && !audio.muted && (onAir.has(source.id) || prepared.has(source.id));
    settings.set(source.id, {
      filters: audio.filters,
      gain: audio.gain,
      pan: audio.pan,
      delay: audio.delay,
      muted: audio.muted,
      inProgram: onAir.has(source.id) && !audio.muted,
      fade,
      inMonitor: anySolo ? audio.solo : heard,
    });
  }
  return settings;
}

function shownIn(document: StudioDocument, sceneId: string): ReadonlySet<string> {
  const scene = document.scenes.find(({ id }) => id === sceneId);
  return new Set(scene?.items.filter(({ visible }) => visible).map(({ source }) => source));
}
