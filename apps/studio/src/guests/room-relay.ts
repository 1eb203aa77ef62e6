import {
  KliegError,
  ROOM_ANSWERS,
  RoomAnswer,
  RoomEvent,
  RoomRequest,
  type RoomRequestInput,
  type RoomRequestType,
} from "@klieg/protocol";

/** What stands for tokens wherever a page sees them. */
export const PLACEHOLDER_TOKEN = "studio";

/**
 * What a page may ask over its wire. Invites, the end of the room and its own program are not among them: an invite's answer
 * holds a token, and the room's program is not the studio's.
 */
const ALLOWED: ReadonlySet<RoomRequestType> = new Set<RoomRequestType>([
  "join",
  "ping",
  "create_transport",
  "connect_transport",
  "restart_ice",
  "close_transport",
  "produce",
  "close_producer",
  "pause_producer",
  "resume_producer",
  "consume",
  "close_consumer",
  "pause_consumer",
  "resume_consumer",
  "set_layers",
  "raise_hand",
  "send_text",
  "rename",
  "mute",
  "mute_all",
  "remove",
  "set_role",
  "lower_hand",
  "lock",
  "unlock",
]);

/** Requests of which the answer matters here; a room that leaves so many without one is none. */
const MAX_AWAITED = 64;

export interface RoomTokens {
  /** A host's invite. */
  readonly invite: string;
  /** Of an earlier join; undefined: a new place. */
  readonly resume: string | undefined;
}

export interface RoomRelayOptions {
  readonly tokens: () => RoomTokens;
  readonly onResumeToken: (token: string) => void;
  /** A guest was put out; with them goes the invite by which they came. */
  readonly onRemoved: () => void;
}

/**
 * What goes over one wire between a page and its room, both ways: held to the room's protocol, with the tokens put in on the
 * way there and taken out on the way back. So a page acts as a host and never has what would make anybody one.
 */
export class RoomRelay {
  readonly #options: RoomRelayOptions;
  // Ids of requests under way whose answers matter here.
  readonly #joins = new Set<number>();
  readonly #removals = new Set<number>();

  constructor(options: RoomRelayOptions) {
    this.#options = options;
  }

  /** A page's message. @returns what goes to the room. @throws {KliegError} `bad_request`, `forbidden`, `rate_limited`. */
  toRoom(text: string): string {
    const parsed = RoomRequest.safeParse(parseJson(text));
    if (!parsed.success) throw new KliegError("bad_request", "This is nothing that a room can be asked.");
    const request = parsed.data;
    if (!ALLOWED.has(request.type)) throw new KliegError("forbidden", "The studio asks this of a room by itself.");
    if (this.#joins.size + this.#removals.size >= MAX_AWAITED) {
      throw new KliegError("rate_limited", "The room does not answer.");
    }
    if (request.type === "remove") this.#removals.add(request.id);
    if (request.type !== "join") return text;
    this.#joins.add(request.id);
    const { invite, resume } = this.#options.tokens();
    const join: RoomRequestInput<"join"> = { token: invite, name: request.name };
    return JSON.stringify({
      id: request.id,
      type: "join",
      ...join,
      ...(resume === undefined ? {} : { resume_token: resume }),
    });
  }

  /** A message of the room. @returns what goes to the page; undefined for what is none of this version's protocol. */
  toPage(text: string): string | undefined {
    const message = parseJson(text);
    if (typeof message !== "object" || message === null) return undefined;
    if ("event" in message) return RoomEvent.safeParse(message).success ? text : undefined;
    const answer = RoomAnswer.safeParse(message);
    if (!answer.success) return undefined;
    const { id } = answer.data;
    if (id === null) return text;
    const removed = this.#removals.delete(id);
    if (removed && answer.data.ok) this.#options.onRemoved();
    if (!this.#joins.delete(id) || !answer.data.ok) return text;
    const joined = ROOM_ANSWERS.join.safeParse(answer.data.data);
    if (!joined.success) return undefined;
    this.#options.onResumeToken(joined.data.resume_token);
    return JSON.stringify({ id, ok: true, data: { ...joined.data, resume_token: PLACEHOLDER_TOKEN } });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever asked says what it should have been.
  }
}
