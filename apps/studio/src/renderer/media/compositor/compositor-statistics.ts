/** Why pictures were left out. Counts since the start. */
export interface DroppedPictures {
  /** The compositor was late: the machine has too much to do. */
  readonly render: number;
  /** The encoder's queue was full. */
  readonly encode: number;
  /** The engine did not take what was encoded. */
  readonly link: number;
}

/** Which encoder works, plainly. */
export interface EncoderInUse {
  /** As `Encoding.encoder` names it: `browser_hardware`, `browser_software`, or one of the engine's. */
  readonly name: string;
  readonly hardware: boolean;
  /** For people: "NVIDIA GPU", "Apple GPU", "CPU". */
  readonly label: string;
  /** RFC 6381, e.g. `avc1.64001f`; empty where the engine encodes. */
  readonly codec: string;
}

/** What a source's pictures do, over the last second. */
export interface SourceStatistics {
  readonly sourceId: string;
  /** Pictures a second that arrived. */
  readonly frameRate: number;
}

/** How the compositor does, over the last second where nothing else is said. */
export interface CompositorStatistics {
  /** Pictures of the program a second, of how many wanted. */
  readonly renderFrameRate: number;
  readonly wantedFrameRate: number;
  /** ms to draw and hand on one picture of the program: mean and longest. */
  readonly renderMs: number;
  readonly longestRenderMs: number;
  readonly sources: readonly SourceStatistics[];
  readonly dropped: DroppedPictures;
  /** Pictures that wait in the encoder now. */
  readonly encoderQueue: number;
  /** Mean ms from a picture handed to the encoder to its coded bytes. */
  readonly encodeMs: number;
  /** bits/s: what the encoder was told to make, and what it made. */
  readonly wantedBitrate: number;
  readonly encodedBitrate: number;
  readonly encodedFrameRate: number;
  /** undefined while nothing is encoded. */
  readonly encoder: EncoderInUse | undefined;
}
