import { Emitter } from "@klieg/base";
import type { StudioDocument } from "../../../document/studio-document.ts";
import type { ProgramClock } from "../program-clock.ts";
import type { StripSettings } from "./dsp/channel-strip.ts";
import { SILENCE_DB } from "./dsp/decibel.ts";
import { SAMPLE_RATE } from "./dsp/sound-processor.ts";
import { MixMinus } from "./mix-minus.ts";
import type { AudioMixer, Level, Loudness, MixerProblem, MixerState } from "./mixer-contract.ts";
import { PROGRAM } from "./mixer-contract.ts";
import {
  PROGRAM_PROCESSOR,
  type ProgramMessage,
  type ProgramReport,
  STRIP_PROCESSOR,
  type StripMessage,
  type StripReport,
} from "./mixer-message.ts";
import workletAddress from "./mixer-worklet.ts?worker&url";
import { ProgramSamples } from "./program-samples.ts";
import { loadRnnoise } from "./rnnoise-module.ts";
import type { SampleBlock } from "./sample-blocks.ts";
import { SourceTap } from "./source-tap.ts";
import { stripSettings } from "./strip-settings.ts";

/** How often it is looked whether the context still mixes, ms. */
const WATCH_INTERVAL = 250;
/** A context that says it runs and mixes nothing for so long does not, ms. */
const STALLED_AFTER = 1_600;
/** How often it is tried without a gesture, ms. */
const RESUME_INTERVAL = 2_000;
/** A processor that throws is made anew, but not for ever. */
const MOST_FAILURES = 10;
/** Gestures that let a page play sound. */
const GESTURES = ["pointerdown", "keydown", "touchend"] as const;

type WritableLevel = { -readonly [Key in keyof Level]: Level[Key] };

interface Strip {
  /** Not in the mix-minus. */
  readonly guest: boolean;
  settings: StripSettings;
  /** What the worklet was last told, so that it is told only what changed. */
  told: string;
  track: MediaStreamTrack | undefined;
  input: MediaStreamAudioSourceNode | undefined;
  /** Plays the track to nobody. */
  readonly player: HTMLAudioElement;
  node: AudioWorkletNode | undefined;
  hasRnnoise: boolean;
}

/**
 * The page's mixer: a strip for each source that has sound, the mix, what the operator hears. All the sound is made on the sound's
 * thread (`mixer-worklet.ts`, of the pure parts in `dsp/`); this side holds the nodes and puts the mix on the program's clock.
 */
