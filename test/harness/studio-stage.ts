import { once } from "node:events";
import { Emitter } from "@klieg/base";
import {
  KliegError,
  PROGRAM_HEADER_BYTES,
  STUDIO_PROTOCOL,
  StudioAnswer,
  type StudioAnswerOf,
  StudioEvent,
  type StudioEventOf,
  type StudioRequestInput,
  type StudioRequestType,
  writeProgramHeader,
} from "@klieg/protocol";
import { WebSocket } from "ws";
import type { ProgramFeedEvents } from "../../apps/studio/src/engine/program/program-feed.ts";
import type { ProgramWay } from "./program-page.ts";

/** A page on the stage of a capture box, without a browser: it asks, is told, and carries a `ProgramPage`'s frames. */
export class StudioStage implements ProgramWay, Disposable {
  readonly events = new Emitter<ProgramFeedEvents>();
  /** What the engine told last, by its name. */
  readonly told = new Map<StudioEvent["event"], StudioEvent>();
  /** When keyframes were sent, `performance.now()`. */
  readonly keyframes: number[] = [];
  /** Pictures that were sent. */
  pictures = 0;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listeners = new Set<() => void>();
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#receive(JSON.parse(data.toString("utf8"))));
  }

  /** @param link as the box prints it. */
  static async open(link: string): Promise<StudioStage> {
    const entry = await fetch(link, { redirect: "manual" });
    const cookie = entry.headers.get("set-cookie")?.split(";")[0] ?? "";
    const { host } = new URL(link);
    const socket = new WebSocket(`ws://${host}/engine`, { headers: { cookie, origin: `http://${host}` } });
    // A box that is killed takes the connection with it.
    socket.on("error", () => undefined);
    const stage = new StudioStage(socket);
    await once(socket, "open");
    await stage.request("hello", { protocol: STUDIO_PROTOCOL, role: "stage" });
    return stage;
  }

  /** @throws KliegError as the engine answers. */
  async request<T extends StudioRequestType>(type: T, input: StudioRequestInput<T>): Promise<StudioAnswerOf<T>> {
    const id = this.#ids++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ ...input, id, type }));
    return (await waiting.promise) as StudioAnswerOf<T>;
  }

  /** Resolves once the engine has told of something that passes `accept`, or did last. */
  async hears<N extends StudioEvent["event"]>(
    name: N,
    accept: (event: StudioEventOf<N>) => boolean,
    timeoutMs = 20_000,
  ): Promise<StudioEventOf<N>> {
    const { promise, resolve, reject } = Promise.withResolvers<StudioEventOf<N>>();
    const look = () => {
      const event = this.told.get(name) as StudioEventOf<N> | undefined;
      if (event !== undefined && accept(event)) resolve(event);
    };
    const timer = setTimeout(
      () => reject(new Error(`not told in time: ${JSON.stringify(this.told.get(name))}`)),
      timeoutMs,
    );
    this.#listeners.add(look);
    try {
      look();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  openSource(): ReturnType<ProgramWay["openSource"]> {
    return {
      push: (frame) => {
        const message = new Uint8Array(PROGRAM_HEADER_BYTES + frame.data.length);
        writeProgramHeader(message, frame);
        message.set(frame.data, PROGRAM_HEADER_BYTES);
        if (this.#socket.readyState !== WebSocket.OPEN) return;
        const picture = frame.kind === "avc" && frame.isolated === 0;
        if (picture) this.pictures += 1;
        if (picture && frame.keyframe) this.keyframes.push(performance.now());
        this.#socket.send(message);
      },
      close: () => undefined,
    };
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
    this.events.clear();
  }

  #receive(message: object): void {
    if ("event" in message) {
      const event = StudioEvent.parse(message);
      this.told.set(event.event, event);
      if (event.event === "keyframe_wanted") this.events.emit("keyframe_wanted", undefined);
      for (const listener of [...this.#listeners]) listener();
      return;
    }
    const answer = StudioAnswer.parse(message);
    const waiting = this.#waiting.get(answer.id ?? -1);
    if (answer.ok) waiting?.resolve(answer.data);
    else waiting?.reject(new KliegError(answer.error.code, answer.error.message));
  }
}
