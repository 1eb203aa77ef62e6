import { EventEmitter } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";

/** Stands in for Electron's `MessagePortMain`. */
export class MessagePortMain extends EventEmitter {
  readonly node: MessagePort;
  #started = false;

  constructor(node: MessagePort) {
    super();
    this.node = node;
    node.on("close", () => this.emit("close"));
  }

  /** Electron's transfers ports and nothing else. */
  postMessage(message: unknown, ports: readonly MessagePortMain[] = []): void {
    this.node.postMessage(
      message,
      ports.map(({ node }) => node),
    );
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.node.on("message", (data: unknown) => this.emit("message", { data, ports: [] }));
  }

  close(): void {
    this.node.close();
  }
}

/** Stands in for Electron's class of that name. */
export class MessageChannelMain {
  readonly port1: MessagePortMain;
  readonly port2: MessagePortMain;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new MessagePortMain(port1);
    this.port2 = new MessagePortMain(port2);
  }
}
