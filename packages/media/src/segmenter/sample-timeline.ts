import { aacSamplesPerFrame } from "../aac/aac-track.ts";
import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import { type AccessUnit, type AudioTrack, TICKS_PER_SECOND, type Track, type VideoTrack } from "../access-unit.ts";
import { parseMp3Header } from "../mp3/mp3-header.ts";
import { opusPacketSamples } from "../opus/opus-packet.ts";
import { AudioSampleClock } from "./audio-sample-clock.ts";

/** An access unit on its track's own timeline. */
export interface PlacedSample {
  readonly unit: AccessUnit;
  /** Decode time in the track's timescale; rises strictly. */
  readonly start: number;
  /** How long it lasts by itself: what a frame of sound holds, or what is usual for a picture. */
  readonly length: number;
  /** Presentation time where boundaries are compared, 90 kHz ticks: sound begins at its start. */
  readonly ticks: number;
}

/** Places the access units of one track configuration, and says how long each lasts. */
export interface SampleTimeline {
  readonly timescale: number;
  /** @throws MediaError when the unit does not say how long it lasts (Opus). */
  place(unit: AccessUnit): PlacedSample;
  /** Duration of `sample` in the timescale, given what follows it, if anything does. */
  durationOf(sample: PlacedSample, next: PlacedSample | undefined): number;
  toTicks(time: number): number;
  /** The timeline broke: what was learnt of it no longer holds. */
  reset(): void;
}

export function sampleTimeline(track: Track): SampleTimeline {
  return track.kind === "video" ? new VideoTimeline(track) : new AudioTimeline(track);
}

/** Pictures: a decode time is what the timestamps say, and a picture lasts until the next. */
class VideoTimeline implements SampleTimeline {
  readonly timescale = TICKS_PER_SECOND;
  #usual: number;
  #last = -1;

  constructor(track: VideoTrack) {
    this.#usual = Math.round(
      TICKS_PER_SECOND / (track.frameRate !== undefined && track.frameRate > 0 ? track.frameRate : 30),
    );
  }

  place(unit: AccessUnit): PlacedSample {
    const start = Math.max(unit.dts, this.#last + 1);
    this.#last = start;
    return { unit, start, length: this.#usual, ticks: unit.pts };
  }

  durationOf(sample: PlacedSample, next: PlacedSample | undefined): number {
    if (next === undefined) return sample.length;
    const distance = next.start - sample.start;
    // Follows slowly: a picture that stood still, or a few that are missing, do not make the next one slow.
    this.#usual = Math.round(Math.min(Math.max(distance, this.#usual * 0.75), this.#usual * 1.25 + 1));
    return distance;
  }

  toTicks(time: number): number {
    return time;
  }

  reset(): void {
    // Decode times stand for themselves.
  }
}

/** Sound: samples are counted, and a frame lasts as many as it holds. */
class AudioTimeline implements SampleTimeline {
  readonly timescale: number;
  readonly #samplesOf: (frame: Uint8Array) => number;
  readonly #clock: AudioSampleClock;

  constructor(track: AudioTrack) {
    this.timescale = track.sampleRate;
    this.#samplesOf = samplesPerFrame(track);
    this.#clock = new AudioSampleClock(track.sampleRate);
  }

  place(unit: AccessUnit): PlacedSample {
    const length = this.#samplesOf(unit.data);
    const { start } = this.#clock.place(unit.dts, length);
    return { unit, start, length, ticks: this.toTicks(start) };
  }

  durationOf(sample: PlacedSample, next: PlacedSample | undefined): number {
    if (next === undefined) return sample.length;
    // Up to the next frame where drift is followed or frames overlap; a hole after it is no part of it.
    const distance = next.start - sample.start;
    return distance > sample.length + 1 ? sample.length : distance;
  }

  toTicks(time: number): number {
    return Math.round((time * TICKS_PER_SECOND) / this.timescale);
  }

  reset(): void {
    this.#clock.reset();
  }
}

function samplesPerFrame(track: AudioTrack): (frame: Uint8Array) => number {
  switch (track.codec) {
    case "aac": {
      const samples = aacSamplesPerFrame(parseAudioSpecificConfig(track.config));
      return () => samples;
    }
    case "opus":
      return opusPacketSamples;
    case "mp3":
      return (frame) => parseMp3Header(frame)?.samplesPerFrame ?? 1152;
  }
}
