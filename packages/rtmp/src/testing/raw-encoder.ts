import { connect, type Socket } from "node:net";
import { type AmfObject, type AmfValue, amfObject, amfRecord } from "../amf-value.ts";
import { encodeAmf0 } from "../amf0-encode.ts";
import { ChunkReader } from "../chunk-reader.ts";
import { ChunkWriter } from "../chunk-writer.ts";
import { type RtmpCommand, readCommand } from "../command.ts";
import { ClientHandshake } from "../handshake.ts";
import { MESSAGE } from "../message.ts";

/**
 * An encoder for tests, without manners of its own: it sends exactly what it is told to, in whatever order, and keeps
 * what the server says. Disposing it drops the connection.
 */
export class RawEncoder implements AsyncDisposable {
  readonly socket: Socket;
  /** Commands received and not yet asked for. */
  readonly commands: RtmpCommand[] = [];
  /** Settled when the connection is closed, however that came about. */
  readonly closed: Promise<void>;
  /** Settled after the handshake; rejected when the connection closes before. */
  readonly ready: Promise<void>;
  readonly writer = new ChunkWriter();
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const handshake = new ClientHandshake({ digest: false });
    const reader = new ChunkReader(
      { maxChunkSize: 65536, maxChunkStreams: 64, maxPartialBytes: 1 << 20, maxMessageLength: () => 1 << 20 },
      (message) => {
        if (message.type === MESSAGE.commandAmf0) this.commands.push(readCommand(message));
        for (const wake of this.#waiting.splice(0)) wake();
      },
    );
    const ready = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.closed = closed.promise;
    ready.promise.catch(() => undefined);
    this.socket.on("connect", () => handshake.begin((bytes) => this.socket.write(bytes)));
    this.socket.on("data", (data) => {
      let offset = 0;
      if (!handshake.done) {
        offset = handshake.push(data, 0, (bytes) => this.socket.write(bytes));
        if (handshake.done) ready.resolve();
      }
      if (offset < data.length) reader.push(data, offset);
    });
    this.socket.on("error", () => undefined); // resets are what some tests are about; "close" follows
    this.socket.on("close", () => {
      this.#isClosed = true;
      ready.reject(new Error("closed before the end of the handshake"));
      closed.resolve();
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  send(chunkStreamId: number, type: number, messageStreamId: number, timestamp: number, body: Buffer): void {
    this.writer.write(chunkStreamId, type, messageStreamId, timestamp, body, (bytes) => this.socket.write(bytes));
  }

  command(messageStreamId: number, ...values: AmfValue[]): void {
    this.send(3, MESSAGE.commandAmf0, messageStreamId, 0, encodeAmf0(...values));
  }

  number(type: number, value: number): void {
    const body = Buffer.alloc(4);
    body.writeUInt32BE(value);
    this.send(2, type, 0, 0, body);
  }

  /** Handshake, connect, createStream; leaves publish to the test. */
  async connect(values: AmfObject = amfObject()): Promise<void> {
    await this.ready;
    this.command(0, "connect", 1, amfObject({ app: "live", tcUrl: "rtmp://127.0.0.1/live", ...values }));
    await this.next("_result");
    this.command(0, "createStream", 2, null);
    await this.next("_result");
  }

  /** Takes the next command of that name out of `commands`, waiting for it. */
  async next(name: string): Promise<RtmpCommand> {
    for (;;) {
      const index = this.commands.findIndex((command) => command.name === name);
      if (index >= 0) return this.commands.splice(index, 1)[0] as RtmpCommand;
      if (this.#isClosed) throw new Error(`the server closed the connection before it sent ${name}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The next onStatus: level, code and description. */
  async status(): Promise<AmfObject> {
    const command = await this.next("onStatus");
    return amfRecord(command.values[1]) ?? amfObject();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
