import { spawnSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";

/** The machine that a bench ran on, in one line: figures mean nothing without it. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim().replace(/\s+/g, " ") || "unknown processor";
  const ffmpeg = /^ffmpeg version (\S+)/.exec(spawnSync("ffmpeg", ["-version"], { encoding: "utf8" }).stdout ?? "");
  return [
    `${processors.length} × ${model}`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `${type()} ${release()}`,
    `Node.js ${process.versions.node}`,
    `FFmpeg ${ffmpeg?.[1] ?? "not there"}`,
  ].join(", ");
}
