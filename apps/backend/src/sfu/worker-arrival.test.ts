import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ManualClock } from "@klieg/base";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { Sfu } from "./sfu.ts";
import { WorkerArrival } from "./worker-arrival.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "klieg-arrival-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, script: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

it.skipIf(process.platform === "win32")("makes the SFU available when a program comes that runs (RTC1)", async () => {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  await using sfu = await Sfu.open({
    logger,
    workerProgram: undefined,
    workers: 2,
    port: 0,
    addresses: [{ ip: "127.0.0.1" }],
  });
  let found: string | undefined;
  using _ = new WorkerArrival({ sfu, clock, logger, find: () => found });
  expect(() => sfu.openStage("a")).toThrow("its media worker is not installed");

  found = program("broken", "echo no library >&2; exit 127");
  clock.advance(2000);
  await vi.waitFor(() => expect(sfu.unavailable).toContain("does not run: no library"));

  found = program("whole", "exit 41");
  await vi.waitFor(() => {
    clock.advance(2000);
    expect(sfu.unavailable).toBeUndefined();
  });
  expect(sfu.workers).toHaveLength(2);
  sfu.openStage("a").close();

  // It looks no more.
  const find = vi.fn();
  using _done = new WorkerArrival({ sfu, clock, logger, find });
  clock.advance(10_000);
  expect(find).not.toHaveBeenCalled();
});
