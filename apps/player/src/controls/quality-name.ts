import { type Rendition, renditionName } from "../playback/rendition.ts";
import { strings } from "../strings.ts";

/** What the viewer knows a rendition by: its size, or its rank where that is all that is known of it. */
export function qualityName(rendition: Rendition): string {
  if (rendition.rank !== undefined) return strings.controls.rank(rendition.rank);
  return rendition.height === null ? strings.stage.soundOnly : renditionName(rendition);
}

/** As above, for the one that is on screen: that has a size. */
export function shownQualityName(rendition: Rendition): string {
  return rendition.height === null ? qualityName(rendition) : renditionName(rendition);
}
