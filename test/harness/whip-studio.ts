import { type ErrorCode, KliegError } from "@klieg/protocol";
import { DEFAULT_ENCODING, type Encoding } from "../../apps/studio/src/document/encoding.ts";
import { WhipDoor } from "../../apps/studio/src/engine/backend/whip-door.ts";
import type { WhipState } from "../../apps/studio/src/renderer/media/whip/whip-state.ts";
import type { BackendProcess } from "./backend.ts";
import { StudioMediaTab } from "./studio-media-tab.ts";
import { CAMERA_SOURCE, itemOf, showOf } from "./studio-show.ts";
import { until } from "./until.ts";

/** What the page asked its engine, and what it was answered. */
export interface AskedWhip {
  readonly type: "whip_offer" | "whip_patch" | "whip_end";
  readonly refusal: ErrorCode | undefined;
}

/** The studio's media in a page, which publish a camera's picture by WHIP, through the engine's own door, to a backend. */
export class WhipStudio implements AsyncDisposable {
  readonly tab: StudioMediaTab;
  readonly door = new WhipDoor();
  readonly asked: AskedWhip[] = [];
  readonly sessions: string[] = [];
  readonly #owner = {};
  #last: readonly WhipState[] = [];

  private constructor(tab: StudioMediaTab) {
    this.tab = tab;
  }

  /** @param key of each destination, by its id. */
  static async open(backend: BackendProcess, key: (destination: string) => string): Promise<WhipStudio> {
    const studio = new WhipStudio(await StudioMediaTab.open());
    try {
      await studio.#begin(`${backend.http}/v1/whip`, key);
    } catch (error) {
      await studio[Symbol.asyncDispose]();
      throw error;
    }
    return studio;
  }

  /** Publishes to these destinations, and to no others any more. */
  async publish(destinations: readonly string[], encoding: Partial<Encoding> = {}): Promise<void> {
    await this.tab.run((studio, settings) => studio.media.startProgram(settings), {
      encoding: { ...DEFAULT_ENCODING, ...encoding },
      ways: { engine: false, whip: destinations },
    });
  }

  async state(destination: string): Promise<WhipState | undefined> {
    this.#last = await this.tab.run((studio) => studio.media.whip());
    return this.#last.find(({ destinationId }) => destinationId === destination);
  }

  /** Waits until a destination is as wanted. */
  async becomes(
    destination: string,
    what: string,
    right: (state: WhipState) => boolean | undefined,
    timeoutMs = 15_000,
  ): Promise<WhipState> {
    return await until(
      async () => {
        const state = await this.state(destination);
        return state !== undefined && right(state) === true ? state : undefined;
      },
      {
        what,
        timeoutMs,
        diagnose: () => `${JSON.stringify(this.#last)} ${JSON.stringify(this.asked)} ${this.tab.complaints}`,
      },
    );
  }

  /** Ends a publication at the server without the page's knowledge. */
  async end(session: string): Promise<void> {
    await this.door.end(this.#owner, session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.door.abandon(this.#owner);
    await this.tab[Symbol.asyncDispose]();
  }

  async #begin(endpoint: string, key: (destination: string) => string): Promise<void> {
    await this.tab.page.exposeFunction("engine", async (type: AskedWhip["type"], input: Record<string, string>) => {
      try {
        const answer = await this.#answer(type, input, endpoint, key);
        this.asked.push({ type, refusal: undefined });
        return { answer };
      } catch (error) {
        const { code } = KliegError.from(error);
        this.asked.push({ type, refusal: code });
        return { refusal: code };
      }
    });
    const show = showOf([CAMERA_SOURCE], [[itemOf("camera", { x: 320, y: 180, width: 640, height: 360 })]], [0, 0, 0]);
    show.canvas = { ...show.canvas, width: 640, height: 360 };
    await this.tab.run((studio, document) => studio.update(document), show);
  }

  async #answer(
    type: AskedWhip["type"],
    { destination_id: destination = "", sdp = "", session = "", fragment = "" }: Record<string, string>,
    endpoint: string,
    key: (destination: string) => string,
  ): Promise<object> {
    if (type === "whip_offer") {
      const answer = await this.door.offer(this.#owner, destination, { endpoint, key: key(destination), sdp });
      this.sessions.push(answer.session);
      return answer;
    }
    if (type === "whip_patch") return { fragment: await this.door.patch(this.#owner, session, fragment, true) };
    await this.door.end(this.#owner, session);
    return {};
  }
}
