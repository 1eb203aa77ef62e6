import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Child, run } from "./child.ts";
import { until } from "./until.ts";

const SAMPLE = path.resolve(import.meta.dirname, "../../deploy/edge/nginx.conf");
const NGINX = "/usr/sbin/nginx";

/** Debian's nginx with the sample configuration of an edge cache, in front of a backend of this machine. */
export class Edge implements AsyncDisposable {
  /** Its address. */
  readonly base: string;
  readonly #folder: string;
  readonly #child: Child;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.base = `http://127.0.0.1:${port}`;
    this.#child = new Child(NGINX, ["-c", path.join(folder, "nginx.conf"), "-g", "daemon off;"], { group: true });
  }

  static async start(backendPort: number): Promise<Edge> {
    const folder = await mkdtemp(path.join(tmpdir(), "klieg-edge-"));
    // nginx's workers are another user's where its master is root's.
    await chmod(folder, 0o755);
    const port = await freePort();
    await writeConfiguration(folder, port, backendPort);
    const edge = new Edge(folder, port);
    try {
      await until(() => edge.#answers(), { what: "nginx up", diagnose: () => edge.output });
    } catch (error) {
      await edge[Symbol.asyncDispose]();
      throw error;
    }
    return edge;
  }

  /** What nginx says of the configuration. */
  static async check(): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), "klieg-edge-"));
    try {
      return await run(NGINX, ["-t", "-c", await writeConfiguration(folder, await freePort(), 8080)]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  get output(): string {
    return this.#child.output;
  }

  async #answers(): Promise<boolean> {
    return (await fetch(`${this.base}/metrics`)).status === 404;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The sample configuration as it stands, but for where it keeps things, listens and forwards to. @returns its path. */
async function writeConfiguration(folder: string, port: number, backendPort: number): Promise<string> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const replacements: readonly (readonly [string, string])[] = [
    ["/run/nginx.pid", `${folder}/nginx.pid`],
    ["/var/log/nginx/error.log", `${folder}/error.log`],
    ["/var/cache/nginx/klieg", `${folder}/cache`],
    ["server backend:8080;", `server 127.0.0.1:${backendPort};`],
    ["listen 8081;", `listen 127.0.0.1:${port};`],
    ["http {", `http {\n  ${temporary.join("\n  ")}`],
  ];
  let text = await readFile(SAMPLE, "utf8");
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`the sample has changed, this must follow: no ${from}`);
    text = text.replace(from, to);
  }
  const file = path.join(folder, "nginx.conf");
  await writeFile(file, text);
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
