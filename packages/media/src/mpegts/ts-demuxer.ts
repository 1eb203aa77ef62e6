import type { MediaSink, Track } from "../access-unit.ts";
import { h264ElementaryStream } from "../h264/h264-elementary-stream.ts";
import { hevcElementaryStream } from "../hevc/hevc-elementary-stream.ts";
import { AdtsPesFramer } from "./adts-pes-framer.ts";
import type { AudioFramer } from "./audio-framer.ts";
import { AudioPesStream } from "./audio-pes-stream.ts";
import { LatmPesFramer } from "./latm-pes-framer.ts";
import { Mp3PesFramer } from "./mp3-pes-framer.ts";
import { OpusPesFramer, opusChannels } from "./opus-pes-framer.ts";
import { PesReader } from "./pes-reader.ts";
import { type ElementaryStreamInfo, type ProgramMap, parsePat, parsePmt } from "./psi.ts";
import type { StreamContext, TsWarningCode } from "./stream-context.ts";
import { languageOf, opusChannelConfig, type StreamKind, streamKind, streamName } from "./stream-kind.ts";
import { TableReader } from "./table-reader.ts";
import { TimestampUnwrap } from "./timestamp-unwrap.ts";
import { TsFramer } from "./ts-framer.ts";
import { NULL_PID, PAT_PID, TsPacketHeader } from "./ts-packet.ts";
import { VideoPesStream } from "./video-pes-stream.ts";

export interface TsDemuxerOptions {
  /** program_number to read; by default the first that the PAT lists. */
  readonly program?: number;
  /** Most bytes held of one PES packet or access unit. Default 8 MiB. */
  readonly maxPesBytes?: number;
  /** Most streams read of a program. Default 32. */
  readonly maxStreams?: number;
  /**
   * Whether video access units before the first keyframe, and between a loss and the next keyframe, are dropped.
   * Default true.
   */
  readonly waitForKeyframe?: boolean;
  /**
   * Whether a video PES packet without a length may end at stuffing instead of at the beginning of the next one, once
   * the stream has shown that it can be relied on ({@link PesReader}). Saves a frame of latency. Default true.
   */
  readonly endsAtStuffing?: boolean;
}

/** One stream of the program, as the PMT announces it. */
export interface TsStream {
  readonly pid: number;
  /** stream_type of the PMT. */
  readonly streamType: number;
  readonly codec: "h264" | "hevc" | "aac" | "mp3" | "opus";
  readonly kind: Track["kind"];
  /** `track.id`. Stays while the PID does. */
  readonly trackId: number;
  readonly language: string | undefined;
  /** The track, once its configuration is known. */
  readonly track: Track | undefined;
}

/** Counts since the demultiplexer was made. */
export interface TsStatistics {
  readonly packets: number;
  /** Times that packet boundaries were lost. */
  readonly syncLosses: number;
  /** Bytes passed over in search of packets. */
  readonly skippedBytes: number;
  /** Gaps in continuity counters. */
  readonly continuityErrors: number;
  /** Packets that were marked as damaged or contradicted themselves. */
  readonly damagedPackets: number;
}

type PesStream = VideoPesStream | AudioPesStream;

interface OpenStream {
  readonly info: ElementaryStreamInfo;
  readonly kind: StreamKind;
  readonly language: string | undefined;
  readonly mediaKind: Track["kind"];
  readonly trackId: number;
  readonly reader: PesReader;
  readonly stream: PesStream;
}

const DEFAULT_MAX_PES_BYTES = 8 * 1024 * 1024;
const DEFAULT_MAX_STREAMS = 32;
const SUPPORTED: Partial<Record<StreamKind, TsStream["codec"]>> = {
  h264: "h264",
  hevc: "hevc",
  aac_adts: "aac",
  aac_latm: "aac",
  mp3: "mp3",
  opus: "opus",
};

