import type { Encoding } from "../../document/encoding.ts";
import type { ProgramSettings } from "../media/media-contract.ts";
import type { EngineStore } from "../state/engine-store.ts";
import type { ShowStore } from "../state/show-store.ts";
import { programWays } from "./program-ways.ts";

/** What is started and stopped (`StudioMedia` is one). */
export interface ProgramMedia {
  startProgram(settings: ProgramSettings): void;
  stopProgram(): void;
}

/** Sends the program as long as the engine is about something that needs it; after a reload in mid-show, too. */
export class ProgramControl implements Disposable {
  readonly #media: ProgramMedia;
  readonly #engine: EngineStore;
  readonly #show: ShowStore;
  readonly #stops: readonly (() => void)[];
  #sent = "";

  constructor(options: { engine: EngineStore; show: ShowStore; media: ProgramMedia }) {
    this.#media = options.media;
    this.#engine = options.engine;
    this.#show = options.show;
    const follow = () => this.#follow();
    this.#stops = [options.engine.state.subscribe(follow), options.show.state.subscribe(follow)];
    this.#follow();
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }

  #follow(): void {
    const { now } = this.#engine;
    // An engine that is away goes on with what it has, and so does the page.
    if (!now.linked && this.#sent !== "") return;
    const { document, phase } = this.#show.state.getState();
    const ways = phase === "open" ? programWays(now, document.destinations) : undefined;
    if (ways === undefined) {
      if (this.#sent !== "") this.#media.stopProgram();
      this.#sent = "";
      return;
    }
    const settings: { encoding: Encoding; ways: typeof ways } = { encoding: document.encoding, ways };
    const asked = JSON.stringify(settings);
    if (asked === this.#sent) return;
    this.#sent = asked;
    this.#media.startProgram(settings);
  }
}
