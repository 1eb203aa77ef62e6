import type { Socket } from "node:net";
import type { Clock, CloseReason } from "@klieg/base";
import { errorRow, KliegError } from "@klieg/protocol";
import { splitAggregate } from "./aggregate.ts";
import { type AmfValue, amfObject, amfRecord } from "./amf-value.ts";
import { type RtmpCommand, readCommand, readValues } from "./command.ts";
import { type EnhancedCapabilities, readCapabilities, writeCapabilities } from "./enhanced.ts";
import { ServerHandshake } from "./handshake.ts";
import { MESSAGE, type RtmpMessage, USER_CONTROL } from "./message.ts";
import { MessageClock } from "./message-clock.ts";
import type {
  PublishAuthoriser,
  PublishEnd,
  PublishHandler,
  PublishRequest,
  PublishSession,
  SessionStats,
} from "./publish.ts";
import { RtmpConnection } from "./rtmp-connection.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";
import { maxMessageLength, type ServerLimits } from "./server-limits.ts";
import { splitName } from "./stream-name.ts";

const WINDOW = 2_500_000;
const CHUNK_SIZE = 4096;

/** What a session needs of its server. */
export interface ServerSessionOptions {
  readonly id: number;
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly limits: ServerLimits;
  readonly enhanced: EnhancedCapabilities;
  readonly authorise: PublishAuthoriser;
  readonly clock: Clock;
  readonly onClosed: (reason: CloseReason) => void;
}

/** What connect told. */
interface Connected {
  readonly app: string;
  readonly appQuery: URLSearchParams;
  readonly tcUrl: string | undefined;
  readonly encoder: string | undefined;
  readonly enhanced: EnhancedCapabilities;
}

/** A publication that was authorised, or is being decided about. */
interface Publication {
  readonly messageStreamId: number;
  readonly abort: AbortController;
  /** Undefined while the authoriser decides. */
  handler: PublishHandler | undefined;
  /** Set when it is over. */
  end: PublishEnd | undefined;
}

class SessionCounters implements SessionStats {
  videoMessages = 0;
  audioMessages = 0;
  dataMessages = 0;
  ignoredMessages = 0;
  readonly #bytesReceived: () => number;

  constructor(bytesReceived: () => number) {
    this.#bytesReceived = bytesReceived;
  }

  get bytesReceived(): number {
    return this.#bytesReceived();
  }
}

/**
 * One encoder's connection: connect, then publish, one publication at a time. A handler that throws ends the session
 * with what it threw.
 */
