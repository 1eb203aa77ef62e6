import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Clock, ManualClock, systemClock } from "@klieg/base";
import { describe, expect, test } from "vitest";
import { type FfmpegExit, FfmpegProcess } from "./ffmpeg-process.ts";

function ignore(): void {
  // not what the test is about
}

function shell(script: string, more: { clock?: Clock; onOutput?: (chunk: Buffer) => void } = {}) {
  const exits: FfmpegExit[] = [];
  const process = new FfmpegProcess({
    path: "/bin/sh",
    args: ["-c", script],
    inputFds: [0],
    clock: more.clock ?? systemClock,
    onOutput: more.onOutput ?? ignore,
    onDrain: ignore,
    onExit: (exit) => exits.push(exit),
  });
  return { process, exits };
}

function alive(pid: number | undefined): boolean {
  try {
    process.kill(pid as number, 0);
    return true;
  } catch {
    return false;
  }
}

describe("TRN6: a process is held to its pipes and its end", () => {
  test("it hands over all it writes before it tells of its end, with its last words", async () => {
    let output = "";
    const { process: cat, exits } = shell(
      "cat; echo '[error] Conversion failed!' >&2; echo '[h264 @ 0x12ab] [error] no frame!' >&2; exit 3",
      {
        onOutput: (chunk) => {
          expect(exits).toEqual([]);
          output += chunk.toString();
        },
      },
    );
    cat.write(0, Buffer.from("hello"));
    cat.endInput();
    const exit = await cat.exited;
    expect(output).toBe("hello");
    expect(exit).toEqual({ code: 3, signal: undefined, message: "ended with code 3: [h264] no frame!" });
    expect(exits).toEqual([exit]);
    expect(cat.running).toBe(false);
  });

  test("one that does not read is not given more than its pipe holds", async () => {
    await using idle = shell("sleep 60").process;
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    while (idle.wantsInput(0) && written < 100) {
      idle.write(0, chunk);
      written += 1;
    }
    expect(written).toBeLessThan(100);
    expect(idle.wantsInput(0)).toBe(false);
  });

  test("it says when it takes more again", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using reader = new FfmpegProcess({
      path: "/bin/sh",
      args: ["-c", "cat >/dev/null"],
      inputFds: [0],
      clock: systemClock,
      onOutput: ignore,
      onDrain: resolve,
      onExit: ignore,
    });
    while (reader.wantsInput(0)) reader.write(0, Buffer.alloc(1 << 20));
    await promise;
    expect(reader.wantsInput(0)).toBe(true);
  });

  test("closing ends one that heeds the end of its input at once", async () => {
    const { process: cat } = shell("cat >/dev/null");
    const began = performance.now();
    await cat.close();
    expect(performance.now() - began).toBeLessThan(500);
    expect(await cat.exited).toMatchObject({ code: 0 });
  });

  test("closing asks one that does not heed it to end", async () => {
    const clock = new ManualClock();
    const { process: deaf } = shell("exec sleep 60", { clock });
    const closing = deaf.close();
    clock.advance(500);
    await closing;
    expect(await deaf.exited).toMatchObject({ signal: "SIGTERM" });
  });

  test("closing kills one that is stopped", async () => {
    const clock = new ManualClock();
    const { process: stopped } = shell("exec sleep 60", { clock });
    process.kill(stopped.pid as number, "SIGSTOP");
    const closing = stopped.close();
    clock.advance(1500);
    await closing;
    expect(clock.pending).toBe(0);
    expect(await stopped.exited).toMatchObject({ signal: "SIGKILL" });
    expect(alive(stopped.pid)).toBe(false);
  });

  test("one that cannot be started ends at once, and says why", async () => {
    const missing = new FfmpegProcess({
      path: "/nowhere/ffmpeg",
      args: [],
      inputFds: [0, 3],
      clock: systemClock,
      onOutput: ignore,
      onDrain: ignore,
      onExit: ignore,
    });
    missing.write(0, Buffer.alloc(10));
    expect((await missing.exited).message).toContain("could not be started");
    await missing.close();
  });

  test("it has a session of its own: what the terminal interrupts is not it", async () => {
    let session = "";
    const { process: shown } = shell("ps -o sid= -p $$ 2>/dev/null || cut -d' ' -f6 /proc/$$/stat", {
      onOutput: (chunk) => {
        session += chunk.toString();
      },
    });
    await shown.exited;
    expect(Number(session)).toBe(shown.pid);
  });
});

describe.runIf(process.platform === "linux")("TRN6: no process outlives a backend that was killed", () => {
  const script = (stop: boolean) => `
    import { systemClock } from "@klieg/base";
    import { FfmpegProcess } from ${JSON.stringify(import.meta.resolve("./ffmpeg-process.ts"))};
    const child = new FfmpegProcess({
      path: "/bin/sh", args: ["-c", "${stop ? "exec sleep 60" : "exec cat"}"], inputFds: [0], clock: systemClock,
      setpriv: ${stop ? '"/usr/bin/setpriv"' : "undefined"}, onOutput() {}, onDrain() {}, onExit() {},
    });
    ${stop ? 'setTimeout(() => { process.kill(child.pid, "SIGSTOP"); console.log(child.pid); }, 100);' : "console.log(child.pid);"}
    setInterval(() => {}, 1000);
  `;

  test.each([
    ["it ends with its input", false],
    ["one that is stopped is killed by the kernel", true],
  ])("%s", async (_, stop) => {
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script(stop)], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(alive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    // Nobody tells of a stranger's end: it can only be looked for.
    const deadline = performance.now() + 3000;
    while (alive(pid) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(alive(pid)).toBe(false);
  });
});
