import type { MediaSink } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { Av1PayloadFormat } from "./av1-payload-format.ts";
import type { Depacketizer, DepacketizerSink } from "./depacketizer.ts";
import { H264PayloadFormat } from "./h264-payload-format.ts";
import { OpusDepacketizer } from "./opus-depacketizer.ts";
import { RtpStream } from "./rtp-stream.ts";
import { type RtpWarningCode, RtpWarnings } from "./rtp-warning.ts";
import { SenderClock } from "./sender-clock.ts";
import { VideoDepacketizer } from "./video-depacketizer.ts";
import { Vp8PayloadFormat } from "./vp8-payload-format.ts";
import { Vp9PayloadFormat } from "./vp9-payload-format.ts";

/** A codec as the session description names it. */
export interface RtpCodec {
  /** `video/H264`, `video/VP8`, `video/VP9`, `video/AV1` or `audio/opus`; case does not matter. */
  readonly mimeType: string;
  /** Hz: 90 000 of video, 48 000 of Opus. */
  readonly clockRate: number;
  readonly channels?: number | undefined;
  /** Format parameters (`a=fmtp`), such as `sprop-parameter-sets` and `sprop-stereo`. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
}

export interface RtpStreamOptions {
  /** Id of the track among those of its kind, from 0. */
  readonly id: number;
  readonly kind: "audio" | "video";
  readonly codec: RtpCodec;
  readonly payloadType: number;
  /** Packets of other sources are dropped; without it, those of the first one that comes are taken. */
  readonly ssrc?: number | undefined;
}

export interface RtpDemuxerOptions {
  /** How long packets wait for those missing before them, ms; 150 by default. */
  readonly holdMs?: number;
  /** How many packets of a stream may wait, at most 8192; 1024 by default. */
  readonly maxHeldPackets?: number;
}

const DEFAULT_HOLD_MS = 150;
const DEFAULT_HELD_PACKETS = 1024;

/**
 * Takes the RTP streams of one sender apart into access units. All share one timeline in 90 kHz ticks that begins near 10 s
 * and knows no wrapping: `pts` equals `dts`, as WebRTC reorders no frames.
 *
 * What is wrong with packets leads to counts and warnings ({@link RtpWarningCode}), never to an error.
 */
export class RtpDemuxer implements Disposable {
  readonly #sink: MediaSink;
  readonly #warnings: RtpWarnings;
  readonly #clock = new SenderClock();
  readonly #streams = new Set<RtpStream>();
  readonly #holdMs: number;
  readonly #maxHeldPackets: number;

  constructor(sink: MediaSink, options: RtpDemuxerOptions = {}) {
    this.#sink = sink;
    this.#warnings = new RtpWarnings(sink);
    this.#holdMs = options.holdMs ?? DEFAULT_HOLD_MS;
    this.#maxHeldPackets = options.maxHeldPackets ?? DEFAULT_HELD_PACKETS;
  }

  get streams(): ReadonlySet<RtpStream> {
    return this.#streams;
  }

  /** How often each warning came up; only the first of each are told to the sink. */
  get warningCounts(): ReadonlyMap<RtpWarningCode, number> {
    return this.#warnings.counts;
  }

  /** @throws MediaError `unsupported` for a codec, clock rate or number of channels that is not taken in. */
  addStream(options: RtpStreamOptions): RtpStream {
    const { id, kind, codec, payloadType, ssrc } = options;
    const makeDepacketizer = depacketizerOf(id, kind, codec, this.#warnings);
    const clock = this.#clock.add(kind, codec.clockRate);
    const stream: RtpStream = new RtpStream({
      payloadType,
      ssrc,
      clock,
      warnings: this.#warnings,
      sink: this.#sink,
      holdMs: this.#holdMs,
      maxHeldPackets: this.#maxHeldPackets,
      makeDepacketizer,
      onClosed: () => {
        this.#clock.remove(clock);
        this.#streams.delete(stream);
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  /** {@link RtpStream.tick} of every stream. */
  tick(nowMs: number): void {
    for (const stream of this.#streams) stream.tick(nowMs);
  }

  /** Closes every stream; what is whole is handed on. Idempotent. */
  close(): void {
    for (const stream of this.#streams) stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function depacketizerOf(
  id: number,
  kind: "audio" | "video",
  codec: RtpCodec,
  warnings: RtpWarnings,
): (sink: DepacketizerSink) => Depacketizer {
  const name = codec.mimeType.toLowerCase();
  if (!name.startsWith(`${kind}/`)) throw new MediaError("unsupported", `${codec.mimeType} as ${kind}`);
  const clockRate = kind === "video" ? 90_000 : 48_000;
  if (codec.clockRate !== clockRate) {
    throw new MediaError("unsupported", `${codec.mimeType} with a clock of ${codec.clockRate} Hz`);
  }
  switch (name) {
    case "video/h264":
      return (sink) => new VideoDepacketizer(h264Format(id, codec, warnings), sink);
    case "video/vp8":
      return (sink) => new VideoDepacketizer(new Vp8PayloadFormat(id), sink);
    case "video/vp9":
      return (sink) => new VideoDepacketizer(new Vp9PayloadFormat(id), sink);
    case "video/av1":
      return (sink) => new VideoDepacketizer(new Av1PayloadFormat(id), sink);
    case "audio/opus": {
      if (codec.channels !== undefined && codec.channels > 2) {
        throw new MediaError("unsupported", `Opus with ${codec.channels} channels`);
      }
      // Values come as text from a session description, and as numbers from what parsed it.
      const stereo = String(codec.parameters?.["sprop-stereo"] ?? 0).trim() === "1";
      return (sink) => new OpusDepacketizer(id, stereo, sink);
    }
    default:
      throw new MediaError("unsupported", `the codec ${codec.mimeType}`);
  }
}

function h264Format(id: number, codec: RtpCodec, warnings: RtpWarnings): H264PayloadFormat {
  const format = new H264PayloadFormat(id);
  const sets = codec.parameters?.["sprop-parameter-sets"];
  if (typeof sets !== "string") return format;
  try {
    format.configure(sets);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    warnings.warn("parameters_malformed", error.message);
  }
  return format;
}
