import { type AccessUnit, type MediaSink, TICKS_PER_SECOND, type Track } from "../access-unit.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import { MediaError } from "../media-error.ts";
import { type MuxPayload, muxPayload } from "./mux-payload.ts";
import { type FirstPacketFlags, PacketWriter, packetsFor, sectionPackets, writePcrPacket } from "./packet-writer.ts";
import { writeTimestamp } from "./pes-header.ts";
import { buildPat, buildPmt } from "./psi.ts";
import { wrapTimestamp } from "./timestamp-unwrap.ts";
import { CONTINUITY_MODULUS, NULL_PID, PAT_PID, TS_PACKET_SIZE } from "./ts-packet.ts";

export interface TsMuxerOptions {
  /**
   * Most packets handed on at once. 7 (1316 bytes) fits SRT and UDP; by default an access unit comes in one piece.
   */
  readonly chunkPackets?: number;
  /** PAT and PMT are repeated after so many ms, and before every keyframe of the first video track. Default 250. */
  readonly tableInterval?: number;
  /** Most ms between program clock references, where the access units come often enough. Default 40. */
  readonly clockInterval?: number;
  /** How far the program clock runs behind the DTS, ms: the receiver's buffer. Default 200, less in a stream that begins earlier. */
  readonly clockDelay?: number;
  /** The PID of a track; by default 0x100 + id for video, 0x200 + id for audio. */
  readonly pid?: (track: Track) => number;
  readonly pmtPid?: number;
  readonly programNumber?: number;
  readonly transportStreamId?: number;
}

interface MuxStream {
  readonly track: Track;
  readonly pid: number;
  readonly payload: MuxPayload;
  counter: number;
}

const DEFAULT_PMT_PID = 0x1000;
const FIRST_VIDEO_PID = 0x100;
const FIRST_AUDIO_PID = 0x200;
const VERSIONS = 32;

/** What PES_packet_length can say. */
const MAX_PES_PACKET_LENGTH = 0xffff;

/** The program clock cannot have gone back by more than this by interleaving alone, ticks. */
const CLOCK_JUMP = TICKS_PER_SECOND;

const PES_HEADER_WITH_PTS = 14;
const PES_HEADER_WITH_PTS_AND_DTS = 19;

/**
 * Makes an MPEG transport stream (ISO/IEC 13818-1) of access units: one program, a PES packet for each access unit,
 * variable bit rate without null packets. Timestamps are those of the access units, wrapped at 2^33.
 *
 * Announce every track before the first access unit where you can: a track that comes later changes the PMT, which
 * FFmpeg takes in its stride but some players answer with a new start.
 *
 * It is a `MediaSink`, so that a demultiplexer can write into it. Bytes are handed on during `onAccessUnit`; they may
 * be kept, nothing writes to them again.
 */
export class TsMuxer implements MediaSink {
  readonly #onBytes: (chunk: Uint8Array) => void;
  readonly #chunkBytes: number;
  readonly #tableInterval: number;
  readonly #clockInterval: number;
  readonly #options: TsMuxerOptions;
  readonly #pmtPid: number;
  readonly #programNumber: number;
  readonly #streams = new Map<string, MuxStream>();
  readonly #writer = new PacketWriter();
  readonly #header = new Uint8Array(PES_HEADER_WITH_PTS_AND_DTS);

  #pat: Uint8Array | undefined;
  #pmt: Uint8Array = new Uint8Array(0);
  #pmtSection: Uint8Array = new Uint8Array(0);
  #version = -1;
  #patCounter = 0;
  #pmtCounter = 0;
  #tablesDue = true;
  #tablesAt = 0;

  #clockStream: MuxStream | undefined;
  #clockDelay: number;
  /** The last program clock reference, ticks, not wrapped; undefined before the first. */
  #clock: number | undefined;
  #started = false;

  /** @param onBytes told of each piece: whole packets. */
  constructor(onBytes: (chunk: Uint8Array) => void, options: TsMuxerOptions = {}) {
    this.#onBytes = onBytes;
    this.#options = options;
    this.#chunkBytes = (options.chunkPackets ?? Number.POSITIVE_INFINITY) * TS_PACKET_SIZE;
    this.#tableInterval = ((options.tableInterval ?? 250) * TICKS_PER_SECOND) / 1000;
    this.#clockInterval = ((options.clockInterval ?? 40) * TICKS_PER_SECOND) / 1000;
    this.#clockDelay = ((options.clockDelay ?? 200) * TICKS_PER_SECOND) / 1000;
    this.#pmtPid = options.pmtPid ?? DEFAULT_PMT_PID;
    this.#programNumber = options.programNumber ?? 1;
  }

