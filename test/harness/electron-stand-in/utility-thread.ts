import { EventEmitter } from "node:events";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { MessagePortMain } from "./ports.ts";
import type { WorkerMessage } from "./utility-process.ts";

// The thread that stands in for a utility process: gives its module the `process.parentPort` that Electron gives.

const port = Object.assign(new EventEmitter(), { postMessage: (message: unknown) => parentPort?.postMessage(message) });
Object.assign(process, { parentPort: port });
parentPort?.on("message", ({ message, ports }: WorkerMessage) =>
  port.emit("message", { data: message, ports: ports.map((node) => new MessagePortMain(node)) }),
);
await import(pathToFileURL((workerData as { modulePath: string }).modulePath).href);
