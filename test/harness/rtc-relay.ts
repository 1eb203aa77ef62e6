import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

/** What one direction of a network does to datagrams. */
export interface LinkConditions {
  /** Share of the datagrams that are lost, 0 to 1. */
  readonly loss?: number;
  readonly delayMs?: number;
  /** bits/s; undefined: no limit. */
  readonly bitrate?: number;
  /** How long what is over the limit may wait before more of it is lost, ms: the router's buffer. */
  readonly queueMs?: number;
}

export interface RtcRelayOptions {
  /** The media worker's port on 127.0.0.1. */
  readonly port: number;
  readonly seed?: number;
}

/** Where peers believe the backend to be: KLIEG_ANNOUNCED_ADDRESS of a backend with KLIEG_HOST=127.0.0.1. */
export const RELAYED_ADDRESS = "127.0.0.2";

const BACKEND_ADDRESS = "127.0.0.1";
const QUEUE_MS = 200;

/** Datagrams of one direction on their way. What is lost is decided by seed and count. */
class Link {
  conditions: LinkConditions = {};
  passed = 0;
  lost = 0;
  /** Bytes that were given to it, and bytes of these that it has let through. */
  offered = 0;
  carried = 0;
  #random: number;
  readonly #queue: { readonly at: number; readonly send: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the line has sent what it was given, ms. */
  #freeAt = 0;

  constructor(seed: number) {
    this.#random = seed;
  }

  take(bytes: number, send: () => void): void {
    const { loss = 0, delayMs = 0, bitrate, queueMs = QUEUE_MS } = this.conditions;
    const now = performance.now();
    this.offered += bytes;
    // A linear congruential generator (Numerical Recipes): good enough to lose datagrams by.
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    if (this.#random < loss * 0x1_0000_0000) {
      this.lost += 1;
      return;
    }
    let sentAt = now;
    if (bitrate !== undefined) {
      sentAt = Math.max(now, this.#freeAt) + (bytes * 8000) / bitrate;
      if (sentAt - now > queueMs) {
        this.lost += 1;
        return;
      }
      this.#freeAt = sentAt;
    }
    this.passed += 1;
    this.carried += bytes;
    const at = sentAt + delayMs;
    if (at <= now && this.#queue.length === 0) {
      send();
      return;
    }
    // A delay that has become shorter does not turn the order round.
    this.#queue.push({ at: Math.max(at, this.#queue.at(-1)?.at ?? 0), send });
    this.#timer ??= setTimeout(() => this.#depart(), at - now);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #depart(): void {
    this.#timer = undefined;
    const now = performance.now();
    while (this.#queue[0] !== undefined && this.#queue[0].at <= now) this.#queue.shift()?.send();
    const next = this.#queue[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.#depart(), Math.max(1, next.at - now));
  }
}

interface Peer {
  readonly address: string;
  readonly port: number;
  /** Towards the backend: the address that the backend knows the peer by. */
  back: Socket;
}

/**
 * A bad network between WebRTC peers and the backend, without privileges: peers send to {@link RELAYED_ADDRESS}, at the
 * media worker's own port, and what arrives there goes on to the worker. UDP only: ICE over TCP finds nobody there.
 */
export class RtcRelay implements AsyncDisposable {
  readonly #port: number;
  readonly #front: Socket;
  readonly #peers = new Map<string, Peer>();
  readonly #sockets = new Set<Socket>();
  readonly #toBackend: Link;
  readonly #toPeers: Link;
  #closed = false;

  private constructor(front: Socket, options: RtcRelayOptions) {
    this.#front = front;
    this.#port = options.port;
    this.#toBackend = new Link(options.seed ?? 1);
    this.#toPeers = new Link((options.seed ?? 1) + 1);
  }

  static async open(options: RtcRelayOptions): Promise<RtcRelay> {
    const front = createSocket({ type: "udp4", recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
    front.bind(options.port, RELAYED_ADDRESS);
    await once(front, "listening");
    const relay = new RtcRelay(front, options);
    relay.#sockets.add(front);
    front.on("message", (datagram, from) => relay.#fromPeer(datagram, from));
    return relay;
  }

  /** Changes what the network does, from now on. @param toPeers as towards the backend, where not given. */
  set(toBackend: LinkConditions, toPeers: LinkConditions = toBackend): void {
    this.#toBackend.conditions = toBackend;
    this.#toPeers.conditions = toPeers;
  }

  /** Datagrams that got through and that did not, both ways together. */
  get counts(): { readonly passed: number; readonly lost: number } {
    return {
      passed: this.#toBackend.passed + this.#toPeers.passed,
      lost: this.#toBackend.lost + this.#toPeers.lost,
    };
  }

  /** Bytes of what peers have sent, and of what came through to the backend. */
  get toBackend(): { readonly offered: number; readonly carried: number } {
    return this.#toBackend;
  }

  /** Peers whose datagrams have come through here. */
  get peers(): number {
    return this.#peers.size;
  }

  /**
   * Gives every peer another address in the backend's eyes, and lets go of the one before: a NAT that has forgotten its
   * mappings, a telephone that went from one network to another.
   */
  rebind(): void {
    for (const peer of this.#peers.values()) {
      const { back } = peer;
      peer.back = this.#openBack(peer);
      this.#sockets.delete(back);
      back.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#toBackend.close();
    this.#toPeers.close();
    for (const socket of this.#sockets) {
      socket.close();
      await once(socket, "close");
    }
  }

  #fromPeer(datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      const fresh = { address: from.address, port: from.port };
      peer = { ...fresh, back: this.#openBack(fresh) };
      this.#peers.set(key, peer);
    }
    const known = peer;
    this.#toBackend.take(datagram.length, () => {
      if (!this.#closed) known.back.send(datagram, this.#port, BACKEND_ADDRESS);
    });
  }

  #openBack({ address, port }: { readonly address: string; readonly port: number }): Socket {
    const back = createSocket({ type: "udp4", recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
    back.on("message", (datagram) => {
      this.#toPeers.take(datagram.length, () => {
        if (!this.#closed) this.#front.send(datagram, port, address);
      });
    });
    // A backend that is not there is like a network that loses everything.
    back.on("error", () => undefined);
    this.#sockets.add(back);
    return back;
  }
}
