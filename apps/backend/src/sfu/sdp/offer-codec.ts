import type { types } from "mediasoup";
import type { SdpSection } from "./sdp-text.ts";

/** A codec of an offered media section, with its retransmission format folded in. */
export interface OfferCodec {
  readonly payloadType: number;
  /** As mediasoup writes it: `video/H264`, `audio/opus`. */
  readonly mimeType: string;
  readonly clockRate: number;
  /** Audio only. */
  readonly channels: number | undefined;
  readonly parameters: Readonly<Record<string, string | number>>;
  /** The `fmtp` line's text, for an answer that echoes it. */
  readonly config: string | undefined;
  readonly feedback: readonly types.RtcpFeedback[];
  /** Payload type of its retransmissions (RFC 4588 § 8.6). */
  readonly rtx: number | undefined;
}

/** Names as mediasoup knows them; others are kept as they come. */
const NAMES: Readonly<Record<string, string>> = {
  av1: "AV1",
  av1x: "AV1",
  h264: "H264",
  h265: "H265",
  opus: "opus",
  vp8: "VP8",
  vp9: "VP9",
};

interface Format {
  readonly payloadType: number;
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number | undefined;
}

/**
 * The codecs of a section in the order of its `m=` line, which is the peer's preference (RFC 8866 § 5.14).
 * @param formats payload types of the `m=` line.
 */
export function codecsOf(section: SdpSection, kind: string, formats: readonly number[]): OfferCodec[] {
  const known = new Map<number, Format>();
  for (const value of section.attributes("rtpmap")) {
    const format = parseRtpmap(value);
    if (format !== undefined) known.set(format.payloadType, format);
  }
  const configs = new Map<number, string>();
  for (const value of section.attributes("fmtp")) {
    const match = /^(\d{1,3}) +(.+)$/.exec(value);
    if (match === null) continue;
    const payloadType = Number(match[1]);
    const earlier = configs.get(payloadType);
    configs.set(payloadType, earlier === undefined ? (match[2] ?? "") : `${earlier};${match[2]}`);
  }
  const rtxOf = new Map<number, number>();
  for (const { payloadType, name } of known.values()) {
    if (name.toLowerCase() !== "rtx" || !formats.includes(payloadType)) continue;
    const { apt } = parseFmtp(configs.get(payloadType) ?? "");
    if (typeof apt === "number" && !rtxOf.has(apt)) rtxOf.set(apt, payloadType);
  }
  const feedback = parseFeedback(section.attributes("rtcp-fb"));
  return formats.flatMap((payloadType): OfferCodec[] => {
    const format = known.get(payloadType);
    if (format === undefined || format.name.toLowerCase() === "rtx") return [];
    const config = configs.get(payloadType);
    return [
      {
        payloadType,
        mimeType: `${kind}/${NAMES[format.name.toLowerCase()] ?? format.name}`,
        clockRate: format.clockRate,
        channels: kind === "audio" ? (format.channels ?? 1) : undefined,
        parameters: parseFmtp(config ?? ""),
        config,
        feedback: [...(feedback.get(payloadType) ?? []), ...(feedback.get("*") ?? [])],
        rtx: rtxOf.get(payloadType),
      },
    ];
  });
}

/** `PT NAME/RATE[/CHANNELS]` (RFC 8866 § 6.6). */
function parseRtpmap(value: string): Format | undefined {
  const match = /^(\d{1,3}) +([A-Za-z0-9._-]{1,40})\/(\d{1,7})(?:\/(\d{1,2}))?$/.exec(value);
  if (match === null) return undefined;
  const payloadType = Number(match[1]);
  if (payloadType > 127) return undefined;
  return {
    payloadType,
    name: match[2] ?? "",
    clockRate: Number(match[3]),
    channels: match[4] === undefined ? undefined : Number(match[4]),
  };
}

/** `KEY=VALUE;KEY=VALUE` (RFC 4855 § 3); numbers become numbers, but for those that only look like one. */
export function parseFmtp(config: string): Record<string, string | number> {
  const parameters: Record<string, string | number> = {};
  for (const item of config.split(";")) {
    const equals = item.indexOf("=");
    const name = item.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const value = item.slice(equals + 1).trim();
    if (!/^[a-z0-9-][a-z0-9_-]{0,63}$/.test(name)) continue;
    const isNumber = /^(0|[1-9]\d{0,14})$/.test(value) && name !== "profile-level-id";
    parameters[name] = isNumber ? Number(value) : value;
  }
  return parameters;
}

/** `PT|* TYPE[ PARAMETER]` (RFC 4585 § 4.2). */
function parseFeedback(values: readonly string[]): Map<number | "*", types.RtcpFeedback[]> {
  const all = new Map<number | "*", types.RtcpFeedback[]>();
  for (const value of values) {
    const match = /^(\*|\d{1,3}) +([A-Za-z0-9-]{1,40})(?: +([A-Za-z0-9-]{1,40}))?$/.exec(value);
    if (match === null) continue;
    const key = match[1] === "*" ? "*" : Number(match[1]);
    const of = all.get(key) ?? [];
    of.push({ type: match[2] ?? "", ...(match[3] === undefined ? {} : { parameter: match[3] }) });
    all.set(key, of);
  }
  return all;
}
