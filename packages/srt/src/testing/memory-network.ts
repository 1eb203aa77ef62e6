import type { Clock } from "@klieg/base";
import { FuzzRandom } from "@klieg/base/fuzz";
import type { DatagramHandler, DatagramPort, DatagramPortFactory } from "../datagram-port.ts";

/** What happens to datagrams on their way; all of it decided by the seed. */
export interface LinkBehaviour {
  readonly seed: number;
  /** One way, ms. */
  readonly delayMs: number;
  /** Added to the delay of each datagram, evenly from 0 to this, ms: reorders them. */
  readonly jitterMs: number;
  /** 0 to 1. */
  readonly loss: number;
  /** 0 to 1: share of datagrams that arrive twice. */
  readonly duplication: number;
}

/** The narrowest place on the way to one port: what it cannot carry waits in front of it, and what finds no room is lost. */
export interface Bottleneck {
  /** The port on its far side. */
  readonly to: number;
  /** bits/s. */
  readonly bitrate: number;
  readonly queueBytes: number;
}

const PERFECT: LinkBehaviour = { seed: 1, delayMs: 1, jitterMs: 0, loss: 0, duplication: 0 };

/** UDP in memory, on a clock that tests turn by hand. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #random: FuzzRandom;
  readonly #ports = new Map<number, DatagramHandler>();
  #nextPort = 40_000;
  behaviour: LinkBehaviour;
  /** May be changed at any time; what waits then leaves at the new rate. */
  bottleneck: Bottleneck | undefined;
  readonly #waiting: { readonly datagram: Buffer; readonly from: number; readonly to: number }[] = [];
  #waitingBytes = 0;
  #departing = false;
  /** Called for each datagram sent; answering false loses it. */
  filter: (datagram: Buffer, from: number, to: number) => boolean = () => true;
  sent = 0;
  lost = 0;

  constructor(clock: Clock, behaviour: Partial<LinkBehaviour> = {}) {
    this.#clock = clock;
    this.behaviour = { ...PERFECT, ...behaviour };
    this.#random = new FuzzRandom(this.behaviour.seed);
  }

  /** Opens ports of this network; give it to a listener or caller as `openPort`. */
  readonly open: DatagramPortFactory = async ({ port, onDatagram }) => {
    const localPort = port === 0 ? this.#nextPort++ : port;
    if (this.#ports.has(localPort)) throw new Error(`port ${localPort} is in use`);
    this.#ports.set(localPort, onDatagram);
    const opened: DatagramPort = {
      localAddress: "127.0.0.1",
      localPort,
      sendFailures: 0,
      send: (packet, length, to) => {
        this.inject(packet.subarray(0, length), localPort, to);
        return true;
      },
      close: async () => void this.#ports.delete(localPort),
      [Symbol.asyncDispose]: () => opened.close(),
    };
    return opened;
  };

  /** Sends a datagram as if from `from`, through the link's behaviour. */
  inject(datagram: Buffer, from: number, to: number): void {
    this.sent++;
    const { loss, duplication } = this.behaviour;
    if (!this.filter(datagram, from, to) || this.#chance(loss)) {
      this.lost++;
      return;
    }
    if (to === this.bottleneck?.to) {
      this.#queue({ datagram: Buffer.from(datagram), from, to });
      return;
    }
    this.#deliver(Buffer.from(datagram), from, to);
    if (this.#chance(duplication)) this.#deliver(Buffer.from(datagram), from, to);
  }

  #queue(one: { readonly datagram: Buffer; readonly from: number; readonly to: number }): void {
    if (this.#waitingBytes + one.datagram.length > (this.bottleneck?.queueBytes ?? Number.POSITIVE_INFINITY)) {
      this.lost++;
      return;
    }
    this.#waiting.push(one);
    this.#waitingBytes += one.datagram.length;
    if (!this.#departing) this.#depart();
  }

  #depart(): void {
    const [next] = this.#waiting;
    this.#departing = next !== undefined;
    if (next === undefined) return;
    const { bitrate = Number.POSITIVE_INFINITY } = this.bottleneck ?? {};
    this.#clock.after((next.datagram.length * 8000) / bitrate, () => {
      this.#waiting.shift();
      this.#waitingBytes -= next.datagram.length;
      this.#deliver(next.datagram, next.from, next.to);
      this.#depart();
    });
  }

  #deliver(datagram: Buffer, from: number, to: number): void {
    const { delayMs, jitterMs } = this.behaviour;
    const delay = delayMs + (jitterMs * this.#random.below(1000)) / 1000;
    this.#clock.after(delay, () => this.#ports.get(to)?.(datagram, from, "127.0.0.1"));
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random.u32() < probability * 0x1_0000_0000;
  }
}
