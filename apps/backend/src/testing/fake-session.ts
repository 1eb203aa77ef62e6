import type { KliegError } from "@klieg/protocol";
import type { ContributionSession } from "../stream/contribution.ts";

/** An ingest session that remembers how it was put off. */
export class FakeSession implements ContributionSession {
  readonly protocol = "rtmp";
  readonly encoder: string;
  readonly remoteAddress = "192.0.2.1";
  readonly keyId = "0123456789abcdef";
  readonly refusals: KliegError[] = [];

  constructor(encoder = "test encoder") {
    this.encoder = encoder;
  }

  refuse(error: KliegError): void {
    this.refusals.push(error);
  }
}
