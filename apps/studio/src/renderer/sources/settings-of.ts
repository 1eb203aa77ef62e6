import type { Source } from "../../document/source.ts";
import type { SourceOf } from "./new-source.ts";

/** A source whose settings are shown, and how they are changed. */
export interface SettingsOf<Kind extends Source["kind"]> {
  readonly source: SourceOf<Kind>;
  /** @param keep whether more of the same is to come, as while typing. */
  readonly set: (part: Partial<SourceOf<Kind>>, keep?: boolean) => void;
}