export class Mixer implements AudioMixer {
  readonly programTrack: MediaStreamTrack;
  readonly #context: AudioContext;
  readonly #programOutput: MediaStreamAudioDestinationNode;
  readonly #monitor: GainNode;
  readonly #strips = new Map<string, Strip>();
  /** Tracks that came before their sources. */
  readonly #early = new Map<string, MediaStreamTrack>();
  readonly #levels = new Map<string, WritableLevel>();
  readonly #loudness = { momentary: -Infinity, shortTerm: -Infinity, integrated: -Infinity };
  readonly #events = new Emitter<{
    changed: undefined;
    samples: { readonly samples: Int16Array<ArrayBuffer>; readonly timestamp: number };
  }>();
  readonly #samples = new ProgramSamples((samples, timestamp) => this.#events.emit("samples", { samples, timestamp }));
  readonly #taps = new Map<string, SourceTap>();
  readonly #problems = new Map<MixerProblem["code"], MixerProblem>();
  #program: AudioWorkletNode | undefined;
  #mixMinus: MixMinus | undefined;
  #clock: ProgramClock | undefined;
  #starting: Promise<void> | undefined;
  #resumedAt = 0;
  /** Processors that threw, and were made anew. */
  #failures = 0;
  #watch: ReturnType<typeof setInterval> | undefined;
  #watchedAt = 0;
  #lastBlockAt = 0;
  #state: MixerState = "idle";

  constructor() {
    this.#context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "balanced" });
    this.#programOutput = new MediaStreamAudioDestinationNode(this.#context, { channelCount: 2 });
    this.programTrack = this.#programOutput.stream.getAudioTracks()[0] as MediaStreamTrack;
    this.#monitor = new GainNode(this.#context);
    this.#monitor.connect(this.#context.destination);
    this.#levels.set(PROGRAM, silentLevel());
  }

  get state(): MixerState {
    return this.#state;
  }

  get problem(): MixerProblem | undefined {
    return [...this.#problems.values()].at(-1);
  }

  onChanged(listener: () => void): Disposable {
    return this.#events.on("changed", listener);
  }

  start(clock: ProgramClock): Promise<void> {
    this.#starting ??= this.#start(clock);
    return this.#starting;
  }

  async resume(): Promise<void> {
    if (this.#starting === undefined || this.#state === "closed" || this.#context.state === "running") return;
    // A promise of a time before the gesture stays open after it: each gesture has to ask anew. All are kept in the end.
    this.#resumedAt = performance.now();
    try {
      await this.#context.resume();
    } catch (error) {
      this.#complain("unsupported", error);
    }
  }

  update(document: StudioDocument): void {
    if (this.#state === "closed") return;
    const wanted = stripSettings(document);
    const guests = new Set(document.sources.filter(({ kind }) => kind === "guest").map(({ id }) => id));
    for (const [id, strip] of this.#strips) {
      if (wanted.has(id)) continue;
      this.#closeStrip(strip);
      this.#strips.delete(id);
      this.#levels.delete(id);
    }
    for (const [id, settings] of wanted) {
      const strip = this.#strips.get(id);
      if (strip === undefined) this.#addStrip(id, settings, guests.has(id));
      else {
        strip.settings = settings;
        this.#tellStrip(strip);
      }
    }
  }

  setTrack(sourceId: string, track: MediaStreamTrack | undefined): void {
    const strip = this.#strips.get(sourceId);
    // A track may be there before its source is in the document.
    if (strip === undefined) {
      if (track === undefined) this.#early.delete(sourceId);
      else if (this.#state !== "closed") this.#early.set(sourceId, track);
      return;
    }
    if (strip.track === track) return;
    strip.track = track;
    this.#connectTrack(sourceId, strip);
  }

  onSamples(listener: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void): Disposable {
    return this.#events.on("samples", ({ samples, timestamp }) => listener(samples, timestamp));
  }

  mixMinusTrack(): MediaStreamTrack {
    if (this.#mixMinus === undefined) {
      this.#mixMinus = new MixMinus(this.#context);
      if (this.#isClosed()) this.#mixMinus.close();
      else if (this.#program !== undefined) this.#startMixMinus();
    }
    return this.#mixMinus.track;
  }

  tap(sourceId: string, listener: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void): Disposable {
    const tap = new SourceTap(listener);
    this.#taps.set(sourceId, tap);
    tap.node = this.#strips.get(sourceId)?.node;
    return {
      [Symbol.dispose]: () => {
        tap.node = undefined;
        if (this.#taps.get(sourceId) === tap) this.#taps.delete(sourceId);
      },
    };
  }

  meters(): ReadonlyMap<string, Level> {
    return this.#levels;
  }

  loudness(): Loudness {
    return this.#loudness;
  }

  resetLoudness(): void {
    this.#loudness.integrated = -Infinity;
    this.#tellProgram({ type: "reset_loudness" });
  }

  async setMonitorDevice(deviceId: string): Promise<void> {
    if (this.#state === "closed") return;
    const context = this.#context as AudioContext & { setSinkId?(id: string): Promise<void> };
    try {
      if (context.setSinkId === undefined) {
        if (deviceId !== "") throw new Error("this browser plays to the system's default device only");
      } else await context.setSinkId(deviceId);
      this.#solve("no_device");
    } catch (error) {
      this.#complain("no_device", error);
      if (deviceId !== "") await context.setSinkId?.("").catch((again: unknown) => this.#complain("no_device", again));
    }
  }

  setMonitorVolume(volume: number): void {
    this.#monitor.gain.setTargetAtTime(Math.max(0, Math.min(1, volume)), this.#context.currentTime, 0.01);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    clearInterval(this.#watch);
    for (const gesture of GESTURES) globalThis.removeEventListener(gesture, this.#onGesture, { capture: true });
    for (const strip of this.#strips.values()) this.#closeStrip(strip);
    this.#strips.clear();
    this.#early.clear();
    this.#taps.clear();
    this.#tellProgram({ type: "close" });
    this.#program?.port.close();
    this.programTrack.stop();
    this.#mixMinus?.close();
    this.#setState("closed");
    this.#events.clear();
    await this.#context.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(clock: ProgramClock): Promise<void> {
    this.#clock = clock;
    this.#watch = setInterval(() => this.#onWatch(), WATCH_INTERVAL);
    this.#context.onstatechange = () => this.#followContext();
    for (const gesture of GESTURES) globalThis.addEventListener(gesture, this.#onGesture, { capture: true });
    // A secure page has it; the studio's is one.
    if (this.#context.audioWorklet === undefined) {
      this.#complain("unsupported", new Error("this page has no AudioWorklet: it was not loaded over HTTPS"));
      this.#setState("failed");
      return;
    }
    try {
      await this.#context.audioWorklet.addModule(workletAddress);
    } catch (error) {
      this.#complain("unsupported", error);
      this.#setState("failed");
      return;
    }
    if (this.#isClosed()) return;
    this.#makeProgram();
    if (this.#mixMinus !== undefined) this.#startMixMinus();
    for (const [id, strip] of this.#strips) this.#makeNode(id, strip);
    this.#followContext();
    void this.resume();
  }

  #makeProgram(): void {
    const program = new AudioWorkletNode(this.#context, PROGRAM_PROCESSOR, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [2],
      channelCount: 2,
      channelCountMode: "explicit",
    });
    program.port.onmessage = ({ data }: MessageEvent<ProgramReport>) => this.#onProgram(data);
    program.onprocessorerror = () => this.#onProgramError(program);
    program.connect(this.#programOutput);
    for (const { node } of this.#strips.values()) node?.connect(program, 0);
    this.#program = program;
  }

  #startMixMinus(): void {
    this.#mixMinus?.start(() => this.#onMixMinusError());
    for (const { node, guest } of this.#strips.values()) if (node !== undefined && !guest) this.#mixMinus?.add(node);
  }

  /** Told apart from a comparison, since `state` changes while one waits. */
  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #addStrip(id: string, settings: StripSettings, guest: boolean): void {
    const track = this.#early.get(id);
    this.#early.delete(id);
    const player = new Audio();
    player.muted = true;
    const strip: Strip = {
      guest,
      settings,
      told: "",
      track,
      input: undefined,
      player,
      node: undefined,
      hasRnnoise: false,
    };
    this.#strips.set(id, strip);
    this.#levels.set(id, silentLevel());
    if (this.#program !== undefined) this.#makeNode(id, strip);
  }

  #makeNode(id: string, strip: Strip): void {
    const node = new AudioWorkletNode(this.#context, STRIP_PROCESSOR, {
      numberOfInputs: 1,
      numberOfOutputs: 2,
      outputChannelCount: [2, 2],
      channelCount: 2,
      // One channel is made into two alike.
      channelCountMode: "explicit",
      channelInterpretation: "speakers",
    });
    node.port.onmessage = ({ data }: MessageEvent<StripReport>) => {
      const level = this.#levels.get(id);
      if ("problem" in data) this.#complain("noise_suppression", new Error(data.problem));
      else if ("frame" in data) this.#onTapped(id, data);
      else if (level !== undefined && strip.input !== undefined) writeLevel(level, data);
    };
    node.onprocessorerror = () => this.#onStripError(id, strip, node);
    node.connect(this.#program as AudioWorkletNode, 0);
    node.connect(this.#monitor, 1);
    if (!strip.guest) this.#mixMinus?.add(node);
    strip.node = node;
    strip.told = "";
    strip.hasRnnoise = false;
    this.#tellStrip(strip);
    this.#connectTrack(id, strip);
    const tap = this.#taps.get(id);
    if (tap !== undefined) tap.node = node;
  }

  #onTapped(id: string, block: SampleBlock): void {
    if (this.#clock !== undefined && !this.#isClosed()) this.#taps.get(id)?.push(block, this.#clock);
  }

  /** A processor that threw is silent for ever: another takes its place. */
  #onProgramError(program: AudioWorkletNode): void {
    if (this.#program !== program || this.#isClosed()) return;
    program.disconnect();
    this.#failures += 1;
    if (this.#failures <= MOST_FAILURES) this.#makeProgram();
    else {
      this.#complain("unsupported", new Error("the mix stops again and again"));
      this.#setState("failed");
    }
  }

  /** As {@link #onProgramError}; without it guests hear each other and the talkback. */
  #onMixMinusError(): void {
    if (this.#isClosed()) return;
    this.#failures += 1;
    if (this.#failures <= MOST_FAILURES) this.#startMixMinus();
    else this.#complain("unsupported", new Error("what the guests hear stops again and again"));
  }

  /** As {@link #onProgramError}, without what needs WebAssembly, where it had that. */
  #onStripError(id: string, strip: Strip, node: AudioWorkletNode): void {
    if (strip.node !== node || this.#isClosed()) return;
    this.#closeStrip(strip);
    if (suppressesNoise(strip.settings)) {
      this.#complain("noise_suppression", new Error("it failed on the sound's thread"));
    }
    this.#failures += 1;
    if (this.#failures <= MOST_FAILURES) this.#makeNode(id, strip);
    else this.#complain("unsupported", new Error("a source's sound stops again and again"));
  }

  #connectTrack(id: string, strip: Strip): void {
    this.#disconnectTrack(strip);
    if (strip.node === undefined) return;
    if (strip.track === undefined || strip.track.readyState === "ended") {
      const level = this.#levels.get(id);
      if (level !== undefined) Object.assign(level, silentLevel());
      return;
    }
    const stream = new MediaStream([strip.track]);
    strip.input = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    strip.input.connect(strip.node);
    // Chromium decodes what comes by WebRTC only while a media element plays it, be it muted (crbug.com/933677).
    strip.player.srcObject = stream;
    strip.player.play().catch((error: unknown) => {
      // Overtaken by another track, or by the strip's end.
      if (strip.player.srcObject === stream) console.warn("Klieg: a source's track is not played:", error);
    });
  }

  #disconnectTrack(strip: Strip): void {
    strip.input?.disconnect();
    strip.input = undefined;
    strip.player.srcObject = null;
  }

  #tellStrip(strip: Strip): void {
    const { node, settings } = strip;
    if (node === undefined) return;
    const told = JSON.stringify(settings);
    if (told === strip.told) return;
    strip.told = told;
    node.port.postMessage({ type: "settings", settings } satisfies StripMessage);
    if (suppressesNoise(settings) && !strip.hasRnnoise && !this.#problems.has("noise_suppression"))
      void this.#giveRnnoise(strip, node);
  }

  async #giveRnnoise(strip: Strip, node: AudioWorkletNode): Promise<void> {
    strip.hasRnnoise = true;
    try {
      const module = await loadRnnoise();
      if (strip.node === node) node.port.postMessage({ type: "rnnoise", module } satisfies StripMessage);
    } catch (error) {
      this.#complain("noise_suppression", error);
    }
  }

  #closeStrip(strip: Strip): void {
    this.#disconnectTrack(strip);
    const { node } = strip;
    strip.node = undefined;
    if (node === undefined) return;
    node.port.postMessage({ type: "close" } satisfies StripMessage);
    node.port.onmessage = null;
    node.port.close();
    node.disconnect();
  }

  #tellProgram(message: ProgramMessage, transfer: Transferable[] = []): void {
    this.#program?.port.postMessage(message, transfer);
  }

  #onProgram(report: ProgramReport): void {
    if (report instanceof Float64Array) {
      writeLevel(this.#levels.get(PROGRAM) as WritableLevel, report);
      this.#loudness.momentary = report[3] as number;
      this.#loudness.shortTerm = report[4] as number;
      this.#loudness.integrated = report[5] as number;
      return;
    }
    const clock = this.#clock;
    if (clock === undefined || this.#isClosed()) return;
    this.#lastBlockAt = performance.now();
    // The sound's thread told by the wall clock when it mixed this; how long ago that is does not depend on how busy
    // this thread was in between.
    const age = Math.max(0, Date.now() - report.at);
    this.#samples.push(new Float32Array(report.buffer), report.frame, clock.now() - age * 1000);
    this.#tellProgram({ type: "block", buffer: report.buffer }, [report.buffer]);
  }

  readonly #onGesture = () => void this.resume();

  #onWatch(): void {
    const now = performance.now();
    const sinceWatch = now - this.#watchedAt;
    this.#watchedAt = now;
    if (this.#clock === undefined) return;
    const runs = this.#context.state === "running" && this.#state === "running";
    // When this thread itself was held up, what was mixed meanwhile still waits to be taken.
    const stalled = now - this.#lastBlockAt > STALLED_AFTER && sinceWatch < STALLED_AFTER;
    if (!runs || stalled) {
      for (const samples of [this.#samples, ...this.#taps.values()]) samples.fill(this.#clock.now());
    }
    // A page that records may play without a gesture; nothing tells that it does now.
    if (!runs && this.#state !== "failed" && now - this.#resumedAt > RESUME_INTERVAL) void this.resume();
  }

  #followContext(): void {
    if (this.#isClosed() || this.#state === "failed" || this.#program === undefined) return;
    this.#setState(this.#context.state === "running" ? "running" : "waiting");
  }

  #setState(state: MixerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#events.emit("changed", undefined);
  }

  #complain(code: MixerProblem["code"], error: unknown): void {
    if (this.#isClosed()) return;
    this.#problems.set(code, { code, message: error instanceof Error ? error.message : String(error) });
    this.#events.emit("changed", undefined);
  }

  #solve(code: MixerProblem["code"]): void {
    if (this.#problems.delete(code)) this.#events.emit("changed", undefined);
  }
}

function silentLevel(): WritableLevel {
  return { peakDb: SILENCE_DB, rmsDb: SILENCE_DB, reductionDb: 0 };
}

function writeLevel(level: WritableLevel, report: Float64Array): void {
  level.peakDb = report[0] as number;
  level.rmsDb = report[1] as number;
  level.reductionDb = report[2] as number;
}

function suppressesNoise({ filters }: StripSettings): boolean {
  return filters.some(({ enabled, kind }) => enabled && kind === "noise_suppression");
}
