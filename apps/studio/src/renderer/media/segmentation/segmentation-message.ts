/** What the segmentation worker is told. */
export type ToSegmentation =
  /** First of all: addresses of the runtime's script and WebAssembly, and of the model. */
  | { readonly type: "open"; readonly runtime: string; readonly wasm: string; readonly model: string }
  /** A picture of a source, which becomes the worker's. `again`: a mask that was given out before and is not used any more. */
  | {
      readonly type: "picture";
      readonly source: string;
      readonly picture: VideoFrame | ImageBitmap;
      readonly again: Uint8Array<ArrayBuffer> | undefined;
    }
  /** The source's next picture has nothing to do with its last. */
  | { readonly type: "forget"; readonly source: string };

/** What it answers. */
export type FromSegmentation =
  | { readonly type: "ready" }
  /** How sure it is that there is a person: {@link MASK_SIZE} bytes, rows from above, 255 for surely. */
  | { readonly type: "mask"; readonly source: string; readonly mask: Uint8Array<ArrayBuffer> }
  /** It cannot do its work, and will not. */
  | { readonly type: "failed"; readonly message: string };

/** Pixels of a mask, and of what the model looks at: pictures of any shape are drawn over all of it. */
export const MASK_SIZE = { width: 256, height: 144 } as const;
