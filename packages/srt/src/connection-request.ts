import type { SrtConnectionHandler } from "./connection.ts";
import type { SrtConnectionOptions } from "./connection-options.ts";
import type { KeyLength } from "./key-material.ts";

/** A caller at the door, seen by the authoriser before a byte of media is taken. */
export interface SrtConnectionRequest {
  /** `streamid` as the caller gave it; empty when it gave none. */
  readonly streamId: string;
  /** IPv4 addresses in dotted form, also where the socket is IPv6. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Key length in bytes that the caller encrypts with; undefined: plain. */
  readonly encryption: KeyLength | undefined;
  /** The caller's SRT version, `0x00MMmmpp`. */
  readonly peerVersion: number;
  /** What the caller asks for as its peer's receiving latency, ms. */
  readonly latencyMs: number;
}

/** The authoriser's yes. */
export interface SrtAccept {
  readonly handler: SrtConnectionHandler;
  /**
   * 10 to 79 bytes. Given: the caller must encrypt with it. Absent: the caller must not encrypt. Who wants it
   * optional gives it only where `encryption` is defined.
   */
  readonly passphrase?: string;
  /** Overrides of the listener's options for this connection. */
  readonly options?: Partial<SrtConnectionOptions>;
}

/** Says yes, or throws: a KliegError is translated to its `srt` reject code. */
export type SrtAuthoriser = (request: SrtConnectionRequest) => Promise<SrtAccept> | SrtAccept;
