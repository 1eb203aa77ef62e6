import { EventEmitter } from "node:events";
import { ManualClock } from "@klieg/base";
import { describe, expect, test } from "vitest";
import { EngineHost, type EngineProcess } from "./engine-host.ts";
import type { FromEngine, ToEngine } from "./engine-message.ts";

class ScriptedEngine extends EventEmitter implements EngineProcess<string> {
  readonly received: ToEngine[] = [];
  readonly ports: string[] = [];
  killed = false;

  postMessage(message: unknown, transfer: string[] = []): void {
    this.received.push(message as ToEngine);
    this.ports.push(...transfer);
    this.emit("received", message);
  }

  kill(): boolean {
    this.killed = true;
    return true;
  }

  say(message: FromEngine): void {
    this.emit("message", message);
  }
}

function hosted() {
  const clock = new ManualClock();
  const engines: ScriptedEngine[] = [];
  const host = new EngineHost<string>({
    clock,
    fork: () => {
      const engine = new ScriptedEngine();
      engines.push(engine);
      return engine;
    },
    start: { data_folder: "/data", recording_folder: "/films", version: "1.0.0" },
    keychain: {
      seal: (bytes) => bytes.map((byte) => byte ^ 1),
      open: () => {
        throw new Error("locked");
      },
    },
  });
  host.start();
  const engine = engines[0] as ScriptedEngine;
  return { clock, engines, host, engine };
}

describe("the engine's process (STU9)", () => {
  test("is told where things are, gets pages' ports, and says what goes on", () => {
    const { host, engine } = hosted();
    expect(engine.received[0]).toMatchObject({ type: "start", data_folder: "/data", keychain: true });
    expect([host.connect("port"), engine.ports]).toEqual([true, ["port"]]);
    engine.say({ type: "state", on_air: true, recording: false, global_keys: { mute: "F9" } });
    expect(host.state).toEqual({ onAir: true, recording: false, globalKeys: { mute: "F9" } });
  });

  test("has its secrets sealed, and learns when they cannot be opened", () => {
    const { engine } = hosted();
    engine.say({ type: "seal", call: 1, bytes: Uint8Array.of(6) });
    engine.say({ type: "open", call: 2, bytes: Uint8Array.of(7) });
    expect(engine.received.slice(1)).toEqual([
      { type: "sealed", call: 1, bytes: Uint8Array.of(7) },
      { type: "sealed", call: 2, bytes: null },
    ]);
  });

  test("tells where assets are; what it does not answer is nowhere", async () => {
    const { host, engine, clock } = hosted();
    const found = host.asset("film-1");
    engine.say({ type: "asset", call: 0, asset: { path: "/data/film-1", mediaType: "video/mp4" } });
    expect(await found).toEqual({ path: "/data/film-1", mediaType: "video/mp4" });
    const late = host.asset("film-2");
    clock.advance(5000);
    expect(await late).toBeUndefined();
    expect(await host.asset("../secret")).toBeUndefined();
    const lost = host.asset("film-3");
    engine.emit("exit", 1);
    expect(await lost).toBeUndefined();
  });

  test("is started again when it dies, but not for ever", () => {
    const { host, engines, clock } = hosted();
    const failures: string[] = [];
    host.events.on("failed", ({ message }) => failures.push(message));
    engines[0]?.say({ type: "state", on_air: true, recording: true, global_keys: {} });
    for (let death = 0; death < 3; death += 1) {
      engines[death]?.emit("exit", 139);
      expect(host.state).toMatchObject({ onAir: false, recording: false });
      expect(host.connect("port")).toBe(false);
      clock.advance(1000);
    }
    engines[3]?.say({ type: "failed", message: "The data folder cannot be written." });
    engines[3]?.emit("exit", 1);
    clock.advance(60_000);
    expect([engines.length, failures]).toEqual([4, ["The data folder cannot be written."]]);
    host.start();
    expect([engines.length, clock.pending]).toEqual([5, 0]);
  });

  test("ends in order, at last by force, and is not started again", async () => {
    const { host, engine, engines, clock } = hosted();
    const stopped = host.stop();
    expect(engine.received.at(-1)).toEqual({ type: "stop" });
    engine.say({ type: "stopped" });
    await stopped;
    expect(engine.killed).toBe(true);
    engine.emit("exit", 0);
    host.start();
    clock.advance(60_000);
    expect(engines).toHaveLength(1);

    const deaf = hosted();
    const forced = deaf.host.stop();
    deaf.clock.advance(10_000);
    await forced;
    expect(deaf.engine.killed).toBe(true);
  });
});
