import type { RoomSource } from "@klieg/protocol";
import type { Publication } from "./publications.ts";

/** What one sends into a room, whoever captures it: read whenever it says that it changed, and told what the room says of it. */
export interface RoomOutgoing {
  /** What is to be sent now. A muted microphone is sent too, paused: unmuting is then a matter of milliseconds. */
  wanted(): ReadonlyMap<RoomSource, Publication>;
  /** @param listener told after each change of {@link wanted}. @returns ends it. */
  subscribe(listener: () => void): () => void;
  /** A host took it off: at most paused from here on, until its owner says otherwise. */
  silence(source: RoomSource): void;
  /** It could not be sent. */
  failed(source: RoomSource): void;
  /** Nothing of it may be sent any more, or one is out: devices are let go of. */
  stopAll(): void;
}
