import { addressBlock, type Clock, plainAddress } from "@klieg/base";
import { KliegError } from "@klieg/protocol";

export interface AddressTokensOptions {
  readonly clock: Clock;
  /** So many at once. */
  readonly burst: number;
  readonly perSecond: number;
  /** Words for whoever has used his up. */
  readonly message: string;
}

const MAX_ADDRESSES = 10_000;

/** Limits how often something may be done from one IPv4 address or IPv6 /64. */
export class AddressTokens {
  readonly #options: AddressTokensOptions;
  /** By address: tokens left, and when they were counted, monotonic ms; in the order of use. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(options: AddressTokensOptions) {
    this.#options = options;
  }

  /** Whether the address has tokens left; uses none. @throws {KliegError} `rate_limited`. */
  check(address: string): void {
    if (this.#filled(addressBlock(plainAddress(address))) < 1) {
      throw new KliegError("rate_limited", this.#options.message);
    }
  }

  /** Uses a token, whether there is one or not. */
  use(address: string): void {
    const block = addressBlock(plainAddress(address));
    const tokens = Math.max(0, this.#filled(block) - 1);
    this.#buckets.delete(block);
    this.#buckets.set(block, { tokens, at: this.#options.clock.now() });
    // The one that was used longest ago is full again, or nearly.
    for (const [oldest] of this.#buckets) {
      if (this.#buckets.size <= MAX_ADDRESSES) break;
      this.#buckets.delete(oldest);
    }
  }

  /** @throws {KliegError} `rate_limited`. */
  take(address: string): void {
    this.check(address);
    this.use(address);
  }

  #filled(block: string): number {
    const { burst, perSecond, clock } = this.#options;
    const bucket = this.#buckets.get(block);
    if (bucket === undefined) return burst;
    return Math.min(burst, bucket.tokens + ((clock.now() - bucket.at) / 1000) * perSecond);
  }
}
