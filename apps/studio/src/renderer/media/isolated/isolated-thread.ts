import { cardName } from "../encoder/encoder-choice.ts";
import { type ProgramClock, programClock } from "../program-clock.ts";
import type { FromIsolated, ToIsolated } from "./isolated-message.ts";
import { IsolatedPicture } from "./isolated-picture.ts";

type Post = (message: FromIsolated, transfer?: readonly Transferable[]) => void;

const LOOK_MS = 100;
const STATISTICS_MS = 1000;

/** All that the worker does which encodes sources by themselves: away from the compositor's, which it must not slow. */
export class IsolatedThread {
  readonly #post: Post;
  readonly #pictures = new Map<number, IsolatedPicture>();
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #clock: ProgramClock = programClock();
  #card: string | undefined;
  #congested = false;
  #every = 1;

  constructor(post: Post) {
    this.#post = post;
  }

  receive(message: ToIsolated): void {
    switch (message.type) {
      case "begin":
        this.#begin(message.epoch);
        break;
      case "open":
        this.#open(message);
        break;
      case "frames":
        this.#pictures.get(message.number)?.follow(message.frames);
        break;
      case "keyframe":
        this.#pictures.get(message.number)?.forceKeyframe();
        break;
      case "shut":
        this.#pictures.get(message.number)?.[Symbol.dispose]();
        this.#pictures.delete(message.number);
        break;
      case "congested":
        this.#congested = message.congested;
        break;
      case "relief":
        this.#every = message.every;
        break;
      case "close":
        for (const timer of this.#timers) clearInterval(timer);
        for (const picture of this.#pictures.values()) picture[Symbol.dispose]();
        this.#pictures.clear();
        break;
    }
  }

  #begin(epoch: number): void {
    this.#clock = programClock(epoch);
    const look = () => {
      for (const picture of this.#pictures.values()) picture.look();
    };
    const tell = () => {
      const sources = [...this.#pictures.values()].map((picture) => picture.takeStatistics());
      if (sources.length > 0) this.#post({ type: "statistics", sources });
    };
    this.#timers.push(setInterval(look, LOOK_MS), setInterval(tell, STATISTICS_MS));
  }

  #open({ number, frameRate, canvas, least }: Extract<ToIsolated, { type: "open" }>): void {
    this.#card ??= cardName();
    const picture = new IsolatedPicture({
      ...{ number, frameRate, canvas, least, clock: this.#clock, card: this.#card },
      congested: () => this.#congested,
      every: () => this.#every,
      onMessage: (message) => this.#post({ type: "media", message }, [message.buffer]),
    });
    this.#pictures.get(number)?.[Symbol.dispose]();
    this.#pictures.set(number, picture);
  }
}
