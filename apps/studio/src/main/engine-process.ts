import { availableParallelism } from "node:os";
import type { SecretSealer } from "../engine/secrets/secret-store.ts";
import { StudioEngine } from "../engine/studio-engine.ts";
import { type FromEngine, ToEngine } from "./engine-message.ts";
import { carryPort, type EnginePort } from "./port-carrier.ts";

// First file of the engine's process: only joins the engine to the main process and to the ports of pages.

const { parentPort } = process;
const tell = (message: FromEngine) => parentPort.postMessage(message);

/** Asks the main process, which alone has the system's keychain. */
class MainKeychain implements SecretSealer {
  readonly #waiting = new Map<number, (bytes: Uint8Array<ArrayBuffer> | null) => void>();
  #calls = 0;

  seal(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ask("seal", bytes);
  }

  open(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ask("open", bytes);
  }

  answered(call: number, bytes: Uint8Array<ArrayBuffer> | null): void {
    this.#waiting.get(call)?.(bytes);
    this.#waiting.delete(call);
  }

  #ask(type: "seal" | "open", bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null> {
    const call = this.#calls++;
    const { promise, resolve } = Promise.withResolvers<Uint8Array<ArrayBuffer> | null>();
    this.#waiting.set(call, resolve);
    tell({ type, call, bytes });
    return promise;
  }
}

const keychain = new MainKeychain();
let engine: StudioEngine | undefined;
/** Pages that came while the engine was being opened. */
const early: EnginePort[] = [];

parentPort.on("message", ({ data, ports }) => {
  const message = ToEngine.parse(data);
  switch (message.type) {
    case "start":
      start(message).catch((error: unknown) => {
        tell({ type: "failed", message: error instanceof Error ? error.message : String(error) });
        // In the next turn, or the word would be lost.
        setTimeout(() => process.exit(1), 100);
      });
      break;
    case "page": {
      const port = ports[0];
      if (port !== undefined) carry(port);
      break;
    }
    case "tell":
      if (engine === undefined) told.push(message.event);
      else engine.tell(message.event);
      break;
    case "asset":
      tell({ type: "asset", call: message.call, asset: engine?.asset(message.asset_id) ?? null });
      break;
    case "sealed":
      keychain.answered(message.call, message.bytes as Uint8Array<ArrayBuffer> | null);
      break;
    case "stop":
      void (engine?.close() ?? Promise.resolve()).finally(() => tell({ type: "stopped" }));
      break;
  }
});

const told: Parameters<StudioEngine["tell"]>[0][] = [];

async function start(options: Extract<ToEngine, { type: "start" }>): Promise<void> {
  const opened = await StudioEngine.open({
    dataFolder: options.data_folder,
    recordingFolder: options.recording_folder,
    version: options.version,
    host: "electron",
    sealer: options.keychain ? keychain : undefined,
    ffmpeg: process.env.KLIEG_FFMPEG,
    cores: availableParallelism(),
  });
  engine = opened;
  const tellState = () => {
    const { onAir, recording, globalKeys } = opened.state;
    tell({ type: "state", on_air: onAir, recording, global_keys: { ...globalKeys } });
  };
  opened.events.on("state", tellState);
  tell({ type: "ready" });
  tellState();
  for (const event of told.splice(0)) opened.tell(event);
  for (const port of early.splice(0)) carry(port);
}

function carry(port: EnginePort): void {
  if (engine === undefined) {
    early.push(port);
    return;
  }
  const opened = engine;
  carryPort(port, (peer) => opened.connect(peer));
}
