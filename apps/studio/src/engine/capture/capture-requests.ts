import type { Clock } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { type CaptureInput, KliegError, MAX_CAPTURES, type StudioRequestOf } from "@klieg/protocol";
import type { EncoderShelf } from "../encode/encoder-shelf.ts";
import type { EngineHandlers } from "../engine-handlers.ts";
import type { EngineSession } from "../engine-session.ts";
import type { EngineStores } from "../keeping-requests.ts";
import { captureDevices } from "./capture-device.ts";
import { PageCapture } from "./page-capture.ts";
import { type FfmpegInput, fileInput, streamInput } from "./stream-address.ts";

export interface CapturesOptions {
  readonly clock: Clock;
  readonly ffmpeg: FfmpegBinary | undefined;
  readonly shelf: EncoderShelf;
  readonly stores: Pick<EngineStores, "secrets" | "assets">;
}

/** What the engine captures for its pages (STU1, TRN3): sources that no browser opens. They are closed with their page. */
export class EngineCaptures implements AsyncDisposable {
  readonly #options: CapturesOptions;
  readonly #open = new Map<EngineSession, Map<number, PageCapture>>();
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  constructor(options: CapturesOptions) {
    this.#options = options;
  }

  readonly handlers: EngineHandlers<"open_capture" | "close_capture" | "list_capture_devices"> = {
    open_capture: async (request, session) => {
      await this.#begin(request, session);
      return {};
    },
    close_capture: ({ capture: number }, session) => {
      const captures = this.#open.get(session);
      const capture = captures?.get(number);
      captures?.delete(number);
      if (capture !== undefined) this.#end(capture);
      return {};
    },
    list_capture_devices: async () => {
      const { ffmpeg } = this.#options;
      return { devices: ffmpeg === undefined ? [] : await captureDevices(ffmpeg) };
    },
  };

  /** A page is gone, and with it whoever looked at what was captured. */
  pageGone(session: EngineSession): void {
    const captures = this.#open.get(session);
    this.#open.delete(session);
    for (const capture of captures?.values() ?? []) this.#end(capture);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const session of [...this.#open.keys()]) this.pageGone(session);
    await Promise.all(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(request: StudioRequestOf<"open_capture">, session: EngineSession): Promise<void> {
    const { ffmpeg, shelf, clock } = this.#options;
    const { capture: number, source_id: sourceId, convert } = request;
    if (session.role !== "stage") throw new KliegError("forbidden", "Only the page on stage captures.");
    if (ffmpeg === undefined) {
      throw new KliegError(
        "not_supported",
        "There is no FFmpeg on the studio's machine: install it to open addresses.",
      );
    }
    const input = await this.#input(request.input, sourceId);
    if (this.#closed || !session.open) throw new KliegError("shutting_down", "The studio is closing.");
    const captures = this.#open.get(session) ?? new Map<number, PageCapture>();
    if (captures.has(number)) throw new KliegError("conflict", "A capture of this number is open.");
    if (captures.size >= MAX_CAPTURES) {
      throw new KliegError("rate_limited", `No more than ${MAX_CAPTURES} streams can be open at one time.`);
    }
    this.#open.set(session, captures);
    captures.set(
      number,
      new PageCapture(number, session, {
        binary: ffmpeg,
        cores: shelf.cores,
        clock,
        input,
        convert,
        chooseEncoder: () => shelf.choose("auto"),
      }),
    );
  }

  async #input(input: CaptureInput, sourceId: string): Promise<FfmpegInput> {
    const { secrets, assets } = this.#options.stores;
    if (input.kind === "stream") return streamInput(input, await secrets.get(sourceId, "passphrase"));
    const file = assets.file(input.asset_id);
    if (file === undefined) throw new KliegError("not_found", "The file is not there any more.");
    return fileInput(file.path, { loop: input.loop, hardwareDecode: input.hardware_decode });
  }

  #end(capture: PageCapture): void {
    const gone: Promise<void> = capture.close().finally(() => this.#closing.delete(gone));
    this.#closing.add(gone);
  }
}
