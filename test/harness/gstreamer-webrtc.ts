import { join } from "node:path";
import { Child } from "./child.ts";

const PROGRAM = join(import.meta.dirname, "gstreamer-webrtc.py");

export interface GstreamerEvent {
  readonly event: string;
  readonly state?: string;
  readonly frames?: number;
  readonly samples?: number;
  readonly resource?: string;
}

/** GStreamer's webrtcbin as a WHIP publisher or a WHEP player. */
export class GstreamerWebRtc implements AsyncDisposable {
  readonly child: Child;

  private constructor(args: readonly string[]) {
    // Debian's own Python has Debian's bindings.
    this.child = new Child("/usr/bin/python3", [PROGRAM, ...args]);
  }

  /** A moving picture of 640×360 in H.264, and a tone in Opus. */
  static publish(url: string, key: string): GstreamerWebRtc {
    return new GstreamerWebRtc(["publish", url, key]);
  }

  static watch(url: string): GstreamerWebRtc {
    return new GstreamerWebRtc(["watch", url]);
  }

  /** What it has said so far. */
  get events(): GstreamerEvent[] {
    return this.child.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as GstreamerEvent);
  }

  async connected(): Promise<void> {
    await this.child.line(/"event": "connection", "state": "connected"/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}
