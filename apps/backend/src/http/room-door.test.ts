import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { ManualClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { RoomConnection } from "../rooms/room-connection.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { RoomDoor } from "./room-door.ts";

const ROOM = "/v1/rooms/roomroomroom";
const JOIN = JSON.stringify({ id: 1, type: "join", token: "t", name: "Ann" });

/** A door to rooms that let everybody in and do nothing; what happens behind it is the rooms' own test. */
async function openDoor() {
  const clock = new ManualClock();
  const joined: RoomConnection[] = [];
  const left: string[] = [];
  const rooms = {
    join: async (_id: string, { name }: { name: string }, connection: RoomConnection) => {
      if (name !== "Ann") throw new KliegError("invite_invalid", "Nobody but Ann.");
      joined.push(connection);
      return { joined: {}, room: { leave: (_: unknown, reason: string) => left.push(reason) }, participant: {} };
    },
  };
  const door = new RoomDoor({
    rooms: rooms as never,
    programs: undefined as never,
    iceServers: undefined as never,
    clock,
    logger: new RecordingLogger(),
    ownOrigin: () => "https://klieg.example",
    trustedProxies: 1,
  });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    if (!door.handle(request, socket, head)) socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    door,
    joined,
    left,
    port,
    async [Symbol.asyncDispose]() {
      await door.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("the rooms' WebSocket door (RTC2)", () => {
  let set: Awaited<ReturnType<typeof openDoor>>;
  const clients = new Set<WebSocket>();
  beforeEach(async () => {
    set = await openDoor();
  });
  afterEach(async () => {
    for (const client of clients) client.terminate();
    clients.clear();
    await set[Symbol.asyncDispose]();
  });

  const open = (
    options: { path?: string; origin?: string; headers?: Record<string, string>; autoPong?: boolean } = {},
  ) => {
    const { path = ROOM, origin, headers, autoPong = true } = options;
    const socket = new WebSocket(`ws://127.0.0.1:${set.port}${path}`, {
      autoPong,
      ...(origin === undefined ? {} : { origin }),
      ...(headers === undefined ? {} : { headers }),
    });
    clients.add(socket);
    socket.on("error", () => undefined);
    return socket;
  };
  const opened = (socket: WebSocket) => new Promise<void>((resolve) => socket.once("open", () => resolve()));
  const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once("close", (code) => resolve(code)));
  const heard = (socket: WebSocket) =>
    new Promise<{ ok: boolean }>((resolve) => socket.once("message", (data) => resolve(JSON.parse(String(data)))));
  const status = (socket: WebSocket) =>
    new Promise<number | undefined>((resolve) =>
      socket.once("unexpected-response", (_, { statusCode }) => resolve(statusCode)),
    );
  const joinedSocket = async (options: Parameters<typeof open>[0] = {}) => {
    const socket = open(options);
    await opened(socket);
    socket.send(JOIN);
    expect(await heard(socket)).toMatchObject({ id: 1, ok: true });
    return socket;
  };

  it("lets in pages of its own origin and programs that are no pages, and no other pages", async () => {
    for (const origin of [undefined, "https://klieg.example", `http://127.0.0.1:${set.port}`]) {
      await opened(open(origin === undefined ? {} : { origin }));
    }
    for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${set.port}.evil.example`]) {
      expect(await status(open({ origin }))).toBe(403);
    }
    expect(await status(open({ path: "/v1/rooms/NOT-A-ROOM" }))).toBe(404);
    expect(await status(open({ path: "/v1/channels" }))).toBe(404);
  });

  it("tells the rooms who says goodbye and who is cut off", async () => {
    const polite = await joinedSocket();
    polite.close(1000);
    await closed(polite);
    const cut = await joinedSocket();
    cut.terminate();
    await expect.poll(() => set.left).toEqual(["left", "lost"]);
  });

  it("puts off a peer that does not answer a ping by the next one", async () => {
    const dead = await joinedSocket({ autoPong: false });
    const alive = await joinedSocket();
    const pinged = new Promise((resolve) => alive.once("ping", resolve));
    set.clock.advance(2000);
    await pinged;
    // What is answered after the pong has come after it.
    alive.send(JSON.stringify({ id: 2, type: "ping" }));
    expect(await heard(alive)).toMatchObject({ id: 2, ok: true });
    const gone = closed(dead);
    const again = new Promise((resolve) => alive.once("ping", resolve));
    set.clock.advance(2000);
    await gone;
    await again;
    expect(set.left).toEqual(["lost"]);
  });

  it("takes text of at most 64 KiB, and nothing else", async () => {
    const large = await joinedSocket();
    large.send("x".repeat(64 * 1024 + 1));
    expect(await closed(large)).toBe(1009);
    const binary = await joinedSocket();
    binary.send(Buffer.from([1, 2, 3]));
    expect(await closed(binary)).toBe(4400);
    const refused = open();
    await opened(refused);
    refused.send(JOIN.replace("Ann", "Eve"));
    expect(await heard(refused)).toMatchObject({ ok: false, error: { code: "invite_invalid" } });
    expect(await closed(refused)).toBe(4401);
  });

  it("leaves out levels for a peer that is slow, and closes one that takes nothing at all", async () => {
    const slow = await joinedSocket();
    const [connection] = set.joined;
    const gone = closed(slow);
    slow.pause();
    const text = {
      seq: 1,
      participant_id: "abcdefgh",
      name: "Ann",
      role: "host",
      at: "",
      text: "x".repeat(2000),
    } as const;
    const levels = { event: "levels", levels: Array(16).fill({ participant_id: "abcdefgh", level: -30 }) } as const;
    // What does not fit into the kernel's buffers stays here.
    for (let i = 0; i < 20_000 && set.left.length === 0; i += 1) connection?.tell({ event: "text", text });
    expect(set.left).toEqual(["lost"]);
    slow.resume();
    await gone;
    for (let i = 0; i < 1000; i += 1) connection?.tell(levels);
    expect(set.door.sockets).toBeLessThanOrEqual(1);
  });

  it("bounds how many come from one address, which a trusted proxy names", async () => {
    const from = (address: string) => open({ headers: { "x-forwarded-for": `198.51.100.7, ${address}` } });
    await Promise.all(Array.from({ length: 300 }, () => opened(from("192.0.2.1"))));
    expect(await status(from("192.0.2.1"))).toBe(429);
    await opened(from("192.0.2.2"));
  });

  it("answers what is no WebSocket handshake, and survives a peer that goes in the middle of one", async () => {
    const raw = connect(set.port, "127.0.0.1");
    raw.write(`GET ${ROOM} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`);
    const answer = await new Promise<string>((resolve) => raw.once("data", (data) => resolve(String(data))));
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    raw.destroy();
    for (let i = 0; i < 20; i += 1) {
      const peer = connect(set.port, "127.0.0.1");
      peer.on("error", () => undefined);
      peer.write(
        `GET ${ROOM} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      );
      peer.resetAndDestroy();
    }
    await joinedSocket();
    await expect.poll(() => set.door.sockets).toBe(1);
  });

  it("closes with a word to everybody", async () => {
    const socket = await joinedSocket();
    const gone = closed(socket);
    await set.door.close();
    expect(await gone).toBe(4503);
    expect(await status(open())).toBe(503);
  });
});
