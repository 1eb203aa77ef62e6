import { CreatedInvite, CreatedRoom, InviteId, KliegError, RoomId, RoomInfo } from "@klieg/protocol";
import type { GuestRoomServer } from "../../guests/guest-room-ports.ts";
import { exchange, type HttpRequest, refusalOf } from "./http-exchange.ts";
import { apiUrl, ask, baseOf, json } from "./klieg-api.ts";

/** Of what is not there any more, which is what was asked for. */
const GONE: ReadonlySet<number> = new Set([404, 410]);

/** Rooms of a Klieg backend, as the owner of a stream key has them (STU7). */
export class KliegRooms implements GuestRoomServer {
  readonly #base: URL;
  readonly #key: string;

  /** @param url of the backend. @throws {KliegError} `bad_request` for what is no address of a server. */
  constructor(url: string, key: string) {
    this.#base = baseOf(url);
    this.#key = key;
  }

  async find(roomId: string): Promise<RoomInfo | undefined> {
    try {
      return await ask(RoomInfo, this.#request("GET", path(roomId)));
    } catch (error) {
      if (error instanceof KliegError && (error.code === "not_found" || error.code === "gone")) return undefined;
      throw error;
    }
  }

  create(title: string): Promise<CreatedRoom> {
    return ask(CreatedRoom, this.#request("POST", "v1/rooms", { title }));
  }

  invite(roomId: string, role: "host" | "speaker" | "attendee", expiresInS: number, label: string) {
    const body = { role, expires_in_s: expiresInS, label };
    return ask(CreatedInvite, this.#request("POST", `${path(roomId)}/invites`, body));
  }

  revoke(roomId: string, inviteId: string): Promise<void> {
    return this.#delete(`${path(roomId)}/invites/${InviteId.parse(inviteId)}`);
  }

  end(roomId: string): Promise<void> {
    return this.#delete(path(roomId));
  }

  socketUrl(roomId: string): string {
    const url = apiUrl(this.#base, path(roomId));
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }

  async #delete(to: string): Promise<void> {
    const request = this.#request("DELETE", to);
    const answer = await exchange(request);
    if (answer.status < 300 || GONE.has(answer.status)) return;
    throw refusalOf(request.url, answer);
  }

  #request(method: HttpRequest["method"], to: string, body?: object): HttpRequest {
    return { method, url: apiUrl(this.#base, to), bearer: this.#key, ...(body === undefined ? {} : json(body)) };
  }
}

function path(roomId: string): string {
  return `v1/rooms/${RoomId.parse(roomId)}`;
}
