/** Sends to one page; given by whoever carries its messages. */
export interface EnginePeer {
  send(text: string): void;
  /** Media of a capture; takes its memory. */
  sendMedia(message: Uint8Array<ArrayBuffer>): void;
  /** Bytes of media that were given to {@link sendMedia} and have not left, or were not taken. */
  readonly behind: number;
  /** Says goodbye with a code of `STUDIO_CLOSE`; the carrier then calls `closed`. */
  close(code: number, reason: string): void;
}
