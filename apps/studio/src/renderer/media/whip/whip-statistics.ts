import type { WhipStatistics } from "./whip-state.ts";

/** A report of `RTCPeerConnection.getStats`, whose types the library has only in part. */
type Report = Readonly<Record<string, unknown>> & { readonly type: string };

/** What one reading is compared with. */
export interface WhipReading {
  readonly at: number;
  readonly bytesSent: number;
  /** Of all that came in: reports on what was sent, so proof that somebody is there. */
  readonly bytesReceived: number;
  readonly statistics: WhipStatistics;
}

/** Reads a connection's reports. @param before the reading before. @param at ms on any steady clock. */
export function readWhip(reports: Iterable<Report>, before: WhipReading | undefined, at: number): WhipReading {
  const all = [...reports];
  const of = (type: string) => all.filter((report) => report.type === type);
  const sum = (type: string, key: string) => of(type).reduce((total, report) => total + number(report[key], 0), 0);
  const video = of("outbound-rtp").find(({ kind }) => kind === "video");
  const heard = of("remote-inbound-rtp").find(({ kind }) => kind === "video");
  const pair = of("candidate-pair").find(({ nominated, state }) => nominated === true && state === "succeeded");
  const codec = of("codec").find(({ id }) => id === video?.codecId);
  const bytesSent = sum("outbound-rtp", "bytesSent") + sum("outbound-rtp", "headerBytesSent");
  const rtt = number(pair?.currentRoundTripTime, number(heard?.roundTripTime, Number.NaN));
  const loss = number(heard?.fractionLost, Number.NaN);
  const efficient = video?.powerEfficientEncoder;
  return {
    at,
    bytesSent,
    bytesReceived: sum("transport", "bytesReceived"),
    statistics: {
      bitrate:
        before === undefined || at <= before.at
          ? 0
          : (Math.max(0, bytesSent - before.bytesSent) * 8000) / (at - before.at),
      availableBitrate: number(pair?.availableOutgoingBitrate, 0),
      targetBitrate: number(video?.targetBitrate, 0),
      frameRate: number(video?.framesPerSecond, 0),
      width: number(video?.frameWidth, 0),
      height: number(video?.frameHeight, 0),
      rttMs: Number.isNaN(rtt) ? undefined : rtt * 1000,
      loss: Number.isNaN(loss) ? undefined : loss,
      retransmitted: sum("outbound-rtp", "retransmittedPacketsSent"),
      limitedBy: text(video?.qualityLimitationReason, "none"),
      codec: text(codec?.mimeType, ""),
      encoder: text(video?.encoderImplementation, ""),
      hardware: typeof efficient === "boolean" ? efficient : undefined,
    },
  };
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