/**
 * Takes the access units out of an MPEG transport stream (ISO/IEC 13818-1) of 188-byte packets that comes in pieces
 * of any size. Reads one program. Never throws for what the bytes are; what is wrong goes to `sink.onWarning` with a
 * code of `TsWarningCode`. Holds no reference to what was pushed.
 *
 * `track.id` counts the video and the audio streams each in the order of the PMT. A PID keeps its id; when streams go
 * away, those that come take the lowest ids that are free. Timestamps are those of the stream, unwrapped: they may
 * jump where the stream's do, and then carry `discontinuity` only where the stream says so.
 */
export class TsDemuxer {
  readonly #sink: MediaSink;
  readonly #options: Required<Omit<TsDemuxerOptions, "program">>;
  readonly #header = new TsPacketHeader();
  readonly #times = new TimestampUnwrap();
  #packets = 0;
  #syncLosses = 0;
  #continuityErrors = 0;
  #damagedPackets = 0;
  readonly #framer = new TsFramer({
    onPacket: (data, offset) => this.#packet(data, offset),
    onSyncLost: () => this.#syncLost(),
  });
  readonly #pat = new TableReader(
    (section) => this.#onPatSection(section),
    (message) => this.#warn("table_malformed", `PAT: ${message}`),
  );
  readonly #pmt = new TableReader(
    (section) => this.#onPmtSection(section),
    (message) => this.#warn("table_malformed", `PMT: ${message}`),
  );
  readonly #wantedProgram: number | undefined;
  #program: number | undefined;
  #pmtPid = -1;
  #pcrPid = -1;
  #pcr: number | undefined;
  readonly #streams = new Map<number, OpenStream>();
  /** By PID. */
  readonly #readers: (PesReader | undefined)[] = new Array<undefined>(NULL_PID + 1).fill(undefined);
  readonly #toldScrambled = new Set<number>();

  constructor(sink: MediaSink, options: TsDemuxerOptions = {}) {
    this.#sink = sink;
    this.#wantedProgram = options.program;
    this.#options = {
      maxPesBytes: options.maxPesBytes ?? DEFAULT_MAX_PES_BYTES,
      maxStreams: options.maxStreams ?? DEFAULT_MAX_STREAMS,
      waitForKeyframe: options.waitForKeyframe ?? true,
      endsAtStuffing: options.endsAtStuffing ?? true,
    };
  }

  /** The supported streams of the program, in the order of the PMT. */
  get streams(): readonly TsStream[] {
    return [...this.#streams.values()].map(({ info, kind, mediaKind, trackId, language, stream }) => ({
      pid: info.pid,
      streamType: info.streamType,
      codec: SUPPORTED[kind] as TsStream["codec"],
      kind: mediaKind,
      trackId,
      language,
      track: stream.track,
    }));
  }

  /** The PID that a track comes from, while it is in the PMT. */
  pidOf(track: Pick<Track, "kind" | "id">): number | undefined {
    for (const { info, mediaKind, trackId } of this.#streams.values()) {
      if (mediaKind === track.kind && trackId === track.id) return info.pid;
    }
    return undefined;
  }

  get statistics(): TsStatistics {
    return {
      packets: this.#packets,
      syncLosses: this.#syncLosses,
      skippedBytes: this.#framer.skippedBytes,
      continuityErrors: this.#continuityErrors,
      damagedPackets: this.#damagedPackets,
    };
  }

  /** The program clock reference read last, 27 MHz ticks, as it stands in the stream (it wraps at 300 × 2^33). */
  get programClock(): number | undefined {
    return this.#pcr;
  }

  /** Takes the next piece of the stream. */
  push(chunk: Uint8Array): void {
    this.#framer.push(chunk);
  }

  /** The stream has ended: hands on what only waited for more. A stream that begins anew can be pushed then. */
  flush(): void {
    this.#framer.flush();
    for (const { reader, stream } of this.#streams.values()) {
      reader.flush();
      stream.flush();
    }
  }

  /**
   * Tells that the transport lost bytes between the last `push` and the next: continuity counters alone do not show
   * a loss of sixteen packets. Every access unit under way is dropped.
   */
  lost(): void {
    this.#framer.lost();
    this.#dropPending();
  }

  #syncLost(): void {
    this.#syncLosses += 1;
    this.#warn("sync_lost", "bytes that are no transport stream packets");
    this.#dropPending();
  }

  #dropPending(): void {
    this.#pat.lost();
    this.#pmt.lost();
    for (const { reader } of this.#streams.values()) reader.lost();
  }

  #packet(data: Uint8Array, offset: number): void {
    const header = this.#header;
    const sound = header.read(data, offset);
    const { pid } = header;
    this.#packets += 1;
    if (pid === NULL_PID) return;
    const reader = this.#readers[pid];
    if (!sound || header.transportError) {
      this.#damagedPackets += 1;
      // Even the PID may be wrong; where it is right, what the packet belonged to is damaged.
      this.#warn(
        "packet_damaged",
        header.transportError ? "a packet is marked as damaged" : "a packet contradicts itself",
      );
      reader?.lost();
      return;
    }
    if (header.hasPcr && pid === this.#pcrPid) {
      this.#pcr = header.pcr;
      if (header.discontinuity) for (const { stream } of this.#streams.values()) stream.markDiscontinuity();
    }
    if (reader !== undefined) {
      if (!header.scrambled) reader.packet(data, header);
      else this.#scrambled(pid, reader);
    } else if (pid === PAT_PID) {
      this.#pat.packet(data, header);
    } else if (pid === this.#pmtPid) {
      this.#pmt.packet(data, header);
    }
  }

  #scrambled(pid: number, reader: PesReader): void {
    reader.lost();
    if (this.#toldScrambled.has(pid)) return;
    this.#toldScrambled.add(pid);
    this.#warn("packet_scrambled", `PID ${pid} is scrambled`);
  }

  #onPatSection(section: Uint8Array): void {
    const pat = parsePat(section);
    if (pat === undefined || !pat.current) return;
    const wanted = this.#wantedProgram ?? this.#program;
    let program = pat.programs.find(({ programNumber }) => programNumber === wanted);
    const complete = pat.lastSectionNumber === 0;
    if (program === undefined && this.#wantedProgram === undefined && (complete || wanted === undefined)) {
      program = pat.programs[0];
    }
    if (program === undefined) {
      if (complete && this.#program !== undefined) this.#leaveProgram();
      return;
    }
    if (program.programNumber !== this.#program) this.#leaveProgram();
    this.#program = program.programNumber;
    if (program.pmtPid === this.#pmtPid) return;
    this.#pmtPid = program.pmtPid;
    this.#pmt.forget();
  }

  #leaveProgram(): void {
    for (const pid of [...this.#streams.keys()]) this.#close(pid);
    this.#program = undefined;
    this.#pmtPid = -1;
    this.#pcrPid = -1;
    this.#pcr = undefined;
    this.#pmt.forget();
    this.#times.reset();
  }

  #onPmtSection(section: Uint8Array): void {
    const map = parsePmt(section);
    if (map === undefined || !map.current || map.programNumber !== this.#program) return;
    this.#pcrPid = map.pcrPid;
    const announced = this.#supported(map);
    for (const [pid, open] of [...this.#streams]) {
      const info = announced.get(pid);
      if (info === undefined || !sameStream(open.info, info)) this.#close(pid);
    }
    // Rebuilt in the order of the PMT.
    const kept = new Map(this.#streams);
    this.#streams.clear();
    const taken = { video: new Set<number>(), audio: new Set<number>() };
    for (const { mediaKind, trackId } of kept.values()) taken[mediaKind].add(trackId);
    for (const [pid, info] of announced) {
      const open = kept.get(pid) ?? this.#open(info, taken);
      this.#streams.set(pid, open);
    }
  }

  /** The streams of the PMT that are read here, by PID; the others are told of. */
  #supported(map: ProgramMap): Map<number, ElementaryStreamInfo> {
    const streams = new Map<number, ElementaryStreamInfo>();
    for (const info of map.streams) {
      const kind = streamKind(info);
      if (kind === "ignored") continue;
      if (SUPPORTED[kind] === undefined || (kind === "opus" && channelsOf(info) === undefined)) {
        this.#warn("stream_unsupported", `${streamName(info)} on PID ${info.pid} is not supported`);
        continue;
      }
      if (info.pid === PAT_PID || info.pid === NULL_PID || info.pid === this.#pmtPid || streams.has(info.pid)) {
        this.#warn("table_malformed", `PMT announces a stream on PID ${info.pid}, which is taken`);
        continue;
      }
      if (streams.size === this.#options.maxStreams) {
        this.#warn("too_many_streams", `only the first ${this.#options.maxStreams} streams are read`);
        break;
      }
      streams.set(info.pid, info);
    }
    return streams;
  }

  #open(info: ElementaryStreamInfo, taken: Record<Track["kind"], Set<number>>): OpenStream {
    const kind = streamKind(info);
    const mediaKind = kind === "h264" || kind === "hevc" ? "video" : "audio";
    let trackId = 0;
    while (taken[mediaKind].has(trackId)) trackId += 1;
    taken[mediaKind].add(trackId);
    const language = languageOf(info);
    const context: StreamContext = {
      trackId,
      language,
      sink: this.#sink,
      unwrap: (raw) => this.#times.unwrap(raw),
      warn: (code, message) => this.#warn(code, `PID ${info.pid}: ${message}`),
    };
    const stream = this.#makeStream(info, kind, context);
    const reader = new PesReader(
      stream,
      (trouble, message) => {
        if (trouble === "continuity_lost") this.#continuityErrors += 1;
        context.warn(trouble, message);
      },
      { endsAtStuffing: this.#options.endsAtStuffing },
    );
    this.#readers[info.pid] = reader;
    return { info, kind, language, mediaKind, trackId, reader, stream };
  }

  #makeStream(info: ElementaryStreamInfo, kind: StreamKind, context: StreamContext): PesStream {
    if (kind === "h264" || kind === "hevc") {
      const units = kind === "h264" ? h264ElementaryStream(context.trackId) : hevcElementaryStream(context.trackId);
      const { maxPesBytes: maxBytes, waitForKeyframe } = this.#options;
      return new VideoPesStream(context, kind, units, { maxBytes, waitForKeyframe });
    }
    return new AudioPesStream(context, makeFramer(info, kind, context.trackId));
  }

  #close(pid: number): void {
    const open = this.#streams.get(pid);
    if (open === undefined) return;
    open.reader.flush();
    open.stream.flush();
    this.#streams.delete(pid);
    this.#readers[pid] = undefined;
    this.#toldScrambled.delete(pid);
  }

  #warn(code: TsWarningCode, message: string): void {
    this.#sink.onWarning?.({ code, message });
  }
}

function makeFramer(info: ElementaryStreamInfo, kind: StreamKind, trackId: number): AudioFramer {
  switch (kind) {
    case "aac_latm":
      return new LatmPesFramer(trackId);
    case "mp3":
      return new Mp3PesFramer(trackId);
    case "opus":
      return new OpusPesFramer(trackId, channelsOf(info) ?? 2);
    default:
      return new AdtsPesFramer(trackId);
  }
}

function channelsOf(info: ElementaryStreamInfo): number | undefined {
  const code = opusChannelConfig(info);
  return code === undefined ? undefined : opusChannels(code);
}

/** Whether a stream goes on as it was under a new PMT. */
function sameStream(a: ElementaryStreamInfo, b: ElementaryStreamInfo): boolean {
  return streamKind(a) === streamKind(b) && languageOf(a) === languageOf(b) && channelsOf(a) === channelsOf(b);
}
