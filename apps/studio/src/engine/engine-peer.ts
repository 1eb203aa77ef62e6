/** Sends to one page; given by whoever carries its messages. */
export interface EnginePeer {
  send(text: string): void;
  /** Says goodbye with a code of `STUDIO_CLOSE`; the carrier then calls `closed`. */
  close(code: number, reason: string): void;
}
