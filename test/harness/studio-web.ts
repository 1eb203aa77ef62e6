import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Child } from "./child.ts";

const STUDIO = resolve(import.meta.dirname, "../../apps/studio");

export interface StudioWebOptions {
  readonly env?: Record<string, string>;
  /** Kept between starts; by default a new one that goes with the studio. */
  readonly dataDir?: string;
}

/** The real studio as a capture box: its engine and web server as a process of its own, on a free port. */
export class StudioWebProcess implements AsyncDisposable {
  readonly child: Child;
  readonly dataDir: string;
  /** Address that lets a browser in. */
  readonly link: string;
  readonly #ownsDataDir: boolean;

  private constructor(child: Child, dataDir: string, link: string, ownsDataDir: boolean) {
    this.child = child;
    this.dataDir = dataDir;
    this.link = link;
    this.#ownsDataDir = ownsDataDir;
  }

  static async start(options: StudioWebOptions = {}): Promise<StudioWebProcess> {
    if (!existsSync(join(STUDIO, "dist/index.html"))) throw new Error("the studio's page has not been built");
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "klieg-studio-test-")));
    const child = new Child(process.execPath, [join(STUDIO, "src/web/main.ts"), "--port", "0", "--data", dataDir], {
      ...(options.env === undefined ? {} : { env: options.env }),
      graceMs: 10_000,
    });
    try {
      const [, link] = await child.line(/Open it\s+(http:\S+)/);
      if (link === undefined) throw new Error("the studio printed no link");
      return new StudioWebProcess(child, dataDir, link, options.dataDir === undefined);
    } catch (error) {
      await child.stop("SIGKILL");
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      throw error;
    }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.child.stop(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsDataDir) await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** Chromium's switches for a camera and microphone of its own making, which nobody has to allow. */
export const FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] as const;
