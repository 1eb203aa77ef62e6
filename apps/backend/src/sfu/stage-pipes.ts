import type { types } from "mediasoup";
import { producerGone, workerFailed } from "./sfu-error.ts";
import type { BroughtProducer, SfuNode, StageProducer } from "./sfu-node.ts";

/** From one router to another, of two workers or of one. */
interface OpenPipe {
  readonly consumer: types.Consumer;
  readonly producer: types.Producer;
}

interface Pipe {
  readonly opening: Promise<OpenPipe>;
  users: number;
}

/** Where the ends of pipes are bound: no other machine has business there. */
const LOOPBACK = "127.0.0.1";
/** The system cuts it down to what it allows. A keyframe crosses in one burst. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/**
 * The pipes of a stage: a producer is sent to another router once, however many consume it there, and no longer when the
 * last of them has gone.
 */
export class StagePipes {
  readonly #ports: types.TransportPortRange | undefined;
  readonly #pipes = new Map<string, Pipe>();

  /** @param ports of the loopback interface that pipes may use, two for each pair of routers. */
  constructor(ports: types.TransportPortRange | undefined) {
    this.#ports = ports;
  }

  /** Pipes that are open or being opened. */
  get size(): number {
    return this.#pipes.size;
  }

  /**
   * Opens a pipe, or joins the one that is there, until the answer is disposed.
   * @throws {KliegError} `gone` where the producer is, `webrtc_unavailable` where one of both workers fails.
   */
  async enter(source: StageProducer, to: SfuNode): Promise<BroughtProducer> {
    const key = `${source.producer.id} ${to.router.id}`;
    let pipe = this.#pipes.get(key);
    if (pipe === undefined) {
      pipe = { opening: this.#open(source, to), users: 0 };
      this.#pipes.set(key, pipe);
      const forget = () => this.#forget(key, pipe);
      pipe.opening.then(
        ({ producer }) => (producer.closed ? forget() : producer.observer.once("close", forget)),
        forget,
      );
    }
    const entered = pipe;
    entered.users += 1;
    let open: OpenPipe;
    try {
      open = await entered.opening;
    } catch (error) {
      throw source.producer.closed ? producerGone() : workerFailed(error);
    }
    if (open.producer.closed) throw producerGone();
    let inside = true;
    return {
      id: open.producer.id,
      [Symbol.dispose]: () => {
        if (!inside) return;
        inside = false;
        entered.users -= 1;
        if (entered.users > 0) return;
        this.#forget(key, entered);
        // Takes its other end with it.
        open.consumer.close();
      },
    };
  }

  #forget(key: string, pipe: Pipe | undefined): void {
    if (this.#pipes.get(key) === pipe) this.#pipes.delete(key);
  }

  async #open({ producer: { id }, node: from }: StageProducer, to: SfuNode): Promise<OpenPipe> {
    using opening = new DisposableStack();
    for (const { worker } of [from, to]) opening.use(worker.occupy());
    const { pipeConsumer, pipeProducer } = await from.router.pipeToRouter({
      producerId: id,
      router: to.router,
      listenInfo: {
        protocol: "udp",
        ip: LOOPBACK,
        recvBufferSize: RECEIVE_BUFFER_BYTES,
        ...(this.#ports === undefined ? {} : { portRange: this.#ports }),
      },
      enableSctp: false,
      // Within a worker an id can be there only once.
      keepId: !to.laidOut,
      // Loopback drops what a busy worker does not fetch in time.
      enableRtx: true,
    });
    if (pipeConsumer === undefined || pipeProducer === undefined) throw new TypeError("a pipe without ends");
    const occupied = opening.move();
    if (pipeProducer.closed) occupied.dispose();
    else pipeProducer.observer.once("close", () => occupied.dispose());
    return { consumer: pipeConsumer, producer: pipeProducer };
  }
}
