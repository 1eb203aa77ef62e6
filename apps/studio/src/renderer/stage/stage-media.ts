import type { RecordId } from "../../document/identity.ts";
import type { Transition } from "../../document/scene.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { Capture } from "../media/capture/capture.ts";

/** What a canvas may show. */
export type ShownPicture = "program" | "preview" | RecordId;

/** What the interface needs of the captures (`Captures` is one). */
export interface StageCaptures {
  get(sourceId: RecordId): Capture | undefined;
  onChanged(listener: () => void): Disposable;
  /** Tries a failed capture again; for a screen this asks the user to pick, so it has to be called in a click. */
  retry(sourceId: RecordId): void;
}

/** What the interface needs of the media engine (`StudioMedia` is one). */
export interface StageMedia {
  readonly captures: StageCaptures;
  update(document: StudioDocument): void;
  /** Brings a scene on air. Called before the document says so. */
  take(scene: RecordId, transition: Transition): void;
  /** Draws into a canvas until disposed. The canvas may never have been drawn into by others. */
  show(target: ShownPicture, canvas: HTMLCanvasElement): Disposable;
}
