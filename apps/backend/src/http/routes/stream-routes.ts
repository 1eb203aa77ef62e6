import {
  KliegError,
  StartedStream,
  StartStream,
  StopStream,
  StreamHealth,
  StreamId,
  StreamInfo,
} from "@klieg/protocol";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Broadcast } from "../../live/broadcast.ts";
import { healthOf, infoOf } from "../../live/stream-report.ts";
import { type AdminGuard, bearer } from "../admin-guard.ts";
import type { HttpServices } from "../services.ts";

const Params = z.object({ id: StreamId });

/** `/v1/streams…`, but for the media itself. */
export function streamRoutes(services: HttpServices, guard: AdminGuard): FastifyPluginAsyncZod {
  const { channels, live, addresses, sfu } = services;

  const find = (id: string): Broadcast => {
    const broadcast = live.get(id);
    if (broadcast === undefined) throw new KliegError("stream_unknown", "There is no such stream.");
    return broadcast;
  };

  return async (app) => {
    app.post(
      "/v1/streams/start",
      {
        schema: {
          tags: ["streams"],
          description: "Opens the channel's stream and says where the encoder goes. Publishing without this works too.",
          body: StartStream,
          response: { 200: StartedStream },
        },
      },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        const admission = await channels.admit(request.body.stream_key);
        const { stream } = live.start(admission);
        return {
          stream_id: stream.id,
          channel: stream.channel,
          state: stream.state,
          waits_until: stream.waitsUntil === undefined ? null : new Date(stream.waitsUntil).toISOString(),
          ingest: {
            rtmp: `${addresses.rtmp}/${request.body.stream_key}`,
            rtmps: addresses.rtmps === undefined ? null : `${addresses.rtmps}/${request.body.stream_key}`,
            srt: addresses.srt(request.body.stream_key),
            whip: sfu.unavailable === undefined ? addresses.whip : null,
          },
          playback: { hls: addresses.manifestPath(stream.id), watch: addresses.watch(stream.channel) },
        };
      },
    );

    app.post(
      "/v1/streams/stop",
      {
        schema: {
          tags: ["streams"],
          security: [{ streamKey: [] }, { admin: [] }],
          body: StopStream,
          response: { 200: StreamInfo },
        },
      },
      async (request) => {
        const broadcast = find(request.body.stream_id);
        if (!guard.accepts(request)) {
          const { channel } = await channels.admit(bearer(request) ?? "");
          if (channel.name !== broadcast.stream.channel) {
            throw new KliegError("forbidden", "This stream key belongs to another channel.");
          }
        }
        live.stop(broadcast.stream.id);
        return infoOf(broadcast, addresses.manifestPath(broadcast.stream.id));
      },
    );

    app.get(
      "/v1/streams/:id",
      { schema: { tags: ["streams"], params: Params, response: { 200: StreamInfo } } },
      async (request, reply) => {
        reply.header("cache-control", "public, max-age=1");
        const broadcast = find(request.params.id);
        return infoOf(broadcast, addresses.manifestPath(broadcast.stream.id));
      },
    );

    app.get(
      "/v1/streams/:id/health",
      { schema: { tags: ["streams"], params: Params, response: { 200: StreamHealth } } },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        return healthOf(find(request.params.id));
      },
    );
  };
}
