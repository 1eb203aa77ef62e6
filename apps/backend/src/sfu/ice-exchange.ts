import { randomBytes } from "node:crypto";
import { KliegError } from "@klieg/protocol";
import { parseIceFragment, writeIceFragment } from "./sdp/ice-fragment.ts";
import type { SfuPeer } from "./sfu-peer.ts";

/** What an ICE restart is answered with. */
export interface IceRestart {
  /** `application/trickle-ice-sdpfrag` body. */
  readonly fragment: string;
  readonly etag: string;
}

/**
 * The ICE side of a session resource (RFC 9725 § 4.3): candidates that trickle in, restarts, and the entity tag that
 * tells one generation of credentials from the next. This end is ICE-lite: it learns the peer's addresses from its
 * checks and has no use for its candidates.
 */
export class IceExchange {
  readonly #peer: SfuPeer;
  readonly #section: { readonly kind: string; readonly mid: string | undefined; readonly payloadType: number };
  readonly #bundle: readonly string[];
  #ufrag: string;
  #etag = newTag();
  #restarting: Promise<unknown> = Promise.resolve();

  /** @param options.ufrag the peer's user name. @param options.section that which stands for the transport. */
  constructor(options: {
    peer: SfuPeer;
    ufrag: string;
    section: { readonly kind: string; readonly mid: string | undefined; readonly payloadType: number };
    bundle: readonly string[];
  }) {
    this.#peer = options.peer;
    this.#ufrag = options.ufrag;
    this.#section = options.section;
    this.#bundle = options.bundle;
  }

  /** Strong, in quotes (RFC 9110 § 8.8.3). */
  get etag(): string {
    return this.#etag;
  }

  /**
   * Takes a fragment in.
   * @param ifMatch the request's `If-Match`: `*` asks for a restart.
   * @returns undefined where candidates trickled in, which needs no answer.
   * @throws {KliegError} `sdp_invalid`, `precondition_required`, `precondition_failed`, `gone`.
   */
  async patch(body: string, ifMatch: string | undefined): Promise<IceRestart | undefined> {
    const { credentials } = parseIceFragment(body);
    if (ifMatch === undefined) {
      throw new KliegError(
        "precondition_required",
        'Send If-Match with the session\'s entity tag, or "*" to restart ICE.',
      );
    }
    const isRestart = ifMatch.trim() === "*";
    if (isRestart) {
      if (credentials === undefined) {
        throw new KliegError("sdp_invalid", "An ICE restart needs the new a=ice-ufrag and a=ice-pwd.");
      }
      return this.#restart(credentials.ufrag);
    }
    const matches = ifMatch.split(",").some((tag) => tag.trim() === this.#etag);
    if (!matches || (credentials !== undefined && credentials.ufrag !== this.#ufrag)) {
      throw new KliegError("precondition_failed", "This belongs to an earlier generation of ICE credentials.");
    }
    return undefined;
  }

  /** One after another: each has credentials of its own. */
  #restart(ufrag: string): Promise<IceRestart> {
    const restart = this.#restarting.then(async () => {
      if (this.#peer.state === "closed") throw new KliegError("gone", "This session has ended.");
      const { transport } = this.#peer;
      const iceParameters = await transport.restartIce();
      this.#ufrag = ufrag;
      this.#etag = newTag();
      const { iceCandidates } = transport;
      return {
        fragment: writeIceFragment(this.#section, this.#bundle, { iceParameters, iceCandidates }),
        etag: this.#etag,
      };
    });
    this.#restarting = restart.catch(() => undefined);
    return restart;
  }
}

function newTag(): string {
  return `"${randomBytes(9).toString("base64url")}"`;
}
