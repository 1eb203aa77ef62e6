import { makeFootage } from "@klieg/ffmpeg/testing";
import type { AccessUnit, VideoTrack } from "@klieg/media";
import { PROGRAM_HEADER_BYTES, type ProgramFrame, readProgramFrame, writeProgramHeader } from "@klieg/protocol";
import type { ProgramFeed, ProgramSource } from "../../apps/studio/src/engine/program/program-feed.ts";

/** Where a page's program goes: the feed itself, or something that carries it there. */
export type ProgramWay = Pick<ProgramFeed, "openSource"> & { readonly events: Pick<ProgramFeed["events"], "on"> };

export interface ProgramPageOptions {
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second. */
  readonly frameRate?: number;
  /** bits/s of the picture, which an encoder without anything to show would not reach: it is filled up (H.264 7.4.1, filler data). */
  readonly bitrate?: number;
}

type PageFrame = Partial<ProgramFrame> & Pick<ProgramFrame, "kind" | "keyframe" | "timestamp">;

const SAMPLE_RATE = 48_000;
const BLOCK_MS = 20;
const TONE_HZ = 440;
const LOOP_S = 4;
const GOP_S = 2;

/**
 * What the studio's page sends to the engine, without a browser: H.264 as WebCodecs makes it and samples of a tone, in real
 * time, as the binary messages of the protocol. Its encoder does as it is told: bit rate and keyframes.
 */
export class ProgramPage implements Disposable {
  readonly #feed: ProgramWay;
  readonly #pictures: readonly AccessUnit[];
  readonly #frameRate: number;
  readonly #subscription: Disposable;
  #source: ProgramSource;
  #epoch = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #picture = 0;
  #block = 0;
  #shown = 0;
  #jump = false;
  /** By which the engine knows a source that it records by itself. */
  #isolated: number | undefined;
  /** bits/s that the picture has from now on; undefined: what footage has. */
  bitrate: number | undefined;

  private constructor(feed: ProgramWay, pictures: readonly AccessUnit[], frameRate: number, bitrate?: number) {
    this.#feed = feed;
    this.#pictures = pictures;
    this.#frameRate = frameRate;
    this.bitrate = bitrate;
    this.#subscription = feed.events.on("keyframe_wanted", () => {
      this.#jump = true;
    });
    this.#source = feed.openSource();
    this.#begin();
  }

  static async open(feed: ProgramWay, options: ProgramPageOptions = {}): Promise<ProgramPage> {
    const { width = 640, height = 360, frameRate = 30, bitrate } = options;
    const footage = await makeFootage({ width, height, frameRate, seconds: LOOP_S, gop: GOP_S * frameRate });
    return new ProgramPage(feed, footage, frameRate, bitrate);
  }

  /** As a reload: the page is gone, and comes again after `ms` with a clock of its own. */
  async reload(ms: number): Promise<void> {
    this.leave();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#source = this.#feed.openSource();
    this.#begin();
  }

  /** Sends everything once more from now on, as that of a source that the engine records by itself under this number. */
  isolate(number: number): void {
    this.#isolated = number;
    this.#configure(number);
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.leave();
    this.#subscription[Symbol.dispose]();
  }

  #begin(): void {
    this.#epoch = performance.now();
    this.#picture = 0;
    this.#block = 0;
    this.#shown = 0;
    this.#configure();
    this.#timer = setInterval(() => this.#step(), 5);
  }

  #configure(isolated = 0): void {
    const [first] = this.#pictures as readonly [AccessUnit];
    const { width, height, config } = first.track as VideoTrack;
    this.#push({ kind: "avc_config", keyframe: false, timestamp: 0, width, height, isolated }, config);
  }

  #step(): void {
    const elapsed = performance.now() - this.#epoch;
    for (; (this.#picture * 1000) / this.#frameRate <= elapsed; this.#picture += 1) this.#sendPicture();
    for (; this.#block * BLOCK_MS <= elapsed; this.#block += 1) this.#sendSamples();
  }

  #sendPicture(): void {
    const gop = GOP_S * this.#frameRate;
    // A keyframe that is asked for: the footage goes on at its next one.
    if (this.#jump) this.#shown = (Math.ceil(this.#shown / gop) * gop) % this.#pictures.length;
    this.#jump = false;
    const unit = this.#pictures[this.#shown] as AccessUnit;
    this.#shown = (this.#shown + 1) % this.#pictures.length;
    const { width, height } = unit.track as VideoTrack;
    const timestamp = (this.#picture * 1e6) / this.#frameRate;
    this.#pushTwice({ kind: "avc", keyframe: unit.keyframe, timestamp, width, height }, this.#filled(unit.data));
  }

  #filled(data: Uint8Array): Uint8Array {
    const missing = Math.floor((this.bitrate ?? 0) / 8 / this.#frameRate) - data.length - 6;
    if (missing <= 0) return data;
    const filler = Buffer.alloc(6 + missing, 0xff);
    filler.writeUInt32BE(2 + missing, 0);
    filler[4] = 12;
    filler[5 + missing] = 0x80;
    return Buffer.concat([data, filler]);
  }

  #sendSamples(): void {
    const count = (SAMPLE_RATE * BLOCK_MS) / 1000;
    const pcm = Buffer.alloc(count * 4);
    for (let i = 0; i < count; i += 1) {
      const value = Math.round(8000 * Math.sin((2 * Math.PI * TONE_HZ * (this.#block * count + i)) / SAMPLE_RATE));
      pcm.writeInt16LE(value, i * 4);
      pcm.writeInt16LE(value, i * 4 + 2);
    }
    const timestamp = this.#block * BLOCK_MS * 1000;
    this.#pushTwice({ kind: "pcm", keyframe: false, timestamp, sampleRate: SAMPLE_RATE, channels: 2 }, pcm);
  }

  #pushTwice(frame: PageFrame, data: Uint8Array): void {
    this.#push(frame, data);
    if (this.#isolated !== undefined) this.#push({ ...frame, isolated: this.#isolated }, data);
  }

  #push(frame: PageFrame, data: Uint8Array): void {
    const message = new Uint8Array(PROGRAM_HEADER_BYTES + data.length);
    writeProgramHeader(message, { upload: 0, width: 0, height: 0, sampleRate: 0, channels: 0, ...frame });
    message.set(data, PROGRAM_HEADER_BYTES);
    const read = readProgramFrame(message);
    if (read === undefined) throw new Error("the page has made a message that is none");
    this.#source.push(read);
  }
}
