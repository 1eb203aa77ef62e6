/** Carries the text messages of one connection to a room. Made anew for each connection: it does not come back by itself. */
export interface RoomWireTransport {
  /** What is sent before it is open goes out once it is. */
  send(text: string): void;
  onMessage: ((text: string) => void) | undefined;
  /** Told once, where the connection broke or the other end closed it; never after `close()`. @param code of the WebSocket. */
  onClose: ((code: number) => void) | undefined;
  /** Says goodbye. Idempotent. */
  close(): void;
}
