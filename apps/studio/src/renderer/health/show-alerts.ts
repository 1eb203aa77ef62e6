import { fileSize } from "../strings/figures.ts";
import { healthStrings } from "../strings/health.ts";
import type { Alert } from "./alert.ts";
import type { HealthSample } from "./health-sample.ts";

const words = healthStrings.alerts;

/** Silence for as long is an alert, ms: a pause in speech is shorter. */
const SILENCE_MS = 20_000;
/** How long the disk must still do for a recording, ms. */
const LOW_DISK_MS = 15 * 60_000;
/** Engine silence that is no hiccup, ms; it tells once a second. */
const ENGINE_SILENCE_MS = 4000;

/** What is wrong with the show itself: its engine, page, sources, sound and recording. */
export function showAlerts(sample: HealthSample): Alert[] {
  const { broadcast, program, recording, now } = sample;
  const onAir = broadcast.state === "preview" || broadcast.state === "live";
  const alerts: Alert[] = [];
  const say = (id: string, severity: Alert["severity"], title: string, advice: string, action?: Alert["action"]) =>
    void alerts.push({ id, severity, title, advice, action });

  if (!sample.linked) {
    say("unlinked", "bad", words.unlinked.title, onAir ? words.unlinked.onAir : words.unlinked.offAir);
  } else if (onAir && program.state === "held") {
    say("held", "bad", words.held.title, words.held.advice);
  } else if (onAir && sample.silentEngineSince !== undefined) {
    const silentMs = now - sample.silentEngineSince;
    if (silentMs >= ENGINE_SILENCE_MS)
      say("no-figures", "warn", words.noFigures.title(silentMs), words.noFigures.advice);
  }

  for (const { id, name, state, message, onAir: shown } of sample.troubledSources) {
    if (state !== "gone" && state !== "failed") continue;
    const severity = shown ? "warn" : "note";
    const title = state === "gone" ? words.source.gone(name) : words.source.failed(name);
    say(`source:${id}`, severity, title, message === "" ? words.source.gonePlug : message, { do: "open_source", id });
  }

  if (onAir && sample.silentMs >= SILENCE_MS) {
    say("silence", "warn", words.silence.title(sample.silentMs), words.silence.advice);
  } else if (onAir && sample.clipped) {
    say("clipping", "warn", words.clipping.title, words.clipping.advice);
  }

  if (recording.state === "failed") {
    const reason = recording.problem?.message ?? words.recordingFailed.noReason;
    const action = { do: "start_recording" } as const;
    // The engine says what has become of what was recorded.
    say("recording", "bad", words.recordingFailed.title, reason, action);
  } else if (recording.state === "recording" && typeof recording.free_bytes === "number") {
    const enoughMs = remainingMs(recording.free_bytes, recording.bytes, recording.duration_ms);
    if (enoughMs < LOW_DISK_MS) {
      const action = { do: "open_settings", page: "recording" } as const;
      const severity = enoughMs < LOW_DISK_MS / 5 ? "bad" : "warn";
      const free = fileSize(recording.free_bytes);
      say("disk", severity, words.diskFull.title(free), words.diskFull.advice(enoughMs), action);
    }
  }
  return alerts;
}

/** For how long a disk does at the pace of a recording so far, ms. */
function remainingMs(freeBytes: number, bytes: number, durationMs: number): number {
  // Of the first seconds the pace says nothing: as long as 1 GB is free it is no matter.
  if (durationMs < 5000 || bytes === 0) return freeBytes < 1e9 ? 0 : Number.POSITIVE_INFINITY;
  return (freeBytes * durationMs) / bytes;
}
