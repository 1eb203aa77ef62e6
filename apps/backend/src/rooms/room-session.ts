import type { Clock } from "@klieg/base";
import {
  KliegError,
  ROOM_CLOSE,
  ROOM_JOIN_TIMEOUT_MS,
  type RoomAnswer,
  type RoomEvent,
  RoomRequest,
} from "@klieg/protocol";
import { z } from "zod";
import type { Logger } from "../ports/logger.ts";
import type { IceServers } from "../sfu/ice-servers.ts";
import type { Participant } from "./participant.ts";
import type { Room } from "./room.ts";
import type { RoomConnection } from "./room-connection.ts";
import type { RoomPrograms } from "./room-programs.ts";
import { answerRequest } from "./room-requests.ts";
import type { Rooms } from "./rooms.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Where a session's words go. */
export interface RoomOutlet {
  readonly remoteAddress: string;
  /** @param droppable whether it may be left out where the peer is slow to take what is sent. */
  send(text: string, droppable: boolean): void;
  /** @param code of `ROOM_CLOSE`. Idempotent. */
  close(code: number, reason: string): void;
}

export interface RoomSessionOptions {
  readonly rooms: Rooms;
  readonly programs: RoomPrograms;
  readonly roomId: string;
  readonly outlet: RoomOutlet;
  readonly iceServers: IceServers;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Enough for somebody who joins a full room and consumes everything there; then what a person and a page need. */
const MESSAGES = { burst: 1000, perSecond: 50 };
const TEXTS = { burst: 10, perSecond: 1 };
/** Requests that wait for those before them; one who sends more does not wait for answers. */
const MAX_WAITING = 1000;
/** So many messages that are none, and the peer does not speak this protocol. */
const MAX_MALFORMED = 20;

const RequestHead = z.object({ id: z.int().nonnegative() });

/**
 * One peer's conversation with a room: `join` first, then requests, answered one after another. What is wrong with a
 * message is said in the answer; a peer that says nothing sensible, or too much, is put off.
 */
export class RoomSession implements RoomConnection, Disposable {
  readonly #options: RoomSessionOptions;
  readonly #messages: TokenBucket;
  readonly #texts: TokenBucket;
  readonly #joinTimeout: Disposable;
  #place: { readonly room: Room; readonly participant: Participant } | undefined;
  /** What happens before the answer to `join` is out is told after it: the answer says how things were before. */
  #held: RoomEvent[] | undefined = [];
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Request that ends the room, and with it this session. */
  #ending: number | undefined;
  #malformed = 0;
  #closed = false;

  constructor(options: RoomSessionOptions) {
    this.#options = options;
    const { clock } = options;
    this.#messages = new TokenBucket(MESSAGES, clock.now());
    this.#texts = new TokenBucket(TEXTS, clock.now());
    this.#joinTimeout = clock.after(ROOM_JOIN_TIMEOUT_MS, () =>
      this.close(ROOM_CLOSE.protocol, `no join came within ${ROOM_JOIN_TIMEOUT_MS / 1000} s`),
    );
  }

  get remoteAddress(): string {
    return this.#options.outlet.remoteAddress;
  }

  /** Resolves when everything that has come so far is answered. */
  get idle(): Promise<void> {
    return this.#work;
  }

