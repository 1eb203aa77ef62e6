import { Readable } from "node:stream";
import {
  CreatedInvite,
  CreatedRoom,
  CreateInvite,
  CreateRoom,
  DEFAULT_INVITE_S,
  InviteId,
  InviteList,
  InviteToken,
  KliegError,
  RecordingId,
  RecordingList,
  RoomId,
  RoomInfo,
  RoomList,
} from "@klieg/protocol";
import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { RoomRecord } from "../../ports/repositories.ts";
import { type AdminGuard, bearer } from "../admin-guard.ts";
import { parseRange } from "../byte-range.ts";
import type { HttpServices } from "../services.ts";

const Params = z.object({ id: RoomId });
const InviteParams = Params.extend({ invite: InviteId });
const RecordingParams = Params.extend({ recording: z.string().regex(/^[a-z0-9]{8,32}\.mp4$/, "not a recording") });
const Download = z.object({ token: InviteToken });
/** Bytes that a download reads at a time. */
const READ_BYTES = 256 * 1024;
/** The admin token, a stream key of the room's channel, or a host's invite. */
const hostOnly = [{ admin: [] }, { streamKey: [] }, { roomHost: [] }];
const tags = ["rooms"];

/** `/v1/rooms…`; who is in a room speaks over the WebSocket of the same address. */
export function roomRoutes(services: HttpServices, guard: AdminGuard): FastifyPluginAsyncZod {
  const { rooms, channels, recordings } = services;

  /** @throws {KliegError} `unauthorized`, `forbidden`, `invite_invalid`, `invite_expired`, `not_found`. */
  const requireHost = async (request: FastifyRequest, id: string): Promise<RoomRecord> => {
    if (guard.accepts(request)) return rooms.find(id);
    const token = bearer(request);
    if (token === undefined) {
      throw new KliegError("unauthorized", "This needs a host's invite token: Authorization: Bearer TOKEN.");
    }
    // Three parts with dots between them: a JSON Web Token. A stream key is none.
    if (token.split(".").length === 3) {
      const { role } = await rooms.admit(id, token);
      if (role !== "host") throw new KliegError("forbidden", "This needs a host's invite.");
      return rooms.find(id);
    }
    const { channel } = await channels.admit(token);
    const room = await rooms.find(id);
    if (room.channel !== channel.name) throw new KliegError("forbidden", "This room belongs to another channel.");
    return room;
  };

  return async (app) => {
    app.post(
      "/v1/rooms",
      {
        schema: {
          tags,
          description:
            "Opens a room, with an invite link for its host. A stream key as bearer binds it to the key's channel, on which it can then go on air; with the admin token the channel is named, or none.",
          security: [{ admin: [] }, { streamKey: [] }],
          body: CreateRoom,
          response: { 201: CreatedRoom },
        },
      },
      async (request, reply) => {
        const { title, channel: named } = request.body;
        let channel: string | undefined;
        let keyId: string | undefined;
        if (guard.accepts(request)) {
          channel = named === undefined ? undefined : (await channels.get(named)).name;
        } else {
          const admission = await channels.admit(bearer(request) ?? "");
          if (named !== undefined && named !== admission.channel.name) {
            throw new KliegError("forbidden", "This stream key belongs to another channel.");
          }
          channel = admission.channel.name;
          keyId = admission.keyId;
        }
        const { record, invite } = await rooms.create({ title, channel, keyId, inviteExpiresInS: DEFAULT_INVITE_S });
        reply.status(201).header("cache-control", "no-store");
        return { room: rooms.describe(record), channel: record.channel, invite };
      },
    );

    app.get(
      "/v1/rooms",
      {
        schema: {
          tags,
          description:
            "Rooms that have not ended, newest first: all of them, or with a stream key those of its channel.",
          security: [{ admin: [] }, { streamKey: [] }],
          response: { 200: RoomList },
        },
      },
      async (request, reply) => {
        const channel = guard.accepts(request) ? undefined : (await channels.admit(bearer(request) ?? "")).channel.name;
        reply.header("cache-control", "no-store");
        const records = await rooms.list(channel);
        return {
          rooms: records.map((record) => ({
            ...rooms.describe(record),
            channel: record.channel,
            created_at: new Date(record.createdAt).toISOString(),
          })),
        };
      },
    );

    app.get(
      "/v1/rooms/:id",
      { schema: { tags, params: Params, response: { 200: RoomInfo } } },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        return rooms.describe(await rooms.get(request.params.id));
      },
    );

    app.delete(
      "/v1/rooms/:id",
      {
        schema: {
          tags,
          description: "Puts everybody out and ends the room for good. Its recordings stay.",
          security: hostOnly,
          params: Params,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const room = await requireHost(request, request.params.id);
        await rooms.end(room.id);
        reply.status(204);
        return null;
      },
    );

    app.post(
      "/v1/rooms/:id/invites",
      {
        schema: { tags, security: hostOnly, params: Params, body: CreateInvite, response: { 201: CreatedInvite } },
      },
      async (request, reply) => {
        const room = await requireHost(request, request.params.id);
        const { role, expires_in_s: expiresInS, label } = request.body;
        reply.status(201).header("cache-control", "no-store");
        return rooms.createInvite(room.id, { role, expiresInS, label });
      },
    );

    app.get(
      "/v1/rooms/:id/invites",
      { schema: { tags, security: hostOnly, params: Params, response: { 200: InviteList } } },
      async (request, reply) => {
        const room = await requireHost(request, request.params.id);
        reply.header("cache-control", "no-store");
        return { invites: await rooms.listInvites(room.id) };
      },
    );

    app.delete(
      "/v1/rooms/:id/invites/:invite",
      {
        schema: {
          tags,
          description: "Revokes the invite: nobody can join by it any more. Those who are in stay.",
          security: hostOnly,
          params: InviteParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const room = await requireHost(request, request.params.id);
        await rooms.revokeInvite(room.id, request.params.invite);
        reply.status(204);
        return null;
      },
    );

    app.get(
      "/v1/rooms/:id/recordings",
      {
        schema: {
          tags,
          description: "Recordings of the room, also of one that has ended, each with an address to download it from.",
          security: hostOnly,
          params: Params,
          response: { 200: RecordingList },
        },
      },
      async (request, reply) => {
        const room = await requireHost(request, request.params.id);
        reply.header("cache-control", "no-store");
        return { recordings: await recordings.list(room.id) };
      },
    );

    app.get(
      "/v1/rooms/:id/recordings/:recording",
      {
        schema: {
          tags,
          description: "The recording as an MP4 file, ranges too; one that still runs as far as it has come.",
          params: RecordingParams,
          querystring: Download,
          produces: ["video/mp4"],
        },
        // The file is compressed already.
        compress: false,
      },
      async (request, reply) => {
        const { id, recording } = request.params;
        const found = await recordings.open(id, RecordingId.parse(recording.slice(0, -4)), request.query.token);
        const range = request.headers.range === undefined ? undefined : parseRange(request.headers.range, found.bytes);
        if (range === "unsatisfiable") {
          reply.header("content-range", `bytes */${found.bytes}`);
          throw new KliegError("range_not_satisfiable", "The recording is not that long.");
        }
        const { start, end } = range ?? { start: 0, end: found.bytes - 1 };
        const day = new Date(found.startedAt).toISOString().slice(0, 16).replace(/[T:]/g, "-");
        reply
          .type("video/mp4")
          .header("cache-control", "private, no-store")
          .header("referrer-policy", "no-referrer")
          .header("x-content-type-options", "nosniff")
          .header("accept-ranges", "bytes")
          .header("content-disposition", `attachment; filename="room-${day}.mp4"`)
          .header("content-length", end - start + 1);
        if (range !== undefined) {
          reply.status(206).header("content-range", `bytes ${start}-${end}/${found.bytes}`);
        }
        return Readable.from(pieces(recordings, found.key, start, end));
      },
    );
  };
}

async function* pieces(
  recordings: HttpServices["recordings"],
  key: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at <= end; ) {
    const bytes = await recordings.read(key, at, Math.min(READ_BYTES, end - at + 1));
    if (bytes.byteLength === 0) throw new KliegError("gone", "The recording ends before it should.");
    yield bytes;
    at += bytes.byteLength;
  }
}
