import { ChannelName, KliegError, PinLayer, PreviewToken, type WhepEvent, WhepState } from "@klieg/protocol";
import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { iceServerLinks } from "../../sfu/ice-servers.ts";
import type { WhepSession } from "../../watch/whep-session.ts";
import { AddressTokens } from "../address-tokens.ts";
import { EventStream } from "../event-stream.ts";
import { ifMatch, requireAcceptable, SDP, SDP_FRAGMENT, sdpBody, takeSdpBodies } from "../sdp-body.ts";
import type { HttpServices } from "../services.ts";
import {
  EXPOSED_HEADERS,
  isPreflight,
  refuseMethods,
  SESSION_ID,
  sessionTag,
  tellWhenToRetry,
} from "../session-resource.ts";

const ChannelParams = z.object({ channel: ChannelName });
const Params = ChannelParams.extend({ session: z.string().max(200) });
const tags = ["WebRTC"];
const exposing = { cors: { exposedHeaders: EXPOSED_HEADERS } };
const answeringOptions = { cors: { preflightContinue: true, strictPreflight: false, exposedHeaders: EXPOSED_HEADERS } };
/** Streams of events that one session may have open. */
const MAX_EVENT_STREAMS = 4;

/** `/v1/whep…` (RTC1, draft-ietf-wish-whep). */
export function whepRoutes(services: HttpServices): FastifyPluginAsyncZod {
  const { whep, iceServers, clock } = services;
  const posts = new AddressTokens({
    clock,
    burst: 300,
    perSecond: 30,
    message: "Too many attempts to watch from your address; wait a few seconds.",
  });
  const eventStreams = new WeakMap<WhepSession, Set<EventStream>>();

  const find = (id: string): WhepSession => {
    if (!SESSION_ID.test(id)) throw new KliegError("not_found", "There is no such session.");
    return whep.session(id);
  };

  return async (app) => {
    takeSdpBodies(app, ["application/json"]);

    app.options(
      "/v1/whep/:channel",
      {
        config: answeringOptions,
        schema: { tags, description: "What may be posted, and the ICE servers.", params: ChannelParams },
      },
      async (request, reply) =>
        reply
          .status(204)
          .header("accept-post", SDP)
          .header("link", isPreflight(request) ? [] : iceServerLinks(iceServers.issue("whep")))
          .send(),
    );

    app.post(
      "/v1/whep/:channel",
      {
        compress: false,
        config: exposing,
        schema: {
          tags,
          description:
            "Watches the channel in real time: an offer in, the answer out. Of a hidden stream, with its preview's token.",
          params: ChannelParams,
          querystring: z.object({ preview: PreviewToken.optional() }),
          consumes: [SDP],
          produces: [SDP],
          response: { 201: z.string() },
        },
      },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        requireAcceptable(request, SDP);
        const offer = sdpBody(request, SDP);
        const { channel } = request.params;
        try {
          posts.take(request.ip);
          const { preview } = request.query;
          const { session, sdp } = await whep.watch({ channel, offer, remoteAddress: request.ip, preview });
          return reply
            .status(201)
            .type(SDP)
            .header("location", `/v1/whep/${channel}/${session.id}`)
            .header("etag", session.ice.etag)
            .header("accept-patch", SDP_FRAGMENT)
            .header("link", iceServerLinks(iceServers.issue(sessionTag(session.id))))
            .send(sdp);
        } catch (error) {
          tellWhenToRetry(reply, error);
          throw error;
        }
      },
    );

    app.options(
      "/v1/whep/:channel/:session",
      { config: answeringOptions, schema: { tags, params: Params } },
      async (_request, reply) => reply.status(204).header("accept-patch", SDP_FRAGMENT).send(),
    );

    app.get(
      "/v1/whep/:channel/:session",
      {
        config: exposing,
        schema: { tags, description: "How the session is doing.", params: Params, response: { 200: WhepState } },
      },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        return find(request.params.session).state();
      },
    );

    app.patch(
      "/v1/whep/:channel/:session",
      {
        compress: false,
        config: exposing,
        schema: {
          tags,
          description: "Trickles candidates in (If-Match: the entity tag) or restarts ICE (If-Match: *).",
          params: Params,
          consumes: [SDP_FRAGMENT],
          produces: [SDP_FRAGMENT],
          response: { 200: z.string(), 204: z.null() },
        },
      },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        const session = find(request.params.session);
        const restart = await session.ice.patch(sdpBody(request, SDP_FRAGMENT), ifMatch(request));
        if (restart === undefined) return reply.status(204).send(null);
        return reply.status(200).type(SDP_FRAGMENT).header("etag", restart.etag).send(restart.fragment);
      },
    );

    app.delete(
      "/v1/whep/:channel/:session",
      { schema: { tags, description: "Stops watching.", params: Params, response: { 200: z.null() } } },
      async (request, reply) => {
        find(request.params.session).end({ by: "peer", message: "the viewer has gone" });
        return reply.status(200).send(null);
      },
    );

    app.post(
      "/v1/whep/:channel/:session/layers",
      {
        schema: {
          tags,
          description: "Holds on to a layer of what is sent, which nothing above is sent of; or lets go of it.",
          params: Params,
          body: PinLayer,
          response: { 200: WhepState },
        },
      },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        const session = find(request.params.session);
        await session.pin(request.body);
        return session.state();
      },
    );

    for (const action of ["pause", "resume"] as const) {
      app.post(
        `/v1/whep/:channel/:session/${action}`,
        { schema: { tags, params: Params, response: { 200: WhepState } } },
        async (request, reply) => {
          reply.header("cache-control", "no-store");
          const session = find(request.params.session);
          await session[action]();
          return session.state();
        },
      );
    }

    app.get(
      "/v1/whep/:channel/:session/events",
      {
        schema: {
          tags,
          description: "Server-sent events: active, inactive, layers, viewers, reconnect, ended.",
          params: Params,
          produces: ["text/event-stream"],
        },
      },
      async (request, reply) => {
        const session = find(request.params.session);
        const open = eventStreams.get(session) ?? new Set();
        if (open.size >= MAX_EVENT_STREAMS) {
          throw new KliegError("rate_limited", "This session has enough streams of events open.");
        }
        eventStreams.set(session, open);
        const state = await session.state();
        // It may have ended in the meantime.
        find(request.params.session);
        const stream = openEventStream(reply, session, () => open.delete(stream));
        open.add(stream);
        stream.send(state.state === "inactive" ? "inactive" : "active", {});
        for (const medium of state.media) if (medium.kind === "video") stream.send("layers", medium);
        stream.send("viewers", { count: state.viewers });
        return reply;
      },
    );

    refuseMethods(app, "/v1/whep/:channel", ["GET", "HEAD", "PUT", "PATCH", "DELETE"], "OPTIONS, POST");
    refuseMethods(app, "/v1/whep/:channel/:session", ["PUT", "POST"], "OPTIONS, GET, PATCH, DELETE");
  };

  function openEventStream(reply: FastifyReply, session: WhepSession, onClosed: () => void): EventStream {
    const subscriptions = new DisposableStack();
    const stream = new EventStream(reply, clock, () => {
      subscriptions.dispose();
      onClosed();
    });
    subscriptions.use(session.events.on("told", ({ type, data }: WhepEvent) => stream.send(type, data)));
    subscriptions.use(session.events.on("closed", () => stream.end()));
    return stream;
  }
}
