import type { RealtimeFactory } from "./realtime-playback.ts";

/** Whether this browser can receive WebRTC. */
export function hasWebRtc(scope: object = globalThis): boolean {
  return "RTCPeerConnection" in scope;
}

/** The engine's code is fetched when real time is first wanted. */
export const createRealtime: RealtimeFactory = async (options) => {
  const { RealtimeEngine } = await import("./realtime-engine.ts");
  return new RealtimeEngine(options);
};
