import type { Size } from "./isolated-shape.ts";

/** What the page tells the worker that encodes sources by themselves. */
export type ToIsolated =
  /** First of all. `epoch` of the program clock, ms. */
  | { readonly type: "begin"; readonly epoch: number }
  /** Encodes a source from now on. */
  | {
      readonly type: "open";
      readonly number: number;
      /** Pictures a second, at most. */
      readonly frameRate: number;
      /** While there is no picture it is black, and so large. */
      readonly canvas: Size;
      /** A picture that begins smaller grows to this. */
      readonly least: Size | undefined;
    }
  /** Where its pictures come from; undefined: there are none at present. */
  | { readonly type: "frames"; readonly number: number; readonly frames: ReadableStream<VideoFrame> | undefined }
  | { readonly type: "keyframe"; readonly number: number }
  | { readonly type: "shut"; readonly number: number }
  /** Whether the link to the engine is full: pictures are left out until it is not. */
  | { readonly type: "congested"; readonly congested: boolean }
  /** Of so many pictures one is encoded, to leave the machine to the program. */
  | { readonly type: "relief"; readonly every: number }
  | { readonly type: "close" };

/** How the encoding of one source does. */
export interface IsolatedStatistics {
  readonly number: number;
  /** Pictures encoded over the last second. */
  readonly frameRate: number;
  /** Pictures left out since it began. */
  readonly dropped: number;
  /** For people, e.g. "Intel GPU"; undefined while none works. */
  readonly encoder: string | undefined;
  readonly hardware: boolean;
  /** Why nothing is encoded, in words of the browser's. */
  readonly problem: string | undefined;
}

/** How one source is recorded by itself, as far as this page knows. */
export interface IsolatedSourceStatistics extends Omit<IsolatedStatistics, "number"> {
  readonly source: string;
}

/** What the worker tells the page. */
export type FromIsolated =
  /** A message of `studio-program.ts`. */
  | { readonly type: "media"; readonly message: Uint8Array<ArrayBuffer> }
  /** Once a second. */
  | { readonly type: "statistics"; readonly sources: readonly IsolatedStatistics[] };
