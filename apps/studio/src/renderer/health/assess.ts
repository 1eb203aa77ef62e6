import { healthStrings as words } from "../strings/health.ts";
import { type Alert, bySeverity } from "./alert.ts";
import { drawingAlerts } from "./drawing-alerts.ts";
import { encodingAlerts } from "./encoding-alerts.ts";
import type { HealthHistory } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";
import { networkAlerts } from "./network-alerts.ts";
import { serverAlerts } from "./server-alerts.ts";
import { showAlerts } from "./show-alerts.ts";

/** The one light: `idle` while nothing is sent and nothing is wrong. */
export type Light = "idle" | "good" | "warn" | "bad";

/** What is to be said of the show's health now. */
export interface Health {
  readonly light: Light;
  /** What is, in a few words: of the worst alert, or that all is well. */
  readonly headline: string;
  /** The worst first. */
  readonly alerts: readonly Alert[];
}

export const IDLE_HEALTH: Health = { light: "idle", headline: words.idle, alerts: [] };

/** Whether anything is sent. */
export function isOnAir(sample: Pick<HealthSample, "broadcast">): boolean {
  return sample.broadcast.state === "preview" || sample.broadcast.state === "live";
}

/**
 * Judges one sample in the light of the last five minutes. The light is as bad as the worst that is known, and no better than
 * what is known: figures that stay away are a warning themselves.
 */
export function assess(sample: HealthSample, history: HealthHistory): Health {
  const onAir = isOnAir(sample);
  const alerts = bySeverity([
    ...showAlerts(sample),
    ...drawingAlerts(sample),
    ...(onAir
      ? [...networkAlerts(sample, history), ...encodingAlerts(sample, history), ...serverAlerts(sample, history)]
      : []),
  ]);
  const worst = alerts[0];
  const resting = onAir ? "good" : "idle";
  const light = worst === undefined || worst.severity === "note" ? resting : worst.severity;
  return { light, headline: headlineOf(sample, alerts), alerts };
}

function headlineOf(sample: HealthSample, alerts: readonly Alert[]): string {
  const worst = alerts.find(({ severity }) => severity !== "note");
  if (worst !== undefined) return worst.title;
  if (sample.broadcast.state === "starting") return words.starting;
  if (!isOnAir(sample)) return words.idle;
  return alerts[0]?.title ?? words.good;
}
