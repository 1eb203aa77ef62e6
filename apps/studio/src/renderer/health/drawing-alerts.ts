import { healthStrings } from "../strings/health.ts";
import type { Alert } from "./alert.ts";
import type { HealthSample } from "./health-sample.ts";

const words = healthStrings.alerts;

/** What does not work at all of drawing and encoding, and what another does instead; on air or not. */
export function drawingAlerts({ media }: HealthSample): Alert[] {
  if (media === undefined) return [];
  const { problem, failedEncoder, encoder } = media;
  const alerts: Alert[] = [];
  const say = (
    id: string,
    severity: Alert["severity"],
    said: { title: string; advice: string },
    action?: Alert["action"],
  ) => void alerts.push({ id, severity, ...said, action });
  const video = { do: "open_settings", page: "video" } as const;
  switch (problem?.kind) {
    case "no_webgl":
      say("no-webgl", "bad", words.noWebgl);
      break;
    case "gpu_lost":
      say("gpu-lost", "bad", words.gpuLost);
      break;
    case "worker":
      say("compositor", "bad", words.compositorEnded);
      break;
    case "encoder": {
      const { title, advice } = words.noEncoder;
      say("no-encoder", "bad", { title, advice: advice(problem.error.message) }, video);
      break;
    }
  }
  if (failedEncoder !== undefined && encoder !== undefined) {
    const { title, advice } = words.otherEncoder;
    say("other-encoder", "note", { title: title(encoder.label), advice: advice(failedEncoder.message) }, video);
  }
  return alerts;
}
