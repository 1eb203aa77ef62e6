import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRtcPorts } from "../../apps/backend/src/sfu/rtc-ports.ts";
import { Child } from "./child.ts";

export interface TurnServerOptions {
  /** Shared with whoever makes credentials. */
  readonly secret: string;
}

/** Debian's coturn on 127.0.0.1, which takes time-limited credentials made with a shared secret, and relays to this machine. */
export class TurnServer implements AsyncDisposable {
  readonly port: number;
  readonly child: Child;
  readonly #folder: string;

  private constructor(port: number, child: Child, folder: string) {
    this.port = port;
    this.child = child;
    this.#folder = folder;
  }

  static async start(options: TurnServerOptions): Promise<TurnServer> {
    const { port } = await findRtcPorts({ port: 0, workers: 1, addresses: [{ ip: "127.0.0.1" }] });
    const folder = await mkdtemp(join(tmpdir(), "klieg-turn-"));
    const child = new Child(
      "turnserver",
      [
        "-n",
        "--listening-ip=127.0.0.1",
        `--listening-port=${port}`,
        "--relay-ip=127.0.0.1",
        "--allow-loopback-peers",
        "--use-auth-secret",
        `--static-auth-secret=${options.secret}`,
        "--realm=turn.test",
        "--fingerprint",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--verbose",
        "--log-file=stdout",
        `--userdb=${join(folder, "users")}`,
        `--pidfile=${join(folder, "pid")}`,
      ],
      { graceMs: 5000 },
    );
    const server = new TurnServer(port, child, folder);
    try {
      for (const protocol of ["UDP", "TCP"]) {
        await child.line(new RegExp(`IPv4. ${protocol} listener opened on ?: 127[.]0[.]0[.]1`));
      }
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** As KLIEG_ICE_SERVERS has it. */
  url(transport: "udp" | "tcp" = "udp"): string {
    return `turn:127.0.0.1:${this.port}?transport=${transport}`;
  }

  /** User names that it has given an allocation to. */
  get users(): string[] {
    return this.child.lines.flatMap(
      (line) => /user <([^>]*)>.*(?:ALLOCATE|CREATE_PERMISSION) processed, success/.exec(line)?.[1] ?? [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
