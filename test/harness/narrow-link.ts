import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

export interface NarrowLinkOptions {
  /** Where datagrams go on to, at 127.0.0.1. */
  readonly targetPort: number;
  /** Of the way to the target, bits/s; the way back is free. */
  readonly bitrate: number;
  /** Bytes that wait at the bottleneck; more are lost, as at a router. */
  readonly queueBytes: number;
}

/** UDP between one caller and a program here, through a bottleneck that can be made narrower and wider. */
export class NarrowLink implements AsyncDisposable {
  readonly #options: NarrowLinkOptions;
  readonly #front: Socket = createSocket("udp4");
  readonly #backs = new Map<number, Socket>();
  readonly #queue: { readonly datagram: Buffer; readonly back: Socket }[] = [];
  #queued = 0;
  #allowed = 0;
  #lastAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  /** bits/s. */
  bitrate: number;
  lost = 0;
  /** Bytes that the caller has sent, and bytes of these that came through. */
  offered = 0;
  carried = 0;

  private constructor(options: NarrowLinkOptions) {
    this.#options = options;
    this.bitrate = options.bitrate;
  }

  static async open(options: NarrowLinkOptions): Promise<NarrowLink> {
    const link = new NarrowLink(options);
    await new Promise<void>((resolve, reject) => {
      link.#front.once("error", reject);
      link.#front.bind(0, "127.0.0.1", resolve);
    });
    link.#front.on("message", (datagram, from) => link.#take(datagram, from));
    link.#timer = setInterval(() => {
      link.#refill();
      link.#send();
    }, 2);
    return link;
  }

  get port(): number {
    return this.#front.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of [this.#front, ...this.#backs.values()]) {
      await new Promise<void>((resolve) => void socket.close(() => resolve()));
    }
  }

  #take(datagram: Buffer, from: RemoteInfo): void {
    this.offered += datagram.length;
    if (this.#queued + datagram.length > this.#options.queueBytes) {
      this.lost += 1;
      return;
    }
    this.#refill();
    this.#queue.push({ datagram, back: this.#back(from.port) });
    this.#queued += datagram.length;
    this.#send();
  }

  #back(port: number): Socket {
    let back = this.#backs.get(port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("message", (datagram) => this.#front.send(datagram, port, "127.0.0.1"));
      this.#backs.set(port, back);
    }
    return back;
  }

  #refill(): void {
    const now = performance.now();
    // What was not used is lost, but for one step of the timer; a timer that comes late costs nothing that waited.
    const saved = this.#queue.length === 0 ? 10 : 200;
    this.#allowed = Math.min(
      this.#allowed + ((now - this.#lastAt) * this.bitrate) / 8000,
      Math.max(this.#allowed, (this.bitrate / 8000) * saved),
    );
    this.#lastAt = now;
  }

  #send(): void {
    for (
      let next = this.#queue[0];
      next !== undefined && this.#allowed >= next.datagram.length;
      next = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#queued -= next.datagram.length;
      this.#allowed -= next.datagram.length;
      this.carried += next.datagram.length;
      next.back.send(next.datagram, this.#options.targetPort, "127.0.0.1");
    }
  }
}
