import dgram from "node:dgram";
import { FuzzRandom } from "@klieg/base/fuzz";

export interface LossyRelayOptions {
  /** Where callers' datagrams go on to. */
  readonly targetPort: number;
  readonly targetHost?: string;
  /** Port that callers are pointed at; 0 (default) takes any. */
  readonly port?: number;
  readonly seed: number;
  /** 0 to 1, each way. */
  readonly loss: number;
  /** Each way, ms. */
  readonly delayMs: number;
}

/**
 * A UDP relay that delays and loses datagrams: a bad network between real programs on one machine. Loss is
 * decided by seed and count, so two runs with the same traffic lose the same datagrams.
 */
export class LossyRelay implements AsyncDisposable {
  readonly #options: LossyRelayOptions;
  readonly #front = dgram.createSocket("udp4");
  /** One socket towards the target for each caller, so that answers find their way. */
  readonly #backs = new Map<string, dgram.Socket>();
  readonly #random: { toTarget: FuzzRandom; toCaller: FuzzRandom };
  readonly #queue: { at: number; send: () => void }[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Datagrams towards the target. */
  relayed = 0;
  lost = 0;

  private constructor(options: LossyRelayOptions) {
    this.#options = options;
    this.#random = { toTarget: new FuzzRandom(options.seed), toCaller: new FuzzRandom(options.seed + 1) };
  }

  static async open(options: LossyRelayOptions): Promise<LossyRelay> {
    const relay = new LossyRelay(options);
    await new Promise<void>((resolve, reject) => {
      relay.#front.once("error", reject);
      relay.#front.bind(options.port ?? 0, "127.0.0.1", resolve);
    });
    relay.#front.setRecvBufferSize(4 << 20);
    relay.#front.on("message", (datagram, from) => relay.#fromCaller(datagram, from));
    return relay;
  }

  /** Where callers are to be pointed. */
  get port(): number {
    return this.#front.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const socket of [this.#front, ...this.#backs.values()]) {
      await new Promise<void>((resolve) => void socket.close(() => resolve()));
    }
  }

  #fromCaller(datagram: Buffer, from: dgram.RemoteInfo): void {
    const back = this.#backFor(from);
    this.relayed++;
    if (this.#loses(this.#random.toTarget)) {
      this.lost++;
      return;
    }
    this.#later(() => back.send(datagram, this.#options.targetPort, this.#options.targetHost ?? "127.0.0.1"));
  }

  #backFor(caller: dgram.RemoteInfo): dgram.Socket {
    const key = `${caller.address} ${caller.port}`;
    let back = this.#backs.get(key);
    if (back === undefined) {
      back = dgram.createSocket("udp4");
      // A target that is not there (yet) is like one that loses everything.
      back.on("error", () => undefined);
      back.on("message", (datagram) => {
        if (!this.#loses(this.#random.toCaller)) {
          this.#later(() => this.#front.send(datagram, caller.port, caller.address));
        }
      });
      this.#backs.set(key, back);
    }
    return back;
  }

  #loses(random: FuzzRandom): boolean {
    return random.u32() < this.#options.loss * 0x1_0000_0000;
  }

  /** The delay is the same for all, so a queue in order of arrival is one in order of departure. */
  #later(send: () => void): void {
    if (this.#closed) return;
    this.#queue.push({ at: performance.now() + this.#options.delayMs, send });
    this.#timer ??= setTimeout(() => this.#depart(), this.#options.delayMs);
  }

  #depart(): void {
    this.#timer = undefined;
    if (this.#closed) return;
    const now = performance.now();
    for (let next = this.#queue[this.#head]; next !== undefined && next.at <= now; next = this.#queue[this.#head]) {
      this.#head++;
      next.send();
    }
    if (this.#head > 1024) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    const next = this.#queue[this.#head];
    if (next !== undefined) this.#timer = setTimeout(() => this.#depart(), Math.max(1, next.at - now));
  }
}
