import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WhipDoor } from "./whip-door.ts";

const seen: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  const { method, url, headers } = request;
  seen.push([method, url, headers.authorization, headers["if-match"] ?? "-"].join(" "));
  request.resume().on("end", () => answer(request, response));
});
beforeEach(async () => {
  seen.length = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/whip`;
const LINKS = ['<stun:stun.example>; rel="ice-server"', '<turn:turn.example>; rel="ice-server"; username="u"'];
const created = (location: string) => (_request: IncomingMessage, response: ServerResponse) =>
  void response
    .writeHead(201, { location, etag: '"one"', "content-type": "application/sdp", link: LINKS })
    .end("v=0 answer");
const page = {};

test("finds the session by its relative Location, and names its entity tag (RFC 9725 § 4.2, 4.3)", async () => {
  const door = new WhipDoor();
  answer = created("whip/session-1");
  const { session, sdp, link } = await door.offer(page, "d", { endpoint: endpoint(), key: "sk", sdp: "v=0" });
  expect(sdp).toBe("v=0 answer");
  expect(link).toBe(LINKS.join(", "));
  answer = (_request, response) => void response.writeHead(204).end();
  expect(await door.patch(page, session, "a=candidate", false)).toBeNull();
  answer = (_request, response) => void response.writeHead(200, { etag: '"two"' }).end("a=ice-ufrag:new");
  expect(await door.patch(page, session, "a=ice-ufrag:x", true)).toBe("a=ice-ufrag:new");
  answer = (_request, response) => void response.writeHead(204).end();
  await door.patch(page, session, "a=candidate", false);
  await door.end(page, session);
  expect(seen).toEqual([
    "POST /v1/whip Bearer sk -",
    'PATCH /v1/whip/session-1 Bearer sk "one"',
    "PATCH /v1/whip/session-1 Bearer sk *",
    'PATCH /v1/whip/session-1 Bearer sk "two"',
    "DELETE /v1/whip/session-1 Bearer sk -",
  ]);
});

test("a page ends only what is its own, and all of that when it goes", async () => {
  const door = new WhipDoor();
  answer = created("/s/1");
  const { session } = await door.offer(page, "d", { endpoint: endpoint(), key: "sk", sdp: "v=0" });
  await door.end({}, session);
  await expect(door.patch({}, session, "a=candidate", false)).rejects.toMatchObject({ code: "not_found" });
  expect(door.destinations).toEqual(["d"]);
  await door.abandon(page);
  expect([door.destinations, seen.at(-1)]).toEqual([[], "DELETE /s/1 Bearer sk -"]);
});

test("a session that is over there is over here", async () => {
  const door = new WhipDoor();
  answer = created("/s/1");
  const { session } = await door.offer(page, "d", { endpoint: endpoint(), key: "sk", sdp: "v=0" });
  const error = { code: "not_found", message: "There is no such session.", retryable: false };
  answer = (_request, response) => void response.writeHead(404).end(JSON.stringify({ error }));
  await expect(door.patch(page, session, "a=candidate", false)).rejects.toMatchObject({ code: "not_found" });
  expect(door.destinations).toEqual([]);
});

test("the key stays with the server that it is for", async () => {
  const door = new WhipDoor();
  const offer = () => door.offer(page, "d", { endpoint: endpoint(), key: "sk", sdp: "v=0" });
  answer = created("http://elsewhere.example/s/1");
  await expect(offer()).rejects.toMatchObject({ code: "unreachable" });
  answer = (_request, response) => void response.writeHead(307, { location: "/v1/whip" }).end();
  await expect(offer()).rejects.toThrow("on to nowhere");
  answer = (_request, response) => void response.writeHead(200).end("<html>");
  await expect(offer()).rejects.toThrow("does not answer as WHIP does");
  expect(door.destinations).toEqual([]);
});
