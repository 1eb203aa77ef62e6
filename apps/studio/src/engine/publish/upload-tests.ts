import type { Clock } from "@klieg/base";
import { KliegError, type StreamKeyCheck, type UploadTest } from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";
import type { KliegDestination, KliegDoor, SecretReader } from "./broadcast-ports.ts";
import { measureUpload } from "./measured-upload.ts";
import { PublishFailure } from "./publish-failure.ts";
import { parseSrtUrl } from "./srt-address.ts";

export interface UploadTestsOptions {
  readonly clock: Clock;
  readonly backend: KliegDoor & {
    /** What a stream key opens. @throws KliegError */
    checkKey(destination: KliegDestination, key: string): Promise<StreamKeyCheck>;
  };
  readonly secrets: SecretReader;
}

/** ms: a backend that does not answer must not keep anybody waiting. It ends the stream by itself. */
const FAREWELL_MS = 5000;

/**
 * Measures what the network carries to a Klieg backend, before a show (STU2): by its SRT door, in a private preview into which
 * no picture ever comes. One at a time, and never into a channel that is on air.
 */
export class UploadTests {
  readonly #options: UploadTestsOptions;
  #running: { readonly abort: AbortController; readonly done: Promise<unknown> } | undefined;

  constructor(options: UploadTestsOptions) {
    this.#options = options;
  }

  /**
   * @throws KliegError `not_supported` for a destination that takes no such test; `conflict` while another runs, while the
   *   channel is on air, or when a show begins; what the backend answers.
   */
  async measure(destination: Destination): Promise<UploadTest> {
    if (destination.kind !== "klieg") {
      const words = "Only a Klieg server takes a test that nobody sees. What the network carries shows on air.";
      throw new KliegError("not_supported", words);
    }
    if (this.#running !== undefined) throw new KliegError("conflict", "The upload is being measured already.");
    const abort = new AbortController();
    const done = this.#measure(destination, abort.signal);
    this.#running = { abort, done };
    try {
      return await done;
    } finally {
      this.#running = undefined;
    }
  }

  /** Gives up what runs. Resolves when it has let go of the network. */
  async stop(): Promise<void> {
    this.#running?.abort.abort(new KliegError("conflict", "The show begins: the upload is not measured any more."));
    await this.#running?.done.catch(() => undefined);
  }

  async #measure(destination: KliegDestination, signal: AbortSignal): Promise<UploadTest> {
    const { clock, backend, secrets } = this.#options;
    const key = await secrets(destination.id, "stream_key");
    if (key === undefined) throw new KliegError("stream_key_missing", "Enter the destination's stream key first.");
    const { stream_id: inFlight } = await backend.checkKey(destination, key);
    // A second encoder would put the first one off.
    if (inFlight !== null) throw new KliegError("conflict", "The channel is on air from somewhere else.");
    signal.throwIfAborted();
    const details = { title: "", category: "", visibility: "private", preview: true, public_at: null } as const;
    const { streamId, srt } = await backend.start(destination, key, details, signal);
    try {
      const passphrase = await secrets(destination.id, "passphrase");
      const { bitrate, atLeast, rttMs, loss } = await measureUpload(parseSrtUrl(srt, { passphrase }), {
        clock,
        signal,
      });
      return { bitrate, at_least: atLeast, rtt_ms: rttMs, loss };
    } catch (error) {
      throw PublishFailure.from(error).error;
    } finally {
      await this.#farewell(backend.stop(destination, key, streamId));
    }
  }

  async #farewell(told: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    using _patience = this.#options.clock.after(FAREWELL_MS, late.resolve);
    // It ends by itself where it cannot be told: nothing is on air.
    await Promise.race([told.catch(() => undefined), late.promise]);
  }
}
