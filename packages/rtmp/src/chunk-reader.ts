import { MESSAGE, type RtmpMessage } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

/** What the reader is willing to hold; see `ConnectionLimits`. */
export interface ChunkReaderLimits {
  /** Largest chunk size the peer may set, bytes. */
  readonly maxChunkSize: number;
  /** Chunk streams the peer may open. */
  readonly maxChunkStreams: number;
  /** Bytes of all messages that are begun and not yet complete. */
  readonly maxPartialBytes: number;
  /** Longest message of the type, bytes; asked at the start of each message. */
  readonly maxMessageLength: (type: number) => number;
}

/** The state of one chunk stream. */
class ChunkStream {
  type = 0;
  messageStreamId = 0;
  /** Of the message being read or read last: ms, unsigned 32 bits. */
  timestamp = 0;
  /** What a type 3 header that begins a message adds: the last delta, or the last absolute timestamp (§5.3.1.2.4). */
  delta = 0;
  /** The last extended timestamp field; undefined when the last header with a timestamp had none. */
  extended: number | undefined = undefined;
  /** Bytes of the message that the last header announced. */
  length = 0;
  /** The message being assembled; undefined between messages. */
  body: Buffer | undefined = undefined;
  filled = 0;
}

const MAX_HEADER = 3 + 11 + 4;
const EXTENDED = 0xffffff;
const DEFAULT_CHUNK_SIZE = 128;
const MESSAGE_HEADER_LENGTH = [11, 7, 3, 0] as const;
const EMPTY = Buffer.alloc(0);

/**
 * Takes a connection's bytes apart into messages (RTMP 1.0 §5.3). Bytes go straight from what the socket gave into the
 * one buffer of their message, which is made once, in its final length. Chunk size and abort messages are obeyed here;
 * every message, these included, goes to `onMessage`.
 */
export class ChunkReader {
  readonly #limits: ChunkReaderLimits;
  readonly #onMessage: (message: RtmpMessage) => void;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = Buffer.alloc(MAX_HEADER);
  #headerLength = 0;
  /** Bytes of an earlier `push` to be read before what comes next. */
  #carry: Buffer | undefined;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #partialBytes = 0;
  /** The chunk stream whose chunk payload comes next; undefined when a header comes next. */
  #current: ChunkStream | undefined;
  #chunkRemaining = 0;
  /** Whether this peer repeats the extended timestamp in type 3 headers; unknown until a long message was seen. */
  #repeatsExtended: boolean | undefined;
  #halted = false;

  constructor(limits: ChunkReaderLimits, onMessage: (message: RtmpMessage) => void) {
    this.#limits = limits;
    this.#onMessage = onMessage;
  }

  /** The chunk size that the peer has set, bytes. */
  get chunkSize(): number {
    return this.#chunkSize;
  }

  /** Bytes set aside for messages that are not complete yet. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /** Whether a halted `push` left bytes behind in the reader: push again, with whatever comes next or nothing. */
  get pending(): boolean {
    return this.#carry !== undefined;
  }

  /** Makes the `push` that is under way return after the message that is being delivered. */
  halt(): void {
    this.#halted = true;
  }

