import type { CaptureStatus } from "@klieg/protocol";
import type { Source, SourceKind } from "../../../document/source.ts";
import type { SourcePicture } from "../compositor/compositor.ts";
import type { CaptureProblemKind, CaptureState } from "./capture.ts";

/** A source of one kind. */
export type SourceOf<K extends SourceKind> = Extract<Source, { kind: K }>;

/** What a capture says of itself; what is left out is not there. */
export interface CaptureReport {
  readonly state: CaptureState;
  readonly problem?: { readonly kind: CaptureProblemKind; readonly detail?: string } | undefined;
  readonly audio?: MediaStreamTrack | undefined;
  readonly video?: MediaStreamTrack | undefined;
  /** What the engine says of what it captures. */
  readonly stream?: CaptureStatus | undefined;
  /** Pixels, where they are known beforehand; else pictures tell as they come. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** Where a capture hands to what it has. */
export interface CaptureOutlet {
  report(report: CaptureReport): void;
  /** Pictures other than those of the reported `video`; they belong to whoever takes them. */
  picture(picture: SourcePicture): void;
}

/** What opens one source, and keeps it open. */
export interface SourceCapture extends Disposable {
  /** Its source was edited. */
  update(source: Source): void;
  /** Its user wants it tried again. */
  retry(): void;
}
