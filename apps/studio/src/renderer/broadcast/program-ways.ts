import type { Destination } from "../../document/destination.ts";
import type { ProgramWays } from "../media/media-contract.ts";
import type { EngineState } from "../state/engine-store.ts";

/**
 * Which ways the program has to go, from what the engine is about: to the engine while it sends by SRT or RTMP, records or
 * keeps a replay; from the page itself to destinations by WebRTC.
 * @returns undefined where nobody needs the program.
 */
export function programWays(
  engine: Pick<EngineState, "broadcast" | "recording" | "replay">,
  destinations: readonly Destination[],
): ProgramWays | undefined {
  const { broadcast, recording, replay } = engine;
  const sending = broadcast.state !== "idle" && broadcast.state !== "stopping";
  const wanted = sending
    ? broadcast.destinations.filter(({ state }) => state !== "stopped" && state !== "failed").map(({ id }) => id)
    : [];
  const whip = wanted.filter((id) => {
    const destination = destinations.find((candidate) => candidate.id === id);
    return destination?.kind === "klieg" && destination.protocol === "whip";
  });
  const kept = recording.state === "starting" || recording.state === "recording" || replay.seconds > 0;
  const toEngine = kept || wanted.length > whip.length;
  return toEngine || whip.length > 0 ? { engine: toEngine, whip } : undefined;
}
