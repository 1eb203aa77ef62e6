import { changeSource } from "../../document/edit.ts";
import type { AudioFilter } from "../../document/filter.ts";
import { newId } from "../../document/identity.ts";
import { type AudioSettings, audioOf, type Source } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";

/** A source that has sound. */
export type AudibleSource = Extract<Source, { audio: AudioSettings }>;

export function audibleSources(document: StudioDocument): AudibleSource[] {
  return document.sources.filter((source): source is AudibleSource => audioOf(source) !== undefined);
}

/** Whether the scene on air has a source, seen or not: that is what is heard. */
export function isHeard(document: StudioDocument, sourceId: string): boolean {
  const scene = document.scenes.find(({ id }) => id === document.program);
  return scene?.items.some(({ source, visible }) => source === sourceId && visible) === true;
}

/** Changes how a source sounds. */
export function changeAudio(
  document: StudioDocument,
  sourceId: string,
  change: (audio: AudioSettings) => AudioSettings,
): StudioDocument {
  return changeSource(document, sourceId, (source) =>
    "audio" in source ? { ...source, audio: change(source.audio) } : source,
  );
}

/** Mutes all microphones, or lets all be heard where all are muted already. */
export function toggleMicrophones(document: StudioDocument): StudioDocument {
  const microphones = audibleSources(document).filter(({ kind }) => kind === "microphone");
  const muted = microphones.some((source) => !source.audio.muted);
  return microphones.reduce((changed, { id }) => changeAudio(changed, id, (audio) => ({ ...audio, muted })), document);
}

/** A filter of a kind as it is good for a voice. */
export function newFilter(kind: AudioFilter["kind"]): AudioFilter {
  const base = { id: newId(), enabled: true };
  switch (kind) {
    case "noise_suppression":
      return { ...base, kind };
    case "gate":
      return { ...base, kind, open_at: -38, close_at: -44, attack: 5, hold: 250, release: 150 };
    case "compressor":
      return { ...base, kind, threshold: -20, ratio: 4, knee: 10, attack: 5, release: 120, makeup: 4 };
    case "limiter":
      return { ...base, kind, ceiling: -1.5, release: 60 };
  }
}
