import { ManualClock } from "@klieg/base";
import { DEFAULT_INGEST_PROFILE } from "@klieg/protocol";
import { Audience } from "../live/audience.ts";
import { StreamPackager } from "../package/stream-packager.ts";
import type { Contribution } from "../stream/contribution.ts";
import { Stream } from "../stream/stream.ts";
import { FakeSession } from "./fake-session.ts";
import { MemoryBlobStore } from "./memory-blob-store.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { AUDIO, picture, sound, VIDEO } from "./tracks.ts";

const FRAME_TICKS = 3000;
const SOUND_TICKS = 1920;

/** A stream with its packager and no transcoder, on a clock that a test turns. */
export class PackagedStream implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly logger = new RecordingLogger();
  readonly blobs = new MemoryBlobStore();
  readonly stream: Stream;
  readonly audience = new Audience(this.clock);
  readonly packager: StreamPackager;
  contribution: Contribution | undefined;
  #videoDts = 0;
  #audioDts = 0;

  constructor(options: { windowMs?: number; observePart?: () => void } = {}) {
    this.stream = new Stream({
      id: "abcdefgh23456723",
      channel: "demo",
      profile: DEFAULT_INGEST_PROFILE,
      clock: this.clock,
      logger: this.logger,
      reconnectGraceMs: 30_000,
    });
    this.packager = new StreamPackager(this.stream, {
      clock: this.clock,
      logger: this.logger,
      blobs: this.blobs,
      partMs: 333,
      segmentMs: 2000,
      windowMs: options.windowMs ?? 60_000,
      observePart: options.observePart ?? (() => undefined),
    });
    this.packager.expect([]);
  }

  connect(options: { video?: boolean; audio?: boolean } = {}): void {
    this.contribution = this.stream.attach(new FakeSession());
    if (options.video !== false) this.contribution.onTrack(VIDEO);
    if (options.audio !== false) this.contribution.onTrack(AUDIO);
  }

  /** Sends so many seconds of 30 fps video (keyframes every 2 s) and sound, in real time of the test's clock. */
  async send(seconds: number, options: { video?: boolean; audio?: boolean } = {}): Promise<void> {
    const end = this.clock.now() + seconds * 1000;
    while (this.clock.now() < end - 1) {
      if (options.video !== false) {
        const keyframe = (this.#videoDts / FRAME_TICKS) % 60 === 0;
        this.contribution?.onAccessUnit(picture(this.#videoDts, { keyframe }));
      }
      this.#videoDts += FRAME_TICKS;
      while (this.#audioDts < this.#videoDts) {
        if (options.audio !== false) this.contribution?.onAccessUnit(sound(this.#audioDts));
        this.#audioDts += SOUND_TICKS;
      }
      this.clock.advance(1000 / 30);
      // Writes to the store and answers to waiting requests happen beside the media path.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.audience[Symbol.dispose]();
    await this.stream.close();
    await this.packager.close();
    await this.blobs.close();
  }
}
