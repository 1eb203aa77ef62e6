import { setImmediate } from "node:timers/promises";
import { ManualClock } from "@klieg/base";
import { SrtCaller, type SrtCallerOptions } from "../caller.ts";
import type { SrtCloseReason } from "../close-reason.ts";
import type { SrtConnection } from "../connection.ts";
import type { SrtConnectionRequest } from "../connection-request.ts";
import { SrtListener, type SrtListenerOptions } from "../listener.ts";
import { type LinkBehaviour, MemoryNetwork } from "./memory-network.ts";

/** Everything that one end has told its handler. */
export interface End {
  readonly connection: SrtConnection;
  readonly received: Buffer[];
  readonly reasons: SrtCloseReason[];
  drains: number;
}

export interface PairOptions {
  readonly link?: Partial<LinkBehaviour>;
  readonly caller?: Partial<SrtCallerOptions>;
  readonly listener?: Partial<SrtListenerOptions>;
  /** What the listener demands. */
  readonly passphrase?: string;
}

/** Our caller connected to our listener in simulated time. */
export class SimulatedPair implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly listener: SrtListener;
  readonly request: SrtConnectionRequest;
  /** The caller's end. */
  readonly near: End;
  /** The listener's end. */
  readonly far: End;

  private constructor(fields: Pick<SimulatedPair, "clock" | "network" | "listener" | "request" | "near" | "far">) {
    this.clock = fields.clock;
    this.network = fields.network;
    this.listener = fields.listener;
    this.request = fields.request;
    this.near = fields.near;
    this.far = fields.far;
  }

  /** @throws what connecting throws */
  static async connect(options: PairOptions = {}): Promise<SimulatedPair> {
    const clock = new ManualClock();
    const network = new MemoryNetwork(clock, options.link);
    const near: Partial<End> & Omit<End, "connection"> = { received: [], reasons: [], drains: 0 };
    const far: Partial<End> & Omit<End, "connection"> = { received: [], reasons: [], drains: 0 };
    let request: SrtConnectionRequest | undefined;
    const listener = new SrtListener({
      clock,
      openPort: network.open,
      onConnection: (asked) => {
        request = asked;
        return {
          ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
          handler: handlerOf(far),
        };
      },
      ...options.listener,
    });
    await listener.listen({ port: 9000 });
    const connecting = SrtCaller.connect({
      host: "127.0.0.1",
      port: 9000,
      clock,
      openPort: network.open,
      connectTimeoutMs: 60_000,
      handler: handlerOf(near),
      ...options.caller,
    });
    try {
      await turnUntilSettled(clock, connecting);
    } catch (error) {
      await listener.close();
      throw error;
    }
    return new SimulatedPair({
      clock,
      network,
      listener,
      request: request as SrtConnectionRequest,
      near: near as End,
      far: far as End,
    });
  }

  /**
   * Sends `count` numbered messages of `size` bytes at an even pace, then lets `settleMs` pass.
   * @returns the messages
   */
  stream(from: End, options: { count: number; size?: number; everyMs: number; settleMs?: number }): Buffer[] {
    const messages: Buffer[] = [];
    for (let index = 0; index < options.count; index++) {
      const message = Buffer.alloc(options.size ?? 1316, index & 0xff);
      message.writeUInt32BE(index, 0);
      messages.push(message);
      from.connection.send(message);
      this.clock.advance(options.everyMs);
    }
    this.clock.advance(options.settleMs ?? 1000);
    return messages;
  }

  /** Closes both ends; the clock is turned for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = Promise.all([this.near.connection.close(), this.listener.close()]);
    await turnUntilSettled(this.clock, closing);
  }
}

/** Turns the clock while `promise` makes its way through real work such as key derivation. */
export async function turnUntilSettled<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  while (!settled) {
    clock.advance(1);
    await setImmediate();
  }
  return promise;
}

function handlerOf(end: Partial<End> & Omit<End, "connection">) {
  return {
    onOpen: (connection: SrtConnection) => void Object.assign(end, { connection }),
    onData: (payload: Buffer) => void end.received.push(payload),
    onDrain: () => void end.drains++,
    onClose: (reason: SrtCloseReason) => void end.reasons.push(reason),
  };
}
