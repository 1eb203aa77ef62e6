import {
  ChangeStream,
  KliegError,
  StartedStream,
  StartStream,
  StopStream,
  StreamHealth,
  StreamId,
  StreamInfo,
  StreamKeyCheck,
} from "@klieg/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Broadcast } from "../../live/broadcast.ts";
import { detailsOf, healthOf, infoOf } from "../../live/stream-report.ts";
import { type AdminGuard, bearer } from "../admin-guard.ts";
import type { HttpServices } from "../services.ts";

const Params = z.object({ id: StreamId });
const owners = [{ streamKey: [] }, { admin: [] }];

/** `/v1/streams…`, but for the media itself. */
export function streamRoutes(services: HttpServices, guard: AdminGuard): FastifyPluginAsyncZod {
  const { channels, live, addresses, sfu } = services;

  const find = (id: string): Broadcast => {
    const broadcast = live.get(id);
    if (broadcast === undefined) throw new KliegError("stream_unknown", "There is no such stream.");
    return broadcast;
  };

  /** The stream, for who may change it. @throws {KliegError} `stream_key_…`, `stream_unknown`, `forbidden`. */
  const findOwn = async (id: string, request: FastifyRequest): Promise<Broadcast> => {
    if (guard.accepts(request)) return find(id);
    const { channel } = await channels.admit(bearer(request) ?? "");
    const broadcast = find(id);
    if (channel.name === broadcast.stream.channel) return broadcast;
    // What is hidden is not there for others, whatever key they have.
    if (broadcast.audience.hidden) throw new KliegError("stream_unknown", "There is no such stream.");
    throw new KliegError("forbidden", "This stream key belongs to another channel.");
  };

  /** The stream, and whether its owner asks. @throws {KliegError} as `findOwn`, where a token is shown; else `stream_unknown`. */
  const findSeen = async (id: string, request: FastifyRequest): Promise<{ broadcast: Broadcast; own: boolean }> => {
    if (bearer(request) !== undefined) return { broadcast: await findOwn(id, request), own: true };
    const broadcast = find(id);
    if (broadcast.audience.hidden) throw new KliegError("stream_unknown", "There is no such stream.");
    return { broadcast, own: false };
  };

  const accessTo = ({ stream, audience }: Broadcast) =>
    addresses.preview(stream.channel, audience.previewToken, sfu.unavailable === undefined);

  const info = (broadcast: Broadcast, own: boolean): z.infer<typeof StreamInfo> =>
    infoOf(broadcast, addresses.manifestPath(broadcast.stream.id), own ? accessTo(broadcast) : null);

  const unkept = (reply: FastifyReply) => void reply.header("cache-control", "no-store");

  return async (app) => {
    app.get(
      "/v1/stream-key",
      {
        schema: {
          tags: ["stream keys"],
          description:
            "What the stream key opens: its channel, and the stream of it that is in flight. Opens nothing itself.",
          security: [{ streamKey: [] }],
          response: { 200: StreamKeyCheck },
        },
      },
      async (request, reply) => {
        unkept(reply);
        const { channel } = await channels.admit(bearer(request) ?? "");
        return {
          channel: channel.name,
          title: channel.title,
          watch: addresses.watch(channel.name),
          stream_id: live.ofChannel(channel.name)?.stream.id ?? null,
        };
      },
    );

    app.post(
      "/v1/streams/start",
      {
        schema: {
          tags: ["streams"],
          description:
            "Opens the channel's stream, and says where the encoder goes; for one that is open, changes what is given of its title " +
            "and audience. Publishing without this works too, and is public at once. A stream that was cut off within the last ten " +
            "minutes leaves its title and audience to the next one, unless others are given here.",
          security: [{ streamKey: [] }],
          body: StartStream,
          response: { 200: StartedStream },
        },
      },
      async (request, reply) => {
        unkept(reply);
        const { stream_key: given, ...details } = request.body;
        const key = given ?? bearer(request) ?? "";
        const admission = await channels.admit(key);
        const broadcast = live.start(admission, details);
        const { stream } = broadcast;
        // Who is told that a stream is private may rely on it, come what may.
        await live.written();
        return {
          stream_id: stream.id,
          channel: stream.channel,
          state: stream.state,
          waits_until: stream.waitsUntil === undefined ? null : new Date(stream.waitsUntil).toISOString(),
          ingest: {
            rtmp: `${addresses.rtmp}/${key}`,
            rtmps: addresses.rtmps === undefined ? null : `${addresses.rtmps}/${key}`,
            srt: addresses.srt(key),
            whip: sfu.unavailable === undefined ? addresses.whip : null,
          },
          playback: { hls: addresses.manifestPath(stream.id), watch: addresses.watch(stream.channel) },
          ...detailsOf(broadcast),
          preview_access: accessTo(broadcast),
        };
      },
    );

    app.post(
      "/v1/streams/stop",
      {
        schema: {
          tags: ["streams"],
          description: "Ends the stream at once and for good.",
          security: owners,
          body: StopStream,
          response: { 200: StreamInfo },
        },
      },
      async (request, reply) => {
        unkept(reply);
        const broadcast = await findOwn(request.body.stream_id, request);
        live.stop(broadcast.stream.id);
        return info(broadcast, true);
      },
    );

    app.get(
      "/v1/streams/:id",
      {
        schema: {
          tags: ["streams"],
          description: "With a stream key of the channel: hidden streams too, and how to preview them.",
          security: [{}, ...owners],
          params: Params,
          response: { 200: StreamInfo },
        },
      },
      async (request, reply) => {
        const { broadcast, own } = await findSeen(request.params.id, request);
        reply.header("cache-control", own ? "no-store" : "public, max-age=1").header("vary", "authorization");
        return info(broadcast, own);
      },
    );

    app.patch(
      "/v1/streams/:id",
      {
        schema: {
          tags: ["streams"],
          description:
            "Changes title, category and audience; `preview: false` makes it public. Viewers then see what begins from there on, and " +
            "nothing that was sent before. What was public and is hidden again leaves caches only as they let go of it.",
          security: owners,
          params: Params,
          body: ChangeStream,
          response: { 200: StreamInfo },
        },
      },
      async (request, reply) => {
        unkept(reply);
        const { id } = (await findOwn(request.params.id, request)).stream;
        const broadcast = live.change(id, request.body);
        await live.written();
        return info(broadcast, true);
      },
    );

    app.get(
      "/v1/streams/:id/health",
      {
        schema: {
          tags: ["streams"],
          description: "How the stream is doing. Of a hidden one, with a stream key of the channel.",
          security: [{}, ...owners],
          params: Params,
          response: { 200: StreamHealth },
        },
      },
      async (request, reply) => {
        unkept(reply);
        return healthOf((await findSeen(request.params.id, request)).broadcast);
      },
    );
  };
}
