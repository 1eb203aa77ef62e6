/** One access unit as it leaves the elementary stream classes of the codecs. */
export interface CodedFrame {
  /** In the form that `AccessUnit.data` asks for. Empty when there was no picture in it. May be a view of the input. */
  readonly data: Uint8Array;
  readonly keyframe: boolean;
  /** The elementary stream's `track` is another value than before this access unit. */
  readonly trackChanged: boolean;
}
