import type { AudioTrack } from "../access-unit.ts";
import { type Mp3Header, mp3Track, parseMp3Header } from "../mp3/mp3-header.ts";
import { type AudioFrame, type AudioFramer, joinBytes } from "./audio-framer.ts";

const HEADER_BYTES = 4;

/** MPEG audio, stream types 0x03 and 0x04; of its layers only III (MP3), which keeps its frame header. */
export class Mp3PesFramer implements AudioFramer {
  readonly #trackId: number;
  #rest: Uint8Array = new Uint8Array(0);
  #synced = false;
  #track: AudioTrack | undefined;
  #unsupportedLayer = 0;

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
    while (data.length - at >= HEADER_BYTES) {
      const header = parseMp3Header(data, at);
      // Free format tells no length; nobody broadcasts it.
      if (header === undefined || header.frameBytes < HEADER_BYTES || !this.#confirmed(data, at, header)) {
        this.#synced = false;
        at += 1;
        skipped += 1;
        continue;
      }
      const end = at + header.frameBytes;
      if (end > data.length) break;
      this.#synced = true;
      const track = this.#trackOf(header, onTrouble);
      if (track !== undefined) {
        const { samplesPerFrame: samples, sampleRate } = header;
        onFrame({ data: data.subarray(at, end), samples, sampleRate, beginsHere: at >= carried }, track);
      }
      at = end;
    }
    if (skipped > 0) onTrouble(`${skipped} bytes between MPEG audio frames`);
    this.#rest = data.slice(at);
  }

  reset(): void {
    this.#rest = new Uint8Array(0);
    this.#synced = false;
  }

  /** Out of sync, a header must be followed by another, or by as much of one as there is to see. */
  #confirmed(data: Uint8Array, at: number, header: Mp3Header): boolean {
    if (this.#synced) return true;
    const next = at + header.frameBytes;
    return next + HEADER_BYTES > data.length || parseMp3Header(data, next) !== undefined;
  }

  #trackOf(header: Mp3Header, onTrouble: (message: string) => void): AudioTrack | undefined {
    if (header.layer !== 3) {
      if (this.#unsupportedLayer !== header.layer) onTrouble(`MPEG audio layer ${header.layer} is not supported`);
      this.#unsupportedLayer = header.layer;
      return undefined;
    }
    const known = this.#track;
    if (known !== undefined && known.sampleRate === header.sampleRate && known.channels === header.channels) {
      return known;
    }
    this.#track = mp3Track(this.#trackId, header);
    return this.#track;
  }
}
