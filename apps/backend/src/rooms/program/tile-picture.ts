import type { Clock } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { type AccessUnit, MediaError, type VideoTrack } from "@klieg/media";
import type { Logger } from "../../ports/logger.ts";
import type { SfuStage } from "../../sfu/sfu-stage.ts";
import { ProducerTap } from "./producer-tap.ts";
import type { Size } from "./program-layout.ts";
import { TileDecoder } from "./tile-decoder.ts";

export interface TilePictureOptions {
  readonly stage: SfuStage;
  readonly producerId: string;
  readonly size: Size;
  readonly binary: FfmpegBinary;
  readonly setpriv: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A decoder that dies is replaced, but not more often than this: its input may be what kills it. */
const RESTART_MS = 1000;
/** Of three simulcast layers, the one that is enough for a tile of at most that many pixels in width. */
const LAYER_WIDTHS: readonly number[] = [240, 480];
/** Larger pictures than any camera's are not decoded: a few bytes can claim more than there is memory for. */
const MAX_PIXELS = 4096 * 2304;

/** One producer's picture in a tile's size, from the network to pixels. */
export class TilePicture implements AsyncDisposable {
  readonly #options: TilePictureOptions;
  #tap: ProducerTap | undefined;
  #decoder: TileDecoder | undefined;
  #lastPicture: Buffer | undefined;
  #later: Disposable | undefined;
  #isTooLarge = false;
  #startedAt = Number.NEGATIVE_INFINITY;
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  private constructor(options: TilePictureOptions) {
    this.#options = options;
  }

  /** @throws {KliegError} `gone` where the producer is; MediaError for a codec that is not taken in. */
  static async open(options: TilePictureOptions): Promise<TilePicture> {
    const picture = new TilePicture(options);
    const layer = LAYER_WIDTHS.findIndex((width) => options.size.width <= width);
    picture.#tap = await ProducerTap.open({
      stage: options.stage,
      producerId: options.producerId,
      spatialLayer: layer < 0 ? undefined : layer,
      clock: options.clock,
      sink: { onTrack: () => undefined, onAccessUnit: (unit) => picture.#onAccessUnit(unit) },
    });
    return picture;
  }

  /** The newest picture; undefined before the first. It holds until the next one is asked for. */
  get picture(): Buffer | undefined {
    return this.#decoder?.picture ?? this.#lastPicture;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#later?.[Symbol.dispose]();
    this.#tap?.close();
    this.#retire();
    await Promise.all(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onAccessUnit(unit: AccessUnit): void {
    if (this.#closed || unit.track.kind !== "video" || !this.#bearable(unit.track)) return;
    if (this.#decoder !== undefined && !this.#decoder.takes(unit.track)) this.#retire();
    if (this.#decoder === undefined) {
      if (unit.keyframe) this.#begin({ ...unit, track: unit.track });
      return;
    }
    this.#decoder.push(unit);
  }

  #bearable(track: VideoTrack): boolean {
    const isTooLarge = track.width * track.height > MAX_PIXELS;
    if (isTooLarge && !this.#isTooLarge) {
      const { logger, producerId } = this.#options;
      logger.warn({ producer: producerId, width: track.width, height: track.height }, "a picture is too large");
      this.#retire();
    }
    this.#isTooLarge = isTooLarge;
    return !isTooLarge;
  }

  #begin(first: AccessUnit & { readonly track: VideoTrack }): void {
    const { binary, setpriv, clock, size, logger } = this.#options;
    if (clock.now() - this.#startedAt < RESTART_MS) {
      this.#requestKeyframeLater();
      return;
    }
    this.#startedAt = clock.now();
    try {
      const decoder: TileDecoder = new TileDecoder(first, {
        binary,
        setpriv,
        clock,
        size,
        onKeyframeNeeded: () => this.#tap?.requestKeyframe(),
        onExit: ({ message }) => {
          if (this.#decoder !== decoder) return;
          logger.warn({ producer: this.#options.producerId, reason: message }, "a decoder of the program ended");
          this.#retire();
          this.#requestKeyframeLater();
        },
      });
      this.#decoder = decoder;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      logger.warn({ producer: this.#options.producerId, err: error }, "a picture cannot be decoded");
    }
  }

  #requestKeyframeLater(): void {
    this.#later?.[Symbol.dispose]();
    this.#later = this.#options.clock.after(RESTART_MS, () => {
      if (this.#decoder === undefined) this.#tap?.requestKeyframe();
    });
  }

  #retire(): void {
    const decoder = this.#decoder;
    if (decoder === undefined) return;
    this.#decoder = undefined;
    this.#lastPicture = decoder.picture ?? this.#lastPicture;
    const closing = decoder.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
