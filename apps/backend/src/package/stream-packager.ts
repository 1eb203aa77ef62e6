import type { Clock } from "@klieg/base";
import { type AccessUnit, type Boundary, renderMultivariant, SegmentAligner, TICKS_PER_SECOND } from "@klieg/media";
import { type HealthWarning, KliegError, type RenditionInfo } from "@klieg/protocol";
import { Origin } from "../origin/origin.ts";
import { RenditionEdge } from "../origin/rendition-edge.ts";
import { SegmentArchive } from "../origin/segment-archive.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { Reader } from "../stream/reader.ts";
import type { Stream } from "../stream/stream.ts";
import { Rendition, type RenditionOwner } from "./rendition.ts";

export interface StreamPackagerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly blobs: BlobStore;
  readonly partMs: number;
  readonly segmentMs: number;
  readonly windowMs: number;
  /** Told of every part that is published. @param latencyMs from when its last frame was due to its publication. */
  readonly observePart: (origin: "source" | "transcode", latencyMs: number) => void;
}

/**
 * EXT-X-TARGETDURATION must never change, and keyframes up to 4 s apart are allowed: so segments are made for 2 s and
 * announced as up to 4 s. See docs/adr.
 */
const LEAST_TARGET_DURATION = 4;
/** PART-TARGET in excess of the nominal part, ms: timestamps in whole milliseconds make ten frames last 334 ms. */
const PART_ROUNDING_MS = 1;
/** How long a source's video track is waited for before its sound leads alone, 90 kHz ticks and ms. */
const VIDEO_WAIT_TICKS = TICKS_PER_SECOND;
const VIDEO_WAIT_MS = 2000;
/** How long the source rendition waits for its sound and the transcoded ones before the stream counts as live, ms. */
const RENDITIONS_WAIT_MS = 3000;
/** A rendition whose edge is so far behind the leader's is stalled, 90 kHz ticks. */
const STALLED_TICKS = 4 * TICKS_PER_SECOND;
const QUEUE_BYTES = 32 * 1024 * 1024;
const MAX_PROBED_UNITS = 2048;
/** A player on an ordinary connection can begin with this, bits/s. */
const FIRST_VARIANT_BITRATE = 3_500_000;
const AUDIO_GROUP = "audio";

/**
 * Packages one stream (PKG1, PKG4): the source's own access units as the rendition `source` and `audio`, transcoded
 * ones beside it, all cut at the same boundaries, all served by one {@link Origin}.
 */
export class StreamPackager implements RenditionOwner, AsyncDisposable {
  readonly origin: Origin;
  readonly #stream: Stream;
  readonly #options: StreamPackagerOptions;
  readonly #logger: Logger;
  readonly #archive: SegmentArchive;
  readonly #reader: Reader;
  readonly #renditions = new Map<string, Rendition>();
  readonly #edges = new Map<string, RenditionEdge>();
  readonly #aligner = new SegmentAligner();
  readonly #targetDuration: number;
  readonly #partTarget: number;
  /** Units that wait until it is known whether there is video. */
  #probed: AccessUnit[] | undefined = [];
  #probingSince: number | undefined;
  #passAudioThrough = true;
  #passVideoThrough = true;
  /** Transcoded renditions that are on their way; undefined while it is not known which. */
  #expected: readonly string[] | undefined;
  #liveTimer: Disposable | undefined;
  /** Media Sequence Number of the first segment that viewers are shown. */
  #firstShown = 0;
  #ended = false;
  #closed: Promise<void> | undefined;

