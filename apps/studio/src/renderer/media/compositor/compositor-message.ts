import type { ErrorBody } from "@klieg/protocol";
import type { Transition } from "../../../document/scene.ts";
import type { StudioDocument } from "../../../document/studio-document.ts";
import type { SegmentationState } from "../segmentation/person-masks.ts";
import type { CompositorStatistics, EncoderInUse } from "./compositor-statistics.ts";

/** How the program is to be encoded. */
export interface ProgramEncoding {
  /** As `Encoding.encoder` names it. */
  readonly encoder: string;
  /** bits/s. */
  readonly bitrate: number;
  /** s. */
  readonly keyframeInterval: number;
}

/** What the compositor has trouble with. */
export interface CompositorProblem {
  /**
   * `no_webgl`: nothing can be composed here; `gpu_lost`: the graphics card was reset, pictures come again when it is back;
   * `encoder`: nothing encodes; `encoder_changed`: an encoder failed and another took over; `worker`: it ended.
   */
  readonly kind: "no_webgl" | "gpu_lost" | "encoder" | "encoder_changed" | "worker";
  readonly error: ErrorBody["error"];
}

/** What the page tells the compositor's worker. */
export type ToCompositor =
  /** First of all. `epoch` of the program clock, ms. */
  | { readonly type: "begin"; readonly epoch: number }
  | { readonly type: "document"; readonly document: StudioDocument }
  | { readonly type: "take"; readonly scene: string; readonly transition: Transition }
  | { readonly type: "frames"; readonly source: string; readonly frames: ReadableStream<VideoFrame> }
  | { readonly type: "still"; readonly source: string; readonly still: ImageBitmap; readonly placeholder: boolean }
  | { readonly type: "no_picture"; readonly source: string }
  | { readonly type: "show"; readonly view: number; readonly target: string; readonly canvas: OffscreenCanvas }
  | { readonly type: "resize"; readonly view: number; readonly width: number; readonly height: number }
  | { readonly type: "hide"; readonly view: number }
  /** Whether anybody can see the page. */
  | { readonly type: "seen"; readonly seen: boolean }
  | { readonly type: "encode"; readonly encoding: ProgramEncoding | undefined }
  | { readonly type: "bitrate"; readonly bitrate: number }
  | { readonly type: "keyframe" }
  /** Whether the link to the engine is full. */
  | { readonly type: "congested"; readonly congested: boolean }
  | { readonly type: "track"; readonly frames: WritableStream<VideoFrame> }
  | { readonly type: "close" };

/** What the worker tells the page. */
export type FromCompositor =
  | { readonly type: "statistics"; readonly statistics: CompositorStatistics }
  | { readonly type: "size"; readonly source: string; readonly width: number; readonly height: number }
  /** A message for the engine, of `studio-program.ts`. */
  | { readonly type: "media"; readonly message: Uint8Array<ArrayBuffer> }
  | { readonly type: "transition"; readonly running: boolean }
  /** `insteadOf`: how the one that was wanted failed, while this one does its work. */
  | {
      readonly type: "encoder";
      readonly encoder: EncoderInUse | undefined;
      readonly insteadOf: ErrorBody["error"] | undefined;
    }
  | { readonly type: "problem"; readonly problem: CompositorProblem }
  /** How the search for people does, which some filters need. */
  | { readonly type: "segmentation"; readonly segmentation: SegmentationState }
  /** The graphics card is back. */
  | { readonly type: "restored" }
  /** Everything is let go. */
  | { readonly type: "closed" };

/** What a view shows. */
export type ViewTarget = "program" | "preview" | `source:${string}` | (string & {});
