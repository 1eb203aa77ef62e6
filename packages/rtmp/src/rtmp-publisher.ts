import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";
import { CLOSED_BY_OWNER, type Closable, type CloseReason, Emitter } from "@klieg/base";
import { AmfEcmaArray, type AmfObject, type AmfValue, amfObject, amfRecord } from "./amf-value.ts";
import { encodeAmf0 } from "./amf0-encode.ts";
import { type RtmpCommand, readCommand } from "./command.ts";
import { type EnhancedCapabilities, readCapabilities, writeCapabilities } from "./enhanced.ts";
import { ClientHandshake, type HandshakeKind } from "./handshake.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import { type PublishStage, RtmpPublishError } from "./publish-error.ts";
import { RtmpConnection } from "./rtmp-connection.ts";
import { parseRtmpUrl, type RtmpTarget } from "./rtmp-url.ts";

const DATA_CHUNK_STREAM = 4;
const AUDIO_CHUNK_STREAM = 5;
const VIDEO_CHUNK_STREAM = 6;
const COMMAND_LENGTH = 256 * 1024;

/** Where and how to publish. */
export interface PublisherOptions {
  /** `rtmp://HOST[:PORT]/APP` or `rtmps://…`. */
  readonly url: string;
  /** The stream name, sent as it is. Left out: what follows the last `/` of the URL. */
  readonly streamKey?: string;
  /** For RTMPS: authorities, server name, and the like. */
  readonly tls?: Pick<TlsOptions, "ca" | "servername" | "rejectUnauthorized" | "checkServerIdentity">;
  /** Announced in connect; left out, nothing is said of Enhanced RTMP. */
  readonly enhanced?: EnhancedCapabilities;
  /** Whether to offer the digest handshake; a server that does not know it is spoken to simply. By default not. */
  readonly digest?: boolean;
  /** Bytes; 60000 by default, as large as common servers are used to. */
  readonly chunkSize?: number;
  /** From the first packet to the server's consent, ms; 15000 by default. */
  readonly timeoutMs?: number;
  /** The connection is given up when more bytes wait to be sent; 64 MiB by default. Callers drop long before. */
  readonly maxBufferedBytes?: number;
  /** Gives up while connecting. */
  readonly signal?: AbortSignal;
}

/** What a server says by onStatus. */
export interface PublisherStatus {
  readonly level: string;
  readonly code: string;
  readonly description: string;
  /** Everything that was said. */
  readonly info: AmfObject;
}

export interface PublisherEvents {
  status: PublisherStatus;
  /** All that waited to be sent is with the system. */
  drain: undefined;
  /** The connection is closed; `error` is an RtmpPublishError unless the owner closed it. */
  closed: CloseReason;
}

/** Publishes one stream to an RTMP server (STU3): FLV tag bodies in, RTMP out. */
export class RtmpPublisher implements Closable {
  readonly events = new Emitter<PublisherEvents>();
  readonly target: RtmpTarget;
  readonly #options: PublisherOptions;
  readonly #connection: RtmpConnection;
  readonly #handshake: ClientHandshake;
  readonly #started = Promise.withResolvers<void>();
  readonly #pending = new Map<number, (command: RtmpCommand) => void>();
  #stage: PublishStage = "network";
  #lastTransaction = 0;
  #streamId = 0;
  #error: RtmpPublishError | undefined;
  #reason: CloseReason | undefined;
  #serverCapabilities: EnhancedCapabilities = readCapabilities(amfObject());

  /**
   * Connects and publishes; resolves when the server has said that it takes the stream.
   * @throws TypeError for an unusable address, RtmpPublishError for all that goes wrong with the server, and the
   * signal's reason when that aborts
   */
  static async connect(options: PublisherOptions): Promise<RtmpPublisher> {
    options.signal?.throwIfAborted();
    const publisher = new RtmpPublisher(options);
    await publisher.#start();
    return publisher;
  }

