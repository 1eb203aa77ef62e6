import type { EngineOptions, LiveEdge, PlaylistEngine } from "./engine.ts";

/** An engine for tests: does nothing by itself, and remembers what was asked of it. */
export class FakeEngine implements PlaylistEngine {
  readonly protocol = "hls.js";
  readonly options: EngineOptions;
  readonly asked: string[] = [];
  edge: LiveEdge | null = null;
  automatic = true;

  constructor(options: EngineOptions) {
    this.options = options;
  }

  load(url: string): void {
    this.asked.push(`load ${url}`);
  }

  liveEdge(): LiveEdge | null {
    return this.edge;
  }

  playingDate(): number | null {
    return null;
  }

  bandwidth(): number | null {
    return 8_000_000;
  }

  pin(index: number | null): void {
    this.automatic = index === null;
    this.asked.push(`pin ${index}`);
  }

  cap(index: number | null): void {
    this.asked.push(`cap ${index}`);
  }

  stepDown(): void {
    this.asked.push("step down");
  }

  holdAt(target: number): void {
    this.asked.push(`hold ${target}`);
  }

  suspend(): void {
    this.asked.push("suspend");
  }

  resume(): void {
    this.asked.push("resume");
  }

  recoverMedia(): void {
    this.asked.push("recover");
  }

  swapAudioCodec(): void {
    this.asked.push("swap");
  }

  destroy(): void {
    this.asked.push("destroy");
  }
}
