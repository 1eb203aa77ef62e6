import { addressBlock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";

export interface HalfOpenLimits {
  readonly total: number;
  /** For one IPv4 address or IPv6 /64. */
  readonly perAddress: number;
}

/**
 * Counts sessions that were answered but have not connected: each holds a transport of the SFU, and a peer that never
 * comes costs nothing to make up.
 */
export class HalfOpenPeers {
  readonly #limits: HalfOpenLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: HalfOpenLimits) {
    this.#limits = limits;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * Counts one in; disposing the answer counts it out.
   * @throws {KliegError} `overloaded`, `rate_limited`.
   */
  enter(address: string): Disposable {
    if (this.#total >= this.#limits.total) {
      throw new KliegError("overloaded", "Too many peers are connecting to this server; try again in a moment.");
    }
    const block = addressBlock(address);
    const open = this.#byAddress.get(block) ?? 0;
    if (open >= this.#limits.perAddress) {
      throw new KliegError("rate_limited", "Too many peers are connecting from your address; try again in a moment.");
    }
    this.#byAddress.set(block, open + 1);
    this.#total += 1;
    let inside = true;
    return {
      [Symbol.dispose]: () => {
        if (!inside) return;
        inside = false;
        this.#total -= 1;
        const left = (this.#byAddress.get(block) ?? 0) - 1;
        if (left > 0) this.#byAddress.set(block, left);
        else this.#byAddress.delete(block);
      },
    };
  }
}
