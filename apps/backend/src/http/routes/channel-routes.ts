import {
  ChangeChannel,
  ChannelInfo,
  ChannelList,
  ChannelName,
  ChannelSettings,
  CreateChannel,
  CreatedStreamKey,
  CreateStreamKey,
  PreviewToken,
  type StreamKeyInfo,
  StreamKeyList,
} from "@klieg/protocol";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ChannelRecord, StreamKeyRecord } from "../../ports/repositories.ts";
import type { AdminGuard } from "../admin-guard.ts";
import type { MediaDoor } from "../media-door.ts";
import type { HttpServices } from "../services.ts";

const Params = z.object({ channel: ChannelName });
const KeyParams = Params.extend({ key: z.string().regex(/^[0-9a-f]{16}$/) });
const adminOnly = [{ admin: [] }];
const OFF_AIR = {
  live_stream_id: null,
  state: null,
  live_since: null,
  playback: { hls: null, dash: null, whep: null },
  broadcast: null,
} as const;

/** `/v1/channels…` */
export function channelRoutes(services: HttpServices, guard: AdminGuard, media: MediaDoor): FastifyPluginAsyncZod {
  const { channels, live, sfu, addresses } = services;

  /** @param previewToken of the channel's stream, where its owner asks. */
  const describe = (channel: ChannelRecord, previewToken?: string): ChannelInfo => {
    const found = live.ofChannel(channel.name);
    const broadcast = found?.audience.admits(previewToken) ? found : undefined;
    const insider = broadcast !== undefined && previewToken === broadcast.audience.previewToken;
    const { stream, audience, packager } = broadcast ?? {};
    // What became public a moment ago has no segment to play yet.
    const playable = stream?.liveAt !== undefined && (insider || packager?.shown === true);
    const liveAt = playable ? Math.max(stream.liveAt, audience?.shownAt ?? 0) : undefined;
    const access = insider ? addresses.preview(channel.name, previewToken, sfu.unavailable === undefined) : undefined;
    const whep = sfu.unavailable === undefined ? addresses.whepPath(channel.name) : null;
    return {
      name: channel.name,
      title: channel.title,
      live_stream_id: liveAt === undefined ? null : (stream?.id ?? null),
      state: stream?.state === "live" && !playable ? "starting" : (stream?.state ?? null),
      live_since: liveAt === undefined ? null : new Date(liveAt).toISOString(),
      playback: {
        hls: liveAt === undefined ? null : (access?.hls ?? addresses.livePath(channel.name)),
        dash: null,
        whep: liveAt === undefined ? null : access === undefined ? whep : access.whep,
      },
      default_playback: channel.defaultPlayback,
      broadcast:
        audience === undefined
          ? null
          : {
              title: audience.title === "" ? channel.title : audience.title,
              category: audience.category,
              visibility: audience.visibility,
              preview: audience.preview,
            },
    };
  };

  /** On the list only where it wants to be. */
  const describeListed = (channel: ChannelRecord): ChannelInfo => {
    const info = describe(channel);
    return info.broadcast === null || info.broadcast.visibility === "public" ? info : { ...info, ...OFF_AIR };
  };

  return async (app) => {
    app.get(
      "/v1/channels",
      { schema: { tags: ["channels"], response: { 200: ChannelList } } },
      async (_request, reply) => {
        reply.header("cache-control", "public, max-age=1");
        return { channels: (await channels.list()).map(describeListed) };
      },
    );

    app.get(
      "/v1/channels/:channel",
      {
        schema: {
          tags: ["channels"],
          description:
            "How the channel is doing and where it is watched; with a preview's token, for the owner of what is hidden.",
          params: Params,
          querystring: z.object({ preview: PreviewToken.optional() }),
          response: { 200: ChannelInfo },
        },
      },
      async (request, reply) => {
        const { preview } = request.query;
        reply.header("cache-control", preview === undefined ? "public, max-age=1" : "private, no-store");
        return describe(await channels.get(request.params.channel), preview);
      },
    );

    app.get(
      "/v1/channels/:channel/live.m3u8",
      {
        schema: {
          tags: ["playback"],
          description: "The multivariant playlist of the channel's stream: an address that never changes.",
          params: Params,
        },
      },
      async (request, reply) => {
        const channel = await channels.get(request.params.channel);
        reply.hijack();
        media.answerChannel(channel.name, request.raw, reply.raw);
      },
    );

    app.post(
      "/v1/channels",
      {
        onRequest: guard.require,
        schema: { tags: ["channels"], security: adminOnly, body: CreateChannel, response: { 201: ChannelSettings } },
      },
      async (request, reply) => {
        const { name, title } = request.body;
        reply.status(201);
        return settingsOf(await channels.create(name, title ?? name));
      },
    );

    app.get(
      "/v1/channels/:channel/settings",
      {
        onRequest: guard.require,
        schema: { tags: ["channels"], security: adminOnly, params: Params, response: { 200: ChannelSettings } },
      },
      async (request) => settingsOf(await channels.get(request.params.channel)),
    );

    app.patch(
      "/v1/channels/:channel",
      {
        onRequest: guard.require,
        schema: {
          tags: ["channels"],
          security: adminOnly,
          params: Params,
          body: ChangeChannel,
          response: { 200: ChannelSettings },
        },
      },
      async (request) => {
        const { title, profile, default_playback: defaultPlayback } = request.body;
        const change = {
          ...(title === undefined ? {} : { title }),
          ...(profile === undefined ? {} : { profile }),
          ...(defaultPlayback === undefined ? {} : { defaultPlayback }),
        };
        return settingsOf(await channels.change(request.params.channel, change));
      },
    );

    app.get(
      "/v1/channels/:channel/keys",
      {
        onRequest: guard.require,
        schema: { tags: ["stream keys"], security: adminOnly, params: Params, response: { 200: StreamKeyList } },
      },
      async (request) => ({ keys: (await channels.keysOf(request.params.channel)).map(keyInfo) }),
    );

    app.post(
      "/v1/channels/:channel/keys",
      {
        onRequest: guard.require,
        schema: {
          tags: ["stream keys"],
          security: adminOnly,
          params: Params,
          body: CreateStreamKey,
          response: { 201: CreatedStreamKey },
        },
      },
      async (request, reply) => {
        const { record, text } = await channels.issueKey(request.params.channel, request.body.label);
        reply.status(201).header("cache-control", "no-store");
        return { ...keyInfo(record), stream_key: text };
      },
    );

    app.delete(
      "/v1/channels/:channel/keys/:key",
      {
        onRequest: guard.require,
        schema: {
          tags: ["stream keys"],
          description: "Revokes the key; whoever publishes with it is put off at once.",
          security: adminOnly,
          params: KeyParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await channels.revokeKey(request.params.channel, request.params.key);
        reply.status(204);
        return null;
      },
    );
  };
}

function settingsOf(channel: ChannelRecord): z.infer<typeof ChannelSettings> {
  return {
    name: channel.name,
    title: channel.title,
    profile: channel.profile,
    default_playback: channel.defaultPlayback,
  };
}

function keyInfo(record: StreamKeyRecord): z.infer<typeof StreamKeyInfo> {
  return {
    id: record.id,
    label: record.label,
    created_at: new Date(record.createdAt).toISOString(),
    revoked_at: record.revokedAt === null ? null : new Date(record.revokedAt).toISOString(),
  };
}
