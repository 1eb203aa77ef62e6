import { readFile } from "node:fs/promises";
import { setTimeout as after } from "node:timers/promises";

/** Ticks a second of the kernel's process accounting (USER_HZ, fixed at 100 on Linux). */
const TICKS_PER_SECOND = 100;

/** CPU time that a process and its waited-for children have used, s (proc(5), /proc/pid/stat). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The command may hold spaces and brackets; what follows the last bracket does not.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return (user + system + childUser + childSystem) / TICKS_PER_SECOND;
}

/** Resident memory, MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Share of one core that a process uses over `seconds`, 0 to the number of cores. */
export async function cpuShare(pid: number, seconds: number): Promise<number> {
  const before = await cpuSeconds(pid);
  const started = performance.now();
  await after(seconds * 1000);
  return ((await cpuSeconds(pid)) - before) / ((performance.now() - started) / 1000);
}