  private constructor(options: PublisherOptions) {
    this.#options = options;
    this.target = parseRtmpUrl(options.url, options.streamKey);
    this.#handshake = new ClientHandshake({ digest: options.digest ?? false });
    const { host, port, secure } = this.target;
    const socket = secure
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...options.tls })
      : connectTcp({ host, port });
    socket.once(secure ? "secureConnect" : "connect", () => {
      this.#stage = "handshake";
      this.#handshake.begin((bytes) => this.#connection.sendRaw(bytes));
    });
    this.#connection = new RtmpConnection({
      socket,
      handshake: this.#handshake,
      limits: {
        maxChunkSize: 0x7fffffff,
        maxChunkStreams: 64,
        maxPartialBytes: 4 * COMMAND_LENGTH,
        maxMessageLength: () => COMMAND_LENGTH,
      },
      maxWriteBacklog: options.maxBufferedBytes ?? 64 * 1024 * 1024,
      onHandshaken: () => this.#sendConnect(),
      onMessage: (message) => this.#onMessage(message),
      onInvalid: (error) => {
        this.#error ??= new RtmpPublishError(this.#stage, `The server breaks RTMP: ${error.message}`, { cause: error });
      },
      onDrain: () => this.events.emit("drain", undefined),
      onClosed: (reason) => this.#onClosed(reason),
    });
  }

  /** Bytes that wait to be sent. Callers drop media when there are too many. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Bytes that the server has acknowledged; unsigned 32 bits, in the steps of its window. */
  get acknowledgedBytes(): number {
    return this.#connection.peerAcknowledged;
  }

  /** What the server says that it knows of Enhanced RTMP. */
  get serverCapabilities(): EnhancedCapabilities {
    return this.#serverCapabilities;
  }

  get handshake(): HandshakeKind | undefined {
    return this.#handshake.kind;
  }

  /** Why the connection closed; undefined while it is open. */
  get closeReason(): CloseReason | undefined {
    return this.#reason;
  }

  /**
   * Sends a video message. After the end of the connection it does nothing.
   * @param timestampMs decoding time, ms; any number from 0 on, sent modulo 2^32
   * @param body an FLV video tag body, not to be changed afterwards
   * @returns whether nothing waits to be sent
   */
  sendVideo(timestampMs: number, body: Buffer): boolean {
    return this.#sendMedia(VIDEO_CHUNK_STREAM, MESSAGE.video, timestampMs, body);
  }

  /** Sends an audio message; see `sendVideo`. */
  sendAudio(timestampMs: number, body: Buffer): boolean {
    return this.#sendMedia(AUDIO_CHUNK_STREAM, MESSAGE.audio, timestampMs, body);
  }

  /** Sends `@setDataFrame onMetaData` with these values as an ECMA array. */
  sendMetadata(metadata: { readonly [name: string]: AmfValue }): boolean {
    const body = encodeAmf0("@setDataFrame", "onMetaData", new AmfEcmaArray(amfObject(metadata)));
    return this.#sendMedia(DATA_CHUNK_STREAM, MESSAGE.dataAmf0, 0, body);
  }

  /** Unpublishes, sends what waits to be sent, and closes; gives up on a server that does not read after 2 s. */
  close(): Promise<void> {
    if (this.#connection.ending) return this.#connection.closed;
    if (this.#stage === "live") {
      const connection = this.#connection;
      connection.sendCommand(0, "FCUnpublish", ++this.#lastTransaction, null, this.target.streamKey);
      connection.sendCommand(this.#streamId, "deleteStream", ++this.#lastTransaction, null, this.#streamId);
    }
    return this.#connection.end(CLOSED_BY_OWNER, 2_000);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const { signal, timeoutMs = 15_000 } = this.#options;
    const timer = setTimeout(() => {
      this.#error ??= new RtmpPublishError(this.#stage, `${this.target.host} did not answer in time.`);
      void this.#connection.destroy({ by: "self", message: this.#error.message, error: this.#error });
    }, timeoutMs);
    const onAbort = () => void this.#connection.destroy(CLOSED_BY_OWNER);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#started.promise;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #sendMedia(chunkStreamId: number, type: number, timestampMs: number, body: Buffer): boolean {
    this.#connection.send(chunkStreamId, type, this.#streamId, timestampMs >>> 0, body);
    return this.#connection.bufferedBytes === 0;
  }

  #sendConnect(): void {
    this.#stage = "connect";
    const { app, tcUrl } = this.target;
    this.#connection.setChunkSize(this.#options.chunkSize ?? 60_000);
    const enhanced = this.#options.enhanced === undefined ? {} : writeCapabilities(this.#options.enhanced);
    const values = { app, type: "nonprivate", flashVer: "FMLE/3.0 (compatible; Klieg)", swfUrl: tcUrl, tcUrl };
    this.#call("connect", amfObject({ ...values, ...enhanced }), [], (answer) => {
      const properties = amfRecord(answer.values[0]) ?? amfObject();
      const information = amfRecord(answer.values[1]) ?? amfObject();
      this.#serverCapabilities = readCapabilities({ ...properties, ...information });
      this.#createStream();
    });
  }

  #createStream(): void {
    this.#stage = "create_stream";
    const { streamKey } = this.target;
    // Not every server knows these two, and what they answer is of no consequence.
    this.#connection.sendCommand(0, "releaseStream", ++this.#lastTransaction, null, streamKey);
    this.#connection.sendCommand(0, "FCPublish", ++this.#lastTransaction, null, streamKey);
    this.#call("createStream", null, [], (answer) => {
      const id = answer.values[1];
      if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > 0xffffffff) {
        this.#fail(new RtmpPublishError(this.#stage, "The server made a stream without a number."));
        return;
      }
      this.#streamId = id;
      this.#stage = "publish";
      this.#connection.sendCommand(id, "publish", ++this.#lastTransaction, null, streamKey, "live");
    });
  }

  #call(name: string, object: AmfValue, values: readonly AmfValue[], onResult: (answer: RtmpCommand) => void): void {
    const id = ++this.#lastTransaction;
    this.#pending.set(id, onResult);
    this.#connection.sendCommand(0, name, id, object, ...values);
  }

  #onMessage(message: RtmpMessage): void {
    if (message.type !== MESSAGE.commandAmf0 && message.type !== MESSAGE.commandAmf3) return;
    const command = readCommand(message);
    if (command.name === "_result" || command.name === "_error") {
      const onResult = this.#pending.get(command.transactionId);
      this.#pending.delete(command.transactionId);
      if (onResult === undefined) return;
      if (command.name === "_result") onResult(command);
      else this.#refused(command);
    } else if (command.name === "onStatus") {
      this.#onStatus(command);
    } else if (command.name === "close") {
      this.#fail(new RtmpPublishError(this.#stage, "The server closed the connection."));
    }
  }

  #onStatus(command: RtmpCommand): void {
    const status = statusOf(command);
    this.events.emit("status", status);
    if (status.level === "error") {
      this.#refused(command);
    } else if (status.code === "NetStream.Publish.Start" && this.#stage === "publish") {
      this.#stage = "live";
      this.#started.resolve();
    }
  }

  #refused(command: RtmpCommand): void {
    const { code, description } = statusOf(command);
    const words = description || code || "no reason given";
    this.#fail(
      new RtmpPublishError(this.#stage, `The server refuses the stream: ${words}`, {
        serverCode: code,
        serverDescription: description,
      }),
    );
  }

  #fail(error: RtmpPublishError): void {
    this.#error ??= error;
    void this.#connection.end({ by: "peer", message: error.message, error }, 2_000);
  }

  #onClosed(reason: CloseReason): void {
    if (reason.by === "owner") {
      this.#reason = reason;
    } else {
      const words = this.#stage === "network" ? "cannot be reached" : "closed the connection";
      const error =
        this.#error ??
        new RtmpPublishError(this.#stage, `${this.target.host} ${words}: ${reason.message}`, { cause: reason.error });
      this.#reason = { by: reason.by, message: error.message, error };
    }
    this.#started.reject(this.#reason.error ?? new RtmpPublishError(this.#stage, this.#reason.message));
    this.#started.promise.catch(() => undefined); // whoever closed it before it began did not wait for it
    this.events.emit("closed", this.#reason);
  }
}

function statusOf(command: RtmpCommand): PublisherStatus {
  // The information object is last; some servers leave out the null before it.
  const info = command.values.map(amfRecord).findLast((record) => record !== undefined) ?? amfObject();
  const text = (value: AmfValue) => (typeof value === "string" ? value : "");
  return {
    level: text(info.level) || (command.name === "_error" ? "error" : "status"),
    code: text(info.code),
    description: text(info.description),
    info,
  };
}