  /**
   * Adds a track, or takes its new configuration.
   * @throws MediaError `unsupported` when a transport stream cannot carry it, `malformed` when its PID is taken.
   */
  onTrack(track: Track): void {
    const key = keyOf(track);
    const known = this.#streams.get(key);
    if (known?.track === track) return;
    const payload = muxPayload(track);
    const pid = known?.pid ?? this.#newPid(track);
    this.#streams.set(key, { track, pid, payload, counter: known?.counter ?? 0 });
    this.#updateTables();
  }

  /** Takes a track out of the program. */
  removeTrack(track: Pick<Track, "kind" | "id">): void {
    if (this.#streams.delete(keyOf(track))) this.#updateTables();
  }

  /**
   * Writes an access unit; a track that was not announced is added first.
   * @throws MediaError when the access unit is malformed, or as `onTrack`. Nothing was written then.
   */
  onAccessUnit(unit: AccessUnit): void {
    this.onTrack(unit.track);
    const stream = this.#streams.get(keyOf(unit.track)) as MuxStream;
    const size = stream.payload.measure(unit);
    const headerSize = unit.pts === unit.dts ? PES_HEADER_WITH_PTS : PES_HEADER_WITH_PTS_AND_DTS;
    const packetLength = headerSize - 6 + size;
    if (packetLength > MAX_PES_PACKET_LENGTH && unit.track.kind === "audio") {
      throw new MediaError("malformed", "audio access unit that no PES packet holds");
    }
    if (!this.#started) this.#start(unit.dts);

    const ownsClock = stream === this.#clockStream;
    const clock = this.#nextClock(unit, ownsClock);
    const jump = ownsClock && (unit.discontinuity === true || (this.#clock !== undefined && clock < this.#clock));
    const clockDue = ownsClock || this.#clock === undefined || clock - this.#clock >= this.#clockInterval;
    const flags: FirstPacketFlags = {
      randomAccess: unit.keyframe && unit.track.kind === "video",
      discontinuity: jump && this.#clock !== undefined,
      pcrBase: ownsClock ? wrapTimestamp(clock) : -1,
    };
    const withTables = this.#takeTablesDue(unit, ownsClock);
    const clockPacket = clockDue && !ownsClock;
    const packets = packetsFor(headerSize + size, flags);
    const tables = withTables ? (this.#pat as Uint8Array).length + this.#pmt.length : 0;
    const out = Buffer.allocUnsafe(tables + (packets + (clockPacket ? 1 : 0)) * TS_PACKET_SIZE);

    let at = 0;
    if (withTables) at = this.#writeTables(out);
    if (clockPacket) at = this.#writeClock(out, at, clock);
    if (clockDue) this.#clock = clock;
    this.#writer.begin(out, at, stream.pid, stream.counter, headerSize + size, flags);
    this.#fillHeader(
      unit,
      stream.payload.streamId,
      packetLength > MAX_PES_PACKET_LENGTH ? 0 : packetLength,
      headerSize,
    );
    this.#writer.write(this.#header, 0, headerSize);
    stream.payload.write(unit, this.#writer);
    stream.counter = this.#writer.counter;
    this.#emit(out);
  }

  #emit(out: Uint8Array): void {
    if (out.length <= this.#chunkBytes) {
      this.#onBytes(out);
      return;
    }
    for (let at = 0; at < out.length; at += this.#chunkBytes) {
      this.#onBytes(out.subarray(at, Math.min(out.length, at + this.#chunkBytes)));
    }
  }

  #start(dts: number): void {
    this.#started = true;
    this.#tablesAt = dts;
    // A clock from before 0 would be from just before the wrap.
    this.#clockDelay = Math.min(this.#clockDelay, Math.max(0, dts));
  }

  /** The program clock when `unit` is sent. Runs back only at a jump of the track that owns it. */
  #nextClock(unit: AccessUnit, ownsClock: boolean): number {
    const clock = Math.max(0, unit.dts - this.#clockDelay);
    if (this.#clock === undefined || clock >= this.#clock) return clock;
    if (ownsClock && (unit.discontinuity === true || this.#clock - clock > CLOCK_JUMP)) return clock;
    return this.#clock;
  }

  #takeTablesDue(unit: AccessUnit, ownsClock: boolean): boolean {
    const since = unit.dts - this.#tablesAt;
    const due =
      this.#tablesDue ||
      since >= this.#tableInterval ||
      since < -CLOCK_JUMP ||
      (ownsClock && unit.keyframe && unit.track.kind === "video");
    if (!due) return false;
    this.#tablesDue = false;
    this.#tablesAt = unit.dts;
    return true;
  }

  #writeTables(out: Uint8Array): number {
    const pat = this.#pat as Uint8Array;
    out.set(pat, 0);
    this.#patCounter = number(out, 0, pat.length, this.#patCounter);
    out.set(this.#pmt, pat.length);
    this.#pmtCounter = number(out, pat.length, pat.length + this.#pmt.length, this.#pmtCounter);
    return pat.length + this.#pmt.length;
  }

  #writeClock(out: Uint8Array, at: number, clock: number): number {
    const { pid, counter } = this.#clockStream as MuxStream;
    // A packet without payload repeats the counter of the one before.
    writePcrPacket(out, at, pid, (counter + CONTINUITY_MODULUS - 1) % CONTINUITY_MODULUS, wrapTimestamp(clock));
    return at + TS_PACKET_SIZE;
  }

  #fillHeader(unit: AccessUnit, streamId: number, packetLength: number, size: number): void {
    const header = this.#header;
    header[2] = 1; // packet_start_code_prefix 00 00 01
    header[3] = streamId;
    header[4] = packetLength >> 8;
    header[5] = packetLength;
    header[6] = 0x84; // data_alignment_indicator
    header[7] = size === PES_HEADER_WITH_PTS ? 0x80 : 0xc0;
    header[8] = size - 9;
    writeTimestamp(header, 9, size === PES_HEADER_WITH_PTS ? 2 : 3, wrapTimestamp(unit.pts));
    if (size !== PES_HEADER_WITH_PTS) writeTimestamp(header, 14, 1, wrapTimestamp(unit.dts));
  }

  /** Makes the tables anew; a PMT that differs gets the next version and goes out before the next access unit. */
  #updateTables(): void {
    const streams = [...this.#streams.values()].sort(
      (a, b) => Number(a.track.kind === "audio") - Number(b.track.kind === "audio") || a.track.id - b.track.id,
    );
    this.#clockStream = streams[0];
    const map = {
      programNumber: this.#programNumber,
      pcrPid: this.#clockStream?.pid ?? NULL_PID,
      streams: streams.map(({ pid, payload: { streamType, descriptors } }) => ({ pid, streamType, descriptors })),
    };
    if (this.#version >= 0 && equalBytes(this.#pmtSection, buildPmt({ ...map, version: this.#version }))) return;
    this.#version = (this.#version + 1) % VERSIONS;
    this.#pmtSection = buildPmt({ ...map, version: this.#version });
    this.#pmt = sectionPackets(this.#pmtPid, this.#pmtSection);
    this.#pat ??= sectionPackets(
      PAT_PID,
      buildPat(this.#options.transportStreamId ?? 1, 0, this.#programNumber, this.#pmtPid),
    );
    this.#tablesDue = true;
  }

  #newPid(track: Track): number {
    const pid = this.#options.pid?.(track) ?? track.id + (track.kind === "video" ? FIRST_VIDEO_PID : FIRST_AUDIO_PID);
    const taken = pid === this.#pmtPid || [...this.#streams.values()].some((stream) => stream.pid === pid);
    if (taken || pid <= 0x1f || pid >= NULL_PID) throw new MediaError("malformed", `PID ${pid} cannot be used`);
    return pid;
  }
}

function keyOf(track: Pick<Track, "kind" | "id">): string {
  return `${track.kind}${track.id}`;
}

/** Sets the continuity counters of the packets in `out[start, end)`; answers the one that follows. */
function number(out: Uint8Array, start: number, end: number, counter: number): number {
  let next = counter;
  for (let at = start; at < end; at += TS_PACKET_SIZE) {
    out[at + 3] = ((out[at + 3] as number) & 0xf0) | next;
    next = (next + 1) % CONTINUITY_MODULUS;
  }
  return next;
}
