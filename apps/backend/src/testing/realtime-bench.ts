import { systemClock } from "@klieg/base";
import { type AccessUnit, RtpDemuxer, type RtpStream, type Track } from "@klieg/media";
import { DEFAULT_INGEST_PROFILE } from "@klieg/protocol";
import { RealtimeView, type RealtimeWatch } from "../live/realtime-view.ts";
import { Sfu } from "../sfu/sfu.ts";
import type { SfuTap } from "../sfu/sfu-tap.ts";
import { findWorkerProgram } from "../sfu/worker-program.ts";
import type { Contribution, ContributionSession } from "../stream/contribution.ts";
import { Stream } from "../stream/stream.ts";
import type { TranscodeEngine } from "../transcode/transcode-engine.ts";
import { FakeSession } from "./fake-session.ts";
import { RecordingLogger } from "./recording-logger.ts";

/** A stream and its view for WebRTC viewers, on a real media worker, by the machine's clock. */
export class RealtimeBench implements AsyncDisposable {
  readonly logger = new RecordingLogger();
  readonly sfu: Sfu;
  readonly stream: Stream;
  readonly view: RealtimeView;
  #contribution: Contribution | undefined;
  #sending: { stopped: boolean; done: Promise<void> } | undefined;

  private constructor(sfu: Sfu, engine: TranscodeEngine, lingerMs: number) {
    this.sfu = sfu;
    this.stream = new Stream({
      id: "abcdefgh23456723",
      channel: "demo",
      profile: DEFAULT_INGEST_PROFILE,
      clock: systemClock,
      logger: this.logger,
      reconnectGraceMs: 30_000,
    });
    const { logger, stream } = this;
    this.view = new RealtimeView({ stream, sfu, engine, clock: systemClock, logger, lingerMs });
  }

  static async open(engine: TranscodeEngine, options: { lingerMs?: number } = {}): Promise<RealtimeBench> {
    const sfu = await Sfu.open({
      logger: new RecordingLogger(),
      workerProgram: findWorkerProgram(),
      workers: 1,
      port: 0,
      addresses: [{ ip: "127.0.0.1" }],
    });
    return new RealtimeBench(sfu, engine, options.lingerMs ?? 10_000);
  }

  /** An encoder connects, in the place of the one before, if there was one. */
  connect(session: ContributionSession = new FakeSession()): Contribution {
    this.#contribution = this.stream.attach(session);
    return this.#contribution;
  }

  /** Sends access units over and over in real time, until something else is sent. @param span of one round, 90 kHz ticks. */
  send(units: readonly AccessUnit[], span: number): void {
    const contribution = this.#contribution;
    if (contribution === undefined) throw new Error("no encoder is connected");
    if (this.#sending !== undefined) this.#sending.stopped = true;
    const sending = { stopped: false, done: Promise.resolve() };
    this.#sending = sending;
    const began = performance.now();
    const first = units[0]?.dts ?? 0;
    const tracks = new Set<Track>();
    sending.done = (async () => {
      for (let round = 0; ; round += 1) {
        for (const unit of units) {
          const shift = round * span;
          const wait = began + (unit.dts + shift - first) / 90 - performance.now();
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
          if (sending.stopped) return;
          if (!tracks.has(unit.track)) contribution.onTrack(unit.track);
          tracks.add(unit.track);
          contribution.onAccessUnit({ ...unit, dts: unit.dts + shift, pts: unit.pts + shift });
        }
      }
    })();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#sending !== undefined) {
      this.#sending.stopped = true;
      await this.#sending.done;
    }
    await this.stream.close();
    await this.view.close();
    await this.sfu.close();
  }
}

/** An access unit and when it came, ms of `performance.now`. */
export interface Received {
  readonly unit: AccessUnit;
  readonly at: number;
}

/** What comes out for a viewer, taken apart again. */
export class RealtimeReceiver implements Disposable {
  readonly units: Received[] = [];
  readonly reports = { video: 0, audio: 0 };
  readonly demuxer: RtpDemuxer;
  readonly taps: SfuTap[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor() {
    this.demuxer = new RtpDemuxer({
      onTrack: () => undefined,
      onAccessUnit: (unit) => {
        this.units.push({ unit, at: performance.now() });
        for (const check of this.#waiting) check();
      },
    });
  }

  static async of(watch: RealtimeWatch): Promise<RealtimeReceiver> {
    const receiver = new RealtimeReceiver();
    for (const kind of ["video", "audio"] as const) {
      const id = watch[kind];
      if (id !== undefined) await receiver.#tap(watch, kind, id);
    }
    return receiver;
  }

  of(kind: "video" | "audio"): Received[] {
    return this.units.filter(({ unit }) => unit.track.kind === kind);
  }

  /** Resolves when `met` holds; asked after each access unit. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (!met()) return;
      this.#waiting.delete(check);
      resolve();
    };
    this.#waiting.add(check);
    return promise;
  }

  [Symbol.dispose](): void {
    for (const tap of this.taps) tap.close();
    this.demuxer.close();
  }

  async #tap(watch: RealtimeWatch, kind: "video" | "audio", id: string): Promise<void> {
    let stream: RtpStream | undefined;
    const tap = await watch.stage.addTap(id, {
      onRtp: (packet) => stream?.push(packet, performance.now()),
      onSenderReport: (report) => {
        this.reports[kind] += 1;
        stream?.onSenderReport(report);
      },
      onClosed: () => undefined,
    });
    this.taps.push(tap);
    const [codec] = tap.rtpParameters.codecs;
    if (codec === undefined) throw new Error("no codec");
    stream = this.demuxer.addStream({ id: 0, kind, codec, payloadType: codec.payloadType });
  }
}
