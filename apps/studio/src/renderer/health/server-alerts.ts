import type { HealthWarning, ServerHealth } from "@klieg/protocol";
import { healthStrings } from "../strings/health.ts";
import type { Alert } from "./alert.ts";
import type { HealthHistory } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";

const words = healthStrings.alerts;

/** Keyframes further apart make viewers wait; the studio itself asks for 2 s, or up to 4 where its user wants so, ms. */
const LONG_KEYFRAMES_MS = 4500;
/** The server measures over 5 s, and so does this: less than this share arrives. */
const LITTLE = 0.7;
const STEADY_MS = 10_000;

/** What the backend says of the show. */
export function serverAlerts({ server, now }: HealthSample, history: HealthHistory): Alert[] {
  const alerts = server.flatMap(oneServer);
  const arrived = history.receivedShare.meanSince(now - STEADY_MS);
  const steady = history.receivedShare.heldFor((value) => value < LITTLE) >= STEADY_MS - 1000;
  if (arrived !== undefined && arrived < LITTLE && steady && server[0]?.state === "live") {
    const { title, advice } = words.receivesLess;
    alerts.push({ id: "receives-less", severity: "warn", title: title(arrived), advice, action: undefined });
  }
  return alerts;
}

function oneServer(server: ServerHealth): Alert[] {
  const alerts: Alert[] = server.warnings.map((warning) => fromWarning(server.destination, warning));
  const say = (id: string, severity: Alert["severity"], title: string, advice: string, action?: Alert["action"]) =>
    void alerts.push({ id: `${id}:${server.destination}`, severity, title, advice, action });
  const { keyframe_interval_ms: interval } = server;
  const warned = server.warnings.some(({ code }) => code === "keyframe_interval_too_long");
  if (!warned && interval !== null && interval > LONG_KEYFRAMES_MS) {
    const action = { do: "open_settings", page: "video" } as const;
    say("keyframes", "warn", words.keyframes.title(interval), words.keyframes.advice, action);
  }
  if (server.state === "interrupted") say("interrupted", "bad", words.interrupted.title, words.interrupted.advice);
  const missing = server.renditions.filter(({ state }) => state === "failed" || state === "stalled");
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name);
    say("renditions", "warn", words.renditions.title(names), words.renditions.advice);
  }
  return alerts;
}

/** The server's own words are for an encoder's user: they say what to do. */
function fromWarning(destination: string, { code, message }: HealthWarning): Alert {
  const titles: Record<string, string> = {
    transcoder_degraded: words.serverSlow.title,
    transcoder_unavailable: words.serverSlow.title,
    storage_unavailable: words.server.storage,
  };
  const keyframes = /([\d.]+) s apart/.exec(message);
  const title =
    code === "keyframe_interval_too_long" && keyframes !== null
      ? words.keyframes.title(Number(keyframes[1]) * 1000)
      : (titles[code] ?? words.server.title);
  const own = code === "keyframe_interval_too_long" || code === "bitrate_high" || code === "frame_rate_high";
  return {
    id: `${code}:${destination}`,
    severity: "warn",
    title,
    advice: message,
    action: own ? { do: "open_settings", page: "video" } : undefined,
  };
}
