const EXTENDED = 0xffffff;
const DEFAULT_CHUNK_SIZE = 128;

/** What the last message of a chunk stream left behind for the next one's header. */
interface Sent {
  messageStreamId: number;
  timestamp: number;
}

/**
 * Cuts messages into chunks (RTMP 1.0 §5.3). The first message of a chunk stream, and one whose time runs backwards,
 * has a type 0 header; the others have type 1. Types 2 and 3 would save a few bytes a message and are read differently
 * by different servers, so they begin no message here.
 */
export class ChunkWriter {
  readonly #sent = new Map<number, Sent>();
  #chunkSize = DEFAULT_CHUNK_SIZE;

  get chunkSize(): number {
    return this.#chunkSize;
  }

  /** For messages from now on; the caller has sent the set chunk size message. */
  set chunkSize(size: number) {
    this.#chunkSize = size;
  }

  /**
   * Hands the message to `send` in pieces: headers, and slices of `body`, which must not change until they are sent.
   * @param chunkStreamId 2 to 63
   * @param timestamp ms, unsigned 32 bits
   */
  write(
    chunkStreamId: number,
    type: number,
    messageStreamId: number,
    timestamp: number,
    body: Buffer,
    send: (bytes: Buffer) => void,
  ): void {
    let sent = this.#sent.get(chunkStreamId);
    const relative =
      sent !== undefined && sent.messageStreamId === messageStreamId && ((timestamp - sent.timestamp) | 0) >= 0;
    const time = relative ? (timestamp - (sent as Sent).timestamp) >>> 0 : timestamp;
    const extended = time >= EXTENDED;

    const header = Buffer.allocUnsafe((relative ? 8 : 12) + (extended ? 4 : 0));
    header[0] = (relative ? 0x40 : 0) | chunkStreamId;
    header.writeUIntBE(extended ? EXTENDED : time, 1, 3);
    header.writeUIntBE(body.length, 4, 3);
    header[7] = type;
    if (!relative) header.writeUInt32LE(messageStreamId, 8);
    if (extended) header.writeUInt32BE(time, header.length - 4);
    send(header);

    const size = this.#chunkSize;
    if (body.length <= size) {
      if (body.length > 0) send(body);
    } else {
      const continuation = Buffer.allocUnsafe(extended ? 5 : 1);
      continuation[0] = 0xc0 | chunkStreamId;
      if (extended) continuation.writeUInt32BE(time, 1);
      send(body.subarray(0, size));
      for (let at = size; at < body.length; at += size) {
        send(continuation);
        send(body.subarray(at, Math.min(at + size, body.length)));
      }
    }

    if (sent === undefined) {
      sent = { messageStreamId, timestamp };
      this.#sent.set(chunkStreamId, sent);
    } else {
      sent.messageStreamId = messageStreamId;
      sent.timestamp = timestamp;
    }
  }
}
