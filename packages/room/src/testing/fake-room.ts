import type {
  RoomEvent,
  RoomJoined,
  RoomParticipant,
  RoomProducer,
  RoomRequest,
  RoomRequestType,
  RoomSource,
  RoomText,
} from "@klieg/protocol";
import type { RoomOutgoing } from "../outgoing.ts";
import type { Publication } from "../publications.ts";
import type { RoomMedia, RoomMediaOptions } from "../room-media.ts";
import type { RoomWireTransport } from "../room-wire-transport.ts";

/** A connection without a network: what was sent is kept, and the test says what comes. For tests only. */
export class FakeTransport implements RoomWireTransport {
  readonly requests: RoomRequest[] = [];
  onMessage: ((text: string) => void) | undefined;
  onClose: ((code: number) => void) | undefined;
  closed = false;
  #answered = 0;

  send(text: string): void {
    this.requests.push(JSON.parse(text) as RoomRequest);
  }

  close(): void {
    this.closed = true;
  }

  tell(event: RoomEvent): void {
    this.#receive(event);
  }

  /** Answers the oldest request of this type that has no answer. */
  answer(type: RoomRequestType, data: unknown = {}): void {
    this.#receive({ id: this.#take(type).id, ok: true, data });
  }

  refuse(type: RoomRequestType, code: string, message = code): void {
    this.#receive({ id: this.#take(type).id, ok: false, error: { code, message, retryable: false } });
  }

  receive(data: string): void {
    this.onMessage?.(data);
  }

  /** From the other end. */
  end(code: number): void {
    this.onClose?.(code);
  }

  of<T extends RoomRequestType>(type: T): Extract<RoomRequest, { type: T }>[] {
    return this.requests.filter((request): request is Extract<RoomRequest, { type: T }> => request.type === type);
  }

  #receive(message: object): void {
    this.receive(JSON.stringify(message));
  }

  #take(type: RoomRequestType): RoomRequest {
    const request = this.requests.find((one) => one.type === type && one.id > this.#answered);
    if (!request)
      throw new Error(`there is no open ${type}; asked: ${this.requests.map((one) => one.type).join(", ")}`);
    this.#answered = request.id;
    return request;
  }
}

/** Media that only writes down what it was asked for. For tests only. */
export class FakeMedia implements RoomMedia {
  readonly options: RoomMediaOptions;
  readonly asked: string[] = [];
  closed = false;

  constructor(options: RoomMediaOptions) {
    this.options = options;
  }

  async publish(source: string, track: MediaStreamTrack, paused: boolean): Promise<void> {
    this.asked.push(`publish ${source} ${track.id}${paused ? " paused" : ""}`);
  }

  async unpublish(source: string): Promise<void> {
    this.asked.push(`unpublish ${source}`);
  }

  async receive(producer: RoomProducer): Promise<MediaStreamTrack> {
    this.asked.push(`receive ${producer.id}`);
    return fakeTrack(producer.kind, `received-${producer.id}`);
  }

  async wish(producerId: string, wish: { paused: boolean; spatialLayer: number | null }): Promise<void> {
    this.asked.push(`wish ${producerId} ${wish.paused ? "paused" : (wish.spatialLayer ?? "best")}`);
  }

  forget(producerId: string): void {
    this.asked.push(`forget ${producerId}`);
  }

  handle(event: RoomEvent): void {
    this.asked.push(`handle ${event.event}`);
  }

  close(): void {
    this.closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export function fakeTrack(kind: "audio" | "video", id: string): MediaStreamTrack {
  return { kind, id, enabled: true } as MediaStreamTrack;
}

export function participant(id: string, more: Partial<RoomParticipant> = {}): RoomParticipant {
  return {
    id,
    name: id[0]?.toUpperCase() + id.slice(1),
    role: "speaker",
    joined_at: "2026-11-21T10:00:00.000Z",
    hand_raised_at: null,
    ...more,
  };
}

export function producer(
  participantId: string,
  source: RoomProducer["source"],
  more: Partial<RoomProducer> = {},
): RoomProducer {
  return {
    id: `${participantId}-${source}`,
    participant_id: participantId,
    source,
    kind: source === "camera" || source === "screen" ? "video" : "audio",
    paused: false,
    muted_by_host: false,
    ...more,
  };
}

export function text(seq: number, by: string, words = `text ${seq}`): RoomText {
  return { seq, participant_id: by, name: by, role: "speaker", text: words, at: "2026-11-21T10:00:00.000Z" };
}

/** What a room answers to `join`; one is "ada", a host. */
export function joined(more: Partial<RoomJoined> = {}): RoomJoined {
  const self = more.self ?? participant("ada", { role: "host" });
  return {
    self,
    resume_token: "resume-1",
    resumed: false,
    room: { id: "room00000000", title: "Light", channel: null, locked: false, on_air: null, recording: null },
    participants: [self],
    producers: [],
    active_speaker: null,
    texts: [],
    router_rtp_capabilities: {},
    ice_servers: [],
    max_participants: 50,
    ...more,
  };
}

/** Sends what a test says, and writes down what the room says of it. */
export class FakeOutgoing implements RoomOutgoing {
  readonly asked: string[] = [];
  readonly #wanted = new Map<RoomSource, Publication>();
  readonly #listeners = new Set<() => void>();

  wanted(): ReadonlyMap<RoomSource, Publication> {
    return new Map(this.#wanted);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param track null where it is not captured any more. */
  set(source: RoomSource, track: MediaStreamTrack | null, paused = false): void {
    if (track) this.#wanted.set(source, { track, paused });
    else this.#wanted.delete(source);
    this.#tell();
  }

  silence(source: RoomSource): void {
    this.asked.push(`silence ${source}`);
    const wanted = this.#wanted.get(source);
    if (wanted) this.set(source, wanted.track, true);
  }

  failed(source: RoomSource): void {
    this.asked.push(`failed ${source}`);
  }

  stopAll(): void {
    this.asked.push("stopAll");
    this.#wanted.clear();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
