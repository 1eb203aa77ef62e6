import type { StudioDocument } from "../../../document/studio-document.ts";
import type { ProgramClock } from "../program-clock.ts";

/** The id under which {@link AudioMixer.meters} tells of the whole mix. */
export const PROGRAM = "program";

/** How loud one source, or the program, is now. dBFS, −120 where nothing is heard. Read, not kept: it is written over. */
export interface Level {
  /** The highest sample since the last reading of the meter, 50 ms. */
  readonly peakDb: number;
  /** Over 300 ms. */
  readonly rmsDb: number;
  /** dB that the filters (of the program: its safety limiter) take away at present; 0 or more. */
  readonly reductionDb: number;
}

/** Loudness of the program after ITU-R BS.1770-4 and EBU R 128, LUFS; −Infinity where there is none yet, or silence. */
export interface Loudness {
  /** Of the last 400 ms. */
  readonly momentary: number;
  /** Of the last 3 s. */
  readonly shortTerm: number;
  /** Since {@link AudioMixer.resetLoudness}, gated. */
  readonly integrated: number;
}

/**
 * - `idle`: not started.
 * - `waiting`: the browser plays and mixes nothing until its user has clicked or pressed a key in the page; the mixer
 *   goes on by itself as soon as that happens. The program has silence until then.
 * - `running`.
 * - `failed`: the browser has no sound for us ({@link AudioMixer.problem} says why). The program has silence.
 * - `closed`.
 */
export type MixerState = "idle" | "waiting" | "running" | "failed" | "closed";

/** What is wrong with the sound, in words for the log; the interface has its own, by `code`. */
export interface MixerProblem {
  /**
   * - `unsupported`: the browser has no AudioWorklet, or the mixer's could not be loaded.
   * - `no_device`: the operator's output device is not there; the system's default is used.
   * - `noise_suppression`: it could not be loaded, and passes the sound through as it is.
   */
  readonly code: "unsupported" | "no_device" | "noise_suppression";
  readonly message: string;
}

/** What the mixer is for the rest of the page. `Mixer` is one. */
export interface AudioMixer {
  readonly state: MixerState;
  /** The last problem that is still there. */
  readonly problem: MixerProblem | undefined;
  /** `state` or `problem` has changed. */
  onChanged(listener: () => void): Disposable;

  /**
   * Begins to mix. Without a gesture of the user the state is `waiting` after it. Resolves when the sound's thread is
   * there; never rejects (see {@link problem}).
   */
  start(clock: ProgramClock): Promise<void>;
  /** To be called from a click or key press; the mixer listens for these itself too. */
  resume(): Promise<void>;
  /**
   * Takes over what the document says of its sources. A source is heard in the program while the program's scene shows
   * it; a change of scene fades it in or out as long as the scene's transition takes.
   */
  update(document: StudioDocument): void;
  /** The sound of a source; undefined where it has none at present. The track stays its owner's. */
  setTrack(sourceId: string, track: MediaStreamTrack | undefined): void;

  /** The mix, for WebRTC. The same track from the beginning to the end; silent until {@link start}. */
  readonly programTrack: MediaStreamTrack;
  /**
   * The mix without the guests of the room, for these to hear (mix-minus): the room brings them each other. The same track from the
   * first call to the end.
   */
  mixMinusTrack(): MediaStreamTrack;
  /**
   * The mix as interleaved stereo at 48 kHz in blocks of 20 ms without holes. The timestamp is that of the first sample,
   * µs on the program clock. A block is not written again, but shared by all listeners.
   */
  onSamples(listener: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void): Disposable;

  /**
   * The sound of one source by itself, as {@link onSamples} has the mix: filtered, delayed and as loud as it is mixed, whether
   * or not its scene is shown; silence while it is muted or is not there. One listener for each source.
   */
  tap(sourceId: string, listener: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void): Disposable;

  /** By source id and {@link PROGRAM}; the same map each time, its levels written over about 20 times a second. */
  meters(): ReadonlyMap<string, Level>;
  /** The same object each time. */
  loudness(): Loudness;
  /** Begins the integrated loudness anew, as when a broadcast begins. */
  resetLoudness(): void;

  /**
   * Where the operator hears what is monitored: an `audiooutput` device's id, "" for the system's default. One that is
   * not there is a {@link problem}, and the default is used.
   */
  setMonitorDevice(deviceId: string): Promise<void>;
  /** 0 to 1, how loud the operator hears it; the program does not change. */
  setMonitorVolume(volume: number): void;

  /** Idempotent. Stops {@link programTrack}, and no track of anybody else. */
  close(): Promise<void>;
}
