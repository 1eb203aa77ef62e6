import type { Socket } from "node:net";
import type { CloseReason } from "@klieg/base";
import type { AmfValue } from "./amf-value.ts";
import { encodeAmf0 } from "./amf0-encode.ts";
import { ChunkReader, type ChunkReaderLimits } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import type { Handshake } from "./handshake.ts";
import { MESSAGE, type RtmpMessage, USER_CONTROL } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

const CONTROL_CHUNK_STREAM = 2;
const COMMAND_CHUNK_STREAM = 3;
const EMPTY = Buffer.alloc(0);
/** How many bytes are acknowledged at a time while the peer has not named a window. */
const DEFAULT_WINDOW = 2_500_000;

/** What happens on a connection; the callbacks are called one at a time, never after `onClosed`. */
export interface RtmpConnectionOptions {
  readonly socket: Socket;
  readonly handshake: Handshake;
  readonly limits: ChunkReaderLimits;
  /** Bytes that may wait to be sent; more means that the peer does not read. */
  readonly maxWriteBacklog: number;
  readonly onHandshaken: () => void;
  /** Messages other than those of the chunk layer and of flow control. */
  readonly onMessage: (message: RtmpMessage) => void;
  readonly onUserControl?: (event: number, data: Buffer) => void;
  /**
   * The peer's bytes broke the protocol or a limit (RtmpProtocolError), or a callback threw. The callback may say so to
   * the peer and end the connection; if it does not, the connection is closed at once.
   */
  readonly onInvalid: (error: Error) => void;
  /** All that waited to be sent is sent. */
  readonly onDrain?: () => void;
  /** The socket is closed. */
  readonly onClosed: (reason: CloseReason) => void;
}

/**
 * What both ends have in common: handshake, chunks, flow control, and an orderly end. Acknowledgements go out by the
 * peer's window, ping requests are answered.
 */
export class RtmpConnection {
  readonly #options: RtmpConnectionOptions;
  readonly #socket: Socket;
  readonly #handshake: Handshake;
  readonly #reader: ChunkReader;
  readonly #writer = new ChunkWriter();
  readonly #write = (bytes: Buffer): void => void this.#socket.write(bytes);
  readonly #closed = Promise.withResolvers<void>();
  #unread: Buffer | undefined;
  #paused = false;
  #pumping = false;
  /** Reading is over: we are ending the connection, and what still comes is thrown away. */
  #ending = false;
  #reason: CloseReason | undefined;
  #linger: NodeJS.Timeout | undefined;
  #window = DEFAULT_WINDOW;
  #sentWindow = 0;
  #bytesReceived = 0;
  #acknowledged = 0;
  #peerAcknowledged = 0;

