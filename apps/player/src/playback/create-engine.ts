import type { EngineFactory } from "./engine.ts";

/** Whether this browser has Media Source Extensions, managed (iPhone, Safari) or plain. */
export function hasMediaSource(scope: object = globalThis): boolean {
  return "ManagedMediaSource" in scope || "MediaSource" in scope;
}

/** hls.js wherever there is Media Source Extensions, else the element itself. The chunk is preloaded by the page. */
export const createEngine: EngineFactory = async (options) => {
  if (hasMediaSource()) {
    const { HlsEngine } = await import("./hls-engine.ts");
    return new HlsEngine(options);
  }
  const { NativeEngine } = await import("./native-engine.ts");
  return new NativeEngine(options);
};