export class ServerSession implements PublishSession {
  readonly id: number;
  readonly stats = new SessionCounters(() => this.#connection.bytesReceived);
  readonly #options: ServerSessionOptions;
  readonly #connection: RtmpConnection;
  readonly #handshake = new ServerHandshake();
  readonly #messageClock = new MessageClock();
  #connected: Connected | undefined;
  #publication: Publication | undefined;
  #lastStreamId = 0;
  #pausedByOwner = false;
  #deadline: Disposable | undefined;
  /** Media messages when the media timeout looked last. */
  #mediaSeen = 0;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    this.id = options.id;
    const { limits } = options;
    this.#connection = new RtmpConnection({
      socket: options.socket,
      handshake: this.#handshake,
      limits: {
        maxChunkSize: limits.maxChunkSize,
        maxChunkStreams: limits.maxChunkStreams,
        maxPartialBytes: limits.maxPartialBytes,
        maxMessageLength: (type) =>
          this.#publication?.handler === undefined ? limits.maxCommandMessageLength : maxMessageLength(limits, type),
      },
      maxWriteBacklog: limits.maxWriteBacklog,
      onHandshaken: () => this.#awaitPublish(),
      onMessage: (message) => this.#onMessage(message),
      onInvalid: (error) => this.#onInvalid(error),
      onClosed: (reason) => this.#onClosed(reason),
    });
    this.#setDeadline(limits.handshakeTimeoutMs, () => {
      const error = new RtmpProtocolError("handshake_timeout", "no RTMP handshake in time");
      void this.#connection.destroy({ by: "self", message: error.message, error });
    });
  }

  /** Settled when the socket is closed. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  end(error: KliegError): Promise<void> {
    return this.#fail(error, "owner");
  }

  pause(): void {
    this.#pausedByOwner = true;
    this.#connection.pause();
  }

  resume(): void {
    this.#pausedByOwner = false;
    if (this.#publication === undefined || this.#publication.handler !== undefined) this.#connection.resume();
  }

  #onMessage(message: RtmpMessage): void {
    switch (message.type) {
      case MESSAGE.video:
      case MESSAGE.audio:
      case MESSAGE.aggregate:
      case MESSAGE.dataAmf0:
      case MESSAGE.dataAmf3:
        this.#onMedia(message);
        return;
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        this.#onCommand(message);
        return;
      default:
        this.stats.ignoredMessages++;
    }
  }

  #onMedia(message: RtmpMessage): void {
    const handler = this.#publication?.handler;
    if (handler === undefined || message.body.length === 0) {
      this.stats.ignoredMessages++;
      return;
    }
    if (message.type === MESSAGE.aggregate) {
      splitAggregate(message, (inner) => {
        if (this.#publication?.handler === handler) this.#deliver(handler, inner);
      });
    } else {
      this.#deliver(handler, message);
    }
  }

  #deliver(handler: PublishHandler, message: RtmpMessage): void {
    const timestamp = this.#messageClock.unwrap(message.timestamp);
    switch (message.type) {
      case MESSAGE.video:
        this.stats.videoMessages++;
        this.#guard(() => handler.onVideo(timestamp, message.body));
        return;
      case MESSAGE.audio:
        this.stats.audioMessages++;
        this.#guard(() => handler.onAudio(timestamp, message.body));
        return;
      case MESSAGE.dataAmf0:
      case MESSAGE.dataAmf3:
        this.stats.dataMessages++;
        this.#onData(handler, timestamp, message);
        return;
      default:
        this.stats.ignoredMessages++;
    }
  }

  #onData(handler: PublishHandler, timestamp: number, message: RtmpMessage): void {
    let [name, ...values] = readValues(message);
    if (name === "@setDataFrame") [name, ...values] = values;
    if (typeof name !== "string" || name === "@clearDataFrame") return;
    if (name === "onMetaData") {
      const metadata = amfRecord(values[0]) ?? amfObject();
      this.#guard(() => handler.onMetadata(metadata, message.body));
    } else if (handler.onData !== undefined) {
      this.#guard(() => handler.onData?.(timestamp, name, values));
    }
  }

  /** A handler that throws is done with; what it threw is told to the encoder. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      void this.#fail(KliegError.from(error), "owner");
    }
  }

  #onCommand(message: RtmpMessage): void {
    const command = readCommand(message);
    if (this.#connected === undefined && command.name !== "connect") {
      throw new RtmpProtocolError("command_invalid", `"${command.name.slice(0, 32)}" before connect`);
    }
    switch (command.name) {
      case "connect":
        this.#onConnect(command);
        return;
      case "createStream":
        this.#connection.sendCommand(0, "_result", command.transactionId, null, ++this.#lastStreamId);
        return;
      case "releaseStream":
      case "_checkbw":
        this.#acknowledge(command);
        return;
      case "FCPublish":
        this.#acknowledge(command);
        this.#connection.sendCommand(0, "onFCPublish", 0, null, {
          code: "NetStream.Publish.Start",
          description: textOf(command.values[1]) ?? "",
        });
        return;
      case "getStreamLength":
        this.#connection.sendCommand(0, "_result", command.transactionId, null, 0);
        return;
      case "publish":
        this.#onPublish(command, message.messageStreamId);
        return;
      case "play":
      case "play2":
        void this.#fail(
          new KliegError("method_not_allowed", "This server takes publishers only; watch over HLS."),
          "self",
          "NetStream.Play.Failed",
          message.messageStreamId,
        );
        return;
      case "FCUnpublish":
        this.#acknowledge(command);
        this.#onUnpublish(command.name);
        return;
      case "closeStream":
        if (this.#publication?.messageStreamId === message.messageStreamId) this.#onUnpublish(command.name);
        return;
      case "deleteStream":
        if (this.#publication?.messageStreamId === command.values[1]) this.#onUnpublish(command.name);
        return;
      default: // common servers leave commands they do not know unanswered, and encoders are used to that
    }
  }

  #acknowledge(command: RtmpCommand): void {
    if (command.transactionId !== 0) this.#connection.sendCommand(0, "_result", command.transactionId, null, undefined);
  }

  #onConnect(command: RtmpCommand): void {
    if (this.#connected !== undefined) throw new RtmpProtocolError("command_invalid", "connect comes twice");
    const values = amfRecord(command.values[0]) ?? amfObject();
    const app = splitName(textOf(values.app) ?? "");
    this.#connected = {
      app: app.name,
      appQuery: app.query,
      tcUrl: textOf(values.tcUrl),
      encoder: textOf(values.flashVer) ?? textOf(values.flashver),
      enhanced: readCapabilities(values),
    };
    const connection = this.#connection;
    connection.setWindowAckSize(WINDOW);
    connection.setPeerBandwidth(WINDOW);
    connection.setChunkSize(CHUNK_SIZE);
    connection.sendUserControl(USER_CONTROL.streamBegin, 0);
    // Servers differ in which of the two objects tells about Enhanced RTMP; clients look into one or the other.
    const enhanced = writeCapabilities(this.#options.enhanced);
    connection.sendCommand(
      0,
      "_result",
      command.transactionId,
      amfObject({ fmsVer: "FMS/3,5,7,7009", capabilities: 31, mode: 1, ...enhanced }),
      amfObject({
        level: "status",
        code: "NetConnection.Connect.Success",
        description: "Connection succeeded.",
        objectEncoding: values.objectEncoding === 3 ? 3 : 0,
        ...enhanced,
      }),
    );
  }

  #onPublish(command: RtmpCommand, messageStreamId: number): void {
    const connected = this.#connected as Connected;
    if (this.#publication !== undefined) {
      void this.#fail(new KliegError("conflict", "This connection already publishes a stream."), "self");
      return;
    }
    const name = splitName(textOf(command.values[1]) ?? "");
    const query = new URLSearchParams([...name.query, ...connected.appQuery]);
    const abort = new AbortController();
    const publication: Publication = { messageStreamId, abort, handler: undefined, end: undefined };
    const request: PublishRequest = {
      app: connected.app,
      streamKey: name.name,
      query,
      publishType: textOf(command.values[2]) ?? "live",
      tcUrl: connected.tcUrl,
      encoder: connected.encoder,
      remoteAddress: this.#options.remoteAddress,
      remotePort: this.#options.socket.remotePort ?? 0,
      secure: this.#options.secure,
      handshake: this.#handshake.kind ?? "simple",
      enhanced: connected.enhanced,
      signal: abort.signal,
    };
    this.#publication = publication;
    this.#connection.pause();
    this.#setDeadline(this.#options.limits.authoriseTimeoutMs, () => {
      void this.#fail(new KliegError("timeout", "The stream key could not be checked in time."), "self");
    });
    const decision = (async () => this.#options.authorise(request, this))();
    decision.then(
      (handler) => this.#onAuthorised(publication, handler, name.name),
      (error) => {
        if (publication.end === undefined) void this.#fail(KliegError.from(error), "owner");
      },
    );
  }

  #onAuthorised(publication: Publication, handler: PublishHandler, name: string): void {
    if (publication.end !== undefined) {
      handler.close(publication.end);
      return;
    }
    publication.handler = handler;
    const { messageStreamId } = publication;
    this.#connection.sendUserControl(USER_CONTROL.streamBegin, messageStreamId);
    this.#sendStatus(messageStreamId, "status", "NetStream.Publish.Start", `${name || "The stream"} is now published.`);
    this.#watchMedia();
    if (!this.#pausedByOwner) this.#connection.resume();
  }

  #onUnpublish(command: string): void {
    const publication = this.#publication;
    if (publication?.handler === undefined) return;
    this.#connection.sendCommand(0, "onFCUnpublish", 0, null, {
      code: "NetStream.Unpublish.Success",
      description: "Stop publishing.",
    });
    this.#sendStatus(
      publication.messageStreamId,
      "status",
      "NetStream.Unpublish.Success",
      "The stream is unpublished.",
    );
    this.#endPublication({ by: "peer", message: `the encoder sent ${command}`, unpublished: true });
    this.#awaitPublish();
  }

  #onInvalid(error: Error): void {
    if (this.#connected === undefined || !(error instanceof RtmpProtocolError)) {
      // Whoever is on the other end has not begun to speak RTMP, or found a bug of ours.
      const failure = error instanceof RtmpProtocolError ? error : KliegError.from(error);
      void this.#connection.destroy({ by: "self", message: error.message, error: failure });
      return;
    }
    const code = error.code === "message_too_long" ? "payload_too_large" : "bad_request";
    void this.#fail(new KliegError(code, `RTMP: ${error.message}`, { cause: error }), "self");
  }

  /** Tells the encoder about the error and closes. */
  #fail(error: KliegError, by: "owner" | "self", rtmpCode?: string, messageStreamId?: number): Promise<void> {
    if (this.#connection.ending) return this.closed;
    const publication = this.#publication;
    const code = rtmpCode ?? errorRow(error.code).rtmp ?? "NetStream.Publish.Rejected";
    if (this.#connected !== undefined) {
      this.#sendStatus(messageStreamId ?? publication?.messageStreamId ?? 0, "error", code, error.message);
    }
    this.#endPublication({ by, message: error.message, error, unpublished: false });
    return this.#connection.end({ by, message: error.message, error }, this.#options.limits.lingerMs);
  }

  #sendStatus(messageStreamId: number, level: "status" | "error", code: string, description: string): void {
    this.#connection.sendCommand(messageStreamId, "onStatus", 0, null, amfObject({ level, code, description }));
  }

  #onClosed(reason: CloseReason): void {
    this.#deadline?.[Symbol.dispose]();
    this.#endPublication({ ...reason, unpublished: false });
    this.#options.onClosed(reason);
  }

  #endPublication(end: PublishEnd): void {
    const publication = this.#publication;
    if (publication === undefined) return;
    this.#publication = undefined;
    publication.end = end;
    publication.abort.abort(end.error ?? new Error(end.message));
    publication.handler?.close(end);
  }

  #awaitPublish(): void {
    this.#setDeadline(this.#options.limits.publishTimeoutMs, () => {
      const error = new RtmpProtocolError("publish_timeout", "Nothing was published in time.");
      void this.#fail(new KliegError("timeout", error.message, { cause: error }), "self");
    });
  }

  /** Looks twice per timeout, so that a packet costs a counter and no timer. */
  #watchMedia(): void {
    const period = this.#options.limits.mediaTimeoutMs / 2;
    this.#mediaSeen = -1;
    let silent = 0;
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = this.#options.clock.every(period, () => {
      const seen = this.stats.videoMessages + this.stats.audioMessages;
      silent = seen === this.#mediaSeen && !this.#pausedByOwner ? silent + 1 : 0;
      this.#mediaSeen = seen;
      if (silent < 2) return;
      const seconds = Math.round(this.#options.limits.mediaTimeoutMs / 1000);
      const error = new RtmpProtocolError("media_timeout", `No audio or video came for ${seconds} s.`);
      void this.#fail(new KliegError("timeout", error.message, { cause: error }), "self");
    });
  }

  #setDeadline(ms: number, onPassed: () => void): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = this.#options.clock.after(ms, onPassed);
  }
}

function textOf(value: AmfValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}
