import type { CloseReason } from "@klieg/base";
import type { KliegError } from "@klieg/protocol";
import type { AmfObject, AmfValue } from "./amf-value.ts";
import type { EnhancedCapabilities } from "./enhanced.ts";
import type { HandshakeKind } from "./handshake.ts";

/** What an encoder asks for: everything known about it before a byte of media is taken. */
export interface PublishRequest {
  /** The application of the URL, percent-decoded, without its query string. */
  readonly app: string;
  /** The stream name, percent-decoded, without its query string; empty when the encoder sent none. */
  readonly streamKey: string;
  /** Query parameters of the stream name, then those of the application. */
  readonly query: URLSearchParams;
  /** `live`, `record`, `append`, or whatever the encoder said. */
  readonly publishType: string;
  readonly tcUrl: string | undefined;
  /** `flashVer` of connect: the encoder's name, as far as it gives one before its metadata. */
  readonly encoder: string | undefined;
  /** IPv4 addresses without IPv6 mapping. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Whether the connection is RTMPS. */
  readonly secure: boolean;
  readonly handshake: HandshakeKind;
  /** What the encoder says it can do of Enhanced RTMP. */
  readonly enhanced: EnhancedCapabilities;
  /** Aborted when the connection goes away, or the decision takes too long. */
  readonly signal: AbortSignal;
}

/** Where a publisher's messages go. Timestamps are ms, going on over the 32-bit wrap; jumps are left in. */
export interface PublishHandler {
  /** @param body an FLV video tag body; the handler owns it. */
  onVideo(timestampMs: number, body: Buffer): void;
  /** @param body an FLV audio tag body; the handler owns it. */
  onAudio(timestampMs: number, body: Buffer): void;
  /**
   * onMetaData, however it was sent.
   * @param raw the message as it was sent; `metadata` is what it holds.
   */
  onMetadata(metadata: AmfObject, raw: Buffer): void;
  /** Any other data message (`onCuePoint`, `onTextData`, …). */
  onData?(timestampMs: number, name: string, values: readonly AmfValue[]): void;
  /** The publication is over; called exactly once, last. */
  close(end: PublishEnd): void;
}

/** Why a publication is over. */
export interface PublishEnd extends CloseReason {
  /** The encoder said so (FCUnpublish, deleteStream, closeStream), rather than just going away. */
  readonly unpublished: boolean;
}

/** The owner's hold on a publication. */
export interface PublishSession {
  readonly id: number;
  readonly stats: SessionStats;
  /**
   * Ends the publication and the connection; the encoder is told the error's RTMP code and message. Resolves when the
   * socket is closed. Later calls do nothing but wait.
   */
  end(error: KliegError): Promise<void>;
  /** Stops reading from the socket, so that TCP holds the encoder back. The idle timeout stands still meanwhile. */
  pause(): void;
  resume(): void;
}

/** Counters of one connection; the object is live. */
export interface SessionStats {
  readonly bytesReceived: number;
  readonly videoMessages: number;
  readonly audioMessages: number;
  readonly dataMessages: number;
  /** Media that came while nothing was published, and empty messages. */
  readonly ignoredMessages: number;
}

/**
 * Decides about a publication. While it does, nothing is read from the encoder.
 * @throws KliegError to refuse: the encoder is told its RTMP code and message. Anything else refuses as `internal`.
 */
export type PublishAuthoriser = (request: PublishRequest, session: PublishSession) => Promise<PublishHandler>;
