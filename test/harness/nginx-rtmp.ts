import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Child } from "./child.ts";
import { until } from "./until.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** Debian's nginx with its RTMP module: another platform's ingest, which whoever likes may also play from. */
export class NginxRtmp implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  #child: Child;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#child = this.#spawn();
  }

  static async start(): Promise<NginxRtmp> {
    const folder = await mkdtemp(path.join(tmpdir(), "klieg-nginx-rtmp-"));
    const port = await freePort();
    const configuration = `load_module ${MODULE}; daemon off; master_process off; pid nginx.pid; error_log stderr notice;
      events {} rtmp { server { listen 127.0.0.1:${port}; application live { live on; wait_key on; } } }`;
    await writeFile(path.join(folder, "nginx.conf"), configuration);
    const server = new NginxRtmp(folder, port);
    await server.#up();
    return server;
  }

  /** What is published to and played from; the stream's key is added by either. */
  get url(): string {
    return `rtmp://127.0.0.1:${this.#port}/live`;
  }

  kill(): Promise<void> {
    return this.#child.stop("SIGKILL");
  }

  /** Once more, at the same address. */
  async again(): Promise<void> {
    this.#child = this.#spawn();
    await this.#up();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): Child {
    const configuration = path.join(this.#folder, "nginx.conf");
    return new Child("/usr/sbin/nginx", ["-p", this.#folder, "-c", configuration, "-e", "stderr"]);
  }

  async #up(): Promise<void> {
    await until(() => answers(this.#port), { what: "nginx up", diagnose: () => this.#child.output });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
