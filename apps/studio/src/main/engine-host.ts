import { isDeepStrictEqual } from "node:util";
import { type Clock, Emitter } from "@klieg/base";
import { type StudioEvent, StudioRecordId } from "@klieg/protocol";
import type { AssetFile } from "./app-files.ts";
import { FromEngine, type ToEngine } from "./engine-message.ts";
import { RestartBudget } from "./restart-budget.ts";

/** What is needed of Electron's `UtilityProcess`. */
export interface EngineProcess<Port> {
  postMessage(message: unknown, transfer?: Port[]): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  kill(): boolean;
}

/** The system's keychain, as `safeStorage` speaks to it. */
export interface Keychain {
  seal(bytes: Uint8Array): Uint8Array;
  /** @throws where the bytes were sealed by somebody else, or the keychain is locked. */
  open(bytes: Uint8Array): Uint8Array;
}

export interface EngineHostOptions<Port> {
  readonly fork: () => EngineProcess<Port>;
  readonly start: Omit<Extract<ToEngine, { type: "start" }>, "type" | "keychain">;
  /** Undefined where the system has none. */
  readonly keychain: Keychain | undefined;
  readonly clock: Clock;
}

export interface EngineState {
  readonly onAir: boolean;
  readonly recording: boolean;
  readonly globalKeys: Readonly<Record<string, string>>;
}

export interface EngineHostEvents {
  state: EngineState;
  /** It died so often that it is not started again by itself; {@link EngineHost.start} tries once more. */
  failed: { readonly message: string };
}

/** A broadcast may take so long to end in order, ms. */
const STOP_MS = 10_000;
const ASSET_MS = 5000;
const RESTART_MS = 250;
const AT_REST: EngineState = { onAir: false, recording: false, globalKeys: {} };

/**
 * The engine in a process of its own: neither a page nor the window system can take a show down with it, and media goes from
 * page to engine without passing through here. Where the engine dies it is started again; pages come back by themselves.
 */
export class EngineHost<Port> {
  readonly events = new Emitter<EngineHostEvents>();
  readonly #options: EngineHostOptions<Port>;
  readonly #budget: RestartBudget;
  readonly #assets = new Map<number, (asset: AssetFile | undefined) => void>();
  #process: EngineProcess<Port> | undefined;
  #restart: Disposable | undefined;
  #state = AT_REST;
  #calls = 0;
  #failure = "";
  #stopping: PromiseWithResolvers<void> | undefined;

  constructor(options: EngineHostOptions<Port>) {
    this.#options = options;
    this.#budget = new RestartBudget(options.clock, { count: 3, withinMs: 60_000 });
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Starts the engine, unless it runs. */
  start(): void {
    this.#restart?.[Symbol.dispose]();
    this.#restart = undefined;
    if (this.#process !== undefined || this.#stopping !== undefined) return;
    const { fork, start, keychain } = this.#options;
    const engine = fork();
    this.#process = engine;
    this.#failure = "";
    engine.on("message", (message) => {
      if (engine === this.#process) this.#receive(engine, FromEngine.parse(message));
    });
    engine.on("exit", (code) => {
      if (engine === this.#process) this.#exited(code);
    });
    this.#send({ type: "start", ...start, keychain: keychain !== undefined });
  }

  /** Gives a page's port to the engine. @returns false where there is none at the moment: the page asks again. */
  connect(port: Port): boolean {
    if (this.#process === undefined || this.#stopping !== undefined) return false;
    this.#process.postMessage({ type: "page" } satisfies ToEngine, [port]);
    return true;
  }

  /** Has it told to every page; where none is there yet, to the first that comes. */
  tell(event: StudioEvent): void {
    this.#send({ type: "tell", event });
  }

  /** Where an asset of the show is kept. */
  async asset(id: string): Promise<AssetFile | undefined> {
    if (this.#process === undefined || !StudioRecordId.safeParse(id).success) return undefined;
    const call = this.#calls++;
    const { promise, resolve } = Promise.withResolvers<AssetFile | undefined>();
    this.#assets.set(call, resolve);
    using _patience = this.#options.clock.after(ASSET_MS, () => resolve(undefined));
    this.#send({ type: "asset", call, asset_id: id });
    const asset = await promise;
    this.#assets.delete(call);
    return asset;
  }

  /** Ends broadcast and recording in order, then the process; after {@link STOP_MS} the process all the same. */
  async stop(): Promise<void> {
    if (this.#stopping !== undefined) return await this.#stopping.promise;
    this.#stopping = Promise.withResolvers();
    this.#restart?.[Symbol.dispose]();
    const engine = this.#process;
    if (engine === undefined) this.#stopping.resolve();
    using _patience = this.#options.clock.after(STOP_MS, () => this.#stopping?.resolve());
    this.#send({ type: "stop" });
    await this.#stopping.promise;
    engine?.kill();
  }

  #send(message: ToEngine): void {
    this.#process?.postMessage(message);
  }

  #receive(engine: EngineProcess<Port>, message: FromEngine): void {
    switch (message.type) {
      case "ready":
        break;
      case "state":
        this.#become({ onAir: message.on_air, recording: message.recording, globalKeys: message.global_keys });
        break;
      case "asset":
        this.#assets.get(message.call)?.(message.asset ?? undefined);
        break;
      case "seal":
      case "open":
        engine.postMessage({
          type: "sealed",
          call: message.call,
          bytes: this.#keep(message.type, message.bytes),
        } satisfies ToEngine);
        break;
      case "failed":
        this.#failure = message.message;
        break;
      case "stopped":
        this.#stopping?.resolve();
        break;
    }
  }

  #keep(act: "seal" | "open", bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
    try {
      const kept = this.#options.keychain?.[act](bytes);
      return kept === undefined ? null : Uint8Array.from(kept);
    } catch {
      return null; // Locked, or of another machine: the engine says so, and its user enters the key again.
    }
  }

  #exited(code: number): void {
    this.#process = undefined;
    for (const settle of this.#assets.values()) settle(undefined);
    this.#become({ ...AT_REST, globalKeys: this.#state.globalKeys });
    if (this.#stopping !== undefined) {
      this.#stopping.resolve();
      return;
    }
    const { clock } = this.#options;
    if (this.#budget.take()) this.#restart = clock.after(RESTART_MS, () => this.start());
    else {
      this.#budget.reset();
      this.events.emit("failed", { message: this.#failure || `The engine ended with ${code}.` });
    }
  }

  #become(state: EngineState): void {
    // The engine tells of it more often than it changes.
    if (isDeepStrictEqual(state, this.#state)) return;
    this.#state = state;
    this.events.emit("state", state);
  }
}
