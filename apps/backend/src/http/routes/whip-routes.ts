import { KliegError } from "@klieg/protocol";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { WhipSession } from "../../ingest/whip/whip-session.ts";
import { iceServerLinks } from "../../sfu/ice-servers.ts";
import { SCALABILITY_MODE } from "../../sfu/sdp/publication.ts";
import { AddressTokens } from "../address-tokens.ts";
import { bearer } from "../admin-guard.ts";
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

const Params = z.object({ session: z.string().max(200) });
const security = [{ streamKey: [] }];
const tags = ["WebRTC"];

/** `/v1/whip…` (ING3, RFC 9725). */
export function whipRoutes(services: HttpServices): FastifyPluginAsyncZod {
  const { whip, iceServers, clock } = services;
  const posts = new AddressTokens({
    clock,
    burst: 40,
    perSecond: 4,
    message: "Too many attempts to publish from your address; wait a few seconds.",
  });
  const failures = new AddressTokens({
    clock,
    burst: 20,
    perSecond: 0.5,
    message: "Too many wrong stream keys from your address; wait a few seconds.",
  });

  const find = (id: string): WhipSession => {
    if (!SESSION_ID.test(id)) throw new KliegError("not_found", "There is no such session.");
    return whip.session(id);
  };

  return async (app) => {
    takeSdpBodies(app);

    app.options(
      "/v1/whip",
      {
        config: { cors: { preflightContinue: true, strictPreflight: false, exposedHeaders: EXPOSED_HEADERS } },
        schema: { tags, description: "What may be posted, and the ICE servers." },
      },
      async (request, reply) =>
        reply
          .status(204)
          .header("accept-post", SDP)
          .header("link", isPreflight(request) ? [] : iceServerLinks(iceServers.issue("whip")))
          .send(),
    );

    app.post(
      "/v1/whip",
      {
        compress: false,
        config: { cors: { exposedHeaders: EXPOSED_HEADERS } },
        schema: {
          tags,
          security,
          description:
            "Publishes to the channel of the stream key: an offer in, the answer out. An offer does not tell how a VP9 or AV1 " +
            "encoding is layered; a publisher that says so lets each viewer have the layers that its network carries.",
          querystring: z.object({ scalability_mode: z.string().regex(SCALABILITY_MODE).optional() }),
          consumes: [SDP],
          produces: [SDP],
          response: { 201: z.string() },
        },
      },
      async (request, reply) => {
        reply.header("cache-control", "no-store");
        requireAcceptable(request, SDP);
        const offer = sdpBody(request, SDP);
        try {
          failures.check(request.ip);
          posts.take(request.ip);
          const { session, sdp } = await whip.publish({
            key: bearer(request) ?? "",
            offer,
            remoteAddress: request.ip,
            userAgent: request.headers["user-agent"],
            scalabilityMode: request.query.scalability_mode,
          });
          return reply
            .status(201)
            .type(SDP)
            .header("location", `/v1/whip/${session.id}`)
            .header("etag", session.ice.etag)
            .header("accept-patch", SDP_FRAGMENT)
            .header("link", iceServerLinks(iceServers.issue(sessionTag(session.id))))
            .send(sdp);
        } catch (error) {
          if (error instanceof KliegError && error.code.startsWith("stream_key_")) {
            failures.use(request.ip);
            reply.header("www-authenticate", 'Bearer realm="stream key"');
          }
          tellWhenToRetry(reply, error);
          throw error;
        }
      },
    );

    app.options(
      "/v1/whip/:session",
      {
        config: { cors: { preflightContinue: true, strictPreflight: false } },
        schema: { tags, params: Params },
      },
      async (_request, reply) => reply.status(204).header("accept-patch", SDP_FRAGMENT).send(),
    );

    app.patch(
      "/v1/whip/:session",
      {
        compress: false,
        config: { cors: { exposedHeaders: EXPOSED_HEADERS } },
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
      "/v1/whip/:session",
      { schema: { tags, description: "Ends the publication.", params: Params, response: { 200: z.null() } } },
      async (request, reply) => {
        find(request.params.session).end({ by: "peer", message: "the encoder has stopped" });
        // RFC 9725 § 4.2 has 200 here, and there are publishers that take nothing else for success.
        return reply.status(200).send(null);
      },
    );

    refuseMethods(app, "/v1/whip", ["GET", "HEAD", "PUT", "PATCH", "DELETE"], "OPTIONS, POST");
    refuseMethods(app, "/v1/whip/:session", ["GET", "HEAD", "PUT", "POST"], "OPTIONS, PATCH, DELETE");
  };
}
