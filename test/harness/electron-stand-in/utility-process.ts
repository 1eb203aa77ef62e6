import { EventEmitter } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { Worker } from "node:worker_threads";
import type { MessagePortMain } from "./ports.ts";

/** What goes from the app to its worker thread. */
export interface WorkerMessage {
  readonly message: unknown;
  readonly ports: readonly MessagePort[];
}

/** Stands in for Electron's `UtilityProcess` by a worker thread. */
export class UtilityProcess extends EventEmitter {
  readonly #worker: Worker;

  constructor(modulePath: string) {
    super();
    this.#worker = new Worker(new URL("utility-thread.ts", import.meta.url), { workerData: { modulePath } });
    this.#worker.on("message", (message: unknown) => this.emit("message", message));
    this.#worker.on("exit", (code) => this.emit("exit", code));
    this.#worker.on("error", (error) => process.stderr.write(`utility process: ${error.stack ?? String(error)}\n`));
  }

  postMessage(message: unknown, transfer: readonly MessagePortMain[] = []): void {
    const ports = transfer.map(({ node }) => node);
    this.#worker.postMessage({ message, ports } satisfies WorkerMessage, ports);
  }

  kill(): boolean {
    void this.#worker.terminate();
    return true;
  }
}
