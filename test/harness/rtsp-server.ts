import { join } from "node:path";
import { Child } from "./child.ts";

const PROGRAM = join(import.meta.dirname, "rtsp-server.py");

/** GStreamer's RTSP server with cameras of one colour: what a camera of the network is to the studio. */
export class RtspServer implements AsyncDisposable {
  /** Red H.264 of 640×360 with a tone of 440 Hz. */
  readonly h264: string;
  /** The same in green, for user `admin` alone. */
  readonly secret: string;
  /** Blue Motion JPEG of 320×240 without sound. */
  readonly jpeg: string;
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
    this.h264 = `rtsp://127.0.0.1:${port}/h264`;
    this.secret = `rtsp://admin@127.0.0.1:${port}/secret`;
    this.jpeg = `rtsp://127.0.0.1:${port}/jpeg`;
  }

  /** Password of {@link secret}. */
  static readonly PASSWORD = "kl:eg";

  /** @param port that of a server that is gone, to take its place. */
  static async start(port = 0): Promise<RtspServer> {
    // Debian's own Python has Debian's bindings.
    const child = new Child("/usr/bin/python3", [PROGRAM, `${port}`]);
    const [, bound] = await child.line(/^port (\d+)$/);
    return new RtspServer(child, Number(bound));
  }

  /** As a camera whose plug is pulled. */
  async kill(): Promise<void> {
    await this.#child.stop("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
