import type { StudioAnswerOf, StudioEvent, StudioRequestOf, StudioRequestType } from "@klieg/protocol";
import type { EngineSession } from "./engine-session.ts";

/** What answers requests of those types. Each may throw `KliegError`s; anything else becomes `internal`. */
export type EngineHandlers<T extends StudioRequestType = StudioRequestType> = {
  readonly [K in T]: (
    request: StudioRequestOf<K>,
    session: EngineSession,
  ) => StudioAnswerOf<K> | Promise<StudioAnswerOf<K>>;
};

/** Tells pages of something. */
export interface EngineOutlet {
  /** Every page. */
  tell(event: StudioEvent): void;
  /** Every page but one: whose request it was. */
  tellOthers(but: EngineSession, event: StudioEvent): void;
}
