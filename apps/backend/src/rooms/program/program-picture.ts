import type { Clock } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import type { RoomLayout } from "@klieg/protocol";
import type { Logger } from "../../ports/logger.ts";
import type { RoomProducerData } from "../participant-media.ts";
import type { Room } from "../room.ts";
import { Canvas } from "./canvas.ts";
import { arrange, type PictureSource, type Size, shownSpeaker, type Tile } from "./program-layout.ts";
import { TilePicture } from "./tile-picture.ts";

export interface ProgramPictureOptions {
  readonly room: Room;
  readonly layout: RoomLayout;
  readonly size: Size;
  readonly binary: FfmpegBinary;
  readonly setpriv: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whoever is shown as the speaker is shown for so long at least, ms. */
const SPEAKER_HOLD_MS = 2000;
/** A picture that has not come after so long is not waited for any more, ms. */
const PATIENCE_MS = 2500;

/** A picture on its way to the canvas. */
interface Shot {
  /** Undefined while it is being opened, or where it could not be. */
  picture: TilePicture | undefined;
}

/** What the program shows: the room's pictures on one canvas, by the layout. */
export class ProgramPicture implements AsyncDisposable {
  readonly #options: ProgramPictureOptions;
  readonly #canvas: Canvas;
  readonly #shots = new Map<string, Shot>();
  readonly #closing = new Set<Promise<void>>();
  #layout: RoomLayout;
  /** What is to be shown, and since when, monotonic ms. */
  #wanted: readonly Tile[] = [];
  #wantedSince: number;
  /** What is shown until all of that is there. */
  #shown: readonly Tile[] = [];
  #speaker: string | undefined;
  #speakerSince = Number.NEGATIVE_INFINITY;
  #shownSpeaker: string | undefined;
  #hold: Disposable | undefined;
  #closed = false;

  constructor(options: ProgramPictureOptions) {
    this.#options = options;
    this.#layout = options.layout;
    this.#canvas = new Canvas(options.size);
    this.#wantedSince = options.clock.now();
  }

  get layout(): RoomLayout {
    return this.#layout;
  }

  set layout(layout: RoomLayout) {
    this.#layout = layout;
    this.update();
  }

  /** What is sent in the room, or who speaks there, has changed. */
  update(): void {
    if (this.#closed) return;
    this.#hold?.[Symbol.dispose]();
    this.#hold = undefined;
    const sources = this.#sources();
    this.#followSpeaker();
    const tiles = arrange(this.#layout, sources, this.#options.size, this.#speaker, this.#shownSpeaker);
    this.#shownSpeaker = shownSpeaker(tiles, sources) ?? this.#shownSpeaker;
    if (sameTiles(tiles, this.#wanted)) return;
    this.#wanted = tiles;
    this.#wantedSince = this.#options.clock.now();
    for (const tile of tiles) if (!this.#shots.has(keyOf(tile))) this.#open(tile);
    this.#retire();
  }

  /** The picture of this moment, I420; it holds until the next call. */
  compose(): Uint8Array {
    if (this.#shown !== this.#wanted && this.#isReady()) {
      this.#shown = this.#wanted;
      this.#canvas.clear();
      this.#retire();
    }
    for (const tile of this.#shown) {
      const picture = this.#shots.get(keyOf(tile))?.picture?.picture;
      if (picture !== undefined) this.#canvas.draw(picture, tile);
    }
    return this.#canvas.bytes;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hold?.[Symbol.dispose]();
    this.#wanted = [];
    this.#shown = [];
    this.#retire();
    await Promise.all(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isReady(): boolean {
    if (this.#options.clock.now() - this.#wantedSince > PATIENCE_MS) return true;
    return this.#wanted.every((tile) => this.#shots.get(keyOf(tile))?.picture?.picture !== undefined);
  }

  /** Takes over who speaks in the room, not too often. */
  #followSpeaker(): void {
    const { room, clock } = this.#options;
    const speaker = room.voices?.activeSpeaker;
    if (speaker === undefined || speaker === this.#speaker) return;
    const left = this.#speakerSince + SPEAKER_HOLD_MS - clock.now();
    if (left > 0) {
      this.#hold = clock.after(left, () => this.update());
      return;
    }
    this.#speaker = speaker;
    this.#speakerSince = clock.now();
  }

  /** Pictures that are sent and not paused, by who joined first. */
  #sources(): PictureSource[] {
    const sources: PictureSource[] = [];
    for (const { media } of this.#options.room.participants.values()) {
      for (const { producer, source } of media.producers) {
        if (producer.closed || producer.paused || (source !== "camera" && source !== "screen")) continue;
        const { participantId } = producer.appData as Partial<RoomProducerData>;
        if (participantId !== undefined) sources.push({ producerId: producer.id, participantId, source });
      }
    }
    return sources;
  }

  #open(tile: Tile): void {
    const { room, binary, setpriv, clock, logger } = this.#options;
    const { stage } = room;
    const key = keyOf(tile);
    const shot: Shot = { picture: undefined };
    this.#shots.set(key, shot);
    if (stage === undefined) return;
    const { producerId, width, height } = tile;
    const opening = TilePicture.open({ stage, producerId, size: { width, height }, binary, setpriv, clock, logger })
      .then(async (picture) => {
        if (this.#shots.get(key) === shot) shot.picture = picture;
        else await picture.close();
      })
      .catch((error: unknown) => {
        if (this.#shots.get(key) === shot) logger.warn({ err: error, producer: producerId }, "a picture is not shown");
      });
    this.#whileClosing(opening);
  }

  /** Lets go of what is neither shown nor wanted. */
  #retire(): void {
    const kept = new Set([...this.#shown, ...this.#wanted].map(keyOf));
    for (const [key, shot] of this.#shots) {
      if (kept.has(key)) continue;
      this.#shots.delete(key);
      if (shot.picture !== undefined) this.#whileClosing(shot.picture.close());
    }
  }

  #whileClosing(work: Promise<void>): void {
    const tracked = work.finally(() => this.#closing.delete(tracked));
    this.#closing.add(tracked);
  }
}

function keyOf({ producerId, width, height }: Tile): string {
  return `${producerId} ${width}x${height}`;
}

function sameTiles(a: readonly Tile[], b: readonly Tile[]): boolean {
  const equal = (one: Tile, other: Tile | undefined) =>
    other !== undefined && keyOf(one) === keyOf(other) && one.x === other.x && one.y === other.y;
  return a.length === b.length && a.every((tile, i) => equal(tile, b[i]));
}
