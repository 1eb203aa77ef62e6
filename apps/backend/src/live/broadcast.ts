import type { Clock } from "@klieg/base";
import type { HealthWarning, StreamHealth } from "@klieg/protocol";
import { StreamPackager } from "../package/stream-packager.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { Stream } from "../stream/stream.ts";

/** What every broadcast stands on. */
export interface BroadcastServices {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly blobs: BlobStore;
  readonly partMs: number;
  readonly segmentMs: number;
  readonly windowMs: number;
  /** Told of every part that is published. */
  readonly observePart: (origin: "source" | "transcode", latencyMs: number) => void;
}

/** A stream with everything that reads it: the packager, and the transcoder where one is wanted. */
export class Broadcast implements AsyncDisposable {
  readonly stream: Stream;
  readonly packager: StreamPackager;
  #closed: Promise<void> | undefined;

  constructor(stream: Stream, services: BroadcastServices) {
    this.stream = stream;
    this.packager = new StreamPackager(stream, services);
  }

  get transcodeHealth(): StreamHealth["transcode"] | undefined {
    return undefined;
  }

  get warnings(): HealthWarning[] {
    return this.packager.warnings;
  }

  /** Ends the stream and lets go of everything; what could still be watched no longer can. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.stream.close();
    await this.packager.close();
  }
}