  /** Takes one message, whatever it is. */
  onMessage(text: string): void {
    if (this.#closed) return;
    if (!this.#messages.take(this.#options.clock.now())) {
      this.close(ROOM_CLOSE.overloaded, "too many messages");
      return;
    }
    const request = this.#read(text);
    if (request === undefined) return;
    if (this.#waiting >= MAX_WAITING) {
      this.close(ROOM_CLOSE.overloaded, "too many requests without an answer");
      return;
    }
    this.#waiting += 1;
    this.#work = this.#work.then(() => this.#answer(request));
  }

  /** The peer is gone. @param saidGoodbye whether it closed the connection itself. Idempotent. */
  onClosed(saidGoodbye: boolean): void {
    this.#end();
    const place = this.#place;
    if (place !== undefined) place.room.leave(place.participant, saidGoodbye ? "left" : "lost");
  }

  tell(event: RoomEvent): void {
    if (this.#closed) return;
    if (this.#held !== undefined) {
      this.#held.push(event);
      return;
    }
    const droppable = event.event === "levels" || event.event === "consumer_score";
    this.#options.outlet.send(JSON.stringify(event), droppable);
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#tellHeld();
    if (this.#ending !== undefined) this.#reply({ id: this.#ending, ok: true, data: {} });
    this.onClosed(false);
    this.#options.outlet.close(code, reason);
  }

  [Symbol.dispose](): void {
    this.onClosed(false);
  }

  #end(): void {
    this.#closed = true;
    this.#joinTimeout[Symbol.dispose]();
  }

  #read(text: string): RoomRequest | undefined {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      this.#refuse(null, new KliegError("bad_request", "This is not JSON."));
      return undefined;
    }
    const parsed = RoomRequest.safeParse(json);
    if (parsed.success) return parsed.data;
    const head = RequestHead.safeParse(json);
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "The message" : issue.path.join(".");
    this.#refuse(
      head.success ? head.data.id : null,
      new KliegError("bad_request", `${where.slice(0, 100)}: ${issue?.message.slice(0, 300) ?? "not valid"}`),
    );
    return undefined;
  }

  #refuse(id: number | null, error: KliegError): void {
    this.#reply({ id, ok: false, error: error.toBody().error });
    this.#malformed += 1;
    if (this.#malformed >= MAX_MALFORMED) this.close(ROOM_CLOSE.protocol, "too many messages that are not valid");
  }

  async #answer(request: RoomRequest): Promise<void> {
    this.#waiting -= 1;
    if (this.#closed) return;
    if (request.type === "end_room") this.#ending = request.id;
    try {
      this.#reply({ id: request.id, ok: true, data: await this.#do(request) });
      if (this.#place !== undefined) this.#tellHeld();
    } catch (error) {
      this.#ending = undefined;
      const problem = KliegError.from(error);
      if (problem.code === "internal") {
        this.#options.logger.error({ err: problem.cause, request: request.type }, "room request failed");
      }
      this.#reply({ id: request.id, ok: false, error: problem.toBody().error });
      // Without a place there is nothing else to ask.
      if (this.#place !== undefined) return;
      this.close(problem.retryable ? ROOM_CLOSE.overloaded : ROOM_CLOSE.refused, problem.message);
    }
  }

  #tellHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const event of held ?? []) this.tell(event);
  }

  async #do(request: RoomRequest): Promise<unknown> {
    const { rooms, programs, iceServers, logger } = this.#options;
    if (request.type === "join") return this.#join(request);
    if (this.#place === undefined) throw new KliegError("unauthorized", "The first request must be join.");
    if (request.type === "send_text" && !this.#texts.take(this.#options.clock.now())) {
      throw new KliegError("rate_limited", "You write too fast; wait a moment.");
    }
    return answerRequest({ ...this.#place, rooms, programs, iceServers, logger }, request);
  }

  async #join(request: Extract<RoomRequest, { type: "join" }>): Promise<unknown> {
    const { rooms, roomId } = this.#options;
    if (this.#place !== undefined) throw new KliegError("conflict", "You have joined already.");
    this.#joinTimeout[Symbol.dispose]();
    const { token, name, resume_token: resumeToken } = request;
    const { joined, ...place } = await rooms.join(roomId, { token, name, resumeToken }, this);
    this.#place = place;
    // The peer may have gone while the room was opened.
    if (this.#closed) place.room.leave(place.participant, "lost");
    return joined;
  }

  #reply(answer: RoomAnswer): void {
    if (!this.#closed) this.#options.outlet.send(JSON.stringify(answer), false);
  }
}
