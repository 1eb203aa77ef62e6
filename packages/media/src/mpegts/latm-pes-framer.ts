import { aacTrack } from "../aac/aac-track.ts";
import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import type { AudioTrack } from "../access-unit.ts";
import { BitReader } from "../bits/bit-reader.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import { MediaError } from "../media-error.ts";
import { type AudioFrame, type AudioFramer, joinBytes } from "./audio-framer.ts";

/** AudioSyncStream: 11 bits of sync word, 13 of length. */
const LOAS_HEADER_BYTES = 3;

const RATE_ESCAPE = 15;
const AOT_SBR = 5;
const AOT_PS = 29;

/** What a StreamMuxConfig says about the frames behind it. */
interface StreamMux {
  /** AudioSpecificConfig, on a byte boundary. */
  readonly config: Uint8Array;
  readonly subFrames: number;
  readonly samples: number;
  readonly sampleRate: number;
  readonly track: AudioTrack;
}

/**
 * AAC in LATM/LOAS, stream type 0x11 (ISO/IEC 14496-3 1.7): one program of one layer with payload lengths in the
 * stream, the form that encoders make. Anything else is told as trouble and passed over.
 */
export class LatmPesFramer implements AudioFramer {
  readonly #trackId: number;
  #rest: Uint8Array = new Uint8Array(0);
  #mux: StreamMux | undefined;

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  push(
    bytes: Uint8Array,
    onFrame: (frame: AudioFrame, track: AudioTrack) => void,
    onTrouble: (message: string) => void,
  ): void {
    const carried = this.#rest.length;
    const data = joinBytes(this.#rest, bytes);
    let at = 0;
    let skipped = 0;
    while (data.length - at >= LOAS_HEADER_BYTES) {
      const second = data[at + 1] as number;
      if (data[at] !== 0x56 || (second & 0xe0) !== 0xe0) {
        at += 1;
        skipped += 1;
        continue;
      }
      const end = at + LOAS_HEADER_BYTES + (((second & 0x1f) << 8) | (data[at + 2] as number));
      if (end > data.length) break;
      try {
        this.#element(data, at + LOAS_HEADER_BYTES, end, at >= carried, onFrame);
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        onTrouble(error.message);
      }
      at = end;
    }
    if (skipped > 0) onTrouble(`${skipped} bytes between LATM frames`);
    this.#rest = data.slice(at);
  }

  reset(): void {
    this.#rest = new Uint8Array(0);
  }

  /** AudioMuxElement(1). Elements before the first configuration are passed over. */
  #element(
    data: Uint8Array,
    start: number,
    end: number,
    beginsHere: boolean,
    onFrame: (frame: AudioFrame, track: AudioTrack) => void,
  ): void {
    const reader = new BitReader(data, start, end);
    const useSameStreamMux = reader.flag();
    if (!useSameStreamMux) this.#readStreamMux(reader, data);
    const mux = this.#mux;
    if (mux === undefined) return;
    for (let i = 0; i < mux.subFrames; i += 1) {
      let length = 0;
      for (let byte = 255; byte === 255; length += byte) byte = reader.u(8);
      const frame = copyBits(data, reader.bitPosition, length * 8);
      reader.skip(length * 8);
      if (length === 0) continue;
      const { samples, sampleRate } = mux;
      onFrame({ data: frame, samples, sampleRate, beginsHere }, mux.track);
    }
  }

  #readStreamMux(reader: BitReader, data: Uint8Array): void {
    const version = reader.u(1);
    if (version === 1 && reader.flag()) throw new MediaError("unsupported", "LATM with audioMuxVersionA");
    if (version === 1) readValue(reader); // taraBufferFullness
    if (!reader.flag()) throw new MediaError("unsupported", "LATM without common time framing");
    const subFrames = reader.u(6) + 1;
    if (reader.u(4) !== 0) throw new MediaError("unsupported", "LATM with several programs");
    if (reader.u(3) !== 0) throw new MediaError("unsupported", "LATM with several layers");
    let config: Uint8Array;
    if (version === 1) {
      const bits = readValue(reader);
      config = copyBits(data, reader.bitPosition, Math.min(bits, reader.bitsLeft));
      reader.skip(bits);
    } else {
      const from = reader.bitPosition;
      skipAudioSpecificConfig(reader);
      config = copyBits(data, from, reader.bitPosition - from);
    }
    if (reader.u(3) !== 0) throw new MediaError("unsupported", "LATM with frames of fixed length");
    reader.skip(8); // latmBufferFullness
    if (reader.flag()) skipOtherDataLength(reader, version);
    if (reader.flag()) reader.skip(8); // crcCheckSum
    if (this.#mux !== undefined && this.#mux.subFrames === subFrames && equalBytes(this.#mux.config, config)) return;
    const parsed = parseAudioSpecificConfig(config);
    this.#mux = {
      config,
      subFrames,
      samples: parsed.coreFrameLength,
      sampleRate: parsed.sampleRate,
      track: aacTrack(this.#trackId, config),
    };
  }
}

/** LatmGetValue(). */
function readValue(reader: BitReader): number {
  const bytes = reader.u(2) + 1;
  return reader.u(8 * bytes);
}

function skipOtherDataLength(reader: BitReader, version: number): void {
  if (version === 1) {
    readValue(reader);
    return;
  }
  for (let more = true; more; ) {
    more = reader.flag(); // otherDataLenEsc
    reader.skip(8);
  }
}

/** Moves past an AudioSpecificConfig that does not tell its size: AAC Main, LC, SSR and LTP, with SBR and PS or not. */
function skipAudioSpecificConfig(reader: BitReader): void {
  let objectType = reader.u(5);
  if (reader.u(4) === RATE_ESCAPE) reader.skip(24);
  const channelConfig = reader.u(4);
  if (objectType === AOT_SBR || objectType === AOT_PS) {
    if (reader.u(4) === RATE_ESCAPE) reader.skip(24);
    objectType = reader.u(5);
  }
  if (objectType < 1 || objectType > 4)
    throw new MediaError("unsupported", `LATM with audio object type ${objectType}`);
  if (channelConfig === 0) throw new MediaError("unsupported", "LATM with a program config element");
  reader.skip(1); // frameLengthFlag
  if (reader.flag()) reader.skip(14); // coreCoderDelay
  if (reader.flag()) throw new MediaError("unsupported", "LATM with an extended GASpecificConfig");
}

/** Bits `[from, from + count)` on a byte boundary, filled up with zeros. */
function copyBits(data: Uint8Array, from: number, count: number): Uint8Array {
  const bytes = (count + 7) >> 3;
  const out = new Uint8Array(bytes);
  const first = from >> 3;
  const shift = from & 7;
  for (let i = 0; i < bytes; i += 1) {
    out[i] = ((data[first + i] ?? 0) << shift) | ((data[first + i + 1] ?? 0) >> (8 - shift));
  }
  const spare = bytes * 8 - count;
  if (spare > 0) out[bytes - 1] = ((out[bytes - 1] as number) >> spare) << spare;
  return out;
}
