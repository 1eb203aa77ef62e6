import {
  type AccessUnit,
  type AudioTrack,
  type MediaWarning,
  type Track,
  TsDemuxer,
  type VideoTrack,
} from "@klieg/media";
import { AUDIO_PID, FIRST_VIDEO_PID } from "./ffmpeg-command.ts";
import type { Rung } from "./rung.ts";

/** Takes what FFmpeg has made. `rung` is undefined for the audio. */
export interface RenditionOutputSink {
  onAccessUnit(rung: Rung | undefined, unit: AccessUnit): void;
}

/**
 * Reads the MPEG-TS that FFmpeg writes: one rung per PID, timestamps moved back to the source's timeline. Tracks have
 * id 0 and the frame rate of the rung.
 */
export class RenditionOutput {
  readonly #demuxer: TsDemuxer;
  readonly #rungs: readonly Rung[];
  readonly #base: number;
  readonly #sink: RenditionOutputSink;
  /** By the demultiplexer's track: what is handed on instead. */
  readonly #tracks = new Map<Track, { readonly rung: Rung | undefined; readonly track: Track }>();

  #damage: MediaWarning | undefined;

  /** @param base 90 kHz ticks of the source's timeline that FFmpeg sees as zero. */
  constructor(rungs: readonly Rung[], base: number, sink: RenditionOutputSink) {
    this.#rungs = rungs;
    this.#base = base;
    this.#sink = sink;
    this.#demuxer = new TsDemuxer({
      onTrack: (track) => this.#onTrack(track),
      onAccessUnit: (unit) => this.#onAccessUnit(unit),
      onWarning: (warning) => {
        this.#damage = warning;
      },
    });
  }

  /** What was last wrong with the transport stream: nothing, as a rule, since it comes through a pipe. */
  get damage(): MediaWarning | undefined {
    return this.#damage;
  }

  push(bytes: Uint8Array): void {
    this.#demuxer.push(bytes);
  }

  /** FFmpeg has ended: what waits for more is whole. */
  flush(): void {
    this.#demuxer.flush();
  }

  #onTrack(track: Track): void {
    const pid = this.#demuxer.pidOf(track);
    if (track.kind === "audio") {
      if (pid === AUDIO_PID)
        this.#tracks.set(track, { rung: undefined, track: { ...track, id: 0 } satisfies AudioTrack });
      return;
    }
    const rung = this.#rungs[(pid ?? 0) - FIRST_VIDEO_PID];
    if (rung === undefined) return;
    this.#tracks.set(track, { rung, track: { ...track, id: 0, frameRate: rung.frameRate } satisfies VideoTrack });
  }

  #onAccessUnit(unit: AccessUnit): void {
    const known = this.#tracks.get(unit.track);
    if (known === undefined) return;
    this.#sink.onAccessUnit(known.rung, {
      track: known.track,
      dts: unit.dts + this.#base,
      pts: unit.pts + this.#base,
      keyframe: unit.keyframe,
      data: unit.data,
    });
  }
}
