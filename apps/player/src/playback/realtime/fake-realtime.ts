import type { SourceState } from "../source.ts";
import type { RealtimeOptions, RealtimePlayback } from "./realtime-playback.ts";

/** A real-time engine for tests: does nothing by itself, and remembers what was asked of it. */
export class FakeRealtime implements RealtimePlayback {
  readonly protocol = "webrtc";
  readonly options: RealtimeOptions;
  readonly asked: string[] = [];
  pinned: number | null = null;

  constructor(options: RealtimeOptions) {
    this.options = options;
  }

  load(url: string): void {
    this.asked.push(`load ${url}`);
  }

  attach(): void {
    this.asked.push("attach");
    this.options.events.attached();
  }

  retreat(): void {
    this.asked.push("retreat");
  }

  refresh(): void {
    this.asked.push("refresh");
  }

  setSourceState(state: SourceState): void {
    this.asked.push(`source ${state}`);
  }

  latency(): number | null {
    return 0.2;
  }

  statistics() {
    return {
      protocol: "WebRTC" as const,
      latency: 0.2,
      roundTrip: 0.04,
      loss: 0,
      jitter: 0.002,
      jitterBuffer: 0.03,
      jitterBufferTarget: 0,
      bitrate: 2_000_000,
      bandwidth: 5_000_000,
      codec: "H264",
      frameSize: { width: 1280, height: 720 },
      frameRate: 30,
      framesDecoded: 300,
      framesDropped: 0,
      freezes: 0,
      frozenMs: 0,
      path: { protocol: "UDP" as const, relayed: false },
      reconnects: 0,
    };
  }

  bandwidth(): number | null {
    return null;
  }

  pin(index: number | null): void {
    this.pinned = index;
    this.asked.push(`pin ${index}`);
  }

  get automatic(): boolean {
    return this.pinned === null;
  }

  cap(index: number | null): void {
    this.asked.push(`cap ${index}`);
  }

  suspend(): void {
    this.asked.push("suspend");
  }

  resume(): void {
    this.asked.push("resume");
  }

  destroy(): void {
    this.asked.push("destroy");
  }
}
