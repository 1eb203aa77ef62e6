import type { AudioTrack } from "../access-unit.ts";
import { copyBytes } from "../bits/copy-bytes.ts";
import { MediaError } from "../media-error.ts";
import { defaultOpusConfig, opusTrack } from "../opus/opus-config.ts";
import { opusPacketSamples } from "../opus/opus-packet.ts";
import type { Depacketizer, DepacketizerSink } from "./depacketizer.ts";

/** The stereo flag of the TOC byte, RFC 6716 § 3.1. */
const TOC_STEREO = 4;

/**
 * The payload format of Opus (RFC 7587): every payload is one Opus packet. Silence that the encoder leaves out (DTX) shows
 * as a gap between timestamps, which is no loss.
 *
 * The track is stereo where `sprop-stereo` says so, and from the first packet coded in stereo on, whatever was said.
 * It has no pre-skip: an RTP stream is joined in the middle, and its timestamps are those of the sound itself.
 */
export class OpusDepacketizer implements Depacketizer {
  readonly #trackId: number;
  readonly #sink: DepacketizerSink;
  #stereo: boolean;
  #track: AudioTrack | undefined;

  /** @param stereo what `sprop-stereo` says. */
  constructor(trackId: number, stereo: boolean, sink: DepacketizerSink) {
    this.#trackId = trackId;
    this.#stereo = stereo;
    this.#sink = sink;
  }

  push(payload: Uint8Array, timestamp: number): void {
    if (payload.length === 0) return;
    try {
      opusPacketSamples(payload);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#sink.onDropped("access_unit_malformed", error.message);
      return;
    }
    const turnsStereo = !this.#stereo && ((payload[0] as number) & TOC_STEREO) !== 0;
    if (this.#track === undefined || turnsStereo) {
      this.#stereo ||= turnsStereo;
      this.#track = opusTrack(this.#trackId, defaultOpusConfig(this.#stereo ? 2 : 1, 0));
      this.#sink.onTrack(this.#track);
    }
    this.#sink.onFrame(timestamp, true, copyBytes(payload));
  }

  /** Nothing waits: every packet is whole. */
  flush(): undefined {
    return undefined;
  }

  restart(): undefined {
    return undefined;
  }
}