  constructor(options: RtmpConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#handshake = options.handshake;
    this.#reader = new ChunkReader(options.limits, (message) => this.#onMessage(message));
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (data) => this.#onData(data));
    this.#socket.on("end", () => {
      this.#reason ??= { by: "peer", message: "the peer closed the connection" };
    });
    this.#socket.on("error", (error) => {
      this.#reason ??= { by: "peer", message: error.message, error };
    });
    this.#socket.on("drain", () => this.#options.onDrain?.());
    this.#socket.on("close", () => {
      clearTimeout(this.#linger);
      this.#ending = true;
      this.#unread = undefined;
      this.#closed.resolve();
      this.#options.onClosed(this.#reason ?? { by: "peer", message: "the connection closed" });
    });
  }

  /** Bytes received so far, handshake included. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Bytes that the peer says it has received; unsigned 32 bits. */
  get peerAcknowledged(): number {
    return this.#peerAcknowledged;
  }

  /** Bytes handed to the socket that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Settled when the socket is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Whether nothing is read or sent any more. */
  get ending(): boolean {
    return this.#ending;
  }

  /**
   * Sends a message.
   * @param chunkStreamId 2 to 63
   * @param body must not change until it is sent
   */
  send(chunkStreamId: number, type: number, messageStreamId: number, timestamp: number, body: Buffer): void {
    if (this.#ending) return;
    this.#socket.cork();
    this.#writer.write(chunkStreamId, type, messageStreamId, timestamp, body, this.#write);
    this.#socket.uncork();
    if (this.#socket.writableLength > this.#options.maxWriteBacklog) {
      const error = new RtmpProtocolError(
        "peer_not_reading",
        `the peer leaves ${this.#socket.writableLength} bytes unread`,
      );
      void this.destroy({ by: "self", message: error.message, error });
    }
  }

  /** Sends bytes as they are: the handshake. */
  sendRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends an AMF0 command. */
  sendCommand(messageStreamId: number, ...values: readonly AmfValue[]): void {
    this.send(COMMAND_CHUNK_STREAM, MESSAGE.commandAmf0, messageStreamId, 0, encodeAmf0(...values));
  }

  /** Tells the peer the size of our chunks from now on. */
  setChunkSize(size: number): void {
    this.#sendNumber(MESSAGE.setChunkSize, size);
    this.#writer.chunkSize = size;
  }

  /** Tells the peer after how many bytes to acknowledge. */
  setWindowAckSize(bytes: number): void {
    this.#sentWindow = bytes;
    this.#sendNumber(MESSAGE.windowAckSize, bytes);
  }

  /** Asks the peer to send at most `bytes` unacknowledged; the limit is dynamic (2). */
  setPeerBandwidth(bytes: number): void {
    const body = Buffer.alloc(5, 2);
    body.writeUInt32BE(bytes, 0);
    this.send(CONTROL_CHUNK_STREAM, MESSAGE.setPeerBandwidth, 0, 0, body);
  }

  /** @param value what the event is about: a message stream id, or a ping's timestamp. */
  sendUserControl(event: number, value: number): void {
    const body = Buffer.allocUnsafe(6);
    body.writeUInt16BE(event, 0);
    body.writeUInt32BE(value >>> 0, 2);
    this.send(CONTROL_CHUNK_STREAM, MESSAGE.userControl, 0, 0, body);
  }

  /** Reads no further than the message being delivered; TCP then holds the peer back. */
  pause(): void {
    this.#paused = true;
    this.#reader.halt();
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#pump();
    if (!this.#paused) this.#socket.resume();
  }

  /**
   * Sends what waits to be sent, then closes; what the peer still sends is read and thrown away, because closing on
   * unread bytes would reset the connection and take our last words with it.
   * @param lingerMs how long the peer has to read and close
   */
  end(reason: CloseReason, lingerMs: number): Promise<void> {
    if (this.#ending) return this.closed;
    this.#ending = true;
    this.#reason ??= reason;
    this.#unread = undefined;
    this.#reader.halt();
    this.#socket.end();
    this.#socket.resume();
    this.#linger = setTimeout(() => this.#socket.destroy(), lingerMs);
    return this.closed;
  }

  /** Closes at once. */
  destroy(reason: CloseReason): Promise<void> {
    this.#reason ??= reason;
    this.#ending = true;
    this.#unread = undefined;
    this.#reader.halt();
    this.#socket.destroy();
    return this.closed;
  }

  #onData(data: Buffer): void {
    this.#bytesReceived += data.length;
    if (this.#ending) return;
    try {
      let offset = 0;
      if (!this.#handshake.done) {
        offset = this.#handshake.push(data, 0, this.#write);
        if (!this.#handshake.done) return;
        this.#options.onHandshaken();
      }
      if (offset < data.length) {
        this.#unread = offset === 0 ? data : data.subarray(offset);
        this.#pump();
      }
    } catch (error) {
      this.#caught(error);
    }
    if (!this.#ending && this.#handshake.done && this.#bytesReceived - this.#acknowledged >= this.#window) {
      this.#acknowledged = this.#bytesReceived;
      this.#sendNumber(MESSAGE.acknowledgement, this.#bytesReceived);
    }
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#paused && !this.#ending && (this.#unread !== undefined || this.#reader.pending)) {
        const data = this.#unread ?? EMPTY;
        this.#unread = undefined;
        const read = this.#reader.push(data);
        if (read < data.length && !this.#ending) this.#unread = data.subarray(read);
      }
    } catch (error) {
      this.#caught(error);
    } finally {
      this.#pumping = false;
    }
  }

  #caught(thrown: unknown): void {
    if (this.#ending) return;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#options.onInvalid(error);
    if (!this.#ending) void this.destroy({ by: "self", message: error.message, error });
  }

  #onMessage(message: RtmpMessage): void {
    const { body } = message;
    switch (message.type) {
      case MESSAGE.setChunkSize:
      case MESSAGE.abort:
        return;
      case MESSAGE.acknowledgement:
        if (body.length >= 4) this.#peerAcknowledged = body.readUInt32BE(0);
        return;
      case MESSAGE.windowAckSize:
        if (body.length >= 4 && body.readUInt32BE(0) > 0) this.#window = body.readUInt32BE(0);
        return;
      case MESSAGE.setPeerBandwidth: {
        const bytes = body.length >= 5 ? body.readUInt32BE(0) : 0;
        if (bytes > 0 && bytes !== this.#sentWindow) this.setWindowAckSize(bytes);
        return;
      }
      case MESSAGE.userControl:
        this.#onUserControl(body);
        return;
      default:
        this.#options.onMessage(message);
    }
  }

  #onUserControl(body: Buffer): void {
    if (body.length < 2) return;
    const event = body.readUInt16BE(0);
    if (event === USER_CONTROL.pingRequest && body.length >= 6) {
      this.sendUserControl(USER_CONTROL.pingResponse, body.readUInt32BE(2));
    }
    this.#options.onUserControl?.(event, body.subarray(2));
  }

  #sendNumber(type: number, value: number): void {
    const body = Buffer.allocUnsafe(4);
    body.writeUInt32BE(value >>> 0, 0);
    this.send(CONTROL_CHUNK_STREAM, type, 0, 0, body);
  }
}