  /**
   * Reads `data` from `offset` on and answers with the offset it got to: the end, unless `halt` was called.
   * @throws RtmpProtocolError when the bytes are not RTMP or break a limit; the reader is useless afterwards.
   */
  push(data: Buffer, offset = 0): number {
    this.#halted = false;
    while (offset < data.length || this.#carry !== undefined) {
      const carry = this.#carry;
      if (carry === undefined) {
        offset = this.#consume(data, offset);
      } else {
        const used = this.#consume(carry, 0);
        this.#carry = used < carry.length ? carry.subarray(used) : undefined;
      }
      if (this.#halted) break;
    }
    return offset;
  }

  /** Stops early after a message that called `halt`, and when bytes to read first were put into `#carry`. */
  #consume(data: Buffer, offset: number): number {
    while (offset < data.length) {
      const stream = this.#current;
      if (stream === undefined) {
        offset = this.#readHeader(data, offset);
        if (this.#halted || this.#carry !== undefined) return offset;
        continue;
      }
      const take = Math.min(this.#chunkRemaining, data.length - offset);
      data.copy(stream.body as Buffer, stream.filled, offset, offset + take);
      stream.filled += take;
      offset += take;
      this.#chunkRemaining -= take;
      if (this.#chunkRemaining > 0) return offset;
      this.#current = undefined;
      if (stream.filled === stream.length) {
        this.#finish(stream);
        if (this.#halted) return offset;
      }
    }
    return offset;
  }

  /** Reads a chunk header; answers with the offset after it, or the end of `data` when it goes on in what comes next. */
  #readHeader(data: Buffer, offset: number): number {
    if (this.#headerLength === 0) {
      const used = this.#parseHeader(data, offset, data.length);
      if (used > 0) return offset + used;
      const rest = data.length - offset;
      data.copy(this.#header, 0, offset);
      this.#headerLength = rest;
      return data.length;
    }
    const before = this.#headerLength;
    const taken = Math.min(MAX_HEADER - before, data.length - offset);
    data.copy(this.#header, before, offset, offset + taken);
    const used = this.#parseHeader(this.#header, 0, before + taken);
    if (used > 0) {
      this.#headerLength = 0;
      if (used < before) {
        // A type 3 header looked as if it went on with a timestamp, and did not: what came earlier is payload.
        this.#carry = Buffer.from(this.#header.subarray(used, before));
        return offset;
      }
      return offset + used - before;
    }
    this.#headerLength = before + taken;
    return offset + taken;
  }

  /** Answers with the length of the header in `bytes[at..end)`, or 0 when it is not all there. */
  #parseHeader(bytes: Buffer, at: number, end: number): number {
    let position = at;
    const first = bytes[position++] as number;
    const format = first >>> 6;
    let id = first & 0x3f;
    if (id === 0) {
      if (position + 1 > end) return 0;
      id = 64 + (bytes[position++] as number);
    } else if (id === 1) {
      if (position + 2 > end) return 0;
      id = 64 + (bytes[position] as number) + (bytes[position + 1] as number) * 256;
      position += 2;
    }
    const headerLength = MESSAGE_HEADER_LENGTH[format as 0 | 1 | 2 | 3];
    if (position + headerLength > end) return 0;

    let stream = this.#streams.get(id);
    if (format === 3) {
      if (stream === undefined) throw new RtmpProtocolError("chunk_invalid", `chunk stream ${id} begins with type 3`);
      if (stream.extended !== undefined) {
        const length = this.#extendedLengthOfType3(stream, bytes, position, end);
        if (length === undefined) return 0;
        if (length > 0 && stream.body === undefined) stream.extended = stream.delta = bytes.readUInt32BE(position);
        position += length;
      }
      if (stream.body === undefined) {
        stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
        this.#begin(stream);
      }
      this.#beginChunk(stream);
      return position - at;
    }

    const field = bytes.readUIntBE(position, 3);
    let timestamp = field;
    if (field === EXTENDED) {
      if (position + headerLength + 4 > end) return 0;
      timestamp = bytes.readUInt32BE(position + headerLength);
    }
    if (stream === undefined) {
      // Type 1 comes from encoders that think of an absolute timestamp 0 before it; nothing can explain type 2.
      if (format === 2) throw new RtmpProtocolError("chunk_invalid", `chunk stream ${id} begins with type 2`);
      if (this.#streams.size >= this.#limits.maxChunkStreams) {
        throw new RtmpProtocolError(
          "too_many_chunk_streams",
          `more than ${this.#limits.maxChunkStreams} chunk streams on one connection`,
        );
      }
      stream = new ChunkStream();
      this.#streams.set(id, stream);
    } else if (stream.body !== undefined) {
      throw new RtmpProtocolError("chunk_invalid", `chunk stream ${id} begins a message within another`);
    }
    if (format <= 1) {
      stream.length = bytes.readUIntBE(position + 3, 3);
      stream.type = bytes[position + 6] as number;
    }
    if (format === 0) stream.messageStreamId = bytes.readUInt32LE(position + 7);
    stream.timestamp = format === 0 ? timestamp : (stream.timestamp + timestamp) >>> 0;
    stream.delta = timestamp;
    stream.extended = field === EXTENDED ? timestamp : undefined;
    position += headerLength + (field === EXTENDED ? 4 : 0);
    this.#begin(stream);
    this.#beginChunk(stream);
    return position - at;
  }

  /**
   * Bytes of extended timestamp that a type 3 header goes on with, 4 or 0: §5.3.1.3 says that it is there, and some
   * encoders leave it out. Within a message it can only be the number of the first header, so that decides; at the
   * start of a message, where it may be another number, what the peer did before decides. Undefined: more bytes needed.
   */
  #extendedLengthOfType3(stream: ChunkStream, bytes: Buffer, at: number, end: number): 0 | 4 | undefined {
    const expected = stream.extended as number;
    const available = Math.min(4, end - at);
    let same = true;
    for (let i = 0; i < available && same; i++) same = bytes[at + i] === ((expected >>> (24 - 8 * i)) & 0xff);
    const within = stream.body !== undefined;
    if (!same && (within || this.#repeatsExtended === false)) {
      this.#repeatsExtended ??= false;
      return 0;
    }
    if (available < 4) return undefined;
    if (within) this.#repeatsExtended ??= true;
    return 4;
  }

  #begin(stream: ChunkStream): void {
    const { length, type } = stream;
    const longest = this.#limits.maxMessageLength(type);
    if (length > longest) {
      throw new RtmpProtocolError(
        "message_too_long",
        `message of type ${type} announces ${length} bytes, at most ${longest} are taken`,
      );
    }
    if (this.#partialBytes + length > this.#limits.maxPartialBytes) {
      throw new RtmpProtocolError(
        "partial_messages_too_large",
        `unfinished messages of more than ${this.#limits.maxPartialBytes} bytes`,
      );
    }
    this.#partialBytes += length;
    // Small bodies come out of Node's pool; a large one is memory of its own, so that keeping it keeps nothing else.
    stream.body = length === 0 ? EMPTY : length < 4096 ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length);
    stream.filled = 0;
  }

  #beginChunk(stream: ChunkStream): void {
    this.#chunkRemaining = Math.min(this.#chunkSize, stream.length - stream.filled);
    if (this.#chunkRemaining > 0) this.#current = stream;
    else this.#finish(stream);
  }

  #finish(stream: ChunkStream): void {
    const body = stream.body as Buffer;
    stream.body = undefined;
    this.#partialBytes -= stream.length;
    if (stream.type === MESSAGE.setChunkSize) this.#setChunkSize(body);
    else if (stream.type === MESSAGE.abort) this.#abort(body);
    this.#onMessage({
      type: stream.type,
      messageStreamId: stream.messageStreamId,
      timestamp: stream.timestamp,
      body,
    });
  }

  #setChunkSize(body: Buffer): void {
    if (body.length < 4) throw new RtmpProtocolError("chunk_invalid", "set chunk size message is too short");
    const size = body.readUInt32BE(0);
    if (size === 0 || size > 0x7fffffff) throw new RtmpProtocolError("chunk_invalid", `chunk size ${size}`);
    if (size > this.#limits.maxChunkSize) {
      throw new RtmpProtocolError("chunk_invalid", `chunk size ${size}, at most ${this.#limits.maxChunkSize} is taken`);
    }
    this.#chunkSize = size;
  }

  #abort(body: Buffer): void {
    if (body.length < 4) throw new RtmpProtocolError("chunk_invalid", "abort message is too short");
    const stream = this.#streams.get(body.readUInt32BE(0));
    if (stream?.body === undefined) return;
    stream.body = undefined;
    this.#partialBytes -= stream.length;
  }
}
