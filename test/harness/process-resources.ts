import { readdir, readFile, readlink } from "node:fs/promises";
import { until } from "./until.ts";

/** What a process holds, as Linux tells it. */
export interface Resources {
  /** But for connections to its HTTP port: those that the tests' own requests keep alive. */
  readonly sockets: number;
  /** Open files that are neither sockets, pipes nor anonymous. */
  readonly files: number;
  /** Pids of its children. */
  readonly children: number[];
  /** Resident memory, bytes. */
  readonly rss: number;
}

/** Inodes of the established TCP connections to a port of this machine (proc(5), /proc/net/tcp). */
async function connectionsTo(pid: number, port: number): Promise<Set<string>> {
  const inodes = new Set<string>();
  for (const table of ["tcp", "tcp6"]) {
    const text = await readFile(`/proc/${pid}/net/${table}`, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      const localPort = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
      if (localPort === port && fields[3] === "01") inodes.add(fields[9] ?? "");
    }
  }
  return inodes;
}

/** @param httpPort whose established connections do not count. */
export async function resourcesOf(pid: number, httpPort: number): Promise<Resources> {
  const http = await connectionsTo(pid, httpPort);
  let sockets = 0;
  let files = 0;
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    if (target.startsWith("socket:")) sockets += http.has(target.slice(8, -1)) ? 0 : 1;
    else if (target.startsWith("/") && !target.startsWith("/dev/")) files += 1;
  }
  const children: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const list = await readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "");
    children.push(...list.split(" ").filter(Boolean).map(Number));
  }
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const rss = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  return { sockets, files, children, rss };
}

/** Resolves once the process holds no more sockets, files and children than before. @throws where it keeps some. */
export async function settlesTo(pid: number, httpPort: number, before: Resources, timeoutMs = 15_000): Promise<void> {
  let now = await resourcesOf(pid, httpPort);
  await until(
    async () => {
      now = await resourcesOf(pid, httpPort);
      return (
        now.sockets <= before.sockets && now.files <= before.files && now.children.length <= before.children.length
      );
    },
    {
      what: "resources let go",
      timeoutMs,
      everyMs: 100,
      diagnose: () => `before ${JSON.stringify(before)}, now ${JSON.stringify(now)}`,
    },
  );
}

/** Pid of the process's child whose command line matches. @throws where there is none, or more than one. */
export async function childOf(pid: number, httpPort: number, command: RegExp): Promise<number> {
  const { children } = await resourcesOf(pid, httpPort);
  const found: number[] = [];
  for (const child of children) {
    const line = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
    if (command.test(line.replaceAll("\0", " "))) found.push(child);
  }
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} children are ${command}`);
  return only;
}
