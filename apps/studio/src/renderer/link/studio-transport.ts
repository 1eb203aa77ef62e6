/**
 * One connection to the engine, open already: a WebSocket, or a port of the desktop app. It is used once; whoever needs another
 * opens another.
 */
export interface StudioTransport {
  /** Text is a message of the contract, bytes are media. Does nothing once closed. Takes the memory of bytes. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** Bytes that were given to {@link send} and wait to leave. */
  readonly buffered: number;
  /** Set by its owner in the turn in which it got the transport: nothing is told before. */
  onMessage: ((text: string) => void) | undefined;
  /** As {@link onMessage}, for bytes: media of what the engine captures. */
  onMedia: ((message: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** Told once, unless {@link close} was called: the other end closed, or is gone. Codes are those of `STUDIO_CLOSE`, or 1006. */
  onClose: ((code: number, reason: string) => void) | undefined;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a connection.
 * @param signal aborts the attempt; the promise rejects then.
 * @throws {TransportRefusal} where trying again is of no use.
 */
export type OpenTransport = (signal: AbortSignal) => Promise<StudioTransport>;

/** The other end does not want this page: `code` as in `STUDIO_CLOSE`. */
export class TransportRefusal extends Error {
  override readonly name = "TransportRefusal";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
