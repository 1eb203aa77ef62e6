import type { Track } from "@klieg/media";
import { audioOf, hasPicture } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";

/** A source that is to be recorded by itself. */
export interface IsolatedSource {
  readonly id: string;
  readonly name: string;
  /** What it has: picture, sound or both. */
  readonly kinds: readonly Track["kind"][];
}

/** The sources of a show that are recorded by themselves while the program is. */
export function isolatedSources(document: StudioDocument): IsolatedSource[] {
  return document.sources
    .filter(({ id }) => document.isolated.includes(id))
    .map((source) => ({
      id: source.id,
      name: source.name,
      kinds: [...(hasPicture(source) ? (["video"] as const) : []), ...(audioOf(source) ? (["audio"] as const) : [])],
    }));
}
