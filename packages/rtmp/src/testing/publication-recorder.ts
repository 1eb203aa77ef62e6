import { Emitter } from "@klieg/base";
import type { AmfObject, AmfValue } from "../amf-value.ts";
import type { PublishAuthoriser, PublishEnd, PublishHandler, PublishRequest, PublishSession } from "../publish.ts";

/** One message as it was delivered. */
export interface Delivered {
  readonly kind: "video" | "audio" | "metadata" | "data";
  readonly timestamp: number;
  readonly body: Buffer;
}

interface RecordedEvents {
  delivered: Delivered;
  closed: PublishEnd;
}

/** A publish handler for tests that keeps everything. */
export class RecordedPublication implements PublishHandler {
  readonly events = new Emitter<RecordedEvents>();
  readonly request: PublishRequest;
  readonly session: PublishSession;
  readonly delivered: Delivered[] = [];
  readonly ends: PublishEnd[] = [];
  metadata: AmfObject | undefined;
  data: { name: string; values: readonly AmfValue[] }[] = [];

  constructor(request: PublishRequest, session: PublishSession) {
    this.request = request;
    this.session = session;
  }

  onVideo(timestamp: number, body: Buffer): void {
    this.#keep({ kind: "video", timestamp, body });
  }

  onAudio(timestamp: number, body: Buffer): void {
    this.#keep({ kind: "audio", timestamp, body });
  }

  onMetadata(metadata: AmfObject, raw: Buffer): void {
    this.metadata = metadata;
    this.#keep({ kind: "metadata", timestamp: 0, body: raw });
  }

  onData(timestamp: number, name: string, values: readonly AmfValue[]): void {
    this.data.push({ name, values });
    this.#keep({ kind: "data", timestamp, body: Buffer.alloc(0) });
  }

  close(end: PublishEnd): void {
    this.ends.push(end);
    this.events.emit("closed", end);
  }

  of(kind: Delivered["kind"]): Delivered[] {
    return this.delivered.filter((delivered) => delivered.kind === kind);
  }

  /** Resolves when `count` messages have been delivered. */
  async received(count: number): Promise<void> {
    while (this.delivered.length < count) await this.events.once("delivered");
  }

  /** Resolves with why it ended, once it has. */
  async ended(): Promise<PublishEnd> {
    return this.ends[0] ?? (await this.events.once("closed"));
  }

  #keep(delivered: Delivered): void {
    this.delivered.push(delivered);
    this.events.emit("delivered", delivered);
  }
}

interface RecorderEvents {
  publication: RecordedPublication;
}

/** An authoriser for tests that takes every publication, unless told what else to do first. */
export class PublicationRecorder {
  readonly events = new Emitter<RecorderEvents>();
  readonly publications: RecordedPublication[] = [];
  readonly #before: ((request: PublishRequest, session: PublishSession) => Promise<void> | void) | undefined;

  /** @param before throws to refuse, waits to delay. */
  constructor(before?: (request: PublishRequest, session: PublishSession) => Promise<void> | void) {
    this.#before = before;
  }

  readonly authorise: PublishAuthoriser = async (request, session) => {
    await this.#before?.(request, session);
    const publication = new RecordedPublication(request, session);
    this.publications.push(publication);
    this.events.emit("publication", publication);
    return publication;
  };

  /** Resolves with the publication of that index, once there is one. */
  async publication(index = 0): Promise<RecordedPublication> {
    return this.publications[index] ?? (await this.events.once("publication"));
  }
}
