import { healthStrings } from "../strings/health.ts";
import type { Alert } from "./alert.ts";
import type { Connection } from "./connection.ts";
import type { HealthHistory } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";

const words = healthStrings.alerts;

/** What counts as now, ms: long enough to be read, short enough to be true. */
const NOW_MS = 10_000;
/** Less than this share of what was chosen is lowered. */
const LOWERED = 0.95;
/** Lowered for longer is not a dip any more, ms. */
const LONG_MS = 60_000;
/** A browser needs so long to find out what a network carries, ms. */
const WEBRTC_START_MS = 8000;
/** So many times what it was lately is a recovery. */
const RISING = 1.08;
/** Shares of packets lost: worth a word, and more than is made good. */
const LOSS = 0.02;
const HEAVY_LOSS = 0.1;
const LONG_RTT_MS = 400;
const LONG_BUFFER_MS = 1500;
const VERY_LONG_BUFFER_MS = 4000;
/** Another key, or passphrase, is what helps. */
const KEY_PROBLEMS: ReadonlySet<string> = new Set([
  "stream_key_missing",
  "stream_key_invalid",
  "stream_key_revoked",
  "passphrase_wrong",
]);

/** What is wrong between this computer and where the show goes. */
export function networkAlerts(sample: HealthSample, history: HealthHistory): Alert[] {
  return [
    ...sample.connections.flatMap((connection) => connectionAlerts(connection, sample)),
    ...bitrateAlerts(sample, history),
    ...webrtcAlerts(sample, history),
    ...pathAlerts(sample, history),
  ];
}

function connectionAlerts(connection: Connection, { connections, now }: HealthSample): Alert[] {
  const { id, name, state, problem, attempt, nextAttemptAt } = connection;
  const action = { do: "retry_destination", id } as const;
  if (state === "failed") {
    const advice = problem?.message ?? words.failed.noReason;
    // Trying again with the key that was refused is of no use.
    const keyless = problem !== null && KEY_PROBLEMS.has(problem.code);
    const way = keyless ? ({ do: "edit_destination", id } as const) : action;
    return [{ id: `destination:${id}`, severity: "bad", title: words.failed.title(name), advice, action: way }];
  }
  // One that was never reached is no better off than one that was lost.
  if (state === "reconnecting" || (state === "connecting" && problem !== null)) {
    const severity = connections.some((other) => other.state === "live") ? "warn" : "bad";
    const wait = nextAttemptAt === undefined ? undefined : nextAttemptAt - now;
    const title = state === "connecting" ? words.connecting(name, wait) : words.reconnecting.title(name, wait);
    const advice = words.reconnecting.advice(problem?.message ?? "", attempt);
    return [{ id: `destination:${id}`, severity, title, advice, action: wait === undefined ? undefined : action }];
  }
  return [];
}

function bitrateAlerts(sample: HealthSample, history: HealthHistory): Alert[] {
  const { encoding, askedBitrate: asked, bitrateReason: reason, now } = sample;
  const full = encoding.video_bitrate;
  const lost = history.droppedCrowded.risenSince(now - NOW_MS);
  if (asked !== undefined && asked < full * LOWERED && reason !== "full" && reason !== undefined) {
    const recovering = reason === "probing";
    const title = recovering
      ? words.lowered.recovering(full, asked)
      : reason === "busy"
        ? words.lowered.busyTitle(full, asked)
        : words.lowered.title(full, asked);
    const longMs = history.askedBitrate.heldFor((value) => value < full * LOWERED);
    const isLong = longMs >= LONG_MS && !recovering && reason !== "busy";
    const advice = isLong ? words.lowered.long(longMs) : words.lowered[reason];
    return [{ id: "bitrate", severity: recovering ? "note" : "warn", title, advice, action: undefined }];
  }
  if (lost === 0) return [];
  if (!encoding.adaptive) {
    const action = { do: "open_settings", page: "video" } as const;
    const title = words.notAdaptive.title(full);
    return [{ id: "bitrate", severity: "bad", title, advice: words.notAdaptive.advice, action }];
  }
  const { title, advice } = words.networkDrops;
  return [{ id: "bitrate", severity: "warn", title: title(lost), advice, action: undefined }];
}

/** By WebRTC the browser follows the network by itself. It begins low each time: only what lasts is told. */
function webrtcAlerts({ encoding, now }: HealthSample, { webrtcBitrate }: HealthHistory): Alert[] {
  const full = encoding.video_bitrate;
  const asked = webrtcBitrate.latest;
  if (asked === undefined || asked >= full * LOWERED) return [];
  const lowMs = webrtcBitrate.heldFor((value) => value < full * LOWERED);
  if (lowMs < WEBRTC_START_MS) return [];
  const recovering = asked > (webrtcBitrate.meanSince(now - NOW_MS) ?? asked) * RISING;
  const title = recovering ? words.lowered.recovering(full, asked) : words.lowered.title(full, asked);
  const advice = recovering
    ? words.lowered.probing
    : lowMs >= LONG_MS
      ? words.lowered.long(lowMs)
      : words.lowered.queue;
  return [{ id: "webrtc-bitrate", severity: recovering ? "note" : "warn", title, advice, action: undefined }];
}

function pathAlerts({ now, media }: HealthSample, history: HealthHistory): Alert[] {
  const alerts: Alert[] = [];
  const say = (id: string, severity: Alert["severity"], title: string, advice: string) =>
    void alerts.push({ id, severity, title, advice, action: undefined });
  const loss = history.loss.meanSince(now - NOW_MS / 2);
  if (loss !== undefined && loss >= LOSS) {
    const heavy = loss >= HEAVY_LOSS;
    say("loss", heavy ? "bad" : "warn", words.loss.title(loss), heavy ? words.loss.bad : words.loss.resent);
  }
  const rtt = history.rttMs.meanSince(now - NOW_MS);
  if (rtt !== undefined && rtt >= LONG_RTT_MS) say("rtt", "warn", words.rtt.title(rtt), words.rtt.advice);
  const buffer = history.bufferMs.meanSince(now - NOW_MS / 2);
  if (buffer !== undefined && buffer >= LONG_BUFFER_MS) {
    say("buffer", buffer >= VERY_LONG_BUFFER_MS ? "bad" : "warn", words.buffer.title(buffer), words.buffer.advice);
  }
  if (media?.whip.some(({ state, statistics }) => state === "live" && statistics?.limitedBy === "cpu") === true) {
    say("browser-slow", "warn", words.browserSlow.title, words.browserSlow.advice);
  }
  return alerts;
}
