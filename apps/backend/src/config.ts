import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { z } from "zod";
import { type IceServer, IceServersSyntaxError, isTurn, parseIceServers } from "./sfu/ice-servers.ts";
import { LadderSyntaxError, parseLadder, type RungSpec } from "./transcode/ladder.ts";

/** An integer written in decimal digits, within bounds. */
const integer = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, "a whole number is wanted")
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must lie between ${minimum} and ${maximum}`);

const flag = z
  .enum(["1", "0", "true", "false", "on", "off"], "1 or 0 is wanted")
  .transform((value) => value === "1" || value === "true" || value === "on");

const port = integer(0, 65_535);

/** Addresses or host names with commas between them. */
const addresses = z
  .string()
  .transform((text) => text.split(",").map((address) => address.trim()))
  .refine(
    (all) =>
      all.every((address) => isIP(address) !== 0 || /^(?=.*[a-z])[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(address)),
    "addresses or host names with commas between them are wanted",
  );

/** Every environment variable that the backend reads, with its meaning; anything else that begins with KLIEG_ is refused. */
const Environment = z.object({
  /** Address that every listener binds to; every address of the machine where not given. */
  KLIEG_HOST: z.string().min(1).optional(),
  KLIEG_HTTP_PORT: port.default(8080),
  KLIEG_RTMP_PORT: port.default(1935),
  /** RTMPS listens only where both of the TLS files are given. */
  KLIEG_RTMPS_PORT: port.default(1936),
  KLIEG_TLS_CERT: z.string().optional(),
  KLIEG_TLS_KEY: z.string().optional(),
  KLIEG_SRT_PORT: port.default(9000),
  /** Passphrase that every SRT caller must use; 10 to 79 characters. */
  KLIEG_SRT_PASSPHRASE: z.string().min(10).max(79).optional(),
  /** Receiver latency offered to SRT callers, ms. */
  KLIEG_SRT_LATENCY_MS: integer(20, 8000).default(120),
  /** Whether there is WebRTC: WHIP, WHEP, rooms. */
  KLIEG_WEBRTC: flag.default(true),
  /** WebRTC media, UDP and TCP, of the first worker; each further worker has the next port. */
  KLIEG_RTC_PORT: port.default(44_444),
  /** What peers are told of where media goes, in place of the machine's own addresses. */
  KLIEG_ANNOUNCED_ADDRESS: addresses.optional(),
  /** Media workers, a process and a port each; one for each core where not given. */
  KLIEG_RTC_WORKERS: integer(1, 256).optional(),
  /** mediasoup's worker program, in place of the one that the start installs. */
  KLIEG_MEDIASOUP_WORKER: z.string().min(1).optional(),
  /** STUN and TURN servers that peers are told: addresses with commas between them, or JSON. */
  KLIEG_ICE_SERVERS: z
    .string()
    .default("")
    .transform((text, context) => {
      try {
        return parseIceServers(text);
      } catch (error) {
        if (!(error instanceof IceServersSyntaxError)) throw error;
        context.addIssue({ code: "custom", message: error.message });
        return z.NEVER;
      }
    }),
  /** Secret shared with the TURN servers, from which credentials are made for each peer. */
  KLIEG_TURN_SECRET: z.string().min(1).max(500).optional(),
  /** How long such credentials are good for, s. */
  KLIEG_TURN_TTL_S: integer(60, 604_800).default(86_400),
  KLIEG_DATA_DIR: z.string().min(1).default("./.klieg"),
  /** Base of the URLs that are printed and given out, where the backend stands behind a proxy. */
  KLIEG_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  KLIEG_BOOTSTRAP_CHANNEL: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .default("demo"),
  KLIEG_BOOTSTRAP_STREAM_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{8,200}$/, "8 to 200 letters, digits, dots, hyphens or underscores")
    .optional(),
  /** Bearer token of the management API; made and kept in the data folder where not given. */
  KLIEG_ADMIN_TOKEN: z.string().min(16).max(200).optional(),
  KLIEG_FFMPEG: z.string().min(1).optional(),
  /** `auto`, `off`, or rungs such as `720p:3000k,480p:1500k`. */
  KLIEG_LADDER: z
    .string()
    .default("auto")
    .transform((text, context) => {
      try {
        return parseLadder(text);
      } catch (error) {
        if (!(error instanceof LadderSyntaxError)) throw error;
        context.addIssue({ code: "custom", message: error.message });
        return z.NEVER;
      }
    }),
  /** `auto` tries the hardware encoders, `software` does not. */
  KLIEG_ENCODER: z.enum(["auto", "software"]).default("auto"),
  KLIEG_PART_MS: integer(100, 2000).default(333),
  KLIEG_SEGMENT_MS: integer(1000, 6000).default(2000),
  /** Seconds of the past that live playlists hold. */
  KLIEG_WINDOW_S: integer(30, 86_400).default(600),
  /** How long a stream waits for its encoder to come back, ms. */
  KLIEG_RECONNECT_GRACE_MS: integer(0, 600_000).default(30_000),
  /** How long an ended stream can still be watched, s. */
  KLIEG_ENDED_RETENTION_S: integer(0, 86_400).default(300),
  /** How many proxies in front may name the viewer's address in X-Forwarded-For. */
  KLIEG_TRUSTED_PROXIES: integer(0, 16).default(0),
  KLIEG_MAX_STREAMS: integer(1, 10_000).default(200),
  /** Participants of one room. */
  KLIEG_MAX_ROOM_PARTICIPANTS: integer(1, 500).default(50),
  /** Where a recording of a room ends, MB. */
  KLIEG_MAX_RECORDING_MB: integer(1, 1_000_000).default(20_000),
  KLIEG_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  /** `pretty` where a person watches the terminal, `json` elsewhere. */
  KLIEG_LOG_FORMAT: z.enum(["json", "pretty"]).optional(),
  /** Whether `/metrics` answers without the admin token. */
  KLIEG_METRICS_PUBLIC: flag.default(true),
});

export interface Config {
  readonly host: string | undefined;
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly rtmps: { readonly port: number; readonly certFile: string; readonly keyFile: string } | undefined;
  readonly srtPort: number;
  readonly srtPassphrase: string | undefined;
  readonly srtLatencyMs: number;
  readonly webrtc: boolean;
  readonly rtcPort: number;
  readonly rtcWorkers: number;
  /** Addresses and host names; none where the machine's own are told. */
  readonly announcedAddresses: readonly string[];
  readonly mediasoupWorker: string | undefined;
  readonly iceServers: readonly IceServer[];
  readonly turnSecret: string | undefined;
  readonly turnTtlS: number;
  readonly dataDir: string;
  readonly publicUrl: string | undefined;
  readonly bootstrapChannel: string;
  readonly bootstrapStreamKey: string | undefined;
  readonly adminToken: string | undefined;
  readonly ffmpegPath: string | undefined;
  /** Rungs to make, highest first; none where it is empty. */
  readonly ladder: readonly RungSpec[];
  readonly hardwareEncoders: boolean;
  readonly partMs: number;
  readonly segmentMs: number;
  readonly windowMs: number;
  readonly reconnectGraceMs: number;
  readonly endedRetentionMs: number;
  readonly trustedProxies: number;
  readonly maxStreams: number;
  readonly maxRoomParticipants: number;
  readonly maxRecordingMb: number;
  readonly logLevel: z.infer<typeof Environment>["KLIEG_LOG_LEVEL"];
  readonly logFormat: "json" | "pretty";
  readonly metricsPublic: boolean;
}

/** The configuration is wrong; `problems` has a line for each variable, in words for the operator. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * The configuration that the environment describes.
 * @throws {ConfigError} naming every variable that is wrong or unknown.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): Config {
  const problems: string[] = [];
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("KLIEG_") || value === undefined || value === "") continue;
    if (name in Environment.shape) given[name] = value;
    else if (!name.startsWith("KLIEG_TEST_")) problems.push(`${name}: no such setting`);
  }
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join(".")}: ${issue.message}`);
  }
  if ((given.KLIEG_TLS_CERT === undefined) !== (given.KLIEG_TLS_KEY === undefined)) {
    problems.push("KLIEG_TLS_CERT and KLIEG_TLS_KEY go together: give both or none");
  }
  if (parsed.success && parsed.data.KLIEG_TURN_SECRET === undefined) {
    const open = parsed.data.KLIEG_ICE_SERVERS.find((server) => isTurn(server) && server.username === undefined);
    if (open !== undefined) {
      problems.push(
        `KLIEG_ICE_SERVERS: ${open.urls[0]} needs KLIEG_TURN_SECRET, or in JSON a username and a credential`,
      );
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const env = parsed.data;
  return {
    host: env.KLIEG_HOST,
    httpPort: env.KLIEG_HTTP_PORT,
    rtmpPort: env.KLIEG_RTMP_PORT,
    rtmps:
      env.KLIEG_TLS_CERT === undefined || env.KLIEG_TLS_KEY === undefined
        ? undefined
        : { port: env.KLIEG_RTMPS_PORT, certFile: env.KLIEG_TLS_CERT, keyFile: env.KLIEG_TLS_KEY },
    srtPort: env.KLIEG_SRT_PORT,
    srtPassphrase: env.KLIEG_SRT_PASSPHRASE,
    srtLatencyMs: env.KLIEG_SRT_LATENCY_MS,
    webrtc: env.KLIEG_WEBRTC,
    rtcPort: env.KLIEG_RTC_PORT,
    rtcWorkers: env.KLIEG_RTC_WORKERS ?? availableParallelism(),
    announcedAddresses: env.KLIEG_ANNOUNCED_ADDRESS ?? [],
    mediasoupWorker: env.KLIEG_MEDIASOUP_WORKER,
    iceServers: env.KLIEG_ICE_SERVERS,
    turnSecret: env.KLIEG_TURN_SECRET,
    turnTtlS: env.KLIEG_TURN_TTL_S,
    dataDir: env.KLIEG_DATA_DIR,
    publicUrl: env.KLIEG_PUBLIC_URL?.replace(/\/+$/, ""),
    bootstrapChannel: env.KLIEG_BOOTSTRAP_CHANNEL,
    bootstrapStreamKey: env.KLIEG_BOOTSTRAP_STREAM_KEY,
    adminToken: env.KLIEG_ADMIN_TOKEN,
    ffmpegPath: env.KLIEG_FFMPEG,
    ladder: env.KLIEG_LADDER,
    hardwareEncoders: env.KLIEG_ENCODER === "auto",
    partMs: env.KLIEG_PART_MS,
    segmentMs: env.KLIEG_SEGMENT_MS,
    windowMs: env.KLIEG_WINDOW_S * 1000,
    reconnectGraceMs: env.KLIEG_RECONNECT_GRACE_MS,
    endedRetentionMs: env.KLIEG_ENDED_RETENTION_S * 1000,
    trustedProxies: env.KLIEG_TRUSTED_PROXIES,
    maxStreams: env.KLIEG_MAX_STREAMS,
    maxRoomParticipants: env.KLIEG_MAX_ROOM_PARTICIPANTS,
    maxRecordingMb: env.KLIEG_MAX_RECORDING_MB,
    logLevel: env.KLIEG_LOG_LEVEL,
    logFormat: env.KLIEG_LOG_FORMAT ?? (isTerminal ? "pretty" : "json"),
    metricsPublic: env.KLIEG_METRICS_PUBLIC,
  };
}
