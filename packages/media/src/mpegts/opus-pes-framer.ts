import type { AudioTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { defaultOpusConfig, OPUS_SAMPLE_RATE, opusTrack } from "../opus/opus-config.ts";
import { opusPacketSamples } from "../opus/opus-packet.ts";
import { type AudioFrame, type AudioFramer, joinBytes } from "./audio-framer.ts";

/** Longest packet that is believed: 120 ms of eight channels at the highest rate stay well below. */
const MAX_PACKET_BYTES = 64 * 1024;

const PREFIX_MASK = 0xffe0;
/** control_header_prefix 0x3ff in the 11 high bits. */
export const OPUS_CONTROL_PREFIX = 0x7fe0;

const START_TRIM = 0x10;
const END_TRIM = 0x08;
const CONTROL_EXTENSION = 0x04;

interface ControlHeader {
  /** Samples at 48 kHz to throw away, from the start of this packet on. */
  readonly startTrim: number;
  readonly headerBytes: number;
  readonly packetBytes: number;
}

/**
 * Opus, stream type 0x06 with the registration `Opus`: each packet behind an opus_control_header, as in
 * "Encapsulation of Opus in MPEG-TS" (the mapping that ETSI TS 101 154 took over).
 */
export class OpusPesFramer implements AudioFramer {
  readonly #trackId: number;
  readonly #channels: number;
  #rest: Uint8Array = new Uint8Array(0);
  #track: AudioTrack | undefined;

  /** @param channels 1 to 8, from {@link opusChannels}. */
  constructor(trackId: number, channels: number) {
    this.#trackId = trackId;
    this.#channels = channels;
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
    while (data.length - at >= 3) {
      const header = readControlHeader(data, at);
      if (header === "incomplete") break;
      if (header === undefined || header.packetBytes > MAX_PACKET_BYTES) {
        at += 1;
        skipped += 1;
        continue;
      }
      const begin = at + header.headerBytes;
      const end = begin + header.packetBytes;
      if (end > data.length) break;
      this.#packet(data.subarray(begin, end), header, at >= carried, onFrame, onTrouble);
      at = end;
    }
    if (skipped > 0) onTrouble(`${skipped} bytes between Opus packets`);
    this.#rest = data.slice(at);
  }

  reset(): void {
    this.#rest = new Uint8Array(0);
  }

  #packet(
    data: Uint8Array,
    header: ControlHeader,
    beginsHere: boolean,
    onFrame: (frame: AudioFrame, track: AudioTrack) => void,
    onTrouble: (message: string) => void,
  ): void {
    try {
      const samples = opusPacketSamples(data);
      // The pre-skip is known where the stream is seen from its beginning; joined later, nothing is to be skipped.
      this.#track ??= opusTrack(this.#trackId, defaultOpusConfig(this.#channels, header.startTrim));
      onFrame({ data, samples, sampleRate: OPUS_SAMPLE_RATE, beginsHere }, this.#track);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      onTrouble(error.message);
    }
  }
}

/** Channels by channel_config_code: 1 to 8 in the usual order; other arrangements are not supported. */
export function opusChannels(channelConfigCode: number): number | undefined {
  return channelConfigCode >= 1 && channelConfigCode <= 8 ? channelConfigCode : undefined;
}

/** Bytes of an opus_control_header for a packet. */
export function opusControlHeaderBytes(packetBytes: number, startTrim: number): number {
  return 2 + Math.floor(packetBytes / 255) + 1 + (startTrim > 0 ? 2 : 0);
}

/** Writes an opus_control_header; answers where the packet goes. @param startTrim 0 to 8191 samples at 48 kHz. */
export function writeOpusControlHeader(out: Uint8Array, start: number, packetBytes: number, startTrim: number): number {
  const prefix = OPUS_CONTROL_PREFIX | (startTrim > 0 ? START_TRIM : 0);
  out[start] = prefix >> 8;
  out[start + 1] = prefix & 0xff;
  let at = start + 2;
  let left = packetBytes;
  for (; left >= 255; left -= 255) out[at++] = 255;
  out[at++] = left;
  if (startTrim > 0) {
    out[at++] = startTrim >> 8;
    out[at++] = startTrim & 0xff;
  }
  return at;
}

function readControlHeader(data: Uint8Array, start: number): ControlHeader | "incomplete" | undefined {
  const flags = data[start + 1] as number;
  if (((((data[start] as number) << 8) | flags) & PREFIX_MASK) !== OPUS_CONTROL_PREFIX) return undefined;
  let at = start + 2;
  let packetBytes = 0;
  for (;;) {
    const byte = data[at++];
    if (byte === undefined) return packetBytes > MAX_PACKET_BYTES ? undefined : "incomplete";
    packetBytes += byte;
    if (byte !== 255) break;
  }
  let startTrim = 0;
  if ((flags & START_TRIM) !== 0) {
    startTrim = (((data[at] ?? 0) & 0x1f) << 8) | (data[at + 1] ?? 0);
    at += 2;
  }
  if ((flags & END_TRIM) !== 0) at += 2;
  if ((flags & CONTROL_EXTENSION) !== 0) at += 1 + (data[at] ?? 0);
  if (at > data.length) return "incomplete";
  return { startTrim, headerBytes: at - start, packetBytes };
}
