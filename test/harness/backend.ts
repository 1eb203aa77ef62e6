import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ChannelInfo, CreatedStreamKey, StreamHealth, StreamInfo } from "@klieg/protocol";
import type { z } from "zod";
import { Child } from "./child.ts";
import { until } from "./until.ts";

const MAIN = resolve(import.meta.dirname, "../../apps/backend/src/main.ts");

export interface BackendOptions {
  readonly env?: Record<string, string>;
  /** Kept between starts; by default a new one that goes with the backend. */
  readonly dataDir?: string;
}

/** The real backend as a process of its own, on free ports, in a folder of its own. */
export class BackendProcess implements AsyncDisposable {
  readonly child: Child;
  readonly dataDir: string;
  readonly key: string;
  readonly adminToken: string;
  readonly ports: {
    readonly http: number;
    readonly rtmp: number;
    readonly srt: number;
    /** Of the first media worker; null where WebRTC is switched off. */
    readonly rtc: number | null;
  };
  readonly #ownsDataDir: boolean;

  private constructor(options: {
    child: Child;
    dataDir: string;
    ownsDataDir: boolean;
    adminToken: string;
    bootstrap: { stream_key: string; http_port: number; rtmp_port: number; srt_port: number; rtc_port: number | null };
  }) {
    this.child = options.child;
    this.dataDir = options.dataDir;
    this.#ownsDataDir = options.ownsDataDir;
    this.adminToken = options.adminToken;
    this.key = options.bootstrap.stream_key;
    this.ports = {
      http: options.bootstrap.http_port,
      rtmp: options.bootstrap.rtmp_port,
      srt: options.bootstrap.srt_port,
      rtc: options.bootstrap.rtc_port,
    };
  }

  static async start(options: BackendOptions = {}): Promise<BackendProcess> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "klieg-test-")));
    const child = new Child(process.execPath, [MAIN], {
      env: {
        KLIEG_HOST: "127.0.0.1",
        KLIEG_HTTP_PORT: "0",
        KLIEG_RTMP_PORT: "0",
        KLIEG_SRT_PORT: "0",
        KLIEG_RTC_PORT: "0",
        KLIEG_DATA_DIR: dataDir,
        KLIEG_LOG_FORMAT: "json",
        KLIEG_LADDER: "off",
        ...options.env,
      },
      graceMs: 10_000,
    });
    try {
      await child.line(/"msg":"backend up"/);
      const bootstrap = JSON.parse(await readFile(join(dataDir, "bootstrap.json"), "utf8"));
      const installation = JSON.parse(await readFile(join(dataDir, "installation.json"), "utf8"));
      return new BackendProcess({
        child,
        dataDir,
        ownsDataDir: options.dataDir === undefined,
        adminToken: installation.admin_token,
        bootstrap,
      });
    } catch (error) {
      await child.stop("SIGKILL");
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      throw error;
    }
  }

  get http(): string {
    return `http://127.0.0.1:${this.ports.http}`;
  }

  /** Where an encoder goes. @param key the stream key. */
  rtmpUrl(key = this.key): string {
    return `rtmp://127.0.0.1:${this.ports.rtmp}/live/${key}`;
  }

  /** @param streamId the whole stream id. @param parameters more of the URL's query, e.g. `passphrase=…`. */
  srtUrl(streamId = this.key, parameters = ""): string {
    return `srt://127.0.0.1:${this.ports.srt}?streamid=${encodeURIComponent(streamId)}${parameters === "" ? "" : `&${parameters}`}`;
  }

  async json<T>(schema: z.ZodType<T>, path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${this.http}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return schema.parse(await response.json());
  }

  /** As the admin. */
  async admin(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.http}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Makes a channel. @returns a stream key of it. */
  async openChannel(name: string): Promise<string> {
    const made = await this.admin("POST", "/v1/channels", { name });
    if (made.status !== 201) throw new Error(`channel ${name}: ${made.status} ${await made.text()}`);
    const response = await this.admin("POST", `/v1/channels/${name}/keys`, { label: "test" });
    if (!response.ok) throw new Error(`key of ${name}: ${response.status} ${await response.text()}`);
    return CreatedStreamKey.parse(await response.json()).stream_key;
  }

  channel(name = "demo"): Promise<ChannelInfo> {
    return this.json(ChannelInfo, `/v1/channels/${name}`);
  }

  stream(id: string): Promise<StreamInfo> {
    return this.json(StreamInfo, `/v1/streams/${id}`);
  }

  health(id: string): Promise<StreamHealth> {
    return this.json(StreamHealth, `/v1/streams/${id}/health`);
  }

  /** Resolves with the stream that is live on the channel as soon as there is one. */
  async live(channel = "demo", timeoutMs = 20_000): Promise<StreamInfo> {
    return until(
      async () => {
        const { live_stream_id: id, state } = await this.channel(channel);
        return id !== null && state === "live" ? this.stream(id) : undefined;
      },
      { what: `${channel} live`, timeoutMs, diagnose: () => this.child.output },
    );
  }

  /** Log lines of the backend, parsed. */
  get log(): Record<string, unknown>[] {
    return this.child.lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        // Not a log line: the banner on standard output.
        return [];
      }
    });
  }

  /** Ends the process; the data folder stays where it was given. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.child.stop(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsDataDir) await rm(this.dataDir, { recursive: true, force: true });
  }
}
