import type { AccessUnit, AudioTrack, MediaSink, MediaWarning, Track, VideoTrack } from "../access-unit.ts";

/** A sink that remembers everything, in order. */
export class MediaLog implements MediaSink {
  readonly tracks: Track[] = [];
  readonly units: AccessUnit[] = [];
  readonly warnings: MediaWarning[] = [];

  onTrack(track: Track): void {
    this.tracks.push(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    this.units.push(unit);
  }

  onWarning(warning: MediaWarning): void {
    this.warnings.push(warning);
  }

  get codes(): string[] {
    return this.warnings.map(({ code }) => code);
  }

  get videoTracks(): VideoTrack[] {
    return this.tracks.filter((track) => track.kind === "video");
  }

  get audioTracks(): AudioTrack[] {
    return this.tracks.filter((track) => track.kind === "audio");
  }

  video(id = 0): AccessUnit[] {
    return this.units.filter((unit) => unit.track.kind === "video" && unit.track.id === id);
  }

  audio(id = 0): AccessUnit[] {
    return this.units.filter((unit) => unit.track.kind === "audio" && unit.track.id === id);
  }
}
