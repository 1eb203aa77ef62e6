import type { Closable, CloseReason } from "@klieg/base";
import { TsDemuxer } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import {
  type SrtAccept,
  type SrtCloseReason,
  type SrtConnection,
  type SrtConnectionHandler,
  type SrtConnectionRequest,
  SrtListener,
} from "@klieg/srt";
import type { Admission, Channels } from "../../channels/channels.ts";
import type { LiveStreams } from "../../live/live-streams.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Contribution } from "../../stream/contribution.ts";
import { logRefusal } from "../refusal-log.ts";
import { parseSrtStreamId } from "./stream-id.ts";

export interface SrtIngestOptions {
  readonly channels: Channels;
  readonly live: LiveStreams;
  readonly logger: Logger;
  /** TSBPD delay offered to callers, ms. */
  readonly latencyMs: number;
  /** Every caller must encrypt with it; absent: callers must not encrypt. */
  readonly passphrase: string | undefined;
}

/**
 * Takes SRT callers in (ING2): the stream id holds the stream key; MPEG-TS becomes access units of the channel's
 * stream. A refusal reaches the caller as an SRT reject code of the error table.
 */
export class SrtIngest implements Closable {
  readonly #options: SrtIngestOptions;
  readonly #listener: SrtListener;

  constructor(options: SrtIngestOptions) {
    this.#options = options;
    this.#listener = new SrtListener({
      latencyMs: options.latencyMs,
      // Access units carry their own times: the latency is for filling holes, not for waiting where there are none.
      delivery: "prompt",
      onConnection: (request) => this.#admit(request),
      onError: (error) => options.logger.error({ err: error }, "SRT socket failed"),
    });
  }

  /** @returns the port that it listens on. @throws {SrtError} where it cannot be bound. */
  async listen(options: { port: number; host: string }): Promise<number> {
    await this.#listener.listen(options);
    return this.#listener.port;
  }

  close(reason?: CloseReason): Promise<void> {
    return this.#listener.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #admit(request: SrtConnectionRequest): Promise<SrtAccept> {
    const { channels, live, logger, passphrase } = this.#options;
    const log = logger.child({ protocol: "srt", remote: request.remoteAddress });
    try {
      const streamId = parseSrtStreamId(request.streamId);
      const admission = await channels.admit(streamId.key);
      if (streamId.channel !== undefined && streamId.channel !== admission.channel.name) {
        throw new KliegError("forbidden", "This stream key belongs to another channel than the stream id names.");
      }
      return {
        handler: new SrtContributor({ request, admission, live, logger: log }),
        ...(passphrase === undefined ? {} : { passphrase }),
      };
    } catch (error) {
      logRefusal(log, error);
      throw error;
    }
  }
}

/** One admitted caller: it becomes a source only once its passphrase has proved right. */
class SrtContributor implements SrtConnectionHandler {
  readonly #request: SrtConnectionRequest;
  readonly #admission: Admission;
  readonly #live: LiveStreams;
  readonly #logger: Logger;
  #contribution: Contribution | undefined;
  #demuxer: TsDemuxer | undefined;
  #connection: SrtConnection | undefined;
  #dropped = 0;

  constructor(options: { request: SrtConnectionRequest; admission: Admission; live: LiveStreams; logger: Logger }) {
    this.#request = options.request;
    this.#admission = options.admission;
    this.#live = options.live;
    this.#logger = options.logger;
  }

  onOpen(connection: SrtConnection): void {
    this.#connection = connection;
    try {
      this.#contribution = this.#live.contribute(this.#admission, {
        protocol: "srt",
        encoder: encoderName(this.#request),
        remoteAddress: this.#request.remoteAddress,
        keyId: this.#admission.keyId,
        linkStatistics: () => {
          const { rttKnown: _, ...figures } = connection.statistics();
          return figures;
        },
        refuse: (error) => {
          this.#logger.info({ code: error.code, reason: error.message }, "publisher put off");
          void connection.close({ kind: "owner", by: "owner", message: error.message, error });
        },
      });
      this.#demuxer = new TsDemuxer(this.#contribution);
    } catch (error) {
      logRefusal(this.#logger, error);
      // Refuses the handshake, with the error's reject code.
      throw error;
    }
  }

  onData(payload: Buffer): void {
    const dropped = this.#connection?.packetsReceiveDropped ?? 0;
    if (dropped !== this.#dropped) {
      this.#dropped = dropped;
      // Continuity counters have four bits: a loss of sixteen packets of a stream would pass unnoticed.
      this.#demuxer?.lost();
    }
    this.#demuxer?.push(payload);
  }

  onClose(reason: SrtCloseReason): void {
    if (reason.kind === "handler_error") this.#logger.error({ err: reason.error }, "publication failed");
    this.#demuxer?.flush();
    this.#contribution?.close(reason);
  }
}

/** All that SRT says of an encoder is its library's version. */
function encoderName(request: SrtConnectionRequest): string {
  const { peerVersion: version } = request;
  return `libsrt ${version >>> 16}.${(version >>> 8) & 0xff}.${version & 0xff}`;
}
