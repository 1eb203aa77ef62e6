import { healthStrings } from "../strings/health.ts";
import type { Alert } from "./alert.ts";
import type { HealthHistory } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";

const words = healthStrings.alerts;

const NOW_MS = 10_000;
/** Shares of the wanted pictures: less is seen as a stutter, and less again as a slide show. */
const FEW = 0.9;
const VERY_FEW = 0.7;
/** Pictures left out within {@link NOW_MS} that are no single hiccup. */
const SOME_DROPS = 3;

/** What is wrong with drawing and encoding the program on this computer. */
export function encodingAlerts(sample: HealthSample, history: HealthHistory): Alert[] {
  const { media, now } = sample;
  if (media === undefined) return [];
  const alerts: Alert[] = [];
  const video = { do: "open_settings", page: "video" } as const;
  const share = history.renderShare.meanSince(now - NOW_MS / 2);
  if (share !== undefined && share < FEW) {
    alerts.push({
      id: "render",
      severity: share < VERY_FEW ? "bad" : "warn",
      title: words.render.title(share * media.wantedFrameRate, media.wantedFrameRate),
      advice: sample.hidden ? words.render.hidden : words.render.advice,
      action: sample.hidden ? undefined : video,
    });
  }
  const encoder = media.encoder;
  const late = history.droppedEncode.risenSince(now - NOW_MS);
  if (encoder !== undefined && late >= SOME_DROPS) {
    alerts.push({
      id: "encode",
      severity: late > (NOW_MS / 1000) * media.wantedFrameRate * (1 - VERY_FEW) ? "bad" : "warn",
      title: words.encode.title(encoder.label),
      advice: encoder.hardware ? words.encode.hardware : words.encode.software,
      action: video,
    });
  }
  if (history.droppedLink.risenSince(now - NOW_MS) >= SOME_DROPS) {
    alerts.push({
      id: "link",
      severity: "warn",
      title: words.link.title,
      advice: words.link.advice,
      action: undefined,
    });
  }
  return alerts;
}