  constructor(stream: Stream, options: StreamPackagerOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#logger = options.logger.child({ stream: stream.id, channel: stream.channel });
    this.#targetDuration = Math.max(LEAST_TARGET_DURATION, Math.ceil((options.segmentMs * 2) / 1000));
    this.#partTarget = (options.partMs + PART_ROUNDING_MS) / 1000;
    this.#archive = new SegmentArchive({
      blobs: options.blobs,
      streamId: stream.id,
      logger: this.#logger,
      clock: options.clock,
    });
    this.origin = new Origin({
      edges: this.#edges,
      archive: this.#archive,
      targetDuration: this.#targetDuration,
      renderMultivariant: (base, insider) => this.#renderMultivariant(base, insider),
    });
    this.#reader = stream.read({ name: "package", maxQueuedBytes: QUEUE_BYTES });
    this.#reader.onReadable = () => this.#drain();
  }

  get renditions(): readonly Rendition[] {
    return [...this.#renditions.values()];
  }

  /** EXT-X-TARGETDURATION, s. */
  get targetDuration(): number {
    return this.#targetDuration;
  }

  /** PART-TARGET, s. */
  get partTarget(): number {
    return this.#partTarget;
  }

  get warnings(): HealthWarning[] {
    const since = this.#archive.failingSince;
    if (since === undefined) return [];
    return [
      {
        code: "storage_unavailable",
        message: "Segments cannot be stored: viewers can still watch live, but not go far back. Check the disk.",
        since: new Date(since).toISOString(),
      },
    ];
  }

  /** Whether viewers can play it: something, and nothing that came before it was public. */
  get shown(): boolean {
    return this.#main?.shown === true;
  }

  /** LL-HLS players that wait for the next part of the picture; of the sound, where that is all there is. */
  get followers(): number {
    const kind = this.renditions.some((rendition) => rendition.kind === "video") ? "video" : "audio";
    return this.renditions.reduce((sum, each) => sum + (each.kind === kind ? (each.edge?.followers ?? 0) : 0), 0);
  }

  /**
   * The stream becomes public now: viewers are shown what begins from here on, a segment that is still to come, and never
   * what was sent before.
   */
  showFromNow(): void {
    // Media has come, of which nothing is cut yet: it will be in the first segment.
    if (this.#edges.size === 0 && (this.#stream.video ?? this.#stream.audio) !== undefined) this.#firstShown = 1;
    for (const edge of this.#edges.values()) {
      this.#firstShown = Math.max(this.#firstShown, (edge.playlist.openMsn ?? edge.playlist.lastMsn) + 1);
    }
    for (const edge of this.#edges.values()) edge.showFrom(this.#firstShown);
  }

  /** How each rendition stands. */
  describe(): RenditionInfo[] {
    const ends = this.renditions.flatMap((rendition) => rendition.lastPartEndTicks ?? []);
    const newest = Math.max(0, ...ends);
    return this.renditions.map((rendition) => {
      const end = rendition.lastPartEndTicks;
      if (end === undefined) return rendition.describe("starting");
      return rendition.describe(newest - end > STALLED_TICKS ? "stalled" : "live");
    });
  }

  /** Whether the source's own sound is packaged; else the rendition `audio` is transcoded. */
  set passAudioThrough(pass: boolean) {
    this.#passAudioThrough = pass;
  }

  /** Whether the source's own video is packaged; else only what is transcoded of it, which leads then. */
  set passVideoThrough(pass: boolean) {
    this.#passVideoThrough = pass;
  }

  /**
   * The transcoded renditions that are on their way, none perhaps. Until this is said, and they are there, the stream
   * does not count as live, unless they are late.
   */
  expect(renditions: readonly { name: string; kind: "video" | "audio" }[]): void {
    if (this.#ended) return;
    this.#expected = renditions.map(({ name }) => name);
    for (const { name, kind } of renditions) {
      if (!this.#renditions.has(name)) this.#add(name, kind, "transcode");
    }
    this.#considerLive();
  }

  /** Takes an access unit of a transcoded rendition, which is made when it is new. */
  pushTranscoded(name: string, encoder: string | undefined, unit: AccessUnit): void {
    if (this.#ended) return;
    this.#guarded(() => {
      const rendition = this.#renditions.get(name) ?? this.#add(name, unit.track.kind, "transcode");
      rendition.encoder = encoder;
      rendition.push(unit);
    });
  }

  openEdge(rendition: Rendition, first: Boundary): RenditionEdge {
    const { name } = rendition;
    const segmentSeconds = this.#options.segmentMs / 1000;
    const edge = new RenditionEdge({
      name,
      archive: this.#archive,
      clock: this.#options.clock,
      targetDuration: this.#targetDuration,
      partTarget: this.#partTarget,
      windowTicks: (this.#options.windowMs / 1000) * TICKS_PER_SECOND,
      // Parts are listed for three segments and stay for three target durations after that (RFC 8216bis § 6.2.2).
      segmentsInMemory: 3 + Math.ceil((3 * this.#targetDuration) / segmentSeconds),
      firstMediaSequence: first.index,
      firstDiscontinuitySequence: first.discontinuitySequence - (first.discontinuity ? 1 : 0),
      reports: () => this.#reportsFor(name),
    });
    edge.showFrom(this.#firstShown);
    this.#edges.set(name, edge);
    this.#logger.info({ rendition: name, origin: rendition.origin, msn: first.index }, "rendition begins");
    return edge;
  }

  wallAt(ticks: number): number {
    return this.#stream.timeline.wallAt(ticks) ?? this.#options.clock.wall();
  }

  onPart(rendition: Rendition, endTicks: number): void {
    this.#options.observePart(rendition.origin, this.#options.clock.wall() - this.wallAt(endTicks));
  }

  onSegment(): void {
    if (this.#stream.state === "starting") this.#considerLive();
  }

  /** The source is gone: what it sent is published, and what comes after it is a discontinuity. */
  interrupt(): void {
    if (this.#ended) return;
    this.#guarded(() => {
      for (const rendition of this.#renditions.values()) if (rendition.origin === "source") rendition.flush();
    });
  }

  /** The transcoder has handed on all that it could make of a source that is gone. */
  settle(): void {
    if (!this.#ended) this.#guarded(() => this.#aligner.flush());
  }

  /** Nothing more will come: every playlist ends. Idempotent. */
  end(): void {
    this.settle();
    if (this.#ended) return;
    this.#ended = true;
    this.#liveTimer?.[Symbol.dispose]();
    for (const rendition of this.#renditions.values()) rendition.end();
  }

  /** Deletes what was stored. The stream must have ended. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.end();
    this.#reader.close();
    await this.#archive.close();
  }

  #drain(): void {
    this.#guarded(() => {
      for (let unit = this.#reader.take(); unit !== undefined; unit = this.#reader.take()) {
        if (this.#probed === undefined) this.#route(unit);
        else this.#probe(unit, this.#probed);
      }
    });
  }

  /** A fault of ours costs this stream, never the others: it ends here, and its encoder begins another. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#logger.error({ err: error }, "packaging failed: the stream ends");
      this.#ended = true;
      this.#liveTimer?.[Symbol.dispose]();
      for (const edge of this.#edges.values()) edge.end();
      this.#stream.end({ by: "self", message: "packaging failed" }, KliegError.from(error));
    }
  }

  /** Before it is known what the source sends: video leads, as soon as there is any; sound where none comes. */
  #probe(unit: AccessUnit, probed: AccessUnit[]): void {
    probed.push(unit);
    const now = this.#options.clock.now();
    this.#probingSince ??= now;
    const first = probed[0] as AccessUnit;
    const waitedEnough =
      unit.dts - first.dts >= VIDEO_WAIT_TICKS ||
      now - this.#probingSince >= VIDEO_WAIT_MS ||
      probed.length >= MAX_PROBED_UNITS;
    if (this.#stream.video === undefined && !waitedEnough) return;
    this.#probed = undefined;
    // The first to join leads: video where there is any, whichever track's unit came first.
    if (this.#stream.video !== undefined && this.#passVideoThrough) this.#add("source", "video", "source");
    for (const held of probed) this.#route(held);
  }

  #route(unit: AccessUnit): void {
    const { kind } = unit.track;
    if (kind === "audio" && !this.#passAudioThrough) return;
    if (kind === "video" && !this.#passVideoThrough) return;
    const name = kind === "video" ? "source" : "audio";
    (this.#renditions.get(name) ?? this.#add(name, kind, "source")).push(unit);
  }

  #add(name: string, kind: "video" | "audio", origin: "source" | "transcode"): Rendition {
    const rendition = new Rendition({
      name,
      kind,
      origin,
      targetDuration: this.#targetDuration,
      partTarget: this.#partTarget,
      segmentTarget: this.#options.segmentMs / 1000,
      aligner: this.#aligner,
      owner: this,
    });
    this.#renditions.set(name, rendition);
    return rendition;
  }

  /** The rendition that the stream cannot be live without. */
  get #main(): Rendition | undefined {
    const source = this.#renditions.get("source");
    if (source !== undefined) return source;
    if (this.#passVideoThrough || this.#stream.video === undefined) return this.#renditions.get("audio");
    const made = this.renditions.filter(({ kind }) => kind === "video");
    return made.find(({ playable }) => playable) ?? made[0];
  }

  get #expectsSourceSound(): boolean {
    return this.#stream.audio !== undefined && this.#passAudioThrough;
  }

  /** Live is what viewers can choose from: the source, its sound, and the other renditions unless they are late. */
  #considerLive(): void {
    if (this.#stream.state !== "starting" || this.#main?.playable !== true) return;
    const isPlayable = (name: string) => this.#renditions.get(name)?.playable === true;
    const complete = this.#expected?.every(isPlayable) ?? false;
    // Players load the multivariant playlist once: who came before the sound would never hear it.
    if (complete && (!this.#expectsSourceSound || isPlayable("audio"))) {
      this.#liveTimer?.[Symbol.dispose]();
      this.#stream.markLive();
      return;
    }
    this.#liveTimer ??= this.#options.clock.after(RENDITIONS_WAIT_MS, () => this.#stream.markLive());
  }

  #reportsFor(name: string) {
    const reports = [];
    for (const [other, edge] of this.#edges) {
      if (other === name || !edge.playable) continue;
      const { lastMsn, lastPart } = edge.playlist;
      reports.push({ uri: `../${other}/index.m3u8`, lastMsn, lastPart });
    }
    return reports;
  }

  #renderMultivariant(base: string, insider: boolean): string {
    const canPlay = (rendition: Rendition | undefined) => (insider ? rendition?.playable : rendition?.shown) === true;
    const playable = this.renditions.filter(canPlay);
    const video = playable.filter((rendition) => rendition.kind === "video");
    const audio = playable.filter((rendition) => rendition.kind === "audio");
    if (!canPlay(this.#main)) throw new KliegError("stream_not_live", "Nothing can be played yet.");
    const uri = (rendition: Rendition) => `${base}${rendition.name}/index.m3u8`;
    const bitrates = (rendition: Rendition) => ({
      bandwidth: rendition.edge?.peakBitrate ?? 0,
      averageBandwidth: rendition.edge?.averageBitrate ?? 0,
    });
    const codecOf = (rendition: Rendition) => rendition.track?.codecString ?? "";
    const independent = this.renditions.every((rendition) => rendition.edge?.playlist.independentSegments ?? true);
    if (video.length === 0) {
      return renderMultivariant({
        independentSegments: independent,
        audio: [],
        variants: audio.map((rendition) => ({
          uri: uri(rendition),
          codecs: [codecOf(rendition)],
          ...bitrates(rendition),
        })),
      });
    }
    const variants = video
      .map((rendition) => {
        const { track } = rendition;
        const frameRate = this.#frameRateOf(rendition);
        return {
          uri: uri(rendition),
          codecs: [codecOf(rendition)],
          ...bitrates(rendition),
          ...(track?.kind === "video" ? { resolution: { width: track.width, height: track.height } } : {}),
          ...(frameRate === undefined ? {} : { frameRate }),
          ...(audio.length === 0 ? {} : { audioGroup: AUDIO_GROUP }),
        };
      })
      .sort((a, b) => b.bandwidth - a.bandwidth);
    // A player that does not measure first begins with the first one.
    const first = variants.findIndex((variant) => variant.bandwidth <= FIRST_VARIANT_BITRATE);
    if (first > 0) variants.unshift(...variants.splice(first, 1));
    return renderMultivariant({
      independentSegments: independent,
      audio: audio.map((rendition) => {
        const { track } = rendition;
        return {
          groupId: AUDIO_GROUP,
          uri: uri(rendition),
          name: "Sound",
          isDefault: true,
          codec: codecOf(rendition),
          ...(track?.kind === "audio" ? { channels: track.channels } : {}),
          ...bitrates(rendition),
        };
      }),
      variants,
    });
  }

  #frameRateOf(rendition: Rendition): number | undefined {
    const { track } = rendition;
    if (track?.kind !== "video") return undefined;
    return track.frameRate ?? this.#stream.contribution?.meter.mediaFrameRate;
  }
}
